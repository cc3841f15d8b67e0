// Reading a rehearsal's state: what is below, through what is changed over it.
internal import OfflineBytes

/// What readers and batches of a rehearsal read alike.
class OverlayReader: BackendReader, @unchecked Sendable {
    // @unchecked: a reader's state never changes; a batch's is guarded by its lock. Subclassed by OverlayBatch only.
    final let base: any BackendReader
    private let shared: Protected<OverlayState>

    init(_ state: OverlayState, over base: any BackendReader) {
        self.base = base
        shared = Protected(state)
    }

    final var state: OverlayState { shared.withLock { $0 } }

    /// For the batch.
    final func change(_ body: (inout OverlayState) -> Void) { shared.withLock { body(&$0) } }

    private func tree(_ tree: TreeID) -> OverlayState.Tree { shared.withLock { $0.tree(tree) } }

    final var storedVersion: UInt64 { shared.withLock { $0.version } }

    final var nextSequence: UInt64 { shared.withLock { $0.nextSequence } }

    final func collections() -> [StoredCollection] {
        state.collections.values.map(\.stored).sorted { $0.id < $1.id }
    }

    final func names(of collection: CollectionID) -> [String] {
        shared.withLock { $0.collections[collection]?.stored.names ?? [] }
    }

    final func nameCount(of collection: CollectionID) -> Int {
        shared.withLock { $0.collections[collection]?.stored.names.count ?? 0 }
    }

    final func withRecord(
        _ collection: CollectionID, key: [UInt8], _ body: (RawSpan) throws -> Void
    ) throws -> Bool {
        let tree = tree(TreeID(collection))
        if let record = tree.written.value(of: key) {
            try body(MapRecord.record(in: record))
            return true
        }
        return try tree.looksBelow(for: key) && base.withRecord(collection, key: key, body)
    }

    final func sequence(of collection: CollectionID, key: [UInt8]) throws -> UInt64? {
        let tree = tree(TreeID(collection))
        if let record = tree.written.value(of: key) {
            let sequence = MapRecord.sequence(in: record)
            return sequence == 0 ? nil : sequence
        }
        return tree.looksBelow(for: key) ? try base.sequence(of: collection, key: key) : nil
    }

    final func contains(_ tree: TreeID, key: [UInt8]) throws -> Bool {
        let found = self.tree(tree)
        if found.written.value(of: key) != nil { return true }
        return try found.looksBelow(for: key) && base.contains(tree, key: key)
    }

    final func firstKey(
        _ tree: TreeID, from key: RawSpan, into buffer: inout [UInt8]
    ) throws -> Bool {
        let range = KeyRange(lower: [UInt8](key), upper: nil)
        let cursor = try cursor(tree, in: range, descending: false)
        guard try cursor.next() else { return false }
        cursor.copyKey(into: &buffer)
        return true
    }

    final func count(_ tree: TreeID, in range: KeyRange) throws -> Int {
        let found = self.tree(tree)
        let below = found.hidesBase ? 0 : try base.count(tree, in: range)
        return below + found.added.positions(of: range).count
            - found.removed.positions(of: range).count
    }

    /// About: of records that are replaced or removed, what is below counts too.
    final func bytes(of collection: CollectionID) throws -> CollectionBytes {
        let state = state
        guard let found = state.collections[collection] else { return CollectionBytes() }
        var bytes =
            state.tree(TreeID(collection)).hidesBase
            ? CollectionBytes() : try base.bytes(of: collection)
        for (index, tree) in found.trees {
            if index == 0 {
                bytes.recordBytes += tree.written.bytes
            } else {
                bytes.indexBytes += tree.written.bytes
            }
        }
        return bytes
    }

    final func cursor(
        _ tree: TreeID, in range: KeyRange, descending: Bool
    ) throws -> any BackendCursor {
        let found = self.tree(tree)
        let below =
            found.hidesBase ? nil : try base.cursor(tree, in: range, descending: descending)
        return OverlayCursor(found, over: below, in: range, descending: descending)
    }
}

/// Walks what is written and what is below, in one order.
final class OverlayCursor: BackendCursor {
    private let tree: OverlayState.Tree
    private let isDescending: Bool
    /// Nil once it is at its end.
    private var below: (any BackendCursor)?
    /// The key where `below` is, while it hasn't been given.
    private var belowKey: [UInt8]?
    /// The positions in `written` that haven't been given.
    private var ahead: Range<Int>
    private var key: [UInt8] = []
    /// The written entry's value where the current one is written.
    private var value: [UInt8]?

    init(
        _ tree: OverlayState.Tree, over below: (any BackendCursor)?, in range: KeyRange,
        descending: Bool
    ) {
        self.tree = tree
        self.below = below
        isDescending = descending
        ahead = tree.written.positions(of: range)
    }

    func next() throws -> Bool {
        try readBelow()
        let position = isDescending ? ahead.upperBound - 1 : ahead.lowerBound
        let written = ahead.isEmpty ? nil : tree.written.entry(at: position)
        switch (written, belowKey) {
        case (nil, nil): return false
        case (nil, let found?): takeBelow(found)
        case (let written?, nil): take(written)
        case (let written?, let found?):
            let order = ByteOrder.compare(written.key, found)
            if isDescending ? order > 0 : order < 0 { take(written) } else { takeBelow(found) }
        }
        return true
    }

    /// Steps to the next entry below that counts, unless one is waiting.
    private func readBelow() throws {
        guard belowKey == nil, let below else { return }
        var found: [UInt8] = []
        while try below.next() {
            below.copyKey(into: &found)
            guard tree.removed.value(of: found) == nil, tree.written.value(of: found) == nil
            else { continue }
            belowKey = found
            return
        }
        self.below = nil
    }

    private func takeBelow(_ found: [UInt8]) {
        key = found
        value = nil
        belowKey = nil
    }

    private func take(_ written: (key: [UInt8], value: [UInt8])) {
        (key, value) = written
        ahead =
            isDescending
            ? ahead.lowerBound..<ahead.upperBound - 1 : ahead.lowerBound + 1..<ahead.upperBound
    }

    func skip(_ count: Int) throws {
        for _ in 0..<max(0, count) where try !next() { return }
    }

    func copyKey(into buffer: inout [UInt8]) { buffer = key }

    func withRecord(_ body: (RawSpan) throws -> Void) throws {
        if let value {
            try body(MapRecord.record(in: value))
        } else {
            try below?.withRecord(body)
        }
    }
}
