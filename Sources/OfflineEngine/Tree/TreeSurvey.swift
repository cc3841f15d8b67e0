// Where the nodes and records of trees are: how compaction finds what keeps a file in use, and makes sure that nothing
// does before the file goes.
internal import OfflineBytes

/// A walk over whole trees that counts by file.
struct TreeSurvey {
    private let files: FileTable
    /// Stored nodes in these files are listed.
    private let listed: FileSelection
    /// Bytes of stored nodes, by file.
    private(set) var nodeBytes = FileTally()
    /// How many values of primary leaves lead to each file.
    private(set) var records = FileTally()
    /// The nodes that were asked for, parents after their children.
    private(set) var nodes: [Location] = []

    init(_ files: FileTable, listing listed: FileSelection = FileSelection([])) {
        self.files = files
        self.listed = listed
    }

    /// Walks one tree. A node in memory counts where the last checkpoint wrote it, if one did.
    mutating func walk(_ root: TreeRoot) throws(EngineError) {
        nodes.removeAll(keepingCapacity: true)
        guard root.node != 0 else { return }
        try walk(root.node, files.root(root))
    }

    private mutating func walk(_ reference: UInt64, _ node: Node) throws(EngineError) {
        let kind = node.kind
        if kind.isBranch {
            for index in 0..<node.count {
                let child = node.child(index)
                try walk(child, files.node(child, kind.child))
            }
        } else if kind.valueWidth > 0 {
            for index in 0..<node.count { records.add(Location(word: node.value(index)).file, 1) }
        }
        let location = NodePage(reference: reference)?.remembered ?? Location(word: reference)
        guard location.word != 0 else { return }
        nodeBytes.add(location.file, Int64((node.length + 7) & ~7))
        if reference & 1 != 0, listed.contains(location.file) { nodes.append(location) }
    }

    /// Whether anything that was walked is in the file.
    func leads(to file: FileNumber) -> Bool { nodeBytes.sum(file) != 0 || records.sum(file) != 0 }

    /// Enters how much of each node segment a collection, all trees of which were walked, uses.
    func note(_ collection: UInt32, in state: inout StoreState) {
        for (number, usage) in state.files where usage.kind == .tree {
            state.files[number]?.live.clear(collection)
            let bytes = nodeBytes.sum(number)
            if bytes > 0 { state.files[number]?.live.add(collection, bytes) }
        }
    }
}
