// Getting a node out of its file, so that the file can go: how node segments are compacted.
//
// Who compacts a segment goes through its nodes, each of which says which tree it belongs to, and
// has the ones that still are part of it copied into pages. The next checkpoint writes them
// elsewhere.
internal import OfflineBytes

extension Tree {
    /// Copies the node stored at `location`, and the branches above it, into the owner's pages.
    /// False where the tree doesn't lead there (any more): nothing is changed.
    package mutating func relocate(
        _ location: Location, _ owner: PageOwner
    ) throws(EngineError) -> Bool {
        guard root.node != 0 else { return false }
        let node = try files.verifiedNode(location.word)
        guard node.kind.valueWidth == root.valueWidth else { return false }
        let key = unsafe try node.someKey(files, owner.scratch.separatorRoom())
        var path = try path(to: key)
        let level = node.level
        guard level <= path.top, path.reference(level) == location.word else { return false }
        try owner.reserve(path.top &+ 1)
        for above in stride(from: path.top, through: level, by: -1) {
            _ = own(&path, above, owner)
        }
        return true
    }
}

extension Node {
    /// A key that leads to the node from the root of its tree, put together at `room`.
    fileprivate func someKey(
        _ files: FileTable, _ room: UnsafeMutableRawPointer
    ) throws(EngineError) -> TreeKey {
        var node = self
        // A branch's first separator is no key, so one with a single child has none.
        while node.firstKey >= node.count { node = try files.node(node.child(0), node.kind.child) }
        return unsafe node.key(node.firstKey, room)
    }
}
