// Reading a MapState: readers and cursors by position. Nothing of a state is ever changed in place, so a reader needs no
// lock but the one around its own copy.
internal import OfflineBytes

/// What readers and batches read alike.
class MapReader: BackendReader, @unchecked Sendable {
    // @unchecked: a reader's state never changes; a batch's is guarded by its lock. Subclassed by
    // MapBatch only.
    private let shared: Protected<MapState>

    init(_ state: MapState) { shared = Protected(state) }

    final var state: MapState { shared.withLock { $0 } }

    /// For the batch.
    final func change<Result>(_ body: (inout MapState) throws -> Result) rethrows -> Result {
        try shared.withLock { try body(&$0) }
    }

    final var storedVersion: UInt64 { state.version }

    final var nextSequence: UInt64 { state.nextSequence }

    final func sequence(of collection: CollectionID, key: [UInt8]) throws -> UInt64? {
        guard let record = state.tree(TreeID(collection)).value(of: key) else { return nil }
        let sequence = MapRecord.sequence(in: record)
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
        try body(MapRecord.record(in: record))
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

    final func bytes(of collection: CollectionID) throws -> CollectionBytes {
        state.collections[collection]?.bytes ?? CollectionBytes()
    }

    final func cursor(
        _ tree: TreeID, in range: KeyRange, descending: Bool
    ) throws -> any BackendCursor {
        MapCursor(state.tree(tree), in: range, descending: descending)
    }
}

/// Walks the positions of a range.
final class MapCursor: BackendCursor {
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
        try body(MapRecord.record(in: current.value))
    }
}
