// Entries of one or two nodes laid out in a row, to be written into new nodes: how a node is
// compacted, split, merged, filled from a neighbour, and packed. The keys stay where they are until
// they are written, so the old nodes must outlive the row, and new nodes go into other pages.
//
// Invariants:
// - The keys ascend. The first entry of a branch's row has an empty key that stands for everything
//   below.
// - The row has entries of two nodes and one more at most.
internal import OfflineBytes

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// One entry: its key in two parts, and what stands before the key in a node.
@safe
private struct NodeEntry {
    var prefix: UnsafeRawPointer
    var suffix: UnsafeRawPointer
    var prefixLength: Int
    var suffixLength: Int
    /// A leaf's value or a branch's child, and how many records lie below the child.
    var value: UInt64
    var below: UInt64

    @inline(always) var keyLength: Int { prefixLength &+ suffixLength }

    @inline(always)
    func byte(_ index: Int) -> UInt8 {
        index < prefixLength
            ? unsafe prefix.load(fromByteOffset: index, as: UInt8.self)
            : unsafe suffix.load(fromByteOffset: index &- prefixLength, as: UInt8.self)
    }

    /// Copies the key's first bytes.
    func copyPrefix(_ length: Int, to target: UnsafeMutableRawPointer) {
        let head = min(length, prefixLength)
        unsafe memcpy(target, prefix, head)
        unsafe memcpy(target + head, suffix, length &- head)
    }

    /// Copies the key from byte `start` on.
    @inline(always)
    func copyKey(from start: Int, to target: UnsafeMutableRawPointer) {
        if start >= prefixLength {
            unsafe memcpy(target, suffix + (start &- prefixLength), keyLength &- start)
        } else {
            let head = prefixLength &- start
            unsafe memcpy(target, prefix + start, head)
            unsafe memcpy(target + head, suffix, suffixLength)
        }
    }
}

/// A row of entries of one kind. Belongs to one owner or packer, which uses it for one node after
/// the other.
@safe
final class NodeEntries {
    private let entries: UnsafeMutablePointer<NodeEntry>
    private(set) var count = 0
    private var kind = NodeKind(word: 0)
    private var identity = TreeIdentity.none
    private static let capacity = 2 * NodeLayout.entriesMax + 1

    init() { unsafe entries = .allocate(capacity: Self.capacity) }

    deinit { unsafe entries.deallocate() }

    // MARK: - Laying out

    /// Begins an empty row.
    func begin(_ kind: NodeKind, _ identity: TreeIdentity) {
        count = 0
        self.kind = kind
        self.identity = identity
    }

    /// Begins a row with a node's entries.
    func begin(_ node: Node) {
        begin(node.kind, node.identity)
        append(node)
    }

    /// Adds the entries of a node that follows.
    func append(_ node: Node) {
        let nodeCount = node.count
        precondition(count &+ nodeCount <= Self.capacity, "a row holds two nodes")
        let (prefix, prefixLength) = unsafe (node.prefix, node.prefixLength)
        let (entrySize, isBranch) = (kind.entrySize, kind.isBranch)
        let target = unsafe entries + count
        for index in 0..<nodeCount {
            let (offset, keyLength) = node.slot(index)
            let bytes = unsafe node.base + offset
            unsafe (target + index).initialize(
                to: NodeEntry(
                    prefix: prefix, suffix: bytes + entrySize,
                    prefixLength: isBranch && index == 0 ? 0 : prefixLength,
                    suffixLength: keyLength, value: entrySize == 0 ? 0 : bytes.little(0),
                    below: isBranch ? bytes.little(NodeLayout.childCount) : 0))
        }
        count &+= nodeCount
    }

    /// Adds an entry between others. The key's bytes must outlive the row.
    func insert(_ index: Int, _ key: TreeKey, value: UInt64, below: UInt64 = 0) {
        precondition(count < Self.capacity && index <= count, "a row holds two nodes and one entry")
        unsafe memmove(
            entries + (index &+ 1), entries + index,
            (count &- index) &* MemoryLayout<NodeEntry>.stride)
        unsafe (entries + index).initialize(
            to: NodeEntry(
                prefix: key.base, suffix: key.base, prefixLength: 0, suffixLength: key.count,
                value: value, below: below))
        count &+= 1
    }

    /// Gives an entry that stood first in its branch the separator that it has from now on.
    func setKey(_ index: Int, _ key: TreeKey) {
        unsafe entries[index].prefixLength = 0
        unsafe entries[index].suffix = key.base
        unsafe entries[index].suffixLength = key.count
    }

    func setChild(_ index: Int, _ child: UInt64) { unsafe entries[index].value = child }

    // MARK: - Measuring

    /// The longest prefix that the keys of a node with these entries share. Of a single key, as
    /// much as it shared before: the whole key would fit no other one.
    func prefixLength(_ range: Range<Int>) -> Int {
        let first = kind.isBranch ? range.lowerBound &+ 1 : range.lowerBound
        let last = range.upperBound &- 1
        if first > last { return 0 }
        if first == last { return unsafe entries[first].prefixLength }
        return sharedLength(first, last)
    }

    /// How many first bytes the keys of two entries share.
    private func sharedLength(_ first: Int, _ second: Int) -> Int {
        let (a, b) = unsafe (entries[first], entries[second])
        let limit = min(a.keyLength, b.keyLength)
        let isOneNode = unsafe a.prefix == b.prefix && a.prefixLength == b.prefixLength
        var length = isOneNode ? a.prefixLength : 0
        while length < limit && a.byte(length) == b.byte(length) { length &+= 1 }
        return length
    }

    /// Bytes of a node with these entries.
    func size(_ range: Range<Int>) -> Int { size(range, prefixLength: prefixLength(range)) }

    private func size(_ range: Range<Int>, prefixLength: Int) -> Int {
        var sum = NodeLayout.slots &+ prefixLength
        for index in range { sum &+= cost(index, prefixLength: prefixLength) }
        if kind.isBranch { sum &-= keyCost(range.lowerBound, prefixLength: prefixLength) }
        return sum
    }

    @inline(always)
    private func cost(_ index: Int, prefixLength: Int) -> Int {
        NodeLayout.slotSize &+ kind.entrySize &+ keyCost(index, prefixLength: prefixLength)
    }

    /// A key may be shorter than the prefix only where it is a branch's first, which is empty.
    @inline(always)
    private func keyCost(_ index: Int, prefixLength: Int) -> Int {
        max(0, unsafe entries[index].keyLength &- prefixLength)
    }

    /// Whether all entries fit one node.
    var fitsOne: Bool { size(0..<count) <= NodeLayout.pageSize }

    /// Where to cut a row that doesn't fit one node, so that both parts fit and differ least. Why
    /// there always is such a place: see NodeLayout.
    func cut() -> Int {
        let first = kind.isBranch ? 2 : 1
        precondition(count >= 2 * first, "a row that overflows can be cut")
        if let place = balancedCut(first...(count &- first)) { return place }
        // The parts fit only with prefixes of their own: a key without the others' prefix is in the
        // row.
        var best = (place: 0, size: Int.max)
        for place in first...(count &- first) {
            let larger = max(size(0..<place), size(place..<count))
            if larger < best.size { best = (place, larger) }
        }
        precondition(best.size <= NodeLayout.pageSize, "one of the cuts leaves parts that fit")
        return best.place
    }

    /// The cut with the least difference as if both parts had the prefix of the whole; nil if that
    /// doesn't fit.
    private func balancedCut(_ places: ClosedRange<Int>) -> Int? {
        let prefixLength = prefixLength(0..<count)
        let whole = size(0..<count, prefixLength: prefixLength)
        let fixed = NodeLayout.slots &+ prefixLength
        var left = fixed
        var best = (place: 0, size: Int.max)
        for place in 1...places.upperBound {
            left &+= cost(place &- 1, prefixLength: prefixLength)
            var right = whole &- left &+ fixed
            if kind.isBranch { right &-= keyCost(place, prefixLength: prefixLength) }
            let larger = max(left, right)
            if larger < best.size && place >= places.lowerBound { best = (place, larger) }
        }
        return best.size <= NodeLayout.pageSize ? best.place : nil
    }

    /// Whether both parts of a cut fit a node.
    func canCut(at place: Int) -> Bool {
        place > 0 && place < count && size(0..<place) <= NodeLayout.pageSize
            && size(place..<count) <= NodeLayout.pageSize
    }

    // MARK: - Writing

    /// Writes a node with these entries, in a whole page or packed into `length` bytes.
    func write(_ range: Range<Int>, to page: NodePage, length: Int = NodeLayout.pageSize) {
        let prefixLength = prefixLength(range)
        page.clear(kind, identity, length: length, prefixLength: prefixLength)
        page.beginFill(count: range.count)
        if prefixLength > 0 {
            let named = unsafe entries[kind.isBranch ? range.lowerBound &+ 1 : range.lowerBound]
            unsafe named.copyPrefix(prefixLength, to: page.base + (length &- prefixLength))
        }
        var heapStart = length &- prefixLength
        var index = range.count &- 1
        while index >= 0 {
            let entry = unsafe entries[range.lowerBound &+ index]
            let keyLength = kind.isBranch && index == 0 ? 0 : entry.keyLength &- prefixLength
            let target = unsafe page.fill(
                index, kind, keyLength: keyLength, heapStart: &heapStart, value: entry.value,
                below: entry.below)
            if keyLength > 0 { unsafe entry.copyKey(from: prefixLength, to: target) }
            page.setHead(index, unsafe TreeKey(base: target, count: keyLength).head)
            index &-= 1
        }
        page.endFill(heapStart: heapStart)
    }

    /// How many records are in or below these entries.
    func total(_ range: Range<Int>) -> UInt64 {
        if !kind.isBranch { return UInt64(range.count) }
        var sum: UInt64 = 0
        for index in range { unsafe sum &+= entries[index].below }
        return sum
    }

    /// Writes what divides the parts of a cut to `target`, which has room for a key: in a branch
    /// the second part's first separator, in a leaf the shortest that is above the first part's
    /// last key.
    func separator(at place: Int, to target: UnsafeMutableRawPointer) -> TreeKey {
        let entry = unsafe entries[place]
        let length =
            kind.isBranch
            ? entry.keyLength : min(sharedLength(place &- 1, place) &+ 1, entry.keyLength)
        unsafe entry.copyPrefix(length, to: target)
        return unsafe TreeKey(base: UnsafeRawPointer(target), count: length)
    }
}
