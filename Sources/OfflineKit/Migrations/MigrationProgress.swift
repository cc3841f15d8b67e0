// What is told of migrations while they run, and who counts it.
internal import OfflineBytes

/// How far a migration is.
public struct MigrationProgress: Sendable, Hashable {
    /// The migration's name.
    public let name: String
    /// The version it leads to, also on the way down.
    public let version: Int
    /// Records created, updated and deleted so far; one that is changed twice counts twice.
    public let recordsChanged: Int
    /// The step is done and committed.
    public let isFinished: Bool

    package init(name: String, version: Int, recordsChanged: Int, isFinished: Bool) {
        self.name = name
        self.version = version
        self.recordsChanged = recordsChanged
        self.isFinished = isFinished
    }
}

/// Counts what one migration changes and tells of it: at its start, then each time the count has grown by a hundredth or more, and
/// at its end.
final class MigrationTally: Sendable {
    private struct State {
        var recordsChanged = 0
        /// When to tell next.
        var next = 1
    }
    let name: String
    let version: Int
    private let state = Protected(State())
    private let tell: @Sendable (MigrationProgress) -> Void

    init(_ step: MigrationPlan.Step, _ tell: @escaping @Sendable (MigrationProgress) -> Void) {
        name = step.name
        version = step.version
        self.tell = tell
        tell(progress(0, isFinished: false))
    }

    /// So many records were changed.
    func add(_ count: Int) {
        let due = state.withLock { state -> Int? in
            state.recordsChanged += count
            guard state.recordsChanged >= state.next else { return nil }
            state.next = state.recordsChanged + 1 + state.recordsChanged / 100
            return state.recordsChanged
        }
        if let due { tell(progress(due, isFinished: false)) }
    }

    /// It is committed.
    func finish() { tell(progress(state.withLock { $0.recordsChanged }, isFinished: true)) }

    private func progress(_ count: Int, isFinished: Bool) -> MigrationProgress {
        MigrationProgress(
            name: name, version: version, recordsChanged: count, isFinished: isFinished)
    }
}
