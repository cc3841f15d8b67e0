// What differs between the stored schema and the wanted one.
//
// - A collection that is stored and not wanted stays as it is. No wanted collection at all:
//   everything as stored.
// - A new collection gets the next number. A stored one whose key path changes would need a
//   migration: `.invalidOptions`.
// - An index that is in both as it is keeps its tree; any other is built anew under a new number,
//   one that is gone is dropped.
// - A collection that tracks changes for the first time gets a collection for them, and the tree of its latest changes
//   (ChangeTrees); both stay when it stops. The first of them gives the store its own records (StoreRecords).
// - Indexes of another derivation version (StoredDefinition) are all built anew.

/// The steps from a stored schema to a wanted one.
struct SchemaChanges {
    /// What `StorageBackend.define` is to be called with.
    private(set) var changes: [StoredCollection] = []
    /// All collections as they are after the changes.
    private(set) var result: [(id: CollectionID, kind: StoredKind)] = []
    private var nextID: UInt32

    /// Compares. The wanted collections are checked here against the rules and against what is
    /// stored. `nextSequence`: the one of the next commit.
    init(
        stored: [StoredCollection], nextSequence: UInt64, wanted: [CollectionSchema]
    ) throws {
        nextID = stored.map(\.id.value).max() ?? 0
        let kinds = try stored.map { ($0, try StoredKind($0.definition)) }
        var definitions: [(stored: StoredCollection, definition: StoredDefinition)] = []
        var owned: [CollectionID: (stored: StoredCollection, from: UInt64)] = [:]
        var hasStoreRecords = false
        for (collection, kind) in kinds {
            switch kind {
            case .records(let definition): definitions.append((collection, definition))
            case .changes(let owner, let from): owned[owner] = (collection, from)
            case .store:
                hasStoreRecords = true
                result.append((collection.id, kind))
            }
        }
        try SchemaValidation.check(wanted, stored: definitions.map(\.definition.schema.name))
        var rest = wanted
        for (collection, definition) in definitions {
            let position = rest.firstIndex { $0.name == definition.schema.name }
            let schema = position.map { rest.remove(at: $0) } ?? definition.schema
            try Self.checkKeyPaths(definition.schema, schema)
            // A feed that read up to now has been told nothing of it either: its position is one below.
            let begins = schema.isTracking && !definition.schema.isTracking
            try append(
                collection, definition, definition.changed(to: schema), owned[collection.id],
                trackingFrom: begins ? nextSequence + 1 : nil)
        }
        for schema in rest {
            try append(try newCollection(), nil, StoredDefinition(schema), nil, trackingFrom: 0)
        }
        let hasChanges = result.contains { if case .changes = $0.kind { true } else { false } }
        if hasChanges, !hasStoreRecords { change(try newCollection(), .store, indexes: []) }
    }

    private mutating func newCollection() throws -> StoredCollection {
        guard nextID < .max else {
            throw OfflineError(.corrupted, "the numbers of collections are used up")
        }
        nextID += 1
        return StoredCollection(id: CollectionID(nextID), definition: [], indexes: [], names: [])
    }

    /// Appends an application's collection, and that of its changes. `trackingFrom`: where it begins to track them.
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
