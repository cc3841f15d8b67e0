// A store that a rehearsal changes: a snapshot of the real one, and every change in memory over it. What migrations and the schema after
// them do to a store they do to this one by the same code, and nothing of it is kept.
internal import OfflineBytes

/// Storage over a snapshot. One batch at a time.
final class OverlayBackend: StorageBackend {
    private struct State {
        var committed: OverlayState
        var bytesWritten: Int64 = 0
    }
    private let base: any BackendReader
    private let shared: Protected<State>
    private let deriver = StoreKeyDeriver()

    init(over base: any BackendReader) {
        self.base = base
        shared = Protected(State(committed: OverlayState(over: base)))
    }

    let allowsParallelWriters = false

    /// Bytes of keys and records that were put so far.
    var bytesWritten: Int64 { shared.withLock { $0.bytesWritten } }

    private var committed: OverlayState { shared.withLock { $0.committed } }

    func commit(_ state: OverlayState, bytes: Int64) {
        shared.withLock { shared in
            shared.committed = state
            shared.bytesWritten += bytes
        }
    }

    func snapshot() throws -> any BackendReader { OverlayReader(committed, over: base) }

    func begin(
        _ collections: [CollectionID], reading: [CollectionID]
    ) throws -> any BackendBatch {
        OverlayBatch(committed, over: base, of: self)
    }

    func define(
        _ changes: [StoredCollection], version: UInt64,
        validate: (_ reader: any BackendReader, _ newTrees: [TreeID]) throws -> Void
    ) async throws {
        let before = committed
        var state = before
        state.version = version
        var newTrees: [TreeID] = []
        for change in changes {
            var stored = change
            stored.names = before.collections[change.id]?.stored.names ?? change.names
            let known = before.collections[change.id]?.stored.indexes ?? []
            let new = change.indexes.filter { !known.contains($0) }
            let trees = try built(new, of: stored)
            state.collections[change.id, default: .init(stored: stored)].stored = stored
            for (index, tree) in trees { state.collections[change.id]?.trees[index] = tree }
            newTrees += new.map { TreeID(change.id, $0) }
        }
        try validate(OverlayReader(state, over: base), newTrees)
        commit(state, bytes: 0)
    }

    /// The new index trees of a collection, from its records.
    private func built(
        _ indexes: [UInt32], of stored: StoredCollection
    ) throws -> [UInt32: OverlayState.Tree] {
        if indexes.isEmpty { return [:] }
        try deriver.load(stored)
        var entries: [UInt32: [[UInt8]]] = [:]
        var keys = DerivedKeys()
        var key: [UInt8] = []
        let cursor = try snapshot().cursor(TreeID(stored.id), in: .all, descending: false)
        while try cursor.next() {
            keys.removeAll()
            cursor.copyKey(into: &key)
            try cursor.withRecord { record in
                try unsafe deriver.deriveKeys(
                    of: stored.id, key: key.span.bytes, record: record, into: &keys)
            }
            for entry in keys.entries where indexes.contains(entry.index) {
                entries[entry.index, default: []].append(Array(keys.key(entry)))
            }
        }
        return Dictionary(
            uniqueKeysWithValues: indexes.map { ($0, OverlayState.Tree(new: entries[$0] ?? [])) })
    }

    // MARK: What there is nothing to do for

    func initialize(_ configuration: BackendConfiguration) async throws {}
    func close() async throws {}
    func flush() async throws {}
    func refresh() async throws {}
    func compact() async throws {}
    func verify() async throws -> BackendVerification { BackendVerification() }
    func space() throws -> BackendSpace { BackendSpace() }
}
