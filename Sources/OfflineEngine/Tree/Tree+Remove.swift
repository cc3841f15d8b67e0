// Removing: copy the path, take the entry out of its leaf; an empty node goes, one that is hardly
// filled is merged with a neighbour, or where both don't fit one node, their entries are divided
// anew. A root with a single child gives way to it.
//
// All that may throw is done before anything changes. A neighbour that can't be read is left alone,
// and its node as it is: whoever needs what is in the neighbour will be told.
internal import OfflineBytes

extension Tree {
    /// Removes `key`; the value that it had (0 in a tree without values), nil if there is no such
    /// key.
    package mutating func remove(
        _ key: UnsafeRawBufferPointer, _ owner: PageOwner
    ) throws(EngineError) -> UInt64? {
        guard root.node != 0 else { return nil }
        let key = unsafe TreeKey(key)
        var path = try path(to: key)
        let (index, found) = path.nodes[0].search(key)
        guard found else { return nil }
        let old = path.nodes[0].value(index)
        try owner.reserve(forChangeBelow: path.top)
        ownBranches(&path, adding: -1, owner)
        root.count &-= 1
        root.bytes &-= Int64(key.count)
        removeEntry(&path, 0, index, owner)
        return old
    }

    /// Takes an entry out of the path's node at `level`, whose branches above are the owner's.
    private mutating func removeEntry(
        _ path: inout TreePath, _ level: Int, _ index: Int, _ owner: PageOwner
    ) {
        let node = path.nodes[level]
        if node.count == 1 {
            owner.drop(node)
            if level == path.top {
                root.node = 0
            } else {
                removeEntry(&path, level &+ 1, path.indexes[level &+ 1], owner)
            }
            return
        }
        let page = own(&path, level, owner)
        page.remove(index)
        if level == path.top {
            lowerRoot(owner)
        } else if page.node.usedBytes < NodeLayout.fillMin {
            balance(&path, level, owner)
        }
    }

    /// Replaces a root branch that has a single child by the child.
    private mutating func lowerRoot(_ owner: PageOwner) {
        while let node = try? files.root(root), node.isBranch, node.count == 1 {
            root.node = node.child(0)
            owner.drop(node)
        }
    }

    /// Merges the path's node at `level`, which is the owner's, with a neighbour, or takes entries
    /// from it.
    private mutating func balance(_ path: inout TreePath, _ level: Int, _ owner: PageOwner) {
        let above = level &+ 1
        let parent = path.nodes[above]
        let index = path.indexes[above]
        guard parent.count > 1 else {
            if above < path.top { balance(&path, above, owner) }
            return
        }
        let isFirst = index == 0
        guard path.top < NodeLayout.levelMax,
            let neighbour = try? neighbour(path, level, isFirst ? 1 : index - 1)
        else { return }
        let node = path.nodes[level]
        let (left, right) = isFirst ? (node, neighbour) : (neighbour, node)
        let rightIndex = isFirst ? 1 : index
        let entries = owner.scratch.entries
        entries.begin(left)
        entries.append(right)
        if node.isBranch {
            entries.setKey(left.count, unsafe parent.key(rightIndex, owner.scratch.separatorRoom()))
        }
        if entries.fitsOne {
            merge(&path, level, (left, right), rightIndex, owner)
        } else {
            divide(&path, level, (left, right), rightIndex, owner)
        }
    }

    /// The node beside the path's one at `level`, child `index` of their parent.
    private func neighbour(
        _ path: TreePath, _ level: Int, _ index: Int
    ) throws(EngineError) -> Node {
        let node = try files.node(path.nodes[level + 1].child(index), path.nodes[level].kind)
        try path.checkPlace(node, level, index)
        return node
    }

    /// Writes the row of two neighbours into one node.
    private mutating func merge(
        _ path: inout TreePath, _ level: Int, _ nodes: (left: Node, right: Node), _ rightIndex: Int,
        _ owner: PageOwner
    ) {
        let entries = owner.scratch.entries
        let page = owner.makePage()
        entries.write(0..<entries.count, to: page)
        owner.drop(nodes.left)
        owner.drop(nodes.right)
        let parent = path.page(level &+ 1)
        parent.setChild(rightIndex &- 1, page.reference)
        parent.setBelow(rightIndex &- 1, entries.total(0..<entries.count))
        path.nodes[level] = page.node
        path.indexes[level &+ 1] = rightIndex &- 1
        removeEntry(&path, level &+ 1, rightIndex, owner)
    }

    /// Writes the row of two neighbours into two nodes that are about equally filled.
    private mutating func divide(
        _ path: inout TreePath, _ level: Int, _ nodes: (left: Node, right: Node), _ rightIndex: Int,
        _ owner: PageOwner
    ) {
        let entries = owner.scratch.entries
        let place = entries.cut()
        if place == nodes.left.count { return }
        let (left, right) = (owner.makePage(), owner.makePage())
        entries.write(0..<place, to: left)
        entries.write(place..<entries.count, to: right)
        let separator = unsafe entries.separator(at: place, to: owner.scratch.separatorRoom())
        let totals = (entries.total(0..<place), entries.total(place..<entries.count))
        owner.drop(nodes.left)
        owner.drop(nodes.right)
        let parent = path.page(level &+ 1)
        parent.setChild(rightIndex &- 1, left.reference)
        parent.setBelow(rightIndex &- 1, totals.0)
        // The separator may be longer than the one before, so that the parent has to be rewritten
        // or split.
        parent.remove(rightIndex)
        insertEntry(
            &path, level &+ 1, rightIndex, separator, value: right.reference, below: totals.1, owner
        )
    }
}
