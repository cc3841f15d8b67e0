// What differs between the stored schema and the wanted one.
//
// - A collection that is stored and not wanted stays as it is. No wanted collection at all:
//   everything as stored.
// - A new collection gets the next number. A stored one whose key path changes needs a migration, after which it is stored with the new
//   one (KeyChange): without, `.invalidOptions`.
// - An index that is in both as it is keeps its tree; any other is built anew under a new number,
//   one that is gone is dropped.
// - A collection that tracks changes for the first time gets a collection for them, and the tree of its latest changes
//   (ChangeTrees); both stay when it stops. The first of them gives the store its own records (StoreRecords).
// - A policy that was set at run time counts until the schema's own is another one than it was then.
// - A collection whose policy asks when records were used gets a collection for that (AccessEntry). It stays, empty and without a
//   tree, when no policy asks any more.
// - A schema that records must fulfil, and that is new or changed, is one that those that are there must fulfil too.
// - A collection of which a field becomes sensitive is marked: its records may have that unsealed.
// - Indexes of another derivation version (StoredDefinition) are all built anew.

/// The steps from a stored schema to a wanted one.
struct SchemaChanges {
    /// What `StorageBackend.define` is to be called with.
    private(set) var changes: [StoredCollection] = []
    /// All collections as they are after the changes.
    private(set) var result: [(id: CollectionID, kind: StoredKind)] = []
    /// Stored collections whose records are to be held against a schema that is new to them.
    private(set) var newlyValidated: [CollectionID] = []
    /// Stored collections of which a field becomes sensitive.
    private(set) var newlySensitive: [CollectionID] = []
    private var nextID: UInt32
    private let strategy: EvictionPolicy
    private let isLimited: Bool

    /// A policy that is set at run time.
    struct PolicyChange {
        let collection: CollectionID
        let policy: EvictionPolicy
    }
    /// What the store's options say about eviction.
    struct Eviction {
        var strategy = EvictionPolicy.none
        /// Whether the store's size has a limit.
        var isLimited = false
    }

    /// Compares. The wanted collections are checked here against the rules and against what is
    /// stored. `nextSequence`: the one of the next commit. `isForMigrations`: the store gets its own records, and a collection that is
    /// stored and not wanted no sensitive field of the options.
    init(
        stored: [StoredCollection], nextSequence: UInt64, wanted: [CollectionSchema],
        eviction: Eviction = Eviction(), setting: PolicyChange? = nil,
        encryption: EncryptionOptions? = nil, isForMigrations: Bool = false
    ) throws {
        strategy = eviction.strategy
        isLimited = eviction.isLimited
        nextID = stored.map(\.id.value).max() ?? 0
        let kinds = try stored.map { ($0, try StoredKind($0.definition)) }
        var definitions: [(stored: StoredCollection, definition: StoredDefinition)] = []
        var owned: [CollectionID: Owned] = [:]
        var hasStoreRecords = false
        for (collection, kind) in kinds {
            switch kind {
            case .records(let definition): definitions.append((collection, definition))
            case .changes(let owner, let from):
                owned[owner, default: Owned()].changes = (collection, from)
            case .access(let owner, let order):
                owned[owner, default: Owned()].access = (collection, order)
            case .store:
                hasStoreRecords = true
                result.append((collection.id, kind))
            }
        }
        try SchemaValidation.check(wanted, stored: definitions.map(\.definition.schema.name))
        var rest = wanted
        for (collection, definition) in definitions {
            let position = rest.firstIndex { $0.name == definition.schema.name }
            var schema = position.map { rest.remove(at: $0) } ?? definition.schema
            try SensitiveFields.settle(
                &schema, definition.schema.sensitiveFields,
                isForMigrations && position == nil ? nil : encryption)
            try Self.checkKeyPaths(definition.schema, schema)
            if schema.validation != nil, schema.validation != definition.schema.validation {
                newlyValidated.append(collection.id)
            }
            if schema.sensitiveFields != definition.schema.sensitiveFields {
                newlySensitive.append(collection.id)
            }
            let new = Self.changed(
                definition, to: schema, isWanted: position != nil,
                setting: setting?.collection == collection.id ? setting?.policy : nil)
            // A feed that read up to now has been told nothing of it either: its position is one below.
            let begins = new.schema.isTracking && !definition.schema.isTracking
            try append(
                collection, definition, new, owned[collection.id] ?? Owned(),
                trackingFrom: begins ? nextSequence + 1 : nil)
        }
        for var schema in rest {
            try SensitiveFields.settle(&schema, [], encryption)
            try append(try newCollection(), nil, StoredDefinition(schema), Owned(), trackingFrom: 0)
        }
        let hasChanges = result.contains { if case .changes = $0.kind { true } else { false } }
        if hasChanges || isForMigrations, !hasStoreRecords {
            change(try newCollection(), .store, indexes: [])
        }
    }

    /// What the store keeps about another collection.
    private struct Owned {
        var changes: (stored: StoredCollection, from: UInt64)?
        var access: (stored: StoredCollection, order: AccessOrder)?
    }

    /// A definition with the wanted schema, or the stored one where none is wanted, and the policy that counts now.
    private static func changed(
        _ definition: StoredDefinition, to schema: CollectionSchema, isWanted: Bool,
        setting: EvictionPolicy?
    ) -> StoredDefinition {
        var policy = setting ?? definition.runTimePolicy
        if setting == nil, schema.evictionPolicy != definition.schema.evictionPolicy {
            policy = nil
        }
        var tracks = definition.schema.isTracking
        if isWanted {
            tracks = schema.isTracking(under: policy ?? schema.evictionPolicy)
        } else if let setting, setting != .none {
            tracks = false
        }
        var new = definition.changed(to: schema, runTimePolicy: policy, tracks: tracks)
        if schema.sensitiveFields != definition.schema.sensitiveFields { new.isUnsealed = true }
        return new
    }

    private mutating func newCollection() throws -> StoredCollection {
        guard nextID < .max else {
            throw OfflineError(.corrupted, "the numbers of collections are used up")
        }
        nextID += 1
        return StoredCollection(id: CollectionID(nextID), definition: [], indexes: [], names: [])
    }

    /// Appends an application's collection, and those that belong to it. `trackingFrom`: where it begins to track changes.
    private mutating func append(
        _ stored: StoredCollection, _ old: StoredDefinition?, _ new: StoredDefinition,
        _ owned: Owned, trackingFrom: UInt64?
    ) throws {
        try append(stored, old, new, owned.changes, trackingFrom: trackingFrom)
        let order = (new.policy ?? strategy).order(isLimited: isLimited)
        guard owned.access != nil || order != .none else { return }
        let kind = StoredKind.access(of: stored.id, order: order)
        if let access = owned.access, access.order == order {
            result.append((access.stored.id, kind))
        } else {
            change(
                try owned.access?.stored ?? newCollection(), kind,
                indexes: order.tree.map { [$0] } ?? [])
        }
    }

    private mutating func append(
        _ stored: StoredCollection, _ old: StoredDefinition?, _ new: StoredDefinition,
        _ changes: (stored: StoredCollection, from: UInt64)?, trackingFrom: UInt64?
    ) throws {
        let hasChanges = changes != nil || new.schema.isTracking
        let kind = StoredKind.records(new)
        if old == new {
            result.append((stored.id, kind))
        } else {
            change(
                stored, kind,
                indexes: new.indexNumbers + (hasChanges ? [ChangeTrees.number] : []))
        }
        guard hasChanges else { return }
        let from = new.schema.isTracking ? trackingFrom ?? changes?.from ?? 0 : changes?.from ?? 0
        let changesKind = StoredKind.changes(of: stored.id, from: from)
        if let changes, changes.from == from {
            result.append((changes.stored.id, changesKind))
        } else {
            change(
                try changes?.stored ?? newCollection(), changesKind,
                indexes: [ChangeTrees.entryNumber])
        }
    }

    private mutating func change(
        _ stored: StoredCollection, _ kind: StoredKind, indexes: [UInt32]
    ) {
        result.append((stored.id, kind))
        changes.append(
            StoredCollection(
                id: stored.id, definition: kind.bytes, indexes: indexes.sorted(),
                names: stored.names))
    }

    private static func checkKeyPaths(
        _ stored: CollectionSchema, _ wanted: CollectionSchema
    ) throws(OfflineError) {
        if stored.keyPaths == wanted.keyPaths { return }
        throw OfflineError(
            .invalidOptions,
            "collection \"\(stored.name)\": keyPath is stored as "
                + "\(stored.keyPaths.joined(separator: ", ")) and can't become "
                + "\(wanted.keyPaths.joined(separator: ", ")) without a migration",
            collection: stored.name)
    }
}
