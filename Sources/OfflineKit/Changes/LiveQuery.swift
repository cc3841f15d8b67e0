// One live query: between the hub's queue, which tells it of changed records, and a consumer, which asks for the next result.
//
// The queue only decides whether a record matters, on the record's bytes; what does is queued, as the record is shown, and a
// waiting consumer is woken. The consumer takes it into the result, or reads the result again, and goes on waiting where
// what it would show is what was shown last. So commits are never held up by a consumer, and one that sleeps costs no
// more than the bound on what is queued.
//
// Why nothing is missed or counted twice: a query is registered before its snapshot is taken, and a commit is published only
// once every new snapshot shows it. So what the queue tells before the snapshot is in it and is dropped; what it tells later
// is in it exactly if its sequences are below the snapshot's next one.
internal import OfflineBytes
import OfflineDocuments

/// A query whose result is followed. Several tasks may ask for the next result; each is given once.
final class LiveQuery: Sendable {
    /// Two results, one after the other.
    struct Step: Sendable {
        /// What was shown last; empty at first.
        let before: [LiveEntry]
        let after: [LiveEntry]
    }

    private let collection: String
    private let query: Query
    /// Who asks; nil: who may see everything.
    private let access: SessionAccess?
    /// The open store; nil once it is closed.
    private let core: @Sendable () throws -> StoreCore?
    private let state = Protected(LiveQueryState())
    /// Where it is registered.
    private let registration = Protected<(queries: LiveQueries, reach: Set<CollectionID>)?>(nil)

    init(
        _ collection: String, _ query: Query, as access: SessionAccess? = nil,
        _ core: @escaping @Sendable () throws -> StoreCore?
    ) {
        self.access = access
        self.collection = collection
        self.query = query
        self.core = core
    }

    // MARK: The consumer

    /// Waits for a result that isn't the one shown last; nil when the store is closed or the task cancelled. Throws what running
    /// the query throws, once.
    ///
    /// `waits`: false asks only for what there is now.
    func next(waits: Bool = true) async throws -> Step? {
        while true {
            if Task.isCancelled { end() }
            switch state.withLock({ $0.nextAction() }) {
            case .show(let step): return step
            case .read: try read()
            case .wait:
                if !waits { return nil }
                await waitForNews()
            case .end: return nil
            }
        }
    }

    private func read() throws {
        do {
            try readResult()
        } catch {
            // Whoever ended it meanwhile has closed what was being read.
            let endedNow = end()
            if !endedNow || error is CancellationError { return }
            throw error
        }
    }

    private func readResult() throws {
        guard let core = try core() else {
            end()
            return
        }
        let first = try core.view(as: access)
        let reading = try LiveReading(collection, query, first)
        let names = first.names(of: reading.collection).dictionary
        state.withLock { $0.prepare(reading, names) }
        guard register(core.liveQueries, reading.reach) else {
            end()
            return
        }
        let view = try core.view(as: access)
        let entries = try reading.entries(in: view)
        wake(
            state.withLock { state in
                state.finishReading(
                    LiveResult(entries, capacity: reading.capacity),
                    asOf: view.adapter.reader.nextSequence)
            })
    }

    private func waitForNews() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { $0.wait(continuation) }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            end()
        }
    }

    var isEnded: Bool { state.withLock { $0.isEnded } }

    /// Nothing is shown any more. Whether it wasn't ended before.
    @discardableResult
    func end() -> Bool {
        let waiting = state.withLock { $0.end() }
        wake(waiting ?? [])
        if let registration = registration.withLock({ $0.take() }) {
            registration.queries.remove(self, registration.reach)
        }
        return waiting != nil
    }

    /// False: the store is closed.
    private func register(_ queries: LiveQueries, _ reach: Set<CollectionID>) -> Bool {
        let isNew = registration.withLock { registration in
            if registration != nil { return false }
            registration = (queries, reach)
            return true
        }
        guard isNew else { return true }
        guard queries.add(self, reach) else { return false }
        // It may have been ended by another task, which had nothing to unregister yet.
        if isEnded { queries.remove(self, reach) }
        return true
    }

    private func wake(_ waiting: [CheckedContinuation<Void, Never>]) {
        for continuation in waiting { continuation.resume() }
    }

    // MARK: The hub's queue

    /// A record was changed; nil: deleted. Whether it is the first one of its commit that matters.
    @unsafe
    func consider(
        _ change: ChangedRecord, _ record: RecordView?, _ pass: inout MatchPass
    ) -> Bool {
        state.withLock { unsafe $0.consider(change, record, &pass) }
    }

    /// Records were changed that nobody knows. Whether it is the first thing in its commit that matters.
    func considerUnknown(_ pass: MatchPass) -> Bool {
        state.withLock { $0.considerUnknown(pass) }
    }

    /// The commit that was considered is over.
    func finishCommit(_ sequences: Range<UInt64>) {
        wake(state.withLock { $0.finishCommit(sequences) })
    }

    /// Everything may be another way.
    func readAgain() {
        wake(state.withLock { $0.readAgain() })
    }
}

/// Ends its query when it goes: what a stream holds.
final class LiveQueryHandle: Sendable {
    let query: LiveQuery

    init(_ query: LiveQuery) { self.query = query }

    deinit { query.end() }
}
