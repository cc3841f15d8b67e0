// Changing what collections and index trees there are. What alters derivation is never a log frame: it is a checkpoint,
// so that a replay always derives with the definitions that its trees have.
//
// Steps: a checkpoint (so that every node is clean, and nothing in memory has to be retired); the new state beside the
// published one, its new index trees built in bulk; the caller's check; one more checkpoint, of the new state; then it is
// published. A failure or a crash before the last superblock leaves the old state.
internal import OfflineBytes

extension Engine {
    /// Creates and changes collections in one atomic step. An index tree that is new is built from the records there are, one that isn't
    /// named is dropped. `validate` sees the old and the new state before anything is kept. Nobody writes meanwhile: the caller sees to
    /// it. Blocks; not for a thread of the cooperative pool.
    package func define(
        _ changes: [CollectionDescription], applicationVersion: UInt64,
        validate: (_ old: StoreState, _ changed: StoreState) throws -> Void
    ) throws {
        guard let checkpointer else {
            throw EngineError(.readOnly, "the store was opened read-only")
        }
        try maintenance.withLock { _ in
            try define(changes, applicationVersion, checkpointer, validate)
        }
        compactor?.forgetPacking()
    }

    private func define(
        _ changes: [CollectionDescription], _ applicationVersion: UInt64,
        _ checkpointer: Checkpointer,
        _ validate: (_ old: StoreState, _ changed: StoreState) throws -> Void
    ) throws {
        try checkpointer.run()
        let old = stateNow
        var changed = old
        changed.applicationVersion = applicationVersion
        let build = IndexBuild(engine: self)
        var segment: (number: FileNumber, usage: FileUsage)?
        var versions: [CollectionVersion] = []
        do {
            for change in changes {
                try indexDerivation.load(change)
                let version = try described(change, from: old.version(change.id), build)
                changed.set(version)
                versions.append(version)
            }
            segment = try build.finish()
            if let segment { changed.files[segment.number] = segment.usage }
            try validate(old, changed)
            try checkpointer.install(changed)
        } catch {
            for change in changes {
                if let version = old.version(change.id) {
                    try? indexDerivation.load(version.description)
                }
            }
            build.discard()
            throw error
        }
        if let segment { publishFile(segment.number, segment.usage) }
        publish(changed, versions)
    }

    /// The collection as `change` describes it, with its new index trees.
    private func described(
        _ change: CollectionDescription, from old: CollectionVersion?, _ build: IndexBuild
    ) throws -> CollectionVersion {
        guard change.id > 0, change.id <= Limits.collectionIDMax,
            !change.indexes.contains(0), Set(change.indexes).count == change.indexes.count
        else { throw EngineError(.limit, "a collection's or index's number is out of range") }
        let missing = change.indexes.filter { old?.root($0) == nil }
        let built = try old.map { try build.build(missing, of: $0) } ?? [:]
        func root(_ index: UInt32) -> TreeRoot {
            old?.root(index) ?? built[index]
                ?? Catalog.TreeEntry(collection: change.id, index: index).root
        }
        return CollectionVersion(
            id: change.id, definition: change.definition,
            names: old?.names ?? NameDictionary(change.names),
            primary: root(0),
            indexes: change.indexes.sorted().map {
                Catalog.TreeEntry(index: $0, root: root($0))
            }, files: files)
    }

    /// Makes the new state the published one. Its pages stay in memory until the next checkpoint's swap finds them remembered.
    private func publish(_ changed: StoreState, _ versions: [CollectionVersion]) {
        install(versions, applicationVersion: changed.applicationVersion)
        if let log = try? log {
            log.updateCatalog {
                $0 = changed.catalog(nextFileNumber: logFiles.next)
            }
        }
        guard let completed = checkpointer?.superblock.catalog.file else { return }
        for version in versions {
            collection(version.id)?.state.withLock { swap(&$0, completed) }
        }
    }
}
