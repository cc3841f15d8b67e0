// The persistent counted B+tree: look-up, counts, positions.
//
// A tree is a root word; nodes are pages in memory (changed since the last checkpoint) or bytes in
// node segments. Writing copies the path from the root to the leaf and gives a new root; who holds
// an old root reads the old tree.
//
// Invariants:
// - Keys ascend without repetition under memcmp, the shorter first. All leaves are at level 0; a
//   child's level is its parent's minus one.
// - A branch entry's separator is at or below all keys under it and above all keys before it; its
//   count is the number of records under it; the root's count is the number of all.
// - A root that is a branch has two children at least; an empty tree has no node.
// - A node in a file leads only to nodes in files.
// - Published pages are never changed, but for the location that a checkpoint remembers in them.
//
// Who uses a tree keeps what it reads alive: the version whose root it is, or the owner of the
// pages being written.

/// Where a tree begins and what it holds.
package struct TreeRoot: Equatable, Sendable {
    /// The root node's reference; 0 for an empty tree. What comes from disk must be 0 or have bit 0
    /// set (`isStored`).
    package var node: UInt64
    package var count: UInt64
    /// Bytes of all keys; in a primary tree also of the records, which whoever changes it adds.
    package var bytes: Int64
    /// Bytes of an entry's value: 8, or 0 for trees of keys alone.
    package let valueWidth: UInt8
    /// What its nodes are marked with.
    package let identity: TreeIdentity

    package init(
        node: UInt64, count: UInt64, bytes: Int64 = 0, valueWidth: UInt8,
        identity: TreeIdentity = .none
    ) {
        self.node = node
        self.count = count
        self.bytes = bytes
        self.valueWidth = valueWidth
        self.identity = identity
    }

    /// A tree without entries.
    package static func empty(valueWidth: UInt8, identity: TreeIdentity = .none) -> TreeRoot {
        TreeRoot(node: 0, count: 0, valueWidth: valueWidth, identity: identity)
    }

    /// Whether all of the tree is in files.
    package var isStored: Bool { node == 0 || node & 1 != 0 }
}

/// A tree to read, and with a `PageOwner` to write.
package struct Tree {
    package var root: TreeRoot
    package let files: FileTable

    package init(root: TreeRoot, files: FileTable) {
        self.root = root
        self.files = files
    }

    /// How many entries there are.
    package var count: Int { Int(clamping: root.count) }

    /// The value of `key` (0 in a tree without values); nil where there is no such key.
    package func value(of key: UnsafeRawBufferPointer) throws(EngineError) -> UInt64? {
        guard root.node != 0 else { return nil }
        let key = unsafe TreeKey(key)
        var node = try files.root(root)
        var kind = node.kind
        while kind.isBranch {
            kind = kind.child
            node = try files.node(node.child(node.childIndex(key)), kind)
        }
        let (index, found) = node.search(key)
        return found ? node.value(index) : nil
    }

    // MARK: - Counting

    /// How many keys are at or above `lower` and below `upper`; nil is no bound.
    package func count(from lower: [UInt8]?, to upper: [UInt8]?) throws(EngineError) -> Int {
        let start = try lower.map { bytes throws(EngineError) in try rank(of: bytes) } ?? 0
        let end = try upper.map { bytes throws(EngineError) in try rank(of: bytes) } ?? count
        return max(0, end - start)
    }

    /// How many keys are below `key`.
    package func rank(of key: [UInt8]) throws(EngineError) -> Int {
        let span = key.span
        return try unsafe span.withUnsafeBytes { bytes throws(EngineError) in
            unsafe try rank(of: bytes)
        }
    }

    /// How many keys are below `key`.
    package func rank(of key: UnsafeRawBufferPointer) throws(EngineError) -> Int {
        guard root.node != 0 else { return 0 }
        let key = unsafe TreeKey(key)
        var node = try files.root(root)
        var kind = node.kind
        var sum: UInt64 = 0
        while kind.isBranch {
            let index = node.childIndex(key)
            sum &+= node.below(before: index)
            kind = kind.child
            node = try files.node(node.child(index), kind)
        }
        return Int(clamping: sum &+ UInt64(node.search(key).index))
    }
}
