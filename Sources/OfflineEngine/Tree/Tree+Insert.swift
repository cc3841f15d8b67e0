// Inserting: copy the path, put the entry into its leaf; a leaf without room is rewritten, or
// split, and the split goes up.
//
// A node that overflows is cut in the middle, unless the entry follows (or precedes) the last one
// inserted into the node: then it is cut there, so that keys that ascend (or descend), in one place
// or in several, leave full nodes behind. At a leaf's end that moves nothing at all.
//
// All that may throw is done before anything changes, so a failed call leaves the tree as it was.
internal import OfflineBytes

extension Tree {
    /// Sets the value of `key`; the value that it had, nil if the key is new. `value` is ignored in
    /// a tree without values.
    package mutating func insert(
        _ key: UnsafeRawBufferPointer, value: UInt64, _ owner: PageOwner
    ) throws(EngineError) -> UInt64? {
        guard key.count <= NodeLayout.keyBytesMax else {
            throw EngineError(.limit, "a key has \(NodeLayout.keyBytesMax) bytes at most")
        }
        let key = unsafe TreeKey(key)
        guard root.node != 0 else {
            try owner.reserve(1)
            plant(key, value, owner)
            root.bytes &+= Int64(key.count)
            return nil
        }
        var path = try path(to: key)
        let leaf = path.nodes[0]
        let (index, found) = leaf.search(key)
        if found {
            if root.valueWidth == 0 { return 0 }
            let old = leaf.value(index)
            try owner.reserve(path.top &+ 1)
            ownBranches(&path, adding: 0, owner)
            own(&path, 0, owner).setValue(index, value)
            return old
        }
        guard path.top < NodeLayout.levelMax else {
            throw EngineError(.limit, "a tree has too many levels")
        }
        try owner.reserve(forChangeBelow: path.top)
        ownBranches(&path, adding: 1, owner)
        root.count &+= 1
        root.bytes &+= Int64(key.count)
        insertEntry(&path, 0, index, key, value: value, below: 0, owner)
        return nil
    }

    /// The first entry of an empty tree.
    private mutating func plant(_ key: TreeKey, _ value: UInt64, _ owner: PageOwner) {
        let page = owner.makePage()
        page.clear(NodeKind(level: 0, valueWidth: root.valueWidth), root.identity)
        page.insert(0, key, value: value)
        root.node = page.reference
        root.count = 1
    }

    /// Inserts an entry into the path's node at `level`, whose branches above are the owner's and
    /// count the entry already.
    mutating func insertEntry(
        _ path: inout TreePath, _ level: Int, _ index: Int, _ key: TreeKey, value: UInt64,
        below: UInt64, _ owner: PageOwner
    ) {
        let node = path.nodes[level]
        if node.fits(key) {
            return own(&path, level, owner).insert(index, key, value: value, below: below)
        }
        if level == 0 && index == node.count && index == node.lastInsertion,
            node.dead == 0, node.sharedLength(0, key) == node.prefixLength
        {
            // It is full: no other prefix would make room in it.
            return appendLeaf(&path, key, value: value, owner)
        }
        let entries = owner.scratch.entries
        entries.begin(node)
        entries.insert(index, key, value: value, below: below)
        if entries.fitsOne {
            let page = owner.makePage()
            entries.write(0..<entries.count, to: page)
            page.setLastInsertion(index)
            owner.drop(node)
            path.nodes[level] = page.node
            return link(path, level, page.reference)
        }
        let place = cut(entries, node, index)
        let (left, right) = (owner.makePage(), owner.makePage())
        entries.write(0..<place, to: left)
        entries.write(place..<entries.count, to: right)
        if index < place {
            left.setLastInsertion(index)
        } else {
            right.setLastInsertion(index &- place)
        }
        let separator = unsafe entries.separator(at: place, to: owner.scratch.separatorRoom())
        let totals = (entries.total(0..<place), entries.total(place..<entries.count))
        owner.drop(node)
        path.nodes[level] = left.node
        linkSplit(
            &path, level, (left.reference, totals.0), separator, (right.reference, totals.1), owner)
    }

    /// Where to cut an overflowing row into which an entry was inserted at `index`.
    ///
    /// Where keys ascend, the entry ends the first part, so that the next ones find the room that
    /// the entries after it had; only at the node's end it begins the second part. Where keys
    /// descend, the same the other way round.
    private func cut(_ entries: NodeEntries, _ node: Node, _ index: Int) -> Int {
        // A branch's parts have two children at least.
        let childrenMin = node.isBranch ? 2 : 1
        let first = childrenMin - 1
        let wanted: Int
        switch node.lastInsertion {
        case index: wanted = index < node.count ? index + 1 : index - first
        case index + 1: wanted = index > first ? index : index + 1
        default: return entries.cut()
        }
        let isAllowed = wanted >= childrenMin && wanted <= entries.count - childrenMin
        return isAllowed && entries.canCut(at: wanted) ? wanted : entries.cut()
    }

    /// Puts an entry that follows the path's full leaf, and the entry inserted into it last, into a
    /// leaf of its own.
    private mutating func appendLeaf(
        _ path: inout TreePath, _ key: TreeKey, value: UInt64, _ owner: PageOwner
    ) {
        let leaf = path.nodes[0]
        let page = owner.makePage()
        page.clear(leaf.kind, leaf.identity)
        // The keys to come most likely share what the keys before them shared.
        if leaf.prefixOrder(key, leaf.prefixLength) == 0 {
            page.setPrefix(unsafe TreeKey(base: key.base, count: leaf.prefixLength))
        }
        page.insert(0, key, value: value)
        let length = leaf.sharedLength(leaf.count &- 1, key) &+ 1
        let separator = unsafe TreeKey(base: key.base, count: length)
        linkSplit(
            &path, 0, (path.reference(0), UInt64(leaf.count)), separator, (page.reference, 1), owner
        )
    }

    /// Lets the parent of the path's node at `level` lead to two nodes in its place.
    private mutating func linkSplit(
        _ path: inout TreePath, _ level: Int, _ left: (node: UInt64, below: UInt64),
        _ separator: TreeKey, _ right: (node: UInt64, below: UInt64), _ owner: PageOwner
    ) {
        if level == path.top {
            let page = owner.makePage()
            page.clear(path.nodes[level].kind.parent, root.identity)
            page.insert(0, TreeKey.empty, value: left.node, below: left.below)
            page.insert(1, separator, value: right.node, below: right.below)
            root.node = page.reference
            return
        }
        let parent = path.page(level &+ 1)
        let index = path.indexes[level &+ 1]
        parent.setChild(index, left.node)
        parent.setBelow(index, left.below)
        insertEntry(
            &path, level &+ 1, index &+ 1, separator, value: right.node, below: right.below, owner)
    }
}
