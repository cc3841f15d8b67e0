// A node in a page that its owner may still change.
//
// Invariants: those of `Node`; only the page's owner holds one; heap bytes that no entry uses any
// more are counted in `dead`, so that gap + dead is what the node could still take after being
// rewritten.
internal import OfflineBytes

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A page that is being written.
@safe
struct NodePage {
    let base: UnsafeMutableRawPointer

    @inline(always)
    init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

    @inline(always) var node: Node { unsafe Node(UnsafeRawPointer(base)) }
    /// The page as a branch refers to it.
    var reference: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }

    @inline(always)
    private func set(_ field: Int, _ value: Int) {
        unsafe base.storeLittle(UInt16(truncatingIfNeeded: value), at: field)
    }

    // MARK: - Whole nodes

    /// Makes it a node without entries, `length` bytes long, whose keys will share `prefixLength`
    /// bytes.
    func clear(
        _ kind: NodeKind, _ identity: TreeIdentity, length: Int = NodeLayout.pageSize,
        prefixLength: Int = 0
    ) {
        unsafe base.storeLittle(NodeLayout.magic, at: NodeLayout.magicAt)
        unsafe base.storeLittle(kind.word, at: NodeLayout.kind)
        set(NodeLayout.count, 0)
        set(NodeLayout.prefixLength, prefixLength)
        set(NodeLayout.heapStart, length &- prefixLength)
        set(NodeLayout.length, length)
        set(NodeLayout.dead, 0)
        unsafe base.storeLittle(UInt32(0), at: NodeLayout.lastInsertion)
        unsafe base.storeLittle(identity.word, at: NodeLayout.identity)
        unsafe base.storeLittle(UInt64(0), at: NodeLayout.location)
    }

    /// Makes it a copy of another node, packed or not. What is the page's own (owner, remembered
    /// location) stays.
    func copy(_ source: Node) {
        let length = source.length
        let heapStart = source.heapStart
        let moved = NodeLayout.pageSize &- length
        unsafe memcpy(base, source.base, NodeLayout.location)
        unsafe base.storeLittle(UInt64(0), at: NodeLayout.location)
        unsafe memcpy(
            base + NodeLayout.slots, source.base + NodeLayout.slots,
            source.count &* NodeLayout.slotSize)
        unsafe memcpy(
            base + (heapStart &+ moved), source.base + heapStart, length &- heapStart)
        if moved == 0 { return }
        set(NodeLayout.length, NodeLayout.pageSize)
        set(NodeLayout.heapStart, heapStart &+ moved)
        for index in 0..<source.count {
            set(
                NodeLayout.slots &+ index &* NodeLayout.slotSize, source.slot(index).offset &+ moved
            )
        }
    }

    /// Gives a node without entries the prefix that its keys will have.
    func setPrefix(_ prefix: TreeKey) {
        let start = NodeLayout.pageSize &- prefix.count
        unsafe memcpy(base + start, prefix.base, prefix.count)
        set(NodeLayout.prefixLength, prefix.count)
        set(NodeLayout.heapStart, start)
    }

    // MARK: - Entries

    /// Inserts an entry that fits (`Node.fits`). `value` is a leaf's value or a branch's child,
    /// `below` the child's count.
    func insert(_ index: Int, _ key: TreeKey, value: UInt64, below: UInt64 = 0) {
        let node = node
        let kind = node.kind
        let prefixLength = node.prefixLength
        let count = node.count
        let suffixLength = key.count &- prefixLength
        let size = kind.entrySize &+ suffixLength
        precondition(node.gap >= size &+ NodeLayout.slotSize, "the caller has seen that it fits")
        assert(index >= min(count, node.firstKey) && index <= count, "it goes between others")

        let offset = node.heapStart &- size
        let suffix = unsafe TreeKey(base: key.base + prefixLength, count: suffixLength)
        let slot = unsafe base + (NodeLayout.slots &+ index &* NodeLayout.slotSize)
        unsafe memmove(
            slot + NodeLayout.slotSize, slot, (count &- index) &* NodeLayout.slotSize)
        unsafe slot.storeLittle(UInt16(truncatingIfNeeded: offset), at: 0)
        unsafe slot.storeLittle(UInt16(truncatingIfNeeded: suffixLength), at: 2)
        unsafe slot.storeLittle(suffix.head, at: NodeLayout.slotHead)
        write(kind, at: offset, value: value, below: below)
        unsafe memcpy(base + (offset &+ kind.entrySize), suffix.base, suffixLength)
        set(NodeLayout.count, count &+ 1)
        set(NodeLayout.heapStart, offset)
        set(NodeLayout.lastInsertion, index &+ 1)
    }

    /// Stores what stands before an entry's key.
    @inline(always)
    func write(_ kind: NodeKind, at offset: Int, value: UInt64, below: UInt64) {
        if kind.isBranch {
            unsafe base.storeLittle(value, at: offset)
            unsafe base.storeLittle(below, at: offset &+ NodeLayout.childCount)
        } else if kind.valueWidth != 0 {
            unsafe base.storeLittle(value, at: offset)
        }
    }

    /// Takes an entry out. A branch's next entry then stands first and loses its separator.
    func remove(_ index: Int) {
        let node = node
        let kind = node.kind
        let count = node.count &- 1
        assert(index >= 0 && index <= count, "only an entry that is there can be removed")
        var dead = node.dead &+ kind.entrySize &+ node.slot(index).keyLength
        let slot = unsafe base + (NodeLayout.slots &+ index &* NodeLayout.slotSize)
        unsafe memmove(
            slot, slot + NodeLayout.slotSize, (count &- index) &* NodeLayout.slotSize)
        if kind.isBranch && index == 0 && count > 0 {
            dead &+= node.slot(0).keyLength
            unsafe base.storeLittle(UInt16(0), at: NodeLayout.slots + 2)
            unsafe base.storeLittle(UInt32(0), at: NodeLayout.slots + NodeLayout.slotHead)
        }
        set(NodeLayout.count, count)
        set(NodeLayout.dead, dead)
        set(NodeLayout.lastInsertion, 0)
    }

    /// Replaces a leaf entry's value, where the tree has values.
    func setValue(_ index: Int, _ value: UInt64) {
        if node.kind.valueWidth == 0 { return }
        unsafe base.storeLittle(value, at: node.slot(index).offset)
    }

    /// Replaces a branch entry's child.
    @inline(always)
    func setChild(_ index: Int, _ child: UInt64) {
        unsafe base.storeLittle(child, at: node.slot(index).offset)
    }

    /// Replaces a branch entry's count.
    @inline(always)
    func setBelow(_ index: Int, _ below: UInt64) {
        unsafe base.storeLittle(below, at: node.slot(index).offset &+ NodeLayout.childCount)
    }

    func setLastInsertion(_ index: Int) { set(NodeLayout.lastInsertion, index &+ 1) }

    // MARK: - Filling a cleared node from its last entry to its first

    /// Sets the number of entries of a node whose entries are then written with `fill`.
    func beginFill(count: Int) { set(NodeLayout.count, count) }

    /// Writes slot and fixed part of an entry below what the heap holds; where its key's bytes go.
    /// `index` descends.
    @inline(always)
    func fill(
        _ index: Int, _ kind: NodeKind, keyLength: Int, heapStart: inout Int, value: UInt64,
        below: UInt64
    ) -> UnsafeMutableRawPointer {
        heapStart &-= kind.entrySize &+ keyLength
        let slot = NodeLayout.slots &+ index &* NodeLayout.slotSize
        unsafe base.storeLittle(UInt16(truncatingIfNeeded: heapStart), at: slot)
        unsafe base.storeLittle(UInt16(truncatingIfNeeded: keyLength), at: slot &+ 2)
        write(kind, at: heapStart, value: value, below: below)
        return unsafe base + (heapStart &+ kind.entrySize)
    }

    /// Sets the head of an entry whose key has been written.
    @inline(always)
    func setHead(_ index: Int, _ head: UInt32) {
        unsafe base.storeLittle(
            head, at: NodeLayout.slots &+ index &* NodeLayout.slotSize &+ NodeLayout.slotHead)
    }

    /// Ends a fill.
    func endFill(heapStart: Int) {
        let end = node.slotsEnd
        precondition(heapStart >= end, "a node's entries fit the node")
        set(NodeLayout.heapStart, heapStart)
    }
}
