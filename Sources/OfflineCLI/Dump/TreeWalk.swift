// One tree from its root, as the last checkpoint wrote it, then what the log has for it since.
//
// Ends on any bytes: a child must be one level below its parent, and no node is walked twice.
internal import OfflineDocuments
internal import OfflineEngine

/// Shows a tree.
struct TreeWalk {
    private let context: DumpContext
    private let identity: TreeIdentity
    private var walked: Set<UInt64> = []

    /// The tree `tree` of `collection`; 0 is the tree of records.
    init(_ context: DumpContext, collection: UInt32, tree: UInt32) {
        self.context = context
        identity = TreeIdentity(collection: collection, tree: tree)
    }

    mutating func run(_ root: TreeRoot) throws {
        try context.emit(
            .tree(
                TreeView(
                    collection: context.directory.name(of: identity.collection),
                    tree: context.directory.treeName(identity.tree, of: identity.collection),
                    root: root.node == 0 ? nil : Location(word: root.node), count: root.count)))
        if root.node != 0 {
            try walk(Location(word: root.node), level: nil, count: root.count, depth: 1)
        }
    }

    /// Shows a node and all below it. `level`: what it must have; nil for a root.
    private mutating func walk(_ location: Location, level: Int?, count: UInt64, depth: Int) throws
    {
        let file = NumberedFile(number: location.file, kind: .tree)
        guard walked.insert(location.word).inserted else {
            return try context.problem("the tree leads here twice", file, at: location.offset)
        }
        let reading: InspectedNode.Reading
        do throws(FileSystemError) {
            reading = try context.node(file, at: location.offset)
        } catch {
            return try context.problem("a node can't be read: \(error)", file)
        }
        guard case .node(let node) = reading else {
            if case .none(let reason) = reading {
                try context.problem(reason, file, at: location.offset)
            }
            return
        }
        if let fault = fault(of: node, level: level, count: count) {
            return try context.problem(fault, file, at: location.offset)
        }
        try context.show(node, file, depth: depth)
        guard node.level > 0 else { return }
        for entry in node.entries {
            try walk(
                Location(word: entry.value), level: node.level - 1, count: entry.below,
                depth: depth + 1)
        }
    }

    private func fault(of node: InspectedNode, level: Int?, count: UInt64) -> String? {
        if node.identity != identity { return "the node belongs to another tree" }
        if let level, node.level != level { return "the node isn't one level below its parent" }
        if node.total != count {
            return "the node has \(node.total) records where \(count) should be"
        }
        return nil
    }
}
