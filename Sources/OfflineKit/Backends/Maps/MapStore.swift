// The committed state of a backend that keeps everything in memory, and the one place where it
// changes. MemoryBackend is this and nothing else; FileBackend makes each new state durable first.
//
// Invariants: `state` is what was committed last. It changes in `commit` and `define` only, one of
// them at a time, and only after `persist` returned; a reader never sees anything else.
internal import OfflineBytes

/// All of a store in memory, with a hook where each new state passes.
final class MapStore: Sendable {
    /// Keeps a state that is about to become the committed one; if it throws, it doesn't.
    typealias Persist = @Sendable (_ step: MapStep) async throws -> Void

    private let committed: Protected<MapState>
    private let changing = AsyncLock(())
    private let persist: Persist

    init(_ state: MapState = MapState(), persist: @escaping Persist = { _ in }) {
        committed = Protected(state)
        self.persist = persist
    }

    var state: MapState { committed.withLock { $0 } }

    func snapshot() -> any BackendReader { MapReader(state) }

    func begin(_ collections: [CollectionID]) -> any BackendBatch {
        MapBatch(state, writing: collections, of: self)
    }

    /// Makes what a batch has changed part of the committed state; the sequences that it took.
    func commit(_ changes: MapChanges) async throws -> Range<UInt64> {
        try await changing.withLock { _ in
            let old = self.state
            var state = old
            let sequences = state.merge(changes)
            try await take(MapStep(old: old, new: state, changes: changes))
            return sequences
        }
    }

    /// `StorageBackend.define`.
    func define(
        _ changes: [StoredCollection], version: UInt64, deriver: any KeyDeriver,
        validate: (_ reader: any BackendReader, _ newTrees: [TreeID]) throws -> Void
    ) async throws {
        try await changing.withLock { _ in
            let old = self.state
            do {
                var state = old
                state.version = version
                var newTrees: [TreeID] = []
                for change in changes {
                    try deriver.load(change)
                    newTrees += try state.define(change, deriver)
                }
                try validate(MapReader(state), newTrees)
                try await take(MapStep(old: old, new: state))
            } catch {
                for collection in old.stored() { try deriver.load(collection) }
                throw error
            }
        }
    }

    private func take(_ step: MapStep) async throws {
        try await persist(step)
        committed.withLock { $0 = step.new }
    }
}
