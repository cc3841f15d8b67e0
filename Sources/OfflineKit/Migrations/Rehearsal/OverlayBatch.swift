// Writing a rehearsal's state: a private copy, which becomes the rehearsal's at commit.
internal import OfflineBytes

/// A batch of a rehearsal.
final class OverlayBatch: OverlayReader, BackendBatch, @unchecked Sendable {
    // @unchecked: `progress` is guarded by its lock, all else is OverlayReader's.
    private struct Progress {
        var isOpen = true
        var isChanged = false
        var bytes: Int64 = 0
        var puts: [(collection: CollectionID, key: [UInt8])] = []
    }
    private let backend: OverlayBackend
    private let progress = Protected(Progress())

    init(_ state: OverlayState, over base: any BackendReader, of backend: OverlayBackend) {
        self.backend = backend
        super.init(state, over: base)
    }

    @discardableResult
    func put(_ collection: CollectionID, key: [UInt8], record: [UInt8]) throws -> UInt64 {
        try write(TreeID(collection), key, MapRecord.encoded(record))
        return progress.withLock { progress in
            progress.bytes += Int64(key.count + record.count)
            progress.puts.append((collection, key))
            return UInt64(progress.puts.count - 1)
        }
    }

    func remove(_ collection: CollectionID, key: [UInt8]) throws {
        try remove(TreeID(collection), key)
    }

    func insert(_ tree: TreeID, key: RawSpan) throws { try write(tree, [UInt8](key), []) }

    func remove(_ tree: TreeID, key: RawSpan) throws { try remove(tree, [UInt8](key)) }

    private func write(_ tree: TreeID, _ key: [UInt8], _ value: [UInt8]) throws {
        try begin()
        let isBelow = try self.isBelow(tree, key)
        change { $0.change(tree) { $0.write(key, value, isBelow: isBelow) } }
    }

    private func remove(_ tree: TreeID, _ key: [UInt8]) throws {
        try begin()
        let isBelow = try self.isBelow(tree, key)
        change { $0.change(tree) { $0.remove(key, isBelow: isBelow) } }
    }

    private func isBelow(_ tree: TreeID, _ key: [UInt8]) throws -> Bool {
        try !state.tree(tree).hidesBase && base.contains(tree, key: key)
    }

    func clear(_ collection: CollectionID) throws {
        try begin()
        change { $0.collections[collection]?.clear() }
    }

    func extendNames(of collection: CollectionID, with names: [String]) throws {
        try begin()
        change { $0.collections[collection]?.stored.names += names }
    }

    private func begin() throws {
        try progress.withLock { progress in
            guard progress.isOpen else {
                throw OfflineError(
                    .transactionClosed, "the batch is committed or rolled back")
            }
            progress.isChanged = true
        }
    }

    func commit(
        appended: () -> Void, committed: @escaping @Sendable (Range<UInt64>) -> Void
    ) async throws {
        let progress = progress.withLock { progress in
            defer { progress.isOpen = false }
            return progress
        }
        guard progress.isOpen, progress.isChanged else { return appended() }
        var state = state
        let sequences =
            state.nextSequence..<state.nextSequence + UInt64(max(1, progress.puts.count))
        for (sequence, put) in zip(sequences, progress.puts) {
            state.change(TreeID(put.collection)) { $0.setSequence(sequence, of: put.key) }
        }
        state.nextSequence = sequences.upperBound
        backend.commit(state, bytes: progress.bytes)
        appended()
        committed(sequences)
    }

    func rollback() { progress.withLock { $0.isOpen = false } }
}
