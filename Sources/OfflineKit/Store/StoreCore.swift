// What an open store is made of. OfflineStore checks its state and delegates here; transactions
// hold on to it.
//
// Writing: locks on the collections (CollectionLocks), a batch of the backend, one or more
// statements (RecordWriter), commit. The locks are released as soon as the backend says that the
// next batch may begin, which is before the commit is durable: so many writers of one collection
// share a sync. Readers take no lock.
internal import OfflineBytes

/// An open store.
final class StoreCore: Sendable {
    let backend: any StorageBackend
    let schema: SchemaState
    let deadlines: Deadlines
    let options: StorageOptions
    var transactionTimeout: Duration { options.transactionTimeout }
    let clock: any StoreClock
    /// The keys of sensitive fields; nil: the store isn't encrypted.
    let vault: FieldVault?
    let locks: CollectionLocks
    let changes: ChangeContext
    /// Stay the same when a read-only store is refreshed.
    let liveQueries: LiveQueries
    let snapshots: HeldSnapshots
    let events: StorageEventHub
    let eviction = BackgroundQueue("offline.store.eviction")
    let resealing = Resealing()
    let space: SpaceWatch
    /// Room is made by one at a time.
    let roomTurn = AsyncLock(())
    let reads = ReadCounts()
    /// When records are too old.
    let ages = AgeDeadlines()
    /// Tells live queries and feeds what was committed.
    var hub: CommitHub { liveQueries.hub }
    let uuids = UUIDGenerator()
    /// Transactions that were begun with `beginTransaction` and may still be open.
    private let handles = Protected<[ObjectIdentifier: WeakTransaction]>([:])

    private struct WeakTransaction {
        weak let transaction: Transaction?
    }

    init(
        _ backend: any StorageBackend, _ schema: SchemaState, _ options: StorageOptions,
        clock: any StoreClock, changes: ChangeContext, liveQueries: LiveQueries,
        snapshots: HeldSnapshots, events: StorageEventHub, vault: FieldVault? = nil
    ) {
        self.vault = vault
        self.events = events
        space = SpaceWatch(limit: options.sizeLimit ?? .max, events)
        self.liveQueries = liveQueries
        self.snapshots = snapshots
        self.changes = changes
        self.backend = backend
        self.schema = schema
        self.options = options
        self.clock = clock
        deadlines = Deadlines(clock)
        locks = CollectionLocks(deadlines)
        reads.whenFull { [weak self] in self?.readsAreFull() }
    }

    /// A view of what is committed now, as a session may see it, or all of it; `kept`: one that a caller may hold for long.
    func view(kept: Bool = false, as access: SessionAccess? = nil) throws -> ReadView {
        do {
            // Before the snapshot, whose fields may be sealed with keys that go then.
            let keys = vault?.use
            let reader = try backend.snapshot()
            return ReadView(
                snapshot: kept ? reader.kept() : reader, schema: schema, reads: reads,
                access: access, keys: keys)
        } catch {
            throw ErrorMapping.publicError(error)
        }
    }

    // MARK: Batches

    /// Waits for the collections and begins a batch on them; with `deletes`, also for those that delete rules reach from them.
    func begin(
        writing: [CollectionState], reading: [CollectionState], deletes: Bool,
        as operation: StaticString, for access: SessionAccess? = nil
    ) async throws -> OpenBatch {
        let open = try await begin(
            writing: writing, reading: reading, deletes: deletes, as: operation,
            .until(transactionTimeout), for: access)
        guard let open else { throw OfflineError(.transactionTimeout, "nobody waited") }
        return open
    }

    /// How long a batch is waited for.
    enum Patience {
        case none
        case until(Duration)
        case forAsLongAsItTakes
    }

    /// The same, nil where it isn't waited for and somebody has one of the collections.
    func begin(
        writing: [CollectionState], reading: [CollectionState], deletes: Bool,
        as operation: StaticString, _ patience: Patience, for access: SessionAccess? = nil
    ) async throws -> OpenBatch? {
        try OwnTransaction.checkNotInside(self)
        if options.isReadOnly, let first = writing.first {
            throw OfflineError(
                .readOnly, "the store was opened for reading only", collection: first.name)
        }
        let scope = BatchScope(
            writing: writing, reading: reading,
            byRules: deletes ? try DeleteScope(of: writing, in: schema) : nil, changes: changes,
            isObserved: hub.isObserved)
        let request = request(scope.written, scope.reading, operation)
        let hold: LockHold
        switch patience {
        case .none:
            guard let free = locks.acquireIfFree(request) else { return nil }
            hold = free
        case .until(let timeout): hold = try await locks.acquire(request, timeout: timeout)
        case .forAsLongAsItTakes: hold = try await locks.acquire(request, timeout: nil)
        }
        do {
            let batch =
                options.isReadOnly
                ? ReadOnlyBatch(try backend.snapshot())
                : try backend.begin(scope.writtenIDs, reading: scope.reading.map(\.id))
            return OpenBatch(batch, scope, hold, schema, uuids, access)
        } catch {
            locks.release(hold)
            throw ErrorMapping.publicError(error)
        }
    }

    /// Commits and releases the locks, whether or not it succeeds. `checksBounds`: false for an eviction's own commits. `addsData`: whether
    /// anything was written, not only deleted; nil: as the writer knows.
    func commit(
        _ open: OpenBatch, checksBounds: Bool = true, addsData: Bool? = nil
    ) async throws {
        defer { locks.release(open.hold) }
        let addsData = addsData ?? open.writer.addsData
        do {
            let (batch, scope) = (open.batch, open.scope)
            if !addsData { batch.useReserve() }
            // While the collections are locked still.
            let keys = vault?.use
            try await batch.commit(appended: { locks.release(open.hold) }) { [hub] sequences in
                hub.publish(
                    Commit(
                        sequences: sequences, collections: scope.takeChanges(of: batch),
                        keys: keys))
            }
        } catch {
            open.batch.rollback()
            let failure = ErrorMapping.publicError(error)
            // What may come to be with the next opening keeps its notes: its records mustn't be given out until then.
            if (failure as? OfflineError)?.code != .outcomeUnknown { open.scope.end() }
            throw noted(failure)
        }
        open.scope.end()
        open.scope.names.publish(open.scope.written)
        reads.forget(open.scope.takeRemoved())
        noteCommit(added: addsData)
        if checksBounds { checkBounds(open.scope.written) }
    }

    /// Drops what was written and releases the locks.
    func rollback(_ open: OpenBatch) {
        open.batch.rollback()
        open.scope.end()
        locks.release(open.hold)
    }

    /// One statement in a batch of its own. Where the store's limit forbids it, once more after room was made.
    func write<Result>(
        _ name: String, deletes: Bool = false, as operation: StaticString,
        for access: SessionAccess? = nil,
        _ body: (inout RecordWriter, CollectionState) throws -> Result
    ) async throws -> Result {
        let collection = try schema.collection(name)
        try OwnTransaction.checkNotInside(self)
        if !deletes { await prepareToAdd() }
        do {
            return try await writeOnce(collection, deletes, operation, access, body)
        } catch let error as OfflineError where error.code == .quotaExceeded && !deletes {
            guard space.mayTry(), await makeRoom() else { throw error }
            return try await writeOnce(collection, deletes, operation, access, body)
        }
    }

    private func writeOnce<Result>(
        _ collection: CollectionState, _ deletes: Bool, _ operation: StaticString,
        _ access: SessionAccess?,
        _ body: (inout RecordWriter, CollectionState) throws -> Result
    ) async throws -> Result {
        var open = try await begin(
            writing: [collection], reading: [], deletes: deletes, as: operation, for: access)
        // Before anything of a large delete is written.
        if deletes { open.batch.useReserve() }
        let result: Result
        do {
            result = try body(&open.writer, collection)
        } catch {
            rollback(open)
            throw noted(error)
        }
        try await commit(open)
        return result
    }

    private func request(
        _ writing: [CollectionState], _ reading: [CollectionState], _ operation: StaticString
    ) -> LockRequest {
        LockRequest(exclusive: exclusive(writing.map(\.id)), shared: reading.map(\.id)) {
            "\(operation) on \((writing + reading).map(\.name).joined(separator: ", "))"
        }
    }

    /// What a batch that writes these collections must have for itself. Of a backend with one writer also the right to have a batch:
    /// an id that no collection has stands for it.
    func exclusive(_ collections: [CollectionID]) -> [CollectionID] {
        backend.allowsParallelWriters ? collections : collections + [CollectionID(0)]
    }

    /// How many batches are open or waited for.
    var requestCount: Int { locks.requestCount }

    // MARK: Closing

    /// Remembers a transaction that its owner must end.
    func register(_ transaction: Transaction) {
        handles.withLock { handles in
            if handles.count > 64 { handles = handles.filter { $0.value.transaction != nil } }
            handles[ObjectIdentifier(transaction)] = WeakTransaction(transaction: transaction)
        }
    }

    func unregister(_ transaction: Transaction) {
        handles.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(transaction)) }
    }

    /// Rolls back transactions that were begun and not ended, waits for everything else that runs,
    /// and closes the backend.
    func close() async throws {
        try OwnTransaction.checkNotInside(self)
        eviction.close()
        resealing.close()
        for handle in handles.withLock({ Array($0.values) }) {
            await handle.transaction?.abandon()
        }
        let hold = try await locks.acquire(
            request(schema.collections, [], "closing the store"), timeout: nil)
        defer { locks.release(hold) }
        await writeReadsAtClose()
        await vault?.close()
        await hub.close()
        events.close()
        do {
            try await backend.close()
        } catch {
            throw ErrorMapping.publicError(error)
        }
    }
}
