// Letting go of memory after a checkpoint: the tree as it is now, with every page that the
// checkpoint wrote replaced by the location where it is.
//
// The tree has moved on since the checkpoint began: its newer pages are kept, and its newer
// branches lead partly to pages that were written. Those branches are copied, for older versions
// still read them.
//
// A written page's subtree was written with it and never changed. No other page of the tree leads
// into it, as a node has one parent in each version; so it is retired as a whole.
internal import OfflineBytes

extension Tree {
    /// Replaces every page of the tree that was written to a file up to `through` (of a completed
    /// checkpoint) and retires it with all pages below it. Remembered locations in later files are
    /// ignored. `owner` makes copies of newer branches.
    package static func swap(
        _ root: TreeRoot, through: FileNumber, _ owner: PageOwner
    ) throws(EngineError) -> TreeRoot {
        var swapped = root
        swapped.node = try swap(root.node, through, owner)
        return swapped
    }

    private static func swap(
        _ reference: UInt64, _ through: FileNumber, _ owner: PageOwner
    ) throws(EngineError) -> UInt64 {
        guard let page = NodePage(reference: reference) else { return reference }
        if let location = page.location(through: through) {
            retire(page, owner)
            return location.word
        }
        let node = page.node
        guard node.isBranch else { return reference }
        var copy: NodePage?
        for index in 0..<node.count {
            let child = node.child(index)
            let swapped = try swap(child, through, owner)
            if swapped == child { continue }
            // The old branch stays readable until the owner's work is published and older versions
            // are gone.
            if copy == nil { try owner.reserve(1) }
            let target = copy ?? owner.writable(node)
            target.setChild(index, swapped)
            copy = target
        }
        return copy?.reference ?? reference
    }

    /// Whether all pages that a reference leads to are the owner's.
    static func hasOnlyPages(of owner: PageOwner, _ reference: UInt64) -> Bool {
        guard let page = NodePage(reference: reference) else { return true }
        let node = page.node
        guard node.owner == owner.id else { return false }
        guard node.isBranch else { return true }
        return (0..<node.count).allSatisfy { hasOnlyPages(of: owner, node.child($0)) }
    }

    /// Removes all entries. Its pages are retired; its nodes in files aren't looked at.
    mutating func clear(_ owner: PageOwner) {
        if let page = NodePage(reference: root.node) { Self.retire(page, owner) }
        root = .empty(valueWidth: root.valueWidth, identity: root.identity)
    }

    /// Retires a page and all pages below it.
    private static func retire(_ page: NodePage, _ owner: PageOwner) {
        let node = page.node
        if node.isBranch {
            for index in 0..<node.count {
                if let child = NodePage(reference: node.child(index)) { retire(child, owner) }
            }
        }
        owner.drop(node)
    }
}
