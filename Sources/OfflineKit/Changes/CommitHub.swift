// Where commits arrive and are handed on: in order, one after another, on a queue of its own, so that whoever writes never
// waits for whoever watches.
//
// - `publish` is called by any thread in any order. The numbers of all commits adjoin, so a commit that comes early is held
//   until those before it have come.
// - What is held is bounded. Where too much waits, for the queue or for a commit that never comes (the store's disk
//   failed), it is dropped, and observers hear that everything may have changed.
// - An observer that registers and then takes a snapshot misses nothing: a commit is published only once every new snapshot
//   shows it, so what was handed on before is in the snapshot.
internal import Dispatch
internal import OfflineBytes

/// Hears of commits, on the hub's queue; one call at a time.
protocol CommitObserver: AnyObject, Sendable {
    /// The next commit.
    func committed(_ commit: Commit)
    /// Any record may be another one now; commits may have been passed over.
    func everythingChanged()
    /// Nothing follows.
    func storeClosed()
}

/// A store's commits, in order.
final class CommitHub: Sendable {
    /// How much may wait.
    struct Bound: Sendable {
        var commits = 4_096
        var bytes = 16 << 20
        /// Commits that are ahead of one that hasn't come.
        var early = 1_024
    }
    private enum Event: Sendable {
        case commit(Commit)
        case everything
    }
    private struct State: Sendable {
        /// The first number of the commit that is due.
        var next: UInt64
        /// Commits that came before their turn, by their first numbers.
        var early: [UInt64: Commit] = [:]
        /// What is still to be handed on, in order.
        var events: [Event] = []
        /// The bytes that the waiting commits hold.
        var bytes = 0
        var isScheduled = false
        var isClosed = false
        var observers: [any CommitObserver] = []
    }
    private let state: Protected<State>
    private let bound: Bound
    let queue = DispatchQueue(label: "offline.store.changes")

    /// `next`: the first number of the first commit to come.
    init(next: UInt64, bound: Bound = Bound()) {
        state = Protected(State(next: next))
        self.bound = bound
    }

    // MARK: Observers

    /// Whether anyone wants to know what a commit changes.
    var isObserved: Bool { state.withLock { !$0.observers.isEmpty } }

    /// From now on the observer hears of everything; false: the hub is closed.
    func add(_ observer: any CommitObserver) -> Bool {
        state.withLock { state in
            if state.isClosed { return false }
            state.observers.append(observer)
            return true
        }
    }

    func remove(_ observer: any CommitObserver) {
        state.withLock { $0.observers.removeAll { $0 === observer } }
    }

    // MARK: Events

    /// A commit is done, and every new snapshot shows it.
    func publish(_ commit: Commit) {
        state.withLock { state in
            if state.isClosed { return }
            // What came too late to be waited for has no place in the order any more, and what has no number no place at all.
            if commit.sequences.lowerBound < state.next || commit.sequences.isEmpty {
                return append(.everything, to: &state)
            }
            guard commit.sequences.lowerBound == state.next else {
                // Without observers only its place in the order matters.
                let kept =
                    state.observers.isEmpty
                    ? Commit(sequences: commit.sequences, collections: [:]) : commit
                state.bytes += kept.byteCount
                state.early[commit.sequences.lowerBound] = kept
                return giveUpGap(&state)
            }
            pass(commit, &state)
            while let early = state.early.removeValue(forKey: state.next) {
                state.bytes -= early.byteCount
                pass(early, &state)
            }
        }
    }

    /// Every record may be another one: a read-only store was refreshed.
    func everythingChanged() {
        state.withLock { state in
            if !state.isClosed { append(.everything, to: &state) }
        }
    }

    /// Hands on what has come, ends all observers, and returns when they have been told. Idempotent.
    func close() async {
        state.withLock { state in
            state.isClosed = true
            state.early = [:]
        }
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                let observers = state.withLock { state in
                    defer { state.observers = [] }
                    return state.observers
                }
                for observer in observers { observer.storeClosed() }
                continuation.resume()
            }
        }
    }

    /// Returns when everything that was published is handed on.
    func settled() async {
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    }

    // MARK: In order

    private func pass(_ commit: Commit, _ state: inout State) {
        state.next = commit.sequences.upperBound
        append(.commit(commit), to: &state)
    }

    private func append(_ event: Event, to state: inout State) {
        if state.observers.isEmpty { return }
        if case .commit(let commit) = event { state.bytes += commit.byteCount }
        state.events.append(event)
        if state.events.count > bound.commits || state.bytes > bound.bytes {
            state.events = [.everything]
            state.bytes = state.early.values.reduce(0) { $0 + $1.byteCount }
        }
        if state.isScheduled { return }
        state.isScheduled = true
        queue.async { [self] in handOn() }
    }

    /// Where too much waits for a commit that doesn't come, goes on behind all that came.
    private func giveUpGap(_ state: inout State) {
        guard state.early.count > bound.early || state.bytes > bound.bytes else { return }
        for commit in state.early.values {
            state.bytes -= commit.byteCount
            state.next = max(state.next, commit.sequences.upperBound)
        }
        state.early = [:]
        append(.everything, to: &state)
    }

    private func handOn() {
        while let (events, observers) = takeEvents() {
            for event in events {
                for observer in observers {
                    switch event {
                    case .commit(let commit): observer.committed(commit)
                    case .everything: observer.everythingChanged()
                    }
                }
            }
        }
    }

    /// All that waits, and who is to hear of it: whoever registers later sees it in a snapshot.
    private func takeEvents() -> ([Event], [any CommitObserver])? {
        state.withLock { state in
            if state.events.isEmpty {
                state.isScheduled = false
                return nil
            }
            for case .commit(let commit) in state.events { state.bytes -= commit.byteCount }
            defer { state.events = [] }
            return (state.events, state.observers)
        }
    }
}
