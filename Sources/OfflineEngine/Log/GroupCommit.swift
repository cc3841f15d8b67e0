// Appends commits and makes them durable: one sync serves all that wait.
//
// Steps of a commit:
// 1. Under the lock: the frame gets its place and is written; `complete` turns the transaction's private trees into
//    versions; frame and waiter are queued. One critical section: a waiter that were queued later could be
//    acknowledged by a sync that did not cover it.
// 2. The thread takes the queue, syncs the files that have new bytes, publishes the changes in log order, and only then
//    resumes the waiters.
// With relaxed or periodic durability step 1 publishes at once, and nobody waits.
//
// Invariants:
// - Changes are published in log order, whoever publishes.
// - After a failed sync, or a write that failed for another reason than room, nothing is appended or published any more:
//   what waited is `.outcomeUnknown`, and the store is read-only until it is opened again.
//
// Lock order: a collection's lock, then this one, then the engine's state lock.
internal import OfflineBytes

/// The one appender of a store.
package final class GroupCommit: Sendable {
    private struct Waiting {
        var change: StateChange
        var done: (@Sendable (EngineError?) -> Void)?
    }

    private struct State {
        var writer: LogWriter
        var queue: [Waiting] = []
        /// A batch is being synced and isn't published yet.
        var isSyncing = false
        var failure: EngineError?
        var isStopping = false
        var hasStopped = false
    }

    private let durability: CommitDurability
    private let state: Monitor<State>
    private let publish: @Sendable (StateChange) -> Void
    private let liveBytes: @Sendable () -> Int64

    /// `publish` enters a change in the engine's state; it is called in log order.
    package init(
        writer: LogWriter, durability: CommitDurability,
        liveBytes: @escaping @Sendable () -> Int64,
        publish: @escaping @Sendable (StateChange) -> Void
    ) {
        self.durability = durability
        self.publish = publish
        self.liveBytes = liveBytes
        state = Monitor(State(writer: writer))
    }

    /// Starts the thread. `stop` ends it.
    package func start() {
        DedicatedThread.start { [self] in run() }
    }

    /// Why the store is read-only; nil while it isn't.
    package var failure: EngineError? { state.withLock { $0.failure } }

    /// Appends a frame. `complete` is called under the lock once the frame has its place, and returns what publishing it
    /// changes. `done` is called once the change is as durable as the store promises, and published; not if this throws.
    package func append(
        _ frame: inout PendingFrame, complete: (LogWriter.Place, inout StateChange) -> Void,
        done: @escaping @Sendable (EngineError?) -> Void
    ) throws(EngineError) {
        let isWaiting = durability == .full
        let isSyncDue = try state.withLock { state throws(EngineError) -> Bool in
            try Self.checkWritable(state)
            let place: LogWriter.Place
            do throws(EngineError) {
                place = try state.writer.append(&frame, liveBytes: liveBytes())
            } catch {
                if state.writer.isBroken { state.failure = error }
                throw error
            }
            var change = StateChange()
            complete(place, &change)
            change.end = (
                state.writer.position, state.writer.chain, state.writer.nextSequence
            )
            if isWaiting {
                state.queue.append(Waiting(change: change, done: done))
            } else {
                publish(change)
            }
            return isWaiting || Self.hasManyUnsynced(state)
        }
        if isSyncDue { state.wakeAll() }
        if !isWaiting { done(nil) }
    }

    /// Lets the log go on in a new file, so that all that is in it now is in files that no longer change.
    package func rotate() throws(EngineError) {
        let live = liveBytes()
        try state.withLock { state throws(EngineError) in
            try Self.checkWritable(state)
            do throws(EngineError) { try state.writer.rotate(liveBytes: live) } catch {
                if state.writer.isBroken { state.failure = error }
                throw error
            }
            var change = StateChange()
            change.end = (state.writer.position, state.writer.chain, state.writer.nextSequence)
            Self.enter(change, &state, durability, publish)
        }
        state.wakeAll()
    }

    /// Publishes a change that isn't in the log (equal trees in another place), after all that was appended before.
    package func publishInOrder(_ change: StateChange) {
        let isWaiting = state.withLock { state -> Bool in
            if state.failure != nil { return false }
            return Self.enter(change, &state, durability, publish)
        }
        if isWaiting { state.wakeAll() }
    }

    /// Publishes a change now, or queues it behind those that aren't durable yet; whether it is queued.
    @discardableResult
    private static func enter(
        _ change: StateChange, _ state: inout State, _ durability: CommitDurability,
        _ publish: (StateChange) -> Void
    ) -> Bool {
        // Without full durability every commit was published when it was appended, so this is in order too.
        if durability != .full || (state.queue.isEmpty && !state.isSyncing) {
            publish(change)
            return false
        }
        state.queue.append(Waiting(change: change, done: nil))
        return true
    }

    /// Calls `done` once everything appended so far is on stable storage.
    package func flush(_ done: @escaping @Sendable (EngineError?) -> Void) {
        let failure = state.withLock { state -> EngineError? in
            if let failure = state.failure { return failure }
            if state.hasStopped { return EngineError(.closed, "the store is closed") }
            state.queue.append(Waiting(change: StateChange(), done: done))
            return nil
        }
        if let failure { done(failure) } else { state.wakeAll() }
    }

    /// The same for a thread that may block.
    package func flushAndWait() throws(EngineError) {
        let result = Monitor<EngineError??>(nil)
        flush { failure in
            result.withLock { $0 = .some(failure) }
            result.wakeAll()
        }
        if let failure = result.wait({ $0 }) ?? nil { throw failure }
    }

    /// The log's durable end, for a superblock: everything before it was synced.
    package var writerState: (position: LogPosition, chain: UInt32, nextSequence: UInt64) {
        state.withLock { ($0.writer.position, $0.writer.chain, $0.writer.nextSequence) }
    }

    /// The longest frame that the log takes.
    package var frameBytesMax: Int { state.withLock { $0.writer.frameBytesMax } }

    /// Changes what new log files open with.
    package func updateCatalog(_ body: (inout Catalog) -> Void) {
        state.withLock { body(&$0.writer.catalog) }
    }

    /// How large the next file should be; nil if one is ready.
    package func preparation() -> Int? {
        let live = liveBytes()
        return state.withLock { $0.failure == nil ? $0.writer.preparation(liveBytes: live) : nil }
    }

    /// Hands over a file that was made ready; false if there was one meanwhile.
    package func offer(_ file: StoredFile) -> Bool {
        state.withLock { state in
            guard state.writer.prepared == nil, !state.hasStopped,
                file.number > state.writer.position.file
            else { return false }
            state.writer.prepared = file
            return true
        }
    }

    /// Nothing is acknowledged from here on.
    package func poison(_ failure: EngineError) {
        state.withLock { if $0.failure == nil { $0.failure = failure } }
        state.wakeAll()
    }

    /// Lets the thread end once the queue is empty.
    package func askToStop() {
        state.withLock { $0.isStopping = true }
        state.wakeAll()
    }

    /// Ends the thread once the queue is empty, and waits for it.
    package func stop() {
        askToStop()
        _ = state.wait { $0.hasStopped ? true : nil }
    }

    private static func checkWritable(_ state: State) throws(EngineError) {
        if let failure = state.failure {
            throw EngineError(
                .readOnly,
                "the store is read-only since the disk failed (\(failure.message)); open it again",
                file: failure.file)
        }
        if state.isStopping { throw EngineError(.closed, "the store is closed") }
    }

    // MARK: - The thread

    private enum Work {
        case batch([Waiting], [StoredFile], LogPosition)
        case stop
    }

    private func run() {
        while true {
            let work = state.wait(timeout: syncInterval) { state -> Work? in
                if !state.queue.isEmpty || Self.hasManyUnsynced(state)
                    || (state.isStopping && !state.writer.unsynced.isEmpty)
                {
                    return Self.takeBatch(&state)
                }
                guard state.isStopping else { return nil }
                // Here and not later: whoever comes now is told that nobody will serve him.
                state.hasStopped = true
                return .stop
            }
            switch work ?? state.withLock({ Self.takeBatch(&$0) }) {
            case .batch(let batch, let files, let end): sync(batch, files, end)
            case .stop:
                state.wakeAll()
                return
            }
        }
    }

    private var syncInterval: Duration? {
        if case .periodic(let interval) = durability { return interval }
        return nil
    }

    /// Each file with unsynced bytes holds a descriptor, so there mustn't be any number of them, whatever the durability.
    private static func hasManyUnsynced(_ state: State) -> Bool {
        state.writer.unsynced.count >= unsyncedFilesMax
    }

    private static let unsyncedFilesMax = 8

    private static func takeBatch(_ state: inout State) -> Work {
        defer { state.queue = [] }
        state.isSyncing = true
        return .batch(state.queue, state.writer.takeUnsynced(), state.writer.position)
    }

    private func sync(_ batch: [Waiting], _ files: [StoredFile], _ end: LogPosition) {
        var failure = state.withLock { $0.failure }
        if failure == nil {
            for file in files {
                do throws(FileSystemError) { try file.file.sync() } catch {
                    failure = EngineError(error)
                    break
                }
            }
        }
        let unknown = failure.map {
            EngineError(
                .outcomeUnknown,
                "the disk failed before the commit was durable (\($0.message)); open the store again to see whether it is there",
                file: $0.file)
        }
        state.withLock { state in
            if let failure {
                if state.failure == nil { state.failure = failure }
            } else {
                state.writer.durableThrough = end
                for file in state.writer.takeFinished() { file.closeDescriptor() }
                for waiting in batch { publish(waiting.change) }
            }
            state.isSyncing = false
        }
        for waiting in batch { waiting.done?(unknown) }
    }
}
