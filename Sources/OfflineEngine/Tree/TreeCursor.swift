// Walking a tree's entries in order, both ways, from any key or position.
//
// A step within a leaf touches the cursor and nothing else; a step to the next leaf goes up the
// branches as far as it must and down again. Nothing is allocated.
//
// Invariants:
// - The cursor stands on an entry (`isValid`), or nowhere: new, past an end, or after an error.
//   From nowhere only a seek leads on.
// - It reads the tree whose root it was made with; who made it keeps that alive and, if it is a
//   writer's, doesn't change it meanwhile.
internal import OfflineBytes

/// A place in a tree. Copies move independently.
@safe
package struct TreeCursor {
    private let root: TreeRoot
    private let files: FileTable
    private var leaf: Node
    /// The entry in the leaf, and how many the leaf has: 0 where the cursor stands nowhere.
    private var index = 0
    private var leafCount = 0
    /// The root's level; the branches from there down to level 1, and the entry taken in each.
    private var top = 0
    private var branches: InlineArray<24, Node>
    private var indexes: InlineArray<24, UInt16>

    init(_ tree: Tree) {
        root = tree.root
        files = tree.files
        leaf = unsafe Node(TreeKey.empty.base)
        branches = InlineArray(repeating: leaf)
        indexes = InlineArray(repeating: 0)
    }

    // MARK: - What it stands on

    /// Whether it stands on an entry.
    package var isValid: Bool { leafCount > 0 }

    /// The entry's value; 0 in a tree without values.
    @inline(always)
    package var value: UInt64 {
        precondition(leafCount > 0, "the cursor stands on an entry")
        return leaf.value(index)
    }

    /// Replaces the contents of `key` by the entry's key.
    package func copyKey(into key: inout [UInt8]) {
        key.removeAll(keepingCapacity: true)
        unsafe key.append(contentsOf: keyPrefix)
        unsafe key.append(contentsOf: keySuffix)
    }

    /// The entry's key.
    package var key: [UInt8] {
        var key: [UInt8] = []
        copyKey(into: &key)
        return key
    }

    /// The entry's key in two parts, read in place: what it shares with others, and the rest. They
    /// are good until the cursor moves.
    package var keyPrefix: UnsafeRawBufferPointer {
        precondition(leafCount > 0, "the cursor stands on an entry")
        return unsafe UnsafeRawBufferPointer(start: leaf.prefix, count: leaf.prefixLength)
    }

    /// See `keyPrefix`.
    package var keySuffix: UnsafeRawBufferPointer {
        precondition(leafCount > 0, "the cursor stands on an entry")
        return unsafe leaf.suffix(index).bytes
    }

    /// Negative, zero or positive as the entry's key is before, equal to or after `key`.
    package func compare(to key: UnsafeRawBufferPointer) -> Int {
        precondition(leafCount > 0, "the cursor stands on an entry")
        let key = unsafe TreeKey(key)
        let prefixLength = leaf.prefixLength
        let order = leaf.prefixOrder(key, prefixLength)
        if order != 0 { return -order }
        let rest = unsafe TreeKey(base: key.base + prefixLength, count: key.count - prefixLength)
        return leaf.suffix(index).order(rest)
    }

    // MARK: - Steps

    /// Goes to the next entry; false past the last one.
    @inline(always)
    @discardableResult
    package mutating func next() throws(EngineError) -> Bool {
        if index &+ 1 < leafCount {
            index &+= 1
            return true
        }
        return try nextLeaf()
    }

    /// Goes to the entry before; false before the first one.
    @inline(always)
    @discardableResult
    package mutating func previous() throws(EngineError) -> Bool {
        if index > 0 {
            index &-= 1
            return true
        }
        return try previousLeaf()
    }

    @inline(never)
    private mutating func nextLeaf() throws(EngineError) -> Bool {
        guard leafCount > 0 else { return false }
        leave()
        var level = 1
        while level <= top && Int(indexes[level]) &+ 1 >= branches[level].count { level &+= 1 }
        guard level <= top else { return false }
        indexes[level] &+= 1
        return try descend(from: level, .first)
    }

    @inline(never)
    private mutating func previousLeaf() throws(EngineError) -> Bool {
        guard leafCount > 0 else { return false }
        leave()
        var level = 1
        while level <= top && indexes[level] == 0 { level &+= 1 }
        guard level <= top else { return false }
        indexes[level] &-= 1
        return try descend(from: level, .last)
    }

    private mutating func leave() {
        index = 0
        leafCount = 0
    }

    // MARK: - Seeking

    /// Goes to the first entry; false in an empty tree.
    @discardableResult
    package mutating func seekToFirst() throws(EngineError) -> Bool {
        guard let root = try begin() else { return false }
        return try enter(root, .first)
    }

    /// Goes to the last entry; false in an empty tree.
    @discardableResult
    package mutating func seekToLast() throws(EngineError) -> Bool {
        guard let root = try begin() else { return false }
        return try enter(root, .last)
    }

    /// Goes to the first entry at or after `key`; false if there is none.
    @discardableResult
    package mutating func seek(_ key: UnsafeRawBufferPointer) throws(EngineError) -> Bool {
        let key = unsafe TreeKey(key)
        guard let found = try descend(to: key) else { return false }
        if found < leafCount {
            index = found
            return true
        }
        return try nextLeaf()
    }

    /// Goes to the last entry before `key`; false if there is none.
    @discardableResult
    package mutating func seekBefore(_ key: UnsafeRawBufferPointer) throws(EngineError) -> Bool {
        let key = unsafe TreeKey(key)
        guard let found = try descend(to: key) else { return false }
        if found > 0 {
            index = found &- 1
            return true
        }
        return try previousLeaf()
    }

    /// Goes to the first entry at or after `key`; false if there is none.
    @discardableResult
    package mutating func seek(_ key: [UInt8]) throws(EngineError) -> Bool {
        let span = key.span
        return try unsafe span.withUnsafeBytes { bytes throws(EngineError) in
            unsafe try seek(bytes)
        }
    }

    /// Goes to the last entry before `key`; false if there is none.
    @discardableResult
    package mutating func seekBefore(_ key: [UInt8]) throws(EngineError) -> Bool {
        let span = key.span
        return try unsafe span.withUnsafeBytes { bytes throws(EngineError) in
            unsafe try seekBefore(bytes)
        }
    }

    /// Goes to the entry that has `position` entries before it; false if there are not as many.
    @discardableResult
    package mutating func seek(position: Int) throws(EngineError) -> Bool {
        guard position >= 0, position < Int(clamping: root.count), let root = try begin() else {
            leave()
            return false
        }
        var rest = UInt64(position)
        var node = root
        var kind = root.kind
        while kind.isBranch {
            var index = 0
            let count = node.count
            while index < count {
                let below = node.below(index)
                if rest < below { break }
                rest &-= below
                index &+= 1
            }
            guard index < count else {
                throw FileTable.corrupted("a branch's counts don't match its parent's", node)
            }
            node = try take(node, index)
            kind = kind.child
        }
        guard rest < UInt64(node.count) else {
            throw FileTable.corrupted("a leaf's count doesn't match its parent's", node)
        }
        stand(node, Int(rest))
        return true
    }

    // MARK: - Going down

    private enum End {
        case first
        case last
    }

    /// The root node, with the cursor nowhere; nil in an empty tree.
    private mutating func begin() throws(EngineError) -> Node? {
        leave()
        guard root.node != 0 else { return nil }
        let node = try files.root(root)
        top = node.level
        return node
    }

    /// Notes the way through a branch; its child.
    @inline(always)
    private mutating func take(_ branch: Node, _ index: Int) throws(EngineError) -> Node {
        let kind = branch.kind
        branches[kind.level] = branch
        indexes[kind.level] = UInt16(truncatingIfNeeded: index)
        return try files.node(branch.child(index), kind.child)
    }

    private mutating func stand(_ leaf: Node, _ index: Int) {
        self.leaf = leaf
        self.index = index
        leafCount = leaf.count
    }

    /// Goes down to the leaf where `key` belongs and stands on its first entry; the place of the
    /// first entry that is at or after `key`, which may be the leaf's end. Nil in an empty tree.
    private mutating func descend(to key: TreeKey) throws(EngineError) -> Int? {
        guard var node = try begin() else { return nil }
        while node.isBranch { node = try take(node, node.childIndex(key)) }
        stand(node, 0)
        return node.search(key).index
    }

    /// Goes down from the entry that the way takes in the branch at `level`.
    private mutating func descend(from level: Int, _ end: End) throws(EngineError) -> Bool {
        let branch = branches[level]
        return try enter(take(branch, Int(indexes[level])), end)
    }

    private mutating func enter(_ node: Node, _ end: End) throws(EngineError) -> Bool {
        var node = node
        while node.isBranch { node = try take(node, end == .first ? 0 : node.count &- 1) }
        stand(node, end == .first ? 0 : node.count &- 1)
        return true
    }
}

extension Tree {
    /// A cursor that stands nowhere yet.
    package func cursor() -> TreeCursor { TreeCursor(self) }

    /// The key that has `position` keys before it; nil if there are not as many.
    package func key(at position: Int) throws(EngineError) -> [UInt8]? {
        var cursor = cursor()
        return try cursor.seek(position: position) ? cursor.key : nil
    }
}
