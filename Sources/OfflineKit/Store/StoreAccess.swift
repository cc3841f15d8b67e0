// What can be done with a store, as protocols: code that takes `any StoreReader` runs on a store,
// in a transaction and on a snapshot alike.

/// How an update treats the fields that it doesn't name.
public enum UpdateMode: Sendable, Hashable {
    /// The document becomes the whole record.
    case replace
    /// The given top-level fields are set, all others stay.
    case merge
}

/// What `OfflineStore`, `StoreSession`, `Transaction` and `Snapshot` can all do.
public protocol StoreReader: Sendable {
    /// The record with this key, its `include`d relationships resolved; nil where there is none.
    func get(_ collection: String, _ key: some ValueConvertible, include: [Include]) async throws
        -> Document?
    /// The records that the query describes, in its order.
    func query(_ collection: String, _ query: Query) async throws -> [Document]
    /// How many records match.
    func count(_ collection: String, _ filters: Filter) async throws -> Int
    /// The distinct values of a field among the records that match, in the order of values. An array counts by its
    /// elements; a missing field gives nothing, null does.
    func distinct(_ collection: String, _ field: String, _ filters: Filter) async throws -> [Value]
    /// Figures of the records that match, a document a group: the values grouped by at their paths, the measures by their
    /// names; in the order of the groups' values.
    func aggregate(_ collection: String, _ aggregation: Aggregation) async throws -> [Document]
    /// The results as they are read, in one snapshot, holding few of them in memory; in a transaction, as the transaction sees
    /// each when it is read. Ends when its task is cancelled. An error, also that of a wrong query, comes with the first
    /// document asked for.
    ///
    /// ```swift
    /// for try await user in store.stream("users", Query(filters: ["active": true])) { … }
    /// ```
    func stream(_ collection: String, _ query: Query) -> AsyncThrowingStream<Document, any Error>
    /// How a query would run; with `analyze` it runs, and the plan says what it cost.
    func explain(_ collection: String, _ query: Query, analyze: Bool) async throws -> QueryPlan
}

extension StoreReader {
    /// The record with this key; nil where there is none.
    public func get(_ collection: String, _ key: Value) async throws -> Document? {
        try await get(collection, key, include: [])
    }
    /// The record with this key; nil where there is none.
    public func get(_ collection: String, _ key: some ValueConvertible) async throws -> Document? {
        try await get(collection, key, include: [])
    }
    /// All records, in key order.
    public func query(_ collection: String) async throws -> [Document] {
        try await query(collection, Query())
    }
    /// How many records there are.
    public func count(_ collection: String) async throws -> Int {
        try await count(collection, .all)
    }
    /// The distinct values of a field, in the order of values.
    public func distinct(_ collection: String, _ field: String) async throws -> [Value] {
        try await distinct(collection, field, .all)
    }
    /// All records as they are read, in key order.
    public func stream(_ collection: String) -> AsyncThrowingStream<Document, any Error> {
        stream(collection, Query())
    }
    /// How a query would run.
    public func explain(_ collection: String, _ query: Query) async throws -> QueryPlan {
        try await explain(collection, query, analyze: false)
    }
}

/// What `OfflineStore`, `StoreSession` and `Transaction` can all do.
public protocol StoreWriter: StoreReader {
    /// Adds a record. Throws `.alreadyExists`. Returns the stored record, its generated key
    /// included.
    @discardableResult func create(_ collection: String, _ document: Document) async throws
        -> Document
    /// Changes a record. Throws `.notFound`. Returns the stored record.
    @discardableResult func update(_ collection: String, _ document: Document, mode: UpdateMode)
        async throws -> Document
    /// Adds the record, or replaces the one with its key. Returns the stored record.
    @discardableResult func upsert(_ collection: String, _ document: Document) async throws
        -> Document
    /// Removes a record, and does what delete rules say (RelationshipSchema.DeleteRule); false where there was no such record. Throws
    /// `.relationshipViolation` where a rule forbids it.
    @discardableResult func delete(_ collection: String, _ key: some ValueConvertible) async throws
        -> Bool
    /// Adds all records or none. Throws `.alreadyExists`, also for a key that is in the batch
    /// twice.
    @discardableResult func createBatch(_ collection: String, _ documents: [Document]) async throws
        -> [Document]
    /// Changes all records or none. Throws `.notFound`; `.invalidDocument` for a key that is in the
    /// batch twice.
    @discardableResult func updateBatch(
        _ collection: String, _ documents: [Document], mode: UpdateMode
    ) async throws -> [Document]
    /// Removes the records, and does what delete rules say; how many of these records there were. Throws `.relationshipViolation`
    /// where a rule forbids it.
    @discardableResult func deleteBatch(_ collection: String, _ keys: [some ValueConvertible])
        async throws -> Int
    /// Empties collections on this device, in one step: like eviction it records no changes, pending ones are dropped, and no
    /// delete rules run. Throws `.unknownCollection`.
    func clear(_ collections: [String]) async throws
}

extension StoreWriter {
    /// Removes a record; false where there was no such record.
    @discardableResult
    public func delete(_ collection: String, _ key: Value) async throws -> Bool {
        let convertible: some ValueConvertible = key
        return try await delete(collection, convertible)
    }
    /// Replaces a record: a field removed from the document is removed from the record.
    @discardableResult
    public func update(_ collection: String, _ document: Document) async throws -> Document {
        try await update(collection, document, mode: .replace)
    }
    /// Merges into records: fields not named stay.
    @discardableResult
    public func updateBatch(_ collection: String, _ documents: [Document]) async throws
        -> [Document]
    {
        try await updateBatch(collection, documents, mode: .merge)
    }
}
