// Where a store works by itself, evicting or sealing fields anew: on Dispatch queues of their own, one run after another, so that nobody
// who writes or reads does that work.
//
// What becomes due while a run goes on is done after it. Once closed nothing new begins; what has begun finds out before its
// next batch.
internal import Dispatch
internal import OfflineBytes

/// The queue of one kind of such work of one store, as an executor of tasks.
final class BackgroundQueue: TaskExecutor {
    private struct State {
        var due: Set<CollectionID> = []
        var isRunning = false
        var isClosed = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Protected(State())
    private let turn = AsyncLock(())
    /// Called where each part begins: tests look at where that is.
    private let watcher = Protected<(@Sendable () -> Void)?>(nil)
    let queue: DispatchQueue

    init(_ label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { [self] in unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    /// Whether nothing may begin any more.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Has `work`, the same every time, done with these collections, after what is being done now.
    func schedule(
        _ collections: [CollectionID],
        _ work: @escaping @Sendable (Set<CollectionID>) async -> Void
    ) {
        if collections.isEmpty { return }
        let starts = state.withLock { state in
            if state.isClosed { return false }
            state.due.formUnion(collections)
            if state.isRunning { return false }
            state.isRunning = true
            return true
        }
        guard starts else { return }
        // Detached: it isn't inside the transaction whose commit made it due.
        Task.detached(executorPreference: self) { [self] in
            while let due = takeDue() { await turn.withLock { _ in await work(due) } }
        }
    }

    private func takeDue() -> Set<CollectionID>? {
        let (due, waiting) = state.withLock {
            state -> (Set<CollectionID>?, [CheckedContinuation<Void, Never>]) in
            guard state.due.isEmpty || state.isClosed else {
                defer { state.due = [] }
                return (state.due, [])
            }
            state.isRunning = false
            defer { state.waiting = [] }
            return (nil, state.waiting)
        }
        for continuation in waiting { continuation.resume() }
        return due
    }

    /// Runs `body` on the queue, when its turn comes.
    func run<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await Task.detached(executorPreference: self) { [self] in
            try await turn.withLock { _ in try await body() }
        }.value
    }

    func partBegan() { watcher.withLock { $0 }?() }

    func watch(_ body: @escaping @Sendable () -> Void) { watcher.withLock { $0 = body } }

    /// Runs `body` on the queue, whoever else has begun something there and waits.
    func runBeside<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await Task.detached(executorPreference: self) { try await body() }.value
    }

    /// Has `body` done on the queue, once so many milliseconds have passed.
    func start(afterMilliseconds wait: Int, _ body: @escaping @Sendable () async -> Void) {
        queue.asyncAfter(deadline: .now() + .milliseconds(wait)) { [weak self] in
            guard let self, !isClosed else { return }
            Task.detached(executorPreference: self) { await body() }
        }
    }

    /// Returns when nothing is due any more.
    func settled() async {
        await withCheckedContinuation { continuation in
            let isSettled = state.withLock { state in
                if !state.isRunning { return true }
                state.waiting.append(continuation)
                return false
            }
            if isSettled { continuation.resume() }
        }
    }

    /// Nothing begins any more. Doesn't wait for what has begun, which waits for the collections that the caller is going to have.
    func close() {
        state.withLock { $0.isClosed = true }
    }
}
