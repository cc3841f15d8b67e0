// A transaction as callers hold it, in both forms: begun and ended by them, or given to a closure.
//
// Life: open, until commit, rollback, the timeout, a failure of the backend or `deinit` end it;
// whatever comes first releases the batch and its locks, once. `state`'s lock makes concurrent
// calls on one transaction run one after another.
internal import OfflineBytes

/// Several operations on named collections that happen together or not at all.
///
/// It sees its own writes; nobody else does before it is committed. An operation that throws has
/// had no effect, and the transaction goes on. A transaction that is dropped without `commit` is
/// rolled back.
///
/// ```swift
/// let transaction = try await store.beginTransaction(["users", "orders"])
/// do {
///     try await transaction.create("users", user)
///     try await transaction.create("orders", order)
///     try await transaction.commit()
/// } catch {
///     try await transaction.rollback()
/// }
/// ```
public final class Transaction: StoreWriter {
    private enum State: Sendable {
        case open(OpenBatch, lastUse: ContinuousClock.Instant)
        /// What any further use throws, and whether the owner ended it: by commit or rollback.
        case ended(OfflineError, byOwner: Bool)
    }
    /// For those who can't wait for `state`'s lock.
    private struct Watch {
        var isEnded = false
        var timeout: Deadlines.Token?
    }
    private let core: StoreCore
    /// Who writes; nil: who may do everything.
    private let access: SessionAccess?
    private let state: AsyncLock<State>
    private let watch = Protected(Watch())

    /// A transaction on an open batch. Nothing ends it for not being used.
    init(_ core: StoreCore, _ open: OpenBatch, _ access: SessionAccess? = nil) {
        self.core = core
        self.access = access
        state = AsyncLock(.open(open, lastUse: core.deadlines.now))
    }

    deinit {
        // Nobody else has a reference, so the lock is free.
        state.withLockIfFree { state in
            if case .open(let open, _) = state { core.rollback(open) }
        }
    }

    /// Waits for the collections and begins.
    static func begin(
        _ core: StoreCore, _ writing: [String], reading: [String],
        for access: SessionAccess? = nil
    ) async throws -> Transaction {
        let writing = try Self.states(of: writing, in: core.schema)
        let reading = try Self.states(of: reading, in: core.schema)
            .filter { collection in !writing.contains { $0 === collection } }
        guard !writing.isEmpty || !reading.isEmpty else {
            throw OfflineError(.transactionScope, "a transaction names at least one collection")
        }
        if !writing.isEmpty {
            try OwnTransaction.checkNotInside(core)
            await core.prepareToAdd()
        }
        let open = try await core.begin(
            writing: writing, reading: reading, deletes: true, as: "a transaction", for: access)
        let transaction = Transaction(core, open, access)
        transaction.watch(for: core.transactionTimeout)
        return transaction
    }

    static func states(
        of names: [String], in schema: SchemaState
    ) throws -> [CollectionState] {
        var result: [CollectionState] = []
        for name in names {
            let collection = try schema.collection(name)
            if !result.contains(where: { $0 === collection }) { result.append(collection) }
        }
        return result
    }

    // MARK: Ending

    /// Makes everything permanent, or, if it throws, nothing.
    public func commit() async throws {
        try await state.withLock { state in
            let open = try Self.open(state)
            end(&state, Self.closed("is committed already"), byOwner: true)
            do {
                try await core.commit(open)
            } catch {
                let reason = Self.closed("was rolled back, because its commit failed: \(error)")
                state = .ended(reason, byOwner: false)
                throw error
            }
        }
    }

    /// Undoes everything. Idempotent; does nothing after a commit or after an error that already
    /// rolled back.
    public func rollback() async throws {
        await state.withLock { rollBack(&$0, Self.closed("was rolled back"), byOwner: true) }
    }

    /// Ends it because the store is being closed.
    func abandon() async {
        let reason = OfflineError(
            .notOpen, "the store was closed, which rolled the transaction back")
        await state.withLock { rollBack(&$0, reason, byOwner: false) }
    }

    private func rollBack(_ state: inout State, _ reason: OfflineError, byOwner: Bool) {
        guard case .open(let open, _) = state else { return }
        end(&state, reason, byOwner: byOwner)
        core.rollback(open)
    }

    private func end(_ state: inout State, _ reason: OfflineError, byOwner: Bool) {
        state = .ended(reason, byOwner: byOwner)
        let timeout = watch.withLock { watch in
            watch.isEnded = true
            return watch.timeout.take()
        }
        if let timeout { core.deadlines.remove(timeout) }
        core.unregister(self)
        core.space.released()
    }

    /// Whether it was ended, in whatever way.
    var isEnded: Bool { watch.withLock { $0.isEnded } }

    /// Ends it at the end of its closure: commits, unless the closure has ended it. Throws if
    /// something else did.
    func finish() async throws {
        switch await state.withLock({ $0 }) {
        case .open: try await commit()
        case .ended(_, byOwner: true): break
        case .ended(let reason, byOwner: false): throw reason
        }
    }

    private static func open(_ state: State) throws(OfflineError) -> OpenBatch {
        switch state {
        case .open(let open, _): return open
        case .ended(let reason, _): throw reason
        }
    }

    private static func closed(_ how: String) -> OfflineError {
        OfflineError(.transactionClosed, "the transaction \(how)")
    }

    // MARK: Timeout

    /// Rolls back once nobody has used it for the store's timeout.
    private func watch(for duration: Duration) {
        let token = core.deadlines.add(after: duration) { [weak self] in self?.checkIdle() }
        let isEnded = watch.withLock { watch in
            watch.timeout = token
            return watch.isEnded
        }
        if isEnded { core.deadlines.remove(token) }
    }

    private func checkIdle() {
        if isEnded { return }
        let timeout = core.transactionTimeout
        // Where the lock is taken, an operation is running.
        let remaining = state.withLockIfFree { state -> Duration in
            guard case .open(_, let lastUse) = state else { return timeout }
            let idle = core.deadlines.now - lastUse
            if idle < timeout { return timeout - idle }
            let reason = OfflineError(
                .transactionTimeout,
                "the transaction was rolled back, because it wasn't used for \(timeout)")
            rollBack(&state, reason, byOwner: false)
            return timeout
        }
        if !isEnded { watch(for: remaining ?? timeout) }
    }

    // MARK: Operations

    /// Runs one operation. One that throws has had no effect, unless the backend failed: then all
    /// is rolled back.
    func perform<Result>(
        _ body: (inout OpenBatch) throws -> Result
    ) async throws -> Result {
        try await state.withLock { state in
            var open = try Self.open(state)
            do {
                let result = try body(&open)
                state = .open(open, lastUse: core.deadlines.now)
                return result
            } catch {
                if open.writer.isBroken {
                    let reason = Self.closed("was rolled back: the storage failed: \(error)")
                    rollBack(&state, reason, byOwner: false)
                }
                throw core.noted(access?.concealed(error) ?? error)
            }
        }
    }
}

// MARK: - Reading and writing

extension Transaction {
    /// The record with this key as the transaction sees it; nil where there is none.
    public func get(
        _ collection: String, _ key: some ValueConvertible, include: [Include]
    ) async throws -> Document? {
        try await perform { try $0.view.get(collection, key.storeValue, include: include) }
    }

    /// The records that the query describes, as the transaction sees them.
    public func query(_ collection: String, _ query: Query) async throws -> [Document] {
        try await perform { try $0.view.query(collection, query) }
    }

    /// How many records match, as the transaction sees them.
    public func count(_ collection: String, _ filters: Filter) async throws -> Int {
        try await perform { try $0.view.count(collection, filters) }
    }

    /// The distinct values of a field among the records that match, as the transaction sees them.
    public func distinct(
        _ collection: String, _ field: String, _ filters: Filter
    ) async throws -> [Value] {
        try await perform { try $0.view.distinct(collection, field, filters) }
    }

    /// Figures of the records that match, as the transaction sees them.
    public func aggregate(
        _ collection: String, _ aggregation: Aggregation
    ) async throws -> [Document] {
        try await perform { try $0.view.aggregate(collection, aggregation) }
    }

    /// The results as they are read, holding few of them in memory.
    ///
    /// Which records these are is settled when the first one is asked for; each comes as the transaction sees it when it
    /// is read, and one that was deleted meanwhile doesn't. The transaction must be open all the while.
    public func stream(
        _ collection: String, _ query: Query
    ) -> AsyncThrowingStream<Document, any Error> {
        QueryFeed.stream(collection, query, isFixed: false) { [self] pages in
            try await perform { try pages.next($0.view) }
        }
    }

    /// How a query would run in the transaction.
    public func explain(
        _ collection: String, _ query: Query, analyze: Bool
    ) async throws -> QueryPlan {
        try await perform { try $0.view.explain(collection, query, analyze: analyze) }
    }

    /// Adds a record. Throws `.alreadyExists`. Returns it with its generated key.
    @discardableResult
    public func create(_ collection: String, _ document: Document) async throws -> Document {
        try await write(collection) { try $0.create([document], in: $1)[0] }
    }

    /// Changes a record. Throws `.notFound`.
    @discardableResult
    public func update(
        _ collection: String, _ document: Document, mode: UpdateMode
    ) async throws -> Document {
        try await write(collection) { try $0.update([document], mode: mode, in: $1)[0] }
    }

    /// Adds the record, or replaces the one with its key.
    @discardableResult
    public func upsert(_ collection: String, _ document: Document) async throws -> Document {
        try await write(collection) { try $0.upsert(document, in: $1) }
    }

    /// Removes a record; false where there was none.
    @discardableResult
    public func delete(
        _ collection: String, _ key: some ValueConvertible
    ) async throws -> Bool {
        try await write(collection) { try $0.delete([key.storeValue], in: $1) == 1 }
    }

    /// Adds all records or none.
    @discardableResult
    public func createBatch(
        _ collection: String, _ documents: [Document]
    ) async throws -> [Document] {
        try await write(collection) { try $0.create(documents, in: $1) }
    }

    /// Changes all records or none.
    @discardableResult
    public func updateBatch(
        _ collection: String, _ documents: [Document], mode: UpdateMode
    ) async throws -> [Document] {
        try await write(collection) { try $0.update(documents, mode: mode, in: $1) }
    }

    /// Removes the records; how many there were.
    @discardableResult
    public func deleteBatch(
        _ collection: String, _ keys: [some ValueConvertible]
    ) async throws -> Int {
        try await write(collection) { try $0.delete(keys.map(\.storeValue), in: $1) }
    }

    /// Empties collections on this device, as `OfflineStore.clear` does; with what else the transaction does, or not at all.
    public func clear(_ collections: [String]) async throws {
        try await perform { open in
            try open.writer.clear(Self.states(of: collections, in: open.view.schema))
        }
    }

    private func write<Result>(
        _ name: String, _ body: (inout RecordWriter, CollectionState) throws -> Result
    ) async throws -> Result {
        try await perform { open in
            try body(&open.writer, open.view.schema.collection(name))
        }
    }
}
