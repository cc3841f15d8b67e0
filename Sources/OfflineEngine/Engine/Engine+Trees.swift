// Replacing a collection's trees by equal ones whose nodes or records are elsewhere: what checkpoints and compaction do to
// the trees that writers and readers have. Nothing of it is in the log: after a crash the trees of the last checkpoint
// are there, and all that they lead to.
//
// All of it runs with the collection's lock held, and reads memory and maps only.
internal import OfflineBytes

extension Engine {
    /// Re-points the trees of a collection to what a checkpoint wrote.
    func swap(_ state: inout EngineCollection.State, _ through: FileNumber) {
        // Equal trees in memory stay where it fails; the next checkpoint tries again.
        try? replace(&state) { trees, owner, _ throws(EngineError) in
            for index in trees.indices {
                trees[index].root = try Tree.swap(trees[index].root, through: through, owner)
            }
        }
    }

    /// Points the primary tree to the copies of records, where it still leads to what was copied.
    func move(
        _ state: inout EngineCollection.State, _ moves: ArraySlice<RecordMove>
    ) throws(EngineError) {
        let files = files
        let collection = state.appended.id
        try replace(&state) { trees, owner, change throws(EngineError) in
            var tree = Tree(root: trees[0].root, files: files.table)
            var live = FileTally()
            for move in moves {
                let (bytes, operation) = try unsafe RecordAccess.entry(at: move.to, in: files)
                let key = unsafe UnsafeRawBufferPointer(rebasing: bytes[operation.keyRange])
                guard unsafe try tree.value(of: key) == move.from.word else { continue }
                _ = unsafe try tree.insert(key, value: move.to.word, owner)
                live.add(move.from.file, -RecordAccess.sizes(at: move.from, in: files).entry)
                live.add(move.to.file, Int64(operation.paddedLength))
            }
            trees[0].root = tree.root
            change.note(live, of: collection)
        }
    }

    /// Copies stored nodes of one of the collection's trees into memory, where the tree still leads to them, so that the
    /// next checkpoint writes them elsewhere.
    func relocate(
        _ state: inout EngineCollection.State, tree index: UInt32, _ nodes: ArraySlice<Location>
    ) throws(EngineError) {
        let files = files
        try replace(&state) { trees, owner, _ throws(EngineError) in
            guard let position = trees.firstIndex(where: { $0.index == index }) else { return }
            var tree = Tree(root: trees[position].root, files: files.table)
            for node in nodes { _ = try tree.relocate(node, owner) }
            trees[position].root = tree.root
        }
    }

    /// Makes a version that keeps alive only the files that there are now.
    func leaveOldFiles(_ state: inout EngineCollection.State) {
        let base = state.appended
        if base.fileSet === files.current { return }
        unsafe enter(
            base.with(primary: base.primary, indexes: base.indexes), &state, StateChange(),
            retired: [])
    }

    /// Lets `body` change the trees, the primary one first, and publishes the result. If it throws, nothing has changed.
    private func replace(
        _ state: inout EngineCollection.State,
        _ body: (inout [Catalog.TreeEntry], PageOwner, inout StateChange) throws(EngineError) ->
            Void
    ) throws(EngineError) {
        let base = state.appended
        let owner = PageOwner(arena: files.arena, files: files.table, id: takeOwnerID())
        let old = [Catalog.TreeEntry(index: 0, root: base.primary)] + base.indexes
        var trees = old
        var change = StateChange()
        do throws(EngineError) { try body(&trees, owner, &change) } catch {
            owner.rollback()
            throw error
        }
        if trees == old { return }
        change.note(owner.replaced, of: base.id)
        let version = base.with(primary: trees[0].root, indexes: Array(trees.dropFirst()))
        unsafe enter(version, &state, change, retired: owner.retired)
    }

    private func enter(
        _ version: CollectionVersion, _ state: inout EngineCollection.State, _ change: StateChange,
        retired: [UnsafeMutableRawPointer]
    ) {
        unsafe state.appended.supersede(by: version, retired: retired)
        state.appended = version
        var change = change
        change.versions = [version]
        try? log.publishInOrder(change)
    }
}
