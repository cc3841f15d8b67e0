// The way of a write from the root to a leaf: the nodes by level, and in each branch the entry that
// it took.
internal import OfflineBytes

/// Nodes and places by level. What it holds becomes pages of the owner from the root on as the
/// write proceeds.
struct TreePath {
    /// The root's level.
    let top: Int
    var nodes: InlineArray<24, Node>
    var indexes: InlineArray<24, Int>

    init(root: Node) {
        top = root.level
        nodes = InlineArray(repeating: root)
        indexes = InlineArray(repeating: 0)
    }
}

extension TreePath {
    /// Checks that a node from a file, about to become part of what we change, has as many records
    /// below it as its parent says, and keeps within the bounds that the branches above set: it is
    /// child `index` of the path's branch above `level`. Together with what `NodeVerifier` proves,
    /// a row made of such nodes ascends, which is what all rewriting of nodes relies on.
    func checkPlace(_ node: Node, _ level: Int, _ index: Int) throws(EngineError) {
        if node.owner != 0 { return }
        guard node.total == nodes[level + 1].below(index) else {
            throw FileTable.corrupted("a node's count isn't its parent's", node)
        }
        if node.firstKey == node.count { return }
        var place = index
        var isLowerDone = false
        var isUpperDone = false
        for above in level + 1..<top + 1 {
            let branch = nodes[above]
            if above > level + 1 { place = indexes[above] }
            if !isLowerDone && place > 0 {
                isLowerDone = true
                let order = node.order(node.firstKey, branch, place)
                if order < 0 || order == 0 && node.isBranch { throw Self.outOfBounds(node) }
            }
            if !isUpperDone && place + 1 < branch.count {
                isUpperDone = true
                if node.order(node.count - 1, branch, place + 1) >= 0 {
                    throw Self.outOfBounds(node)
                }
            }
        }
    }

    private static func outOfBounds(_ node: Node) -> EngineError {
        FileTable.corrupted("a node's keys are outside the bounds of its place in the tree", node)
    }
}

extension Node {
    /// The order of an entry's key and one of another node.
    func order(_ index: Int, _ other: Node, _ otherIndex: Int) -> Int {
        let (length, otherLength) = (keyLength(index), other.keyLength(otherIndex))
        let (parts, otherParts) = (keyParts(index), other.keyParts(otherIndex))
        for place in 0..<min(length, otherLength) {
            let byte = Self.byte(parts, place)
            let otherByte = Self.byte(otherParts, place)
            if byte != otherByte { return byte < otherByte ? -1 : 1 }
        }
        return length - otherLength
    }

    /// How many first bytes an entry's key shares with `key`.
    func sharedLength(_ index: Int, _ key: TreeKey) -> Int {
        let parts = keyParts(index)
        let limit = min(keyLength(index), key.count)
        var length = 0
        while length < limit,
            unsafe Self.byte(parts, length) == key.base.load(fromByteOffset: length, as: UInt8.self)
        { length += 1 }
        return length
    }

    private func keyParts(_ index: Int) -> (prefix: TreeKey, suffix: TreeKey) {
        (unsafe TreeKey(base: prefix, count: prefixLength), suffix(index))
    }

    private static func byte(_ parts: (prefix: TreeKey, suffix: TreeKey), _ place: Int) -> UInt8 {
        place < parts.prefix.count
            ? unsafe parts.prefix.base.load(fromByteOffset: place, as: UInt8.self)
            : unsafe parts.suffix.base.load(
                fromByteOffset: place &- parts.prefix.count, as: UInt8.self)
    }
}

extension Tree {
    /// The way to the leaf where `key` belongs. Nothing is changed, and everything that a write of
    /// `key` may throw for is found out here.
    func path(to key: TreeKey) throws(EngineError) -> TreePath {
        var node = try files.root(root)
        guard node.owner != 0 || node.total == root.count else {
            throw FileTable.corrupted("a tree's count isn't its root's", node)
        }
        var path = TreePath(root: node)
        var kind = node.kind
        var level = path.top
        while level > 0 {
            let index = node.childIndex(key)
            path.indexes[level] = index
            kind = kind.child
            level &-= 1
            node = try files.node(node.child(index), kind)
            if node.owner == 0 { try path.checkPlace(node, level, index) }
            path.nodes[level] = node
        }
        return path
    }

    /// Makes the node at `level` the owner's and lets its parent, which is already, lead to it.
    @inline(always)
    mutating func own(_ path: inout TreePath, _ level: Int, _ owner: PageOwner) -> NodePage {
        let node = path.nodes[level]
        let page = owner.writable(node)
        if unsafe page.node.base != node.base {
            path.nodes[level] = page.node
            link(path, level, page.reference)
        }
        return page
    }

    /// Makes all branches of the path the owner's, and adds to the counts of the entries that the
    /// path takes.
    mutating func ownBranches(_ path: inout TreePath, adding change: Int64, _ owner: PageOwner) {
        var level = path.top
        while level > 0 {
            let page = own(&path, level, owner)
            if change != 0 {
                let index = path.indexes[level]
                page.setBelow(index, page.node.below(index) &+ UInt64(bitPattern: change))
            }
            level &-= 1
        }
    }

    /// Lets the parent of the path's node at `level` lead to `reference` in its place.
    mutating func link(_ path: TreePath, _ level: Int, _ reference: UInt64) {
        if level == path.top {
            root.node = reference
        } else {
            path.page(level &+ 1).setChild(path.indexes[level &+ 1], reference)
        }
    }
}

extension TreePath {
    /// The node at `level` as a branch refers to it.
    func reference(_ level: Int) -> UInt64 {
        let node = nodes[level]
        return node.location.word != 0
            ? node.location.word : unsafe UInt64(UInt(bitPattern: node.base))
    }

    /// The node at `level`, which the owner has made its own.
    func page(_ level: Int) -> NodePage {
        unsafe NodePage(UnsafeMutableRawPointer(mutating: nodes[level].base))
    }
}
