// The schema as the store works with it: each collection with its number, its paths parsed, its
// indexes numbered.
//
// Invariants: everything here is immutable but the caches of names, which only grow; a change of
// the schema makes a new SchemaState. It was valid when it was built (SchemaValidation), so paths
// parse and names are distinct.
internal import OfflineBytes
internal import Synchronization

/// All collections of an open store.
final class SchemaState: Sendable {
    /// The application's schema version.
    let version: Int
    /// In the order of their numbers.
    let collections: [CollectionState]
    private let byName: [String: CollectionState]
    private let byID: [CollectionID: CollectionState]
    /// Where the store's own records are; nil where it has none yet.
    var storeRecords: CollectionID? { ownRecords.withLock { $0 } }
    private let ownRecords: Protected<CollectionID?>

    init(version: Int, collections: [CollectionState], storeRecords: CollectionID? = nil) {
        self.version = version
        ownRecords = Protected(storeRecords)
        byID = Dictionary(
            collections.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.collections = collections.sorted { $0.id < $1.id }
        byName = Dictionary(
            collections.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The schema that stored definitions describe. `strategy`: the policy of collections that have none of their own.
    convenience init(
        version: Int, stored: [(id: CollectionID, kind: StoredKind)],
        strategy: EvictionPolicy = .none, vault: FieldVault? = nil
    ) throws {
        let settings = try CollectionSettings.all(stored, strategy: strategy)
        var collections: [CollectionState] = []
        for case (let id, .records(let definition)) in stored {
            collections.append(try definition.state(id: id, settings[id], vault))
        }
        self.init(
            version: version, collections: collections,
            storeRecords: stored.first { $0.kind == .store }?.id)
    }

    func collection(_ id: CollectionID) -> CollectionState? { byID[id] }

    /// The store has records of its own now.
    func noteStoreRecords(_ id: CollectionID?) {
        if let id { ownRecords.withLock { $0 = id } }
    }

    /// The collection; `.unknownCollection`, naming the known ones, where there is none.
    func collection(_ name: String) throws(OfflineError) -> CollectionState {
        if let collection = byName[name] { return collection }
        let known = byName.keys.sorted()
        throw OfflineError(
            .unknownCollection,
            known.isEmpty
                ? "there is no collection \"\(name)\": the store has none"
                : "there is no collection \"\(name)\"; there are \(known.joined(separator: ", "))",
            collection: name)
    }
}

/// One collection of an open store.
final class CollectionState: Sendable {
    let id: CollectionID
    let name: String
    let schema: CollectionSchema
    /// The paths of the record's key; several for a compound key.
    let keyPaths: [FieldPath]
    /// The path of the key, where it is one.
    var singleKeyPath: FieldPath? { keyPaths.count == 1 ? keyPaths[0] : nil }
    /// In the order of their numbers.
    let indexes: [IndexState]
    /// Whether any index is unique.
    let hasUniqueIndex: Bool
    private let settings: Protected<CollectionSettings>
    /// Where its changes are; nil where it never tracked any.
    var changes: ChangeTrees? { settings.withLock { $0.changes } }
    /// Whether new changes are tracked.
    var tracksChanges: Bool { settings.withLock { $0.tracksChanges } }
    /// What evicts its records.
    var policy: EvictionPolicy { settings.withLock { $0.policy } }
    /// Where it is kept when its records were used; nil where its policy doesn't need that.
    var access: AccessTrees? { settings.withLock { $0.access } }
    /// Whether reads are to be noted. Asked at every read.
    var countsReads: Bool { readsCount.load(ordering: .relaxed) }
    private let readsCount = Atomic(false)
    /// When its records are used.
    let accessTicks = AccessTicks()
    /// Seals and opens its sensitive fields; nil where it has none, or for who has no keys.
    let sealing: CollectionSealing?
    /// What its records must fulfil; nil: anything.
    let validation: RecordSchema?
    /// Numbers its changes.
    let changeNumbers = ChangeNumbers()
    /// The dictionary of committed names, and the index paths bound to it.
    let committedNames = NameCache()

    init(
        id: CollectionID, schema: CollectionSchema, indexNumbers: [UInt32],
        settings: CollectionSettings = CollectionSettings(), vault: FieldVault? = nil
    ) throws(OfflineError) {
        sealing =
            if let vault, !schema.sensitiveFields.isEmpty {
                try CollectionSealing(vault, collection: schema.name, schema.sensitiveFields)
            } else {
                nil
            }
        validation =
            if let document = schema.validation {
                try RecordSchema(
                    document, collection: schema.name, sensitive: schema.sensitiveFields)
            } else {
                nil
            }
        self.id = id
        self.name = schema.name
        self.schema = schema
        self.settings = Protected(settings)
        readsCount.store(settings.access?.order.countsReads == true, ordering: .relaxed)
        var keyPaths: [FieldPath] = []
        for path in schema.keyPaths { keyPaths.append(try FieldPath(path)) }
        self.keyPaths = keyPaths
        var indexes: [IndexState] = []
        for (index, number) in zip(schema.indexes, indexNumbers) {
            indexes.append(try IndexState(number: number, schema: index))
        }
        self.indexes = indexes.sorted { $0.number < $1.number }
        hasUniqueIndex = indexes.contains(where: \.isUnique)
    }

    /// The settings are others now. All that use the collection wait meanwhile (CollectionLocks), but for readers.
    func change(to settings: CollectionSettings) {
        self.settings.withLock { $0 = settings }
        readsCount.store(settings.access?.order.countsReads == true, ordering: .relaxed)
    }

    /// The index with this number, if it is unique.
    func uniqueIndex(number: UInt32) -> IndexState? {
        indexes.first { $0.number == number && $0.isUnique }
    }

    /// The index; `.unknownIndex`, naming the known ones, where there is none.
    func index(_ name: String) throws(OfflineError) -> IndexState {
        if let index = indexes.first(where: { $0.name == name }) { return index }
        throw OfflineError(
            .unknownIndex,
            "there is no index \"\(name)\"" + Self.known(indexes.map(\.name)),
            collection: self.name)
    }

    /// The relationship; `.unknownRelationship`, naming the known ones, where there is none.
    func relationship(_ name: String) throws(OfflineError) -> RelationshipSchema {
        if let relationship = schema.relationships.first(where: { $0.name == name }) {
            return relationship
        }
        throw OfflineError(
            .unknownRelationship,
            "there is no relationship \"\(name)\"" + Self.known(schema.relationships.map(\.name)),
            collection: self.name)
    }

    private static func known(_ names: [String]) -> String {
        names.isEmpty ? ": there is none" : "; there are \(names.sorted().joined(separator: ", "))"
    }
}
