// Reading and writing of MemoryBackend: readers over a state, a batch over its own copy of one, a
// cursor by position.
internal import OfflineBytes

/// What readers and batches read alike.
class MemoryReader: BackendReader, @unchecked Sendable {
    // @unchecked: a reader's state never changes; a batch's is guarded by its lock. Subclassed by
    // MemoryBatch only.
    private let shared: Protected<MemoryState>

    init(_ state: MemoryState) { shared = Protected(state) }

    final var state: MemoryState { shared.withLock { $0 } }

    /// For the batch.
    final func change<Result>(_ body: (inout MemoryState) throws -> Result) rethrows -> Result {
        try shared.withLock { try body(&$0) }
    }

    final var storedVersion: UInt64 { state.version }

    final var nextSequence: UInt64 { state.nextSequence }

    final func sequence(of collection: CollectionID, key: [UInt8]) throws -> UInt64? {
        guard let record = state.tree(TreeID(collection)).value(of: key) else { return nil }
        let sequence = MemoryRecord.sequence(in: record)
        return sequence == 0 ? nil : sequence
    }

    final func collections() -> [StoredCollection] { state.stored() }

    final func names(of collection: CollectionID) -> [String] {
        state.collections[collection]?.names ?? []
    }

    final func nameCount(of collection: CollectionID) -> Int {
        shared.withLock { $0.collections[collection]?.names.count ?? 0 }
    }

    final func withRecord(
        _ collection: CollectionID, key: [UInt8], _ body: (RawSpan) throws -> Void
    ) throws -> Bool {
        guard let record = state.tree(TreeID(collection)).value(of: key) else { return false }
        try unsafe body(record.span.bytes.extracting(droppingFirst: MemoryRecord.headerSize))
        return true
    }

    final func contains(_ tree: TreeID, key: [UInt8]) throws -> Bool {
        state.tree(tree).value(of: key) != nil
    }

    final func firstKey(
        _ tree: TreeID, from key: RawSpan, into buffer: inout [UInt8]
    ) throws -> Bool {
        let map = state.tree(tree)
        guard let entry = map.entry(at: map.rank(of: [UInt8](key))) else { return false }
        buffer = entry.key
        return true
    }

    final func count(_ tree: TreeID, in range: KeyRange) throws -> Int {
        state.tree(tree).positions(of: range).count
    }

    final func cursor(
        _ tree: TreeID, in range: KeyRange, descending: Bool
    ) throws -> any BackendCursor {
        MemoryCursor(state.tree(tree), in: range, descending: descending)
    }
}

/// Walks the positions of a range.
final class MemoryCursor: BackendCursor {
    private let map: PersistentMap
    private let isDescending: Bool
    /// The positions not visited yet.
    private var ahead: Range<Int>
    private var current: (key: [UInt8], value: [UInt8])?

    init(_ map: PersistentMap, in range: KeyRange, descending: Bool) {
        self.map = map
        isDescending = descending
        ahead = map.positions(of: range)
    }

    func next() throws -> Bool {
        guard !ahead.isEmpty else {
            current = nil
            return false
        }
        current = map.entry(at: isDescending ? ahead.upperBound - 1 : ahead.lowerBound)
        try skip(1)
        return true
    }

    func skip(_ count: Int) throws {
        let count = min(max(count, 0), ahead.count)
        ahead =
            isDescending
            ? ahead.lowerBound..<(ahead.upperBound - count)
            : (ahead.lowerBound + count)..<ahead.upperBound
    }

    func seek(_ key: [UInt8]) throws -> Bool {
        let position = min(max(map.rank(of: key), ahead.lowerBound), ahead.upperBound)
        ahead = position..<ahead.upperBound
        return try next()
    }

    func copyKey(into buffer: inout [UInt8]) {
        buffer = current?.key ?? []
    }

    func withRecord(_ body: (RawSpan) throws -> Void) throws {
        guard let current else { return }
        try unsafe body(
            current.value.span.bytes.extracting(droppingFirst: MemoryRecord.headerSize))
    }
}

/// A private copy of the state, until it is published.
final class MemoryBatch: MemoryReader, BackendBatch, @unchecked Sendable {
    // @unchecked: `progress` is guarded by its lock, all else is MemoryReader's.
    /// What was put, in order, while the batch is open.
    private struct Progress {
        var isOpen = true
        var isChanged = false
        var puts: [(collection: CollectionID, key: [UInt8])] = []
    }
    typealias Publish =
        @Sendable (
            _ changed: [(CollectionID, MemoryState.Collection)],
            _ puts: [(collection: CollectionID, key: [UInt8])]
        ) -> Range<UInt64>
    private let writing: [CollectionID]
    private let publish: Publish
    private let progress = Protected(Progress())

    init(_ state: MemoryState, writing: [CollectionID], publish: @escaping Publish) {
        self.writing = writing
        self.publish = publish
        super.init(state)
    }

    @discardableResult
    func put(_ collection: CollectionID, key: [UInt8], record: [UInt8]) throws -> UInt64 {
        try edit(TreeID(collection)) { $0.insert(key, MemoryRecord.encoded(record)) }
        return progress.withLock { progress in
            progress.puts.append((collection, key))
            return UInt64(progress.puts.count - 1)
        }
    }

    func remove(_ collection: CollectionID, key: [UInt8]) throws {
        try edit(TreeID(collection)) { $0.remove(key) }
    }

    func insert(_ tree: TreeID, key: RawSpan) throws {
        let key = [UInt8](key)
        try edit(tree) { $0.insert(key) }
    }

    func remove(_ tree: TreeID, key: RawSpan) throws {
        let key = [UInt8](key)
        try edit(tree) { $0.remove(key) }
    }

    func extendNames(of collection: CollectionID, with names: [String]) throws {
        try check(collection)
        change { $0.collections[collection]?.names += names }
    }

    func commit(
        appended: () -> Void, committed: @escaping @Sendable (Range<UInt64>) -> Void
    ) async throws {
        let progress = progress.withLock { progress in
            defer { progress.isOpen = false }
            return progress
        }
        guard progress.isOpen else { throw Self.closed }
        let state = self.state
        let changed = writing.compactMap { id in state.collections[id].map { (id, $0) } }
        let sequences = progress.isChanged ? publish(changed, progress.puts) : nil
        appended()
        if let sequences { committed(sequences) }
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
