// Building index trees from all records of a collection, in memory that doesn't grow with them: entries are derived in key
// order of the records, sorted (KeySorter), and fill leaves from left to right (TreeBuilder).
//
// Finished nodes are held in memory up to a bound; then they are written to a node segment of the build's own. Like the
// files of a staged transaction it counts only once something durable names it: here the catalog of the checkpoint that
// keeps the new definitions. Until then an open removes it.
internal import OfflineBytes

/// The new index trees of one schema change.
final class IndexBuild {
    private let engine: Engine
    /// One for each tree that was begun.
    private var owners: [PageOwner] = []
    private var segment: NodeSegmentWriter?
    private var live = LiveBytes()

    init(engine: Engine) {
        self.engine = engine
    }

    /// The roots of new trees with these numbers, over the records of `version`. Throws what the derivation does.
    func build(_ indexes: [UInt32], of version: CollectionVersion) throws -> [UInt32: TreeRoot] {
        guard !indexes.isEmpty, version.primary.count > 0,
            let reader = TreeReader(version, index: 0)
        else { return [:] }
        var sorter = KeySorter(
            files: engine.files, bytesMax: engine.options.indexSortBytes
        ) { [engine] in engine.logFiles.takeNumber() }
        defer { sorter.discard() }
        try derive(Set(indexes), reader, version.id, into: &sorter)
        let before = segment?.length ?? 0
        defer { if let segment { live.add(version.id, segment.length - before) } }
        return try fill(&sorter, version.id)
    }

    /// Makes the nodes on disk durable; the segment, if there is one.
    func finish() throws(EngineError) -> (number: FileNumber, usage: FileUsage)? {
        guard var segment else { return nil }
        let stored = try segment.finish()
        self.segment = segment
        let length = UInt64(stored.length)
        return (
            segment.number,
            FileUsage(kind: .tree, isStaged: true, length: length, live: live)
        )
    }

    /// Lets go of everything: nothing refers to the trees.
    func discard() {
        for owner in owners { owner.rollback() }
        segment?.discard()
        segment = nil
    }

    private func derive(
        _ indexes: Set<UInt32>, _ reader: TreeReader, _ collection: UInt32,
        into sorter: inout KeySorter
    ) throws {
        var entries = IndexEntries()
        var key: [UInt8] = []
        var buffer = InflateBuffer()
        var cursor = reader.tree.cursor()
        try cursor.seekToFirst()
        while cursor.isValid {
            cursor.copyKey(into: &key)
            let word = cursor.value
            entries.removeAll()
            try unsafe key.withUnsafeBytes { bytes in
                try unsafe engine.indexDerivation.derive(
                    collection: collection, key: bytes,
                    record: reader.record(word, key: bytes, &buffer), into: &entries)
            }
            entries.sort()
            for entry in entries.entries where indexes.contains(entry.index) {
                try unsafe entries.withKey(entry) { bytes throws(EngineError) in
                    try unsafe sorter.add(index: entry.index, key: bytes)
                }
            }
            _ = try cursor.next()
        }
    }

    /// Trees come one after the other.
    private func fill(
        _ sorter: inout KeySorter, _ collection: UInt32
    ) throws(EngineError) -> [UInt32: TreeRoot] {
        var roots: [UInt32: TreeRoot] = [:]
        var current: (index: UInt32, builder: TreeBuilder, owner: PageOwner)?
        try unsafe sorter.drain { index, key throws(EngineError) in
            if let done = current, done.index != index {
                roots[done.index] = try finish(done.builder, done.owner)
                current = nil
            }
            if current == nil {
                let owner = PageOwner(
                    arena: engine.files.arena, files: engine.files.table,
                    id: engine.takeOwnerID())
                owners.append(owner)
                let builder = Tree.build(
                    valueWidth: 0, identity: TreeIdentity(collection: collection, tree: index),
                    owner: owner, files: engine.files.table)
                current = (index, builder, owner)
            }
            try unsafe current?.builder.append(key: key, value: 0)
            if let pages = unsafe current?.owner.created.count,
                pages * NodeLayout.pageSize >= engine.options.stagedNodeBytes
            {
                try spill(&current)
            }
        }
        if let done = current { roots[done.index] = try finish(done.builder, done.owner) }
        return roots
    }

    /// Writes the nodes that are finished.
    private func spill(
        _ current: inout (index: UInt32, builder: TreeBuilder, owner: PageOwner)?
    ) throws(EngineError) {
        if segment == nil {
            segment = try NodeSegmentWriter(
                files: engine.files, number: engine.logFiles.takeNumber(), isStaged: true)
        }
        guard var target = segment else { return }
        defer { segment = target }
        try current?.builder.spill(into: &target)
    }

    /// The tree. Where nodes of it were written, all are, since the ones in memory were to be few.
    private func finish(
        _ builder: TreeBuilder, _ owner: PageOwner
    ) throws(EngineError) -> TreeRoot {
        var builder = builder
        let root = try builder.finish()
        guard var target = segment else { return root }
        defer { segment = target }
        let packed = try Tree.pack(
            root, files: engine.files.table, through: FileNumber(0), into: &target)
        owner.releaseCreated()
        return packed
    }
}
