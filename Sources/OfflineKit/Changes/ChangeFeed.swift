// A feed of committed changes. It has read everything up to a position, and goes on from there in one of two ways:
//
// - From commits, as the hub hands them on: every change of each. What waits for the consumer is bounded.
// - From the store's state, where it begins in the past or what waited became too much: the latest change of each
//   record behind the position, page by page, each page from the newest state. While it does so it already holds the commits that
//   come, so that the state it ends with and the first commit it goes on with leave no gap.
//
// What is given out is durable, whatever the store's durability: a position that a consumer keeps must not be taken back by a power
// cut, and its sequences given to other changes. A feed that threw is over.
//
// Invariants: a change is given out if its sequence is above the position, and moves it there, so none comes twice. Commits are
// held only while the feed isn't behind, and they adjoin.
internal import OfflineBytes

/// One feed. Its consumer sets the pace; the hub only leaves commits with it.
final class ChangeFeed: CommitObserver {
    private struct State {
        var isBehind: Bool
        /// Oldest first.
        var commits: [Commit] = []
        var bytes = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isEnded = false

        /// Lets go of the commits: the store's state has what is left of them.
        mutating func fallBehind() {
            isBehind = true
            commits = []
            bytes = 0
        }
    }
    /// What the consumer's side has.
    private struct Reading: Sendable {
        var position: UInt64
        /// Changes to be given out, the next one last.
        var changes: [Change] = []
    }
    private enum Action {
        case readState
        case deliver([Commit])
        case wait
        case end
    }
    /// So much may wait before the feed is behind.
    private static let commitsMax = 1_000
    private static let bytesMax = 4 << 20
    private static let pageCount = 128

    private let core: StoreCore
    private let collections: [CollectionState]
    private let state: Protected<State>
    private let reading: AsyncLock<Reading>

    /// A feed of these collections; of what happens from now on, or behind `sequence`.
    init(
        _ core: StoreCore, _ collections: [CollectionState], since sequence: UInt64?
    ) throws {
        self.core = core
        self.collections = collections
        state = Protected(State(isBehind: sequence != nil))
        reading = AsyncLock(Reading(position: sequence ?? 0))
        guard core.hub.add(self) else {
            throw OfflineError(.notOpen, "the store is closed")
        }
        // Registered first: what the snapshot doesn't show comes as a commit.
        let next = try core.view().adapter.reader.nextSequence
        if let sequence, sequence >= next {
            core.hub.remove(self)
            throw OfflineError(
                .changesExpired,
                "the store has no change \(sequence) yet, only some up to \(next - 1): what was read is from another store, "
                    + "or was lost with a power cut; read the collections anew")
        }
        if sequence == nil { reading.withLockIfFree { $0.position = next - 1 } }
    }

    /// The next change; nil: the feed is over.
    func next() async throws -> Change? {
        try await reading.withLock { reading in
            while true {
                if let change = reading.changes.popLast() {
                    reading.position = change.sequence
                    return change
                }
                if Task.isCancelled { end() }
                do {
                    switch state.withLock({ Self.nextAction(&$0) }) {
                    case .readState: try readState(&reading)
                    case .deliver(let commits): try deliver(commits, &reading)
                    case .wait: await wait()
                    case .end: return nil
                    }
                    if !reading.changes.isEmpty { try await core.makeDurable() }
                } catch {
                    // Where the store was closed under it, it just ends; else it would go on with a gap.
                    let wasEnded = state.withLock { $0.isEnded }
                    reading.changes = []
                    end()
                    if wasEnded { return nil }
                    throw error
                }
            }
        }
    }

    private static func nextAction(_ state: inout State) -> Action {
        if state.isEnded { return .end }
        if state.isBehind {
            // From here on commits are held: the state that is read next shows all before them.
            state.isBehind = false
            return .readState
        }
        if state.commits.isEmpty { return .wait }
        defer {
            state.commits = []
            state.bytes = 0
        }
        return .deliver(state.commits)
    }

    private func readState(_ reading: inout Reading) throws {
        let view = try core.view()
        let listed = try ChangeReader(view).latest(
            in: collections, after: reading.position, limit: Self.pageCount)
        reading.changes = listed.map(\.change).reversed()
        if listed.count == Self.pageCount {
            fallBehind()
        } else if listed.isEmpty {
            reading.position = max(reading.position, view.adapter.reader.nextSequence - 1)
        }
    }

    private func deliver(_ commits: [Commit], _ reading: inout Reading) throws {
        let reader = try ChangeReader(core.view())
        let position = reading.position
        var all: [Change] = []
        for commit in commits {
            guard let changes = try reader.changes(of: commit, in: collections) else {
                // It and those behind it are read from the state, once what comes before is given out.
                fallBehind()
                break
            }
            all += changes.filter { $0.sequence > position }
        }
        reading.changes = all.reversed()
    }

    private func fallBehind() {
        state.withLock { $0.fallBehind() }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    if state.isBehind || !state.commits.isEmpty || state.isEnded { return false }
                    state.waiting.append(continuation)
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            end()
        }
    }

    /// Nothing more is given out. A feed can be resumed, so nothing is lost.
    func end() {
        core.hub.remove(self)
        change { $0.isEnded = true }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiting = state.withLock { state in
            body(&state)
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    // MARK: The hub's queue

    func committed(_ commit: Commit) {
        guard collections.contains(where: { commit.collections[$0.id] != nil }) else { return }
        change { state in
            if state.isBehind { return }
            state.commits.append(commit)
            state.bytes += commit.byteCount
            if state.commits.count > Self.commitsMax || state.bytes > Self.bytesMax {
                state.fallBehind()
            }
        }
    }

    func everythingChanged() { change { $0.fallBehind() } }

    func storeClosed() { change { $0.isEnded = true } }
}

/// Ends its feed when it goes: what a stream holds.
final class ChangeFeedHandle: Sendable {
    let feed: ChangeFeed

    init(_ feed: ChangeFeed) { self.feed = feed }

    deinit { feed.end() }
}

extension StoreCore {
    /// Makes what was committed so far durable, where commits don't do so themselves.
    func makeDurable() async throws {
        if options.durability != .full, !options.isReadOnly { try await flush() }
    }

    /// The collections that these names mean to a feed; nil: all that track changes.
    func tracked(_ names: [String]?) throws -> [CollectionState] {
        guard let names else { return schema.collections.filter(\.tracksChanges) }
        return try names.map { name in
            let collection = try schema.collection(name)
            guard collection.tracksChanges else {
                throw OfflineError(
                    .invalidQuery, "the collection doesn't track changes, so no feed has them",
                    collection: name)
            }
            return collection
        }
    }
}
