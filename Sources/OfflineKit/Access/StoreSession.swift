// A session: the store through the eyes of one principal. No policy is looked at here: each call goes the way of OfflineStore's,
// with what the principal may do (SessionAccess) on its view or its writer.
internal import OfflineBytes
public import OfflineDocuments

extension OfflineStore {
    /// A view of the store that enforces every collection's policy for `principal`, includes, counts, plans and observation too.
    ///
    /// It costs next to nothing, opens nothing, and lives as long as the store. A collection without a policy is open to all.
    ///
    /// ```swift
    /// let session = store.session(as: Principal(id: user.id, roles: user.roles))
    /// let mine = try await session.query("notes")
    /// ```
    public func session(as principal: Principal) -> StoreSession {
        StoreSession(self, principal)
    }
}

/// All of a store that a principal may see and do.
///
/// What a collection's `AccessPolicy` doesn't grant to any of the principal's roles is `.accessDenied`. What is granted on some
/// records only is as if there were no others: a record out of reach is nil to `get`, `.notFound` to an update, false to a delete, and
/// neither counted nor found. One that may be read but not changed is `.accessDenied` to a change. An update must be allowed
/// on the record as it was and as it is to be, so that none is moved into reach or out of it.
///
/// A hidden field isn't in what is read, and stays as it is in what is written: an update that replaces a record keeps it, one that has
/// it is `.accessDenied`. So is a query that filters, sorts, groups, searches or includes by it. Where only some rules hide a
/// field, a query that does so is of the records in which the field is shown.
///
/// What is refused because of a record that can't be seen (its key is taken, a delete rule reaches it) is `.accessDenied` in the same
/// words as what the policy forbids, and names no key. That a value is taken in a unique index is told; by whom, only where
/// that record can be read.
///
/// A delete must be allowed on every record that its delete rules remove, and an update on every one that they change.
///
/// ```swift
/// let session = store.session(as: Principal(id: "ann", roles: ["clerk"]))
/// try await session.transaction(["orders"]) { orders in
///     try await orders.create("orders", ["owner": "ann", "total": 12])
/// }
/// ```
public final class StoreSession: StoreWriter {
    /// Who reads and writes.
    public let principal: Principal
    private let store: OfflineStore
    private let access: SessionAccess

    init(_ store: OfflineStore, _ principal: Principal) {
        self.store = store
        self.principal = principal
        access = SessionAccess(principal, store.options.storageSchema)
    }

    /// Reads what is committed now.
    private func read<Result>(_ body: (ReadView) throws -> Result) throws -> Result {
        do {
            return try body(store.core().view(as: access))
        } catch {
            throw access.concealed(error)
        }
    }

    /// Runs one statement.
    private func write<Result>(
        _ collection: String, deletes: Bool = false, as operation: StaticString,
        _ body: (inout RecordWriter, CollectionState) throws -> Result
    ) async throws -> Result {
        do {
            return try await store.core().write(
                collection, deletes: deletes, as: operation, for: access, body)
        } catch {
            throw access.concealed(error)
        }
    }
}

// MARK: - Reading

extension StoreSession {
    /// The record with this key, its `include`d relationships resolved; nil where the session sees none.
    public func get(
        _ collection: String, _ key: some ValueConvertible, include: [Include]
    ) async throws -> Document? {
        try read { try $0.get(collection, key.storeValue, include: include) }
    }

    /// The records that the query describes, of those that the session sees.
    public func query(_ collection: String, _ query: Query) async throws -> [Document] {
        try read { try $0.query(collection, query) }
    }

    /// How many records match, of those that the session sees.
    public func count(_ collection: String, _ filters: Filter) async throws -> Int {
        try read { try $0.count(collection, filters) }
    }

    /// The distinct values of a field among the records that match and that the session sees.
    public func distinct(
        _ collection: String, _ field: String, _ filters: Filter
    ) async throws -> [Value] {
        try read { try $0.distinct(collection, field, filters) }
    }

    /// Figures of the records that match and that the session sees.
    public func aggregate(
        _ collection: String, _ aggregation: Aggregation
    ) async throws -> [Document] {
        try read { try $0.aggregate(collection, aggregation) }
    }

    /// How a query would run; where the session doesn't see all records, or not in all of them what the query names, how it would in a
    /// store that has only those in which it does. That costs as much as reading these.
    public func explain(
        _ collection: String, _ query: Query, analyze: Bool
    ) async throws -> QueryPlan {
        try read { try $0.explain(collection, query, analyze: analyze) }
    }

    /// The results as they are read, of the state that is committed now, holding few of them in memory.
    public func stream(
        _ collection: String, _ query: Query
    ) -> AsyncThrowingStream<Document, any Error> {
        let view = Result { try store.core().view(kept: true, as: access) }
        return QueryFeed.stream(collection, query, isFixed: true) { [access] pages in
            do {
                return try pages.next(view.get())
            } catch {
                throw access.concealed(error)
            }
        }
    }

    /// The query's results now and after each commit that alters what the session sees of them; as `OfflineStore.observe`.
    public func observe(
        _ collection: String, _ query: Query = Query()
    ) -> AsyncThrowingStream<[Document], any Error> {
        store.live(collection, query, as: access) { step in step.after.map(\.document) }
    }
}

// MARK: - Writing

extension StoreSession {
    /// Adds a record, of which it returns what the session may read. Throws `.alreadyExists`; `.accessDenied`, also where the
    /// key is that of a record that the session can't see.
    @discardableResult
    public func create(_ collection: String, _ document: Document) async throws -> Document {
        try await write(collection, as: "a create") { try $0.create([document], in: $1)[0] }
    }

    /// Changes a record, but for what is hidden of it. Throws `.notFound`; `.accessDenied`.
    @discardableResult
    public func update(
        _ collection: String, _ document: Document, mode: UpdateMode
    ) async throws -> Document {
        try await write(collection, as: "an update") {
            try $0.update([document], mode: mode, in: $1)[0]
        }
    }

    /// Adds the record, or replaces the one with its key, but for what is hidden of it. Throws `.accessDenied`.
    @discardableResult
    public func upsert(_ collection: String, _ document: Document) async throws -> Document {
        try await write(collection, as: "an upsert") { try $0.upsert(document, in: $1) }
    }

    /// Removes a record, and does what delete rules say; false where the session sees no such record. Throws `.accessDenied`;
    /// `.relationshipViolation`.
    @discardableResult
    public func delete(
        _ collection: String, _ key: some ValueConvertible
    ) async throws -> Bool {
        try await write(collection, deletes: true, as: "a delete") {
            try $0.delete([key.storeValue], in: $1) == 1
        }
    }

    /// Adds all records or none.
    @discardableResult
    public func createBatch(
        _ collection: String, _ documents: [Document]
    ) async throws -> [Document] {
        try await write(collection, as: "a create of several") { try $0.create(documents, in: $1) }
    }

    /// Changes all records or none.
    @discardableResult
    public func updateBatch(
        _ collection: String, _ documents: [Document], mode: UpdateMode
    ) async throws -> [Document] {
        try await write(collection, as: "an update of several") {
            try $0.update(documents, mode: mode, in: $1)
        }
    }

    /// Removes the records that the session sees; how many these were.
    @discardableResult
    public func deleteBatch(
        _ collection: String, _ keys: [some ValueConvertible]
    ) async throws -> Int {
        try await write(collection, deletes: true, as: "a delete of several") {
            try $0.delete(keys.map(\.storeValue), in: $1)
        }
    }

    /// Empties collections on this device, as `OfflineStore.clear` does. `.accessDenied` where the session may not delete every
    /// record of them.
    public func clear(_ collections: [String]) async throws {
        try await store.core().clear(collections, for: access)
    }

    /// Commits when `body` returns, rolls back when it throws or the task is cancelled. The closure's handle enforces the same
    /// policies.
    @discardableResult
    nonisolated(nonsending) public func transaction<T>(
        _ collections: [String], reading: [String] = [],
        _ body: (any StoreWriter) async throws -> T
    ) async throws -> T {
        try await store.core().transaction(collections, reading: reading, for: access) {
            try await body($0)
        }
    }
}
