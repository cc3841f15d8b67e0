// Nodes: reading one, and showing it with its entries.
internal import OfflineBytes
internal import OfflineDocuments
internal import OfflineEngine

extension DumpContext {
    /// The node at a place in a node segment, or why there is none.
    func node(_ file: NumberedFile, at offset: UInt64) throws(FileSystemError)
        -> InspectedNode.Reading
    {
        guard offset % 8 == 0, offset < Location.offsetLimit else {
            return .none(reason: "no node can be at this offset")
        }
        let bytes = try open(file).readArray(count: InspectedNode.lengthMax, at: offset)
        let location = Location(file: file.number, offset: offset, tag: true)
        return unsafe bytes.withBytes { unsafe InspectedNode.read($0, at: location) }
    }

    /// Shows a node and its entries.
    func show(_ node: InspectedNode, _ file: NumberedFile, depth: Int) throws {
        let identity = node.identity
        try emit(
            .node(
                NodeView(
                    place: DumpPlace(file: file.name, offset: node.location.offset),
                    collection: directory.name(of: identity.collection),
                    tree: directory.treeName(identity.tree, of: identity.collection),
                    level: node.level, entryCount: node.entries.count, recordCount: node.total,
                    length: node.length, prefix: node.prefix, depth: depth)))
        for entry in node.entries {
            let content = content(of: entry, in: node)
            try emit(.entry(EntryView(depth: depth, content: content)))
            if case .record(_, let location, .unreadable(let reason)) = content {
                let file = NumberedFile(number: location.file, kind: .log)
                try problem(reason, file, at: location.offset)
            }
        }
    }

    private func content(
        of entry: InspectedNode.Entry, in node: InspectedNode
    ) -> EntryView.Content {
        if node.level > 0 {
            return .child(
                separator: entry.key, location: Location(word: entry.value),
                recordCount: entry.below)
        }
        if node.valueWidth == 0 {
            let summary = directory.collections[node.identity.collection]
            if summary?.holdsChanges(node.identity.tree) == true {
                return .index(IndexEntryView(change: entry.key))
            }
            if let tree = summary?.evictionTree, tree.number == node.identity.tree {
                return .index(IndexEntryView(use: entry.key, tree.order))
            }
            let index = directory.index(node.identity.tree, of: node.identity.collection)
            return .index(IndexEntryView(entry.key, of: index))
        }
        let location = Location(word: entry.value)
        return .record(
            key: KeyView(entry.key), location: location,
            record: record(at: location, of: node.identity.collection))
    }
}
