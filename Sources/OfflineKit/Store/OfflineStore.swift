// The public class: it checks that the store is open and delegates; no logic lives here.
internal import OfflineBytes

/// An offline-first document store.
///
/// All functions may be called from any task at once. Reads see what is committed and never wait
/// for writers; each write is a transaction of its own. They run where the caller runs.
///
/// ```swift
/// let store = try await OfflineStore.open(
///     StorageOptions(databaseName: "my_app_db", storageSchema: [CollectionSchema(name: "users")]))
/// try await store.create("users", ["id": "user123", "name": "John Doe"])
/// let user = try await store.get("users", "user123")
/// try await store.close()
/// ```
public final class OfflineStore: StoreWriter {
    let options: StorageOptions
    private let clock: any StoreClock
    private let tombstonesMax: Int
    /// What is open; nil before `initialize` and after `close`.
    let current = Protected<StoreCore?>(nil)
    /// One of initialize, close and refresh at a time.
    private let lifecycle = AsyncLock(())

    /// A store that is still closed; `initialize` opens it.
    public convenience init(_ options: StorageOptions) {
        self.init(options, clock: SystemStoreClock())
    }

    init(
        _ options: StorageOptions, clock: any StoreClock,
        tombstonesMax: Int = ChangeContext.tombstonesMax
    ) {
        self.options = options
        self.clock = clock
        self.tombstonesMax = tombstonesMax
    }

    /// `init` and `initialize` in one.
    public static func open(_ options: StorageOptions) async throws -> OfflineStore {
        let store = OfflineStore(options)
        try await store.initialize()
        return store
    }

    /// Opens or creates the database, recovers it, and runs what migrations are due (`MigrationManager`). Does nothing on an open store.
    ///
    /// Throws `.invalidOptions`, `.versionTooNew` for a store of a newer release, `.migrationFailed`; `.uniqueViolation` and
    /// `.validationFailed` where the records break what is new in the schema.
    public func initialize() async throws {
        try await lifecycle.withLock { _ in
            if current.withLock({ $0 != nil }) { return }
            let core = try await StoreOpening(
                options, clock: clock, tombstonesMax: tombstonesMax
            ).open()
            current.withLock { $0 = core }
        }
    }

    /// Waits for what is running, makes all durable, and lets go of the files. Idempotent.
    ///
    /// Transactions that were begun and not ended are rolled back; those given to a closure are
    /// waited for.
    public func close() async throws {
        if let core = current.withLock({ $0 }) { try OwnTransaction.checkNotInside(core) }
        try await lifecycle.withLock { _ in
            guard let core = current.withLock({ $0.take() }) else { return }
            try await core.close()
        }
    }

    /// All commits that returned are on stable storage when this returns, whatever the durability.
    public func flush() async throws {
        try await core().flush()
    }

    /// On a read-only store beside a writer: moves the fixed view to the newest committed state.
    ///
    /// A store that writes always sees the newest state; there it does nothing.
    public func refresh() async throws {
        try await lifecycle.withLock { _ in
            let refreshed = try await core().refreshed()
            current.withLock { $0 = refreshed }
            if options.isReadOnly { refreshed.liveQueries.hub.everythingChanged() }
        }
    }

    /// Reads everything and checks every checksum and index entry.
    public func verify() async throws -> VerificationReport {
        try await core().verify()
    }

    /// How many transactions and writes are running or waiting.
    var waitingCount: Int { current.withLock { $0 }?.requestCount ?? 0 }

    /// The application's schema version that the store has.
    package var schemaVersion: Int {
        get throws { try core().schema.version }
    }

    func core() throws -> StoreCore {
        guard let core = current.withLock({ $0 }) else {
            throw OfflineError(
                .notOpen,
                "the store \"\(options.databaseName)\" isn't open: initialize() opens it")
        }
        return core
    }
}

// MARK: - Reading

extension OfflineStore {
    /// The record with this key, its `include`d relationships resolved; nil where there is none.
    public func get(
        _ collection: String, _ key: some ValueConvertible, include: [Include]
    ) async throws -> Document? {
        try core().view().get(collection, key.storeValue, include: include)
    }

    /// The records that the query describes, in its order.
    public func query(_ collection: String, _ query: Query) async throws -> [Document] {
        try core().view().query(collection, query)
    }

    /// How many records match.
    public func count(_ collection: String, _ filters: Filter) async throws -> Int {
        try core().view().count(collection, filters)
    }

    /// The distinct values of a field among the records that match, in the order of values.
    public func distinct(
        _ collection: String, _ field: String, _ filters: Filter
    ) async throws -> [Value] {
        try core().view().distinct(collection, field, filters)
    }

    /// Figures of the records that match, a document a group.
    public func aggregate(
        _ collection: String, _ aggregation: Aggregation
    ) async throws -> [Document] {
        try core().view().aggregate(collection, aggregation)
    }

    /// The results as they are read, of the state that is committed now, holding few of them in memory.
    public func stream(
        _ collection: String, _ query: Query
    ) -> AsyncThrowingStream<Document, any Error> {
        let view = Result { try core().view(kept: true) }
        return QueryFeed.stream(collection, query, isFixed: true) { try $0.next(view.get()) }
    }

    /// How a query would run; with `analyze` it runs, and the plan says what it cost.
    public func explain(
        _ collection: String, _ query: Query, analyze: Bool
    ) async throws -> QueryPlan {
        try core().view().explain(collection, query, analyze: analyze)
    }

    /// One consistent, unchanging view of everything.
    public func snapshot() async throws -> Snapshot {
        let core = try core()
        return try Snapshot(core.view(kept: true), among: core.snapshots)
    }
}

// MARK: - Writing

extension OfflineStore {
    /// Adds a record. Throws `.alreadyExists`. Returns the stored record, its generated key
    /// included.
    @discardableResult
    public func create(_ collection: String, _ document: Document) async throws -> Document {
        try await core().write(collection, as: "a create") {
            try $0.create([document], in: $1)[0]
        }
    }

    /// Changes a record. Throws `.notFound`. Returns the stored record.
    @discardableResult
    public func update(
        _ collection: String, _ document: Document, mode: UpdateMode
    ) async throws -> Document {
        try await core().write(collection, as: "an update") {
            try $0.update([document], mode: mode, in: $1)[0]
        }
    }

    /// Adds the record, or replaces the one with its key. Returns the stored record.
    @discardableResult
    public func upsert(_ collection: String, _ document: Document) async throws -> Document {
        try await core().write(collection, as: "an upsert") { try $0.upsert(document, in: $1) }
    }

    /// Removes a record, and does what delete rules say; false where there was no such record. Throws
    /// `.relationshipViolation` where a rule forbids it.
    @discardableResult
    public func delete(
        _ collection: String, _ key: some ValueConvertible
    ) async throws -> Bool {
        try await core().write(collection, deletes: true, as: "a delete") {
            try $0.delete([key.storeValue], in: $1) == 1
        }
    }

    /// Adds all records or none. Throws `.alreadyExists`, also for a key that is in the batch
    /// twice.
    @discardableResult
    public func createBatch(
        _ collection: String, _ documents: [Document]
    ) async throws -> [Document] {
        try await core().write(collection, as: "a create of several") {
            try $0.create(documents, in: $1)
        }
    }

    /// Changes all records or none. Throws `.notFound`; `.invalidDocument` for a key that is in the
    /// batch twice.
    @discardableResult
    public func updateBatch(
        _ collection: String, _ documents: [Document], mode: UpdateMode
    ) async throws -> [Document] {
        try await core().write(collection, as: "an update of several") {
            try $0.update(documents, mode: mode, in: $1)
        }
    }

    /// Removes the records, and does what delete rules say; how many of these there were.
    @discardableResult
    public func deleteBatch(
        _ collection: String, _ keys: [some ValueConvertible]
    ) async throws -> Int {
        try await core().write(collection, deletes: true, as: "a delete of several") {
            try $0.delete(keys.map(\.storeValue), in: $1)
        }
    }
}

// MARK: - Transactions

extension OfflineStore {
    /// Begins a transaction, which its owner commits or rolls back. Transactions are serializable;
    /// those with disjoint collections run side by side.
    ///
    /// `reading`: collections that it only reads (shared with other readers, excluding writers).
    /// What the delete rules of `collections` reach is locked too, and may be read. Throws
    /// `.transactionTimeout`, naming who has the collections, after
    /// `StorageOptions.transactionTimeout`.
    public func beginTransaction(
        _ collections: [String], reading: [String] = []
    ) async throws -> Transaction {
        try await core().beginTransaction(collections, reading: reading)
    }

    /// Commits when `body` returns, rolls back when it throws or the task is cancelled. Runs where
    /// the caller runs.
    @discardableResult
    nonisolated(nonsending) public func transaction<T>(
        _ collections: [String], reading: [String] = [],
        _ body: (Transaction) async throws -> T
    ) async throws -> T {
        try await core().transaction(collections, reading: reading, body)
    }
}
