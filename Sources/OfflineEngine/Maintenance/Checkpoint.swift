// A checkpoint writes the nodes that changed since the last one, once and in bulk, and moves the superblock.
//
// Steps:
// 1. Sync the log, so that all that was appended before is published: a transaction that stages relies on it, and so does a
//    close. Then freeze: the published state, which is exactly the log up to its position.
// 2. Sync the log again, so that no tree on disk points to bytes that aren't. (Without full durability commits are
//    published before they are synced.)
// 3. Write the dirty nodes of the frozen trees, and those that held states need, to a new node segment, then the catalog;
//    sync bytes, then the name.
// 4. Write the superblock.
// 5. Swap: each collection's trees get the written nodes' locations for their addresses; nodes newer than the frozen
//    state stay. A collection that is being written is swapped by whoever ends the write. Held states are moved onto equal
//    trees without any address.
//
// A checkpoint can leave files out: those of them that no frozen tree leads to any more aren't in its catalog, and once both
// slots of the superblock are beyond them nothing on disk needs them.
//
// Writers go on during 1 to 4; a frozen page is never changed in place, since every later writer has another owner id.
// A failure before 4 leaves everything as it was: the file is removed, remembered locations are forgotten. One in 4
// makes the store read-only.
internal import OfflineBytes

/// Runs checkpoints, one at a time.
final class Checkpointer: Sendable {
    struct State {
        var superblock: Superblock
        /// The newest node segment whose superblock is durable.
        var completed: FileNumber
    }

    private unowned let engine: Engine
    private let file: SuperblockFile
    /// Held for a whole checkpoint; nothing that a reader or writer needs is locked with it.
    private let state: Protected<State>

    init(engine: Engine, file: SuperblockFile, superblock: Superblock) {
        self.engine = engine
        self.file = file
        state = Protected(State(superblock: superblock, completed: superblock.catalog.file))
    }

    var superblock: Superblock { state.withLock { $0.superblock } }

    /// Writes a checkpoint of what is published now; nothing if there is nothing new.
    func run(isClosing: Bool = false) throws(EngineError) {
        try state.withLock { state throws(EngineError) in
            try engine.log.flushAndWait()
            let frozen = engine.stateNow
            let isNew =
                frozen.position != state.superblock.replayPosition
                || frozen.nextSequence != state.superblock.durableSequence
            guard isNew || (isClosing && !state.superblock.isCleanClose) else { return }
            try engine.log.flushAndWait()
            if isNew {
                let written = try write(frozen, &state, isClosing: isClosing)
                swap(written.frozen, state.completed)
            } else {
                try advance(&state.superblock) { $0.isCleanClose = isClosing }
            }
        }
    }

    /// Writes a checkpoint whose catalog leaves out those of `files` that no tree leads to any more; which these are. Once it
    /// returns, neither slot of the superblock leads to them, and no later checkpoint's catalog has them.
    func run(
        leavingOut files: FileSelection
    ) throws(EngineError) -> [(number: FileNumber, kind: FileNames.Kind)] {
        try state.withLock { state throws(EngineError) in
            try engine.log.flushAndWait()
            let frozen = engine.stateNow
            try engine.log.flushAndWait()
            let written = try write(frozen, &state, isClosing: false, leavingOut: files)
            swap(written.frozen, state.completed)
            try advance(&state.superblock) { _ in }
            // Before another checkpoint can freeze the state.
            return engine.forgetFiles(written.leftOut)
        }
    }

    /// Makes a changed state real: definitions and trees that no log frame can express. Nobody writes meanwhile, and the
    /// log's end is the state's.
    func install(_ changed: StoreState) throws(EngineError) {
        try state.withLock { state throws(EngineError) in
            try engine.log.flushAndWait()
            _ = try write(changed, &state, isClosing: false)
        }
    }

    /// Writes the superblock in force once more, to the other slot.
    func rewriteSuperblock() throws(EngineError) {
        try state.withLock { state throws(EngineError) in try advance(&state.superblock) { _ in } }
    }

    func close() { file.close() }

    // MARK: - Steps 3 and 4

    private func write(
        _ frozen: StoreState, _ state: inout State, isClosing: Bool,
        leavingOut files: FileSelection = FileSelection([])
    ) throws(EngineError) -> Written {
        var segment = try NodeSegmentWriter(
            files: engine.files, number: engine.logFiles.takeNumber())
        let completed = state.completed
        let held = engine.heldStates.all.map { (holder: $0, state: $0.now) }
        let written: Written
        do throws(EngineError) {
            written = try pack(frozen, held.map(\.state), completed, &segment, files)
        } catch {
            for version in (held.map(\.state) + [frozen]).flatMap(\.collections) {
                for entry in version.catalogEntry.trees {
                    Tree.forgetLocations(entry.root, after: completed)
                }
            }
            segment.discard()
            throw error
        }
        try advance(&state.superblock) { superblock in
            superblock.catalog = written.catalog
            superblock.replayPosition = frozen.position
            superblock.replayChain = frozen.chain
            superblock.durableSequence = frozen.nextSequence
            superblock.isCleanClose = isClosing
        }
        state.completed = segment.number
        engine.publishFile(segment.number, written.usage)
        engine.note(written.surveys)
        let stored = engine.files.file(segment.number)
        for (index, (holder, _)) in held.enumerated() {
            if let stored { for version in written.held[index] { version.fileSet.insert(stored) } }
            holder.replace(written.held[index])
        }
        return written
    }

    /// What step 3 made: the frozen collections, and those of each held state, with their roots on disk.
    private struct Written {
        var frozen: [CollectionVersion]
        var held: [[CollectionVersion]]
        var usage: FileUsage
        var catalog: LogPosition
        /// What the trees lead to, if files were to be left out.
        var surveys: [(collection: UInt32, survey: TreeSurvey)]
        /// Files that the catalog leaves out.
        var leftOut: [FileNumber]
    }

    private func pack(
        _ frozen: StoreState, _ held: [StoreState], _ completed: FileNumber,
        _ segment: inout NodeSegmentWriter, _ files: FileSelection
    ) throws(EngineError) -> Written {
        var state = frozen
        var live = LiveBytes()
        let packed = try packed(frozen, completed, &segment) { live.add($0, $1) }
        for version in packed { state.set(version) }
        var others: [[CollectionVersion]] = []
        // What they share with the frozen state was just written.
        for state in held {
            others.append(
                try self.packed(state, segment.number, &segment, inItsFiles: true))
        }
        let surveys = files.numbers.isEmpty ? [] : try surveys(frozen)
        let leftOut = files.numbers.filter { number in
            !surveys.contains { $0.survey.leads(to: number) }
        }
        for number in leftOut { state.files[number] = nil }
        for (collection, survey) in surveys { survey.note(collection, in: &state) }
        let (body, usage) = segment.catalogNamingItself(
            &state, nextFileNumber: engine.logFiles.next, live: live)
        let catalog = try segment.finish(catalog: body, sequence: frozen.nextSequence)
        return Written(
            frozen: packed, held: others, usage: usage, catalog: catalog, surveys: surveys,
            leftOut: leftOut)
    }

    /// What the frozen trees lead to. Every page of theirs knows where it was just written, or before.
    private func surveys(
        _ frozen: StoreState
    ) throws(EngineError) -> [(collection: UInt32, survey: TreeSurvey)] {
        try frozen.collections.map { version throws(EngineError) in
            var survey = TreeSurvey(engine.files.table)
            for entry in version.catalogEntry.trees { try survey.walk(entry.root) }
            return (version.id, survey)
        }
    }

    /// The collections of a state with nothing in memory; `inItsFiles`: they lead to files that may be gone from the folder.
    private func packed(
        _ state: StoreState, _ completed: FileNumber, _ segment: inout NodeSegmentWriter,
        inItsFiles: Bool = false, wrote: (UInt32, Int64) -> Void = { _, _ in }
    ) throws(EngineError) -> [CollectionVersion] {
        var packed: [CollectionVersion] = []
        let table = engine.files.table
        for version in state.collections {
            let start = segment.length
            let primary = try Tree.pack(
                version.primary, files: table, through: completed, into: &segment)
            var indexes: [Catalog.TreeEntry] = []
            for entry in version.indexes {
                let root = try Tree.pack(
                    entry.root, files: table, through: completed, into: &segment)
                indexes.append(Catalog.TreeEntry(index: entry.index, root: root))
            }
            wrote(version.id, segment.length - start)
            packed.append(
                version.with(
                    primary: primary, indexes: indexes,
                    fileSet: inItsFiles ? version.fileSet : nil))
        }
        return packed
    }

    private func advance(
        _ superblock: inout Superblock, _ change: (inout Superblock) -> Void
    ) throws(EngineError) {
        var next = superblock
        change(&next)
        next.generation += 1
        do throws(FileSystemError) { try file.write(next) } catch {
            // The slot may hold either superblock now, and reopening decides: nothing may be built on it, and the
            // segment that it may name stays.
            let failure = EngineError(error)
            try engine.log.poison(failure)
            throw failure
        }
        superblock = next
    }

    // MARK: - Step 5

    private func swap(_ packed: [CollectionVersion], _ through: FileNumber) {
        for version in packed {
            engine.collection(version.id)?.whenUnwritten { [engine] in engine.swap(&$0, through) }
        }
    }
}
