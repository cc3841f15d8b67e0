// A node's bytes, read in place.
//
// A `Node` is only made of bytes that are sound: a page of ours, or bytes of a file that passed
// `NodeVerifier`. Then every index below `count` leads to bytes inside the node, which is why
// nothing is checked here and why the type counts as safe. Whoever holds one also holds what keeps
// its memory (a version, or the owner of the page).
internal import OfflineBytes

/// A key that is sought or inserted: bytes that live as long as the call.
@safe
struct TreeKey {
    let base: UnsafeRawPointer
    let count: Int

    @inline(always)
    init(_ bytes: UnsafeRawBufferPointer) {
        unsafe base = bytes.baseAddress ?? Self.nothing
        count = bytes.count
    }

    @inline(always)
    init(base: UnsafeRawPointer, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

    static var empty: TreeKey { unsafe TreeKey(base: nothing, count: 0) }

    /// Where the empty key's bytes are: an address that is never read.
    private nonisolated(unsafe) static let nothing = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))
}

/// A leaf or branch.
@safe
struct Node {
    let base: UnsafeRawPointer

    @inline(always)
    init(_ base: UnsafeRawPointer) { unsafe self.base = base }

    // MARK: - Header

    @inline(always) var kind: NodeKind { NodeKind(word: unsafe base.little(NodeLayout.kind)) }
    @inline(always) var isBranch: Bool { kind.isBranch }
    @inline(always) var level: Int { kind.level }
    @inline(always) var count: Int { field(NodeLayout.count) }
    @inline(always) var prefixLength: Int { field(NodeLayout.prefixLength) }
    @inline(always) var heapStart: Int { field(NodeLayout.heapStart) }
    @inline(always) var length: Int { field(NodeLayout.length) }
    @inline(always) var dead: Int { field(NodeLayout.dead) }
    @inline(always) var lastInsertion: Int { field(NodeLayout.lastInsertion) }
    /// Whose page it is; 0 for a node in a file.
    @inline(always) var owner: UInt64 { unsafe base.little(NodeLayout.owner) }
    var identity: TreeIdentity {
        TreeIdentity(word: unsafe base.little(NodeLayout.identity))
    }
    /// Where it is written; word 0 for a page.
    var location: Location { Location(word: unsafe base.little(NodeLayout.location)) }
    var prefix: UnsafeRawPointer { unsafe base + (length &- prefixLength) }
    /// Bytes between slots and heap.
    @inline(always) var gap: Int { heapStart &- slotsEnd }
    @inline(always) var slotsEnd: Int { NodeLayout.slots &+ count &* NodeLayout.slotSize }
    /// Bytes that the node needs.
    var usedBytes: Int { length &- gap &- dead }

    @inline(always)
    private func field(_ offset: Int) -> Int {
        unsafe Int(base.little(offset, as: UInt16.self))
    }

    // MARK: - Entries

    /// Where an entry's bytes begin, and the length of its key after the prefix.
    @inline(always)
    func slot(_ index: Int) -> (offset: Int, keyLength: Int) {
        let word: UInt32 = unsafe base.little(NodeLayout.slots &+ index &* NodeLayout.slotSize)
        return (Int(word & 0xFFFF), Int(word >> 16))
    }

    /// The first four bytes of an entry's key after the prefix.
    @inline(always)
    func head(_ index: Int) -> UInt32 {
        unsafe base.little(
            NodeLayout.slots &+ index &* NodeLayout.slotSize &+ NodeLayout.slotHead)
    }

    /// A leaf entry's value; 0 where the tree has none.
    @inline(always)
    func value(_ index: Int) -> UInt64 {
        kind.valueWidth == 0 ? 0 : unsafe base.little(slot(index).offset)
    }

    /// A branch entry's child.
    @inline(always)
    func child(_ index: Int) -> UInt64 { unsafe base.little(slot(index).offset) }

    /// How many records a branch entry's child has below it.
    @inline(always)
    func below(_ index: Int) -> UInt64 {
        unsafe base.little(slot(index).offset &+ NodeLayout.childCount)
    }

    /// How many records are in the node or below it.
    var total: UInt64 { isBranch ? below(before: count) : UInt64(count) }

    /// How many records lie below the branch entries before `index`.
    func below(before index: Int) -> UInt64 {
        var sum: UInt64 = 0
        for entry in 0..<index { sum &+= below(entry) }
        return sum
    }

    /// An entry's key after the prefix.
    @inline(always)
    func suffix(_ index: Int) -> TreeKey {
        let (offset, length) = slot(index)
        return unsafe TreeKey(base: base + (offset &+ kind.entrySize), count: length)
    }

    /// The first entry whose key is compared: a branch's first separator is empty and stands for
    /// everything below.
    @inline(always) var firstKey: Int { isBranch ? 1 : 0 }

    /// Whether a copy of the node in a page takes one more entry as it stands: there is room before
    /// the heap, and the key has the prefix.
    func fits(_ key: TreeKey) -> Bool {
        let prefixLength = prefixLength
        let room = gap &+ (NodeLayout.pageSize &- length)
        let size = NodeLayout.slotSize &+ kind.entrySize &+ key.count &- prefixLength
        return room >= size && prefixOrder(key, prefixLength) == 0
    }

    // MARK: - Whole keys

    /// Bytes of an entry's whole key.
    func keyLength(_ index: Int) -> Int {
        index < firstKey ? 0 : prefixLength &+ slot(index).keyLength
    }

    /// Copies an entry's whole key to `target`, which has room for `keyBytesMax` bytes; its length.
    func copyKey(_ index: Int, to target: UnsafeMutableRawPointer) -> Int {
        guard index >= firstKey else { return 0 }
        let prefixLength = prefixLength
        let suffix = suffix(index)
        unsafe target.copyMemory(from: prefix, byteCount: prefixLength)
        unsafe (target + prefixLength).copyMemory(from: suffix.base, byteCount: suffix.count)
        return prefixLength &+ suffix.count
    }

    /// An entry's whole key, put together at `target`, which has room for `keyBytesMax` bytes.
    func key(_ index: Int, _ target: UnsafeMutableRawPointer) -> TreeKey {
        let length = unsafe copyKey(index, to: target)
        return unsafe TreeKey(base: UnsafeRawPointer(target), count: length)
    }

    /// An entry's whole key.
    func key(_ index: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: NodeLayout.keyBytesMax) { buffer, count in
            guard let target = buffer.baseAddress else { return }
            count = unsafe copyKey(index, to: UnsafeMutableRawPointer(target))
        }
    }
}

/// Which tree of which collection a node belongs to, so that a node found alone tells whose it is.
package struct TreeIdentity: Hashable, Sendable {
    package let collection: UInt32
    package let tree: UInt32

    package init(collection: UInt32, tree: UInt32) {
        self.collection = collection
        self.tree = tree
    }

    /// For trees that nobody needs to tell apart.
    package static let none = TreeIdentity(collection: 0, tree: 0)

    init(word: UInt64) {
        collection = UInt32(truncatingIfNeeded: word)
        tree = UInt32(truncatingIfNeeded: word >> 32)
    }

    var word: UInt64 { UInt64(tree) << 32 | UInt64(collection) }
}
