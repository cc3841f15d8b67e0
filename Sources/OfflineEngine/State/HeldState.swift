// A state that somebody reads for long. Left alone it would keep every page alive that was replaced since; so each
// checkpoint writes what it needs and moves it onto equal trees that are all in files. However long it is held, the memory
// that it costs is bounded by two checkpoints.
internal import OfflineBytes

/// A state of the store that is read for a while, or for long.
package final class HeldState: Sendable {
    private let state: Protected<StoreState>

    package init(_ state: StoreState) { self.state = Protected(state) }

    /// The state now: always the same content, not always the same nodes.
    package var now: StoreState { state.withLock { $0 } }

    package func version(_ id: UInt32) -> CollectionVersion? {
        state.withLock { $0.version(id) }
    }

    /// Moves onto equal versions.
    func replace(_ versions: [CollectionVersion]) {
        let old = state.withLock { state in
            let old = state
            for version in versions { state.set(version) }
            return old
        }
        // Versions die outside the lock: that may free much.
        withExtendedLifetime(old) {}
    }
}

/// The states that are held for long.
final class HeldStates: Sendable {
    private struct Entry {
        weak var state: HeldState?
    }
    private let entries = Protected<[Entry]>([])

    func add(_ state: HeldState) { entries.withLock { $0.append(Entry(state: state)) } }

    /// Those that are still held.
    var all: [HeldState] {
        entries.withLock { entries in
            entries.removeAll { $0.state == nil }
            return entries.compactMap(\.state)
        }
    }
}
