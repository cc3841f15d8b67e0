// Writing a MapState: a batch is a private copy of the state, whose changed collections are handed to
// the store at commit.
internal import OfflineBytes

/// A private copy of the state, until it is committed.
final class MapBatch: MapReader, BackendBatch, @unchecked Sendable {
    // @unchecked: `progress` is guarded by its lock, all else is MapReader's.
    private struct Progress {
        var isOpen = true
        var isChanged = false
        var changes = MapChanges()
    }
    private let writing: [CollectionID]
    private let store: MapStore
    private let progress = Protected(Progress())

    init(_ state: MapState, writing: [CollectionID], of store: MapStore) {
        self.writing = writing
        self.store = store
        super.init(state)
    }

    @discardableResult
    func put(_ collection: CollectionID, key: [UInt8], record: [UInt8]) throws -> UInt64 {
        try edit(TreeID(collection)) { $0.insert(key, MapRecord.encoded(record)) }
        return progress.withLock { progress in
            progress.changes.puts.append((collection, key))
            return UInt64(progress.changes.puts.count - 1)
        }
    }

    func remove(_ collection: CollectionID, key: [UInt8]) throws {
        try edit(TreeID(collection)) { $0.remove(key) }
        progress.withLock { $0.changes.removed.append((collection, key)) }
    }

    func insert(_ tree: TreeID, key: RawSpan) throws {
        let key = [UInt8](key)
        try edit(tree) { $0.insert(key) }
    }

    func remove(_ tree: TreeID, key: RawSpan) throws {
        let key = [UInt8](key)
        try edit(tree) { $0.remove(key) }
    }

    func clear(_ collection: CollectionID) throws {
        try check(collection)
        change { $0.collections[collection]?.clear() }
        progress.withLock { _ = $0.changes.cleared.insert(collection) }
    }

    func useReserve() { progress.withLock { $0.changes.usesReserve = true } }

    func extendNames(of collection: CollectionID, with names: [String]) throws {
        try check(collection)
        change { $0.collections[collection]?.names += names }
    }

    func commit(
        appended: () -> Void, committed: @escaping @Sendable (Range<UInt64>) -> Void
    ) async throws {
        var progress = progress.withLock { progress in
            defer { progress.isOpen = false }
            return progress
        }
        guard progress.isOpen else { throw Self.closed }
        guard progress.isChanged else { return appended() }
        let state = self.state
        progress.changes.collections = writing.compactMap { id in
            state.collections[id].map { (id, $0) }
        }
        let sequences = try await store.commit(progress.changes)
        appended()
        committed(sequences)
    }

    func rollback() {
        progress.withLock { $0.isOpen = false }
    }

    private func edit(_ tree: TreeID, _ body: (inout PersistentMap) -> Bool) throws {
        try check(tree.collection)
        _ = try change { try $0.withTree(tree, body) }
    }

    private func check(_ collection: CollectionID) throws {
        guard progress.withLock({ $0.isOpen }) else { throw Self.closed }
        guard writing.contains(collection) else {
            throw OfflineError(
                .transactionScope, "the batch doesn't write collection \(collection.value)")
        }
        progress.withLock { $0.isChanged = true }
    }

    private static var closed: OfflineError {
        OfflineError(.transactionClosed, "the batch is committed or rolled back")
    }
}
