// The engine's handle: what it owns, and its life from open to close.
//
// Lock order: maintenance (compaction, schema changes and verification come one at a time), checkpointer, then a collection's lock, then the log's, then `state`. Nothing waits for I/O with `state`
// or a collection's lock held, but for a swap after a checkpoint, which reads memory only.
internal import Dispatch
internal import OfflineBytes

/// An open store of bytes: collections of records, their trees, the log.
package final class Engine: Sendable {
    package let options: EngineOptions
    package let files: OpenFiles
    package let report: RecoveryReport
    let logFiles: LogFiles
    private let derivation: any IndexDerivation
    private let state: Protected<StoreState>
    private let collections: Protected<[UInt32: EngineCollection]>
    private let ownerIDs = Protected<UInt64>(2)
    private let writing: Writing?
    private let background = DispatchQueue(label: "offline.engine.background", qos: .utility)
    private let pending = Protected(Pending())
    let heldStates = HeldStates()
    /// Held by what must not run beside anything else that makes or drops files in its own way.
    let maintenance = Protected(())

    /// What only a writing engine has.
    private struct Writing: Sendable {
        let lock: any FileLock
        let log: GroupCommit
    }

    private struct Pending {
        var checkpointer: Checkpointer?
        var compactor: Compactor?
        var operations = 0
        var isCheckpointDue = false
        var isPreparing = false
        var isClosed = false
    }

    init(
        _ recovered: Recovered, options: EngineOptions, derivation: any IndexDerivation,
        lock: (any FileLock)?
    ) {
        self.options = options
        self.derivation = derivation
        files = recovered.files
        report = recovered.report
        logFiles = LogFiles(
            files: recovered.files, options: options, nextNumber: recovered.nextFileNumber)
        let state = Protected(recovered.state)
        self.state = state
        collections = Protected(
            Dictionary(
                uniqueKeysWithValues: recovered.state.collections.map {
                    ($0.id, EngineCollection($0))
                }))
        guard let lock else {
            writing = nil
            return
        }
        var writer = LogWriter(
            files: files, logFiles: logFiles, active: recovered.active,
            position: recovered.state.position, chain: recovered.state.chain,
            nextSequence: recovered.state.nextSequence,
            catalog: recovered.state.catalog(nextFileNumber: recovered.nextFileNumber))
        writer.prepared = recovered.prepared
        if recovered.state.position.file.value != 0 {
            // Recovery synced what it replayed.
            writer.durableThrough = recovered.state.position
        }
        files.reserve.find()
        let log = GroupCommit(
            writer: writer, durability: options.durability,
            liveBytes: { state.withLock { $0.liveLogBytes } },
            publish: { change in Self.publish(change, state) })
        writing = Writing(lock: lock, log: log)
        log.start()
    }

    /// An engine that was never closed leaves its store as a kill would, but no thread behind.
    deinit { writing?.log.askToStop() }

    func attach(_ checkpointer: Checkpointer) {
        let compactor = Compactor(self)
        pending.withLock {
            $0.checkpointer = checkpointer
            $0.compactor = compactor
        }
    }

    /// Enters a change; what it replaces is let go outside the lock, since a version's death may free much.
    private static func publish(_ change: StateChange, _ state: Protected<StoreState>) {
        let replaced = state.withLock { state in
            let old = change.versions.map { state.version($0.id) }
            change.apply(to: &state)
            return old
        }
        withExtendedLifetime(replaced) {}
    }

    // MARK: - Reading

    /// The published state now. Never waits for a writer.
    package var stateNow: StoreState { state.withLock { $0 } }

    /// Says that a state may be read for long, so that checkpoints bound what it costs.
    package func hold(_ state: HeldState) { heldStates.add(state) }

    /// One collection of the published state.
    package func version(_ id: UInt32) -> CollectionVersion? {
        state.withLock { $0.version(id) }
    }

    // MARK: - Writing

    var log: GroupCommit {
        get throws(EngineError) {
            guard let writing else {
                throw EngineError(.readOnly, "the store was opened read-only")
            }
            return writing.log
        }
    }

    /// Begins a transaction that writes `ids` and reads `reading` as they were appended last. The caller gives out a
    /// collection to one transaction at a time.
    package func begin(
        _ ids: [UInt32], reading: [UInt32] = []
    ) throws(EngineError) -> WriteTransaction {
        let log = try log
        if let failure = log.failure {
            throw EngineError(
                .readOnly,
                "the store is read-only since the disk failed (\(failure.message)); open it again")
        }
        if pending.withLock({ $0.isClosed }) { throw EngineError(.closed, "the store is closed") }
        let owner = ownerIDs.withLock { next in
            defer { next += 1 }
            return next
        }
        let reads = try reading.map { id throws(EngineError) in
            try known(id).state.withLock { $0.appended }
        }
        var parts: [TransactionPart] = []
        do throws(EngineError) {
            for id in ids { parts.append(try begin(known(id), owner)) }
        } catch {
            for part in parts { endWrite(part, with: nil) }
            throw error
        }
        return WriteTransaction(engine: self, log: log, parts: parts, reading: reads)
    }

    private func begin(
        _ collection: EngineCollection, _ owner: UInt64
    ) throws(EngineError) -> TransactionPart {
        let base = collection.state.withLock { state -> CollectionVersion? in
            if state.isWritten { return nil }
            state.isWritten = true
            return state.appended
        }
        guard let base else {
            throw EngineError(.limit, "collection \(collection.id) is being written already")
        }
        return TransactionPart(
            collection: collection, base: base,
            owner: PageOwner(arena: files.arena, files: files.table, id: owner),
            primary: base.primaryTree,
            indexes: base.indexes.map { ($0.index, Tree(root: $0.root, files: files.table)) },
            names: base.names)
    }

    private func known(_ id: UInt32) throws(EngineError) -> EngineCollection {
        guard let found = collection(id) else {
            throw EngineError(.limit, "there is no collection \(id)")
        }
        return found
    }

    func collection(_ id: UInt32) -> EngineCollection? { collections.withLock { $0[id] } }

    /// Frees a collection for the next writer; `version` is what the transaction appended, nil if nothing.
    func endWrite(_ part: TransactionPart, with version: CollectionVersion?) {
        part.collection.state.withLock { state in
            if let version {
                unsafe part.base.supersede(by: version, retired: part.owner.retired)
                state.appended = version
            }
            state.isWritten = false
            let deferred = state.deferred
            state.deferred = []
            for work in deferred { work(&state) }
        }
    }

    /// Enters how much of each node segment is in use.
    func note(_ surveys: [(collection: UInt32, survey: TreeSurvey)]) {
        state.withLock { state in
            for (collection, survey) in surveys { survey.note(collection, in: &state) }
        }
    }

    func publishFile(_ number: FileNumber, _ usage: FileUsage) {
        state.withLock { $0.files[number] = usage }
    }

    /// A transaction that changed nothing: what it read is as durable as promised when `done` is called.
    func commitNothing(_ done: @escaping @Sendable (EngineError?) -> Void) throws(EngineError) {
        if options.durability == .full { try log.flush(done) } else { done(nil) }
    }

    /// Counts towards the next checkpoint and makes the next log file ready, both in the background.
    func didAppend(operations: Int, bytes: Int) {
        let isDue = pending.withLock { pending -> Bool in
            pending.operations += operations
            guard options.automaticCheckpoints, !pending.isCheckpointDue, !pending.isClosed,
                pending.operations >= options.checkpointOperations
                    || (pending.operations >= options.checkpointOperations / 50
                        && files.arena.bytesInUse >= options.nodeBytesBeforeCheckpoint)
            else { return false }
            pending.isCheckpointDue = true
            pending.operations = 0
            return true
        }
        if isDue {
            background.async { [weak self] in self?.backgroundCheckpoint() }
        }
        if options.automaticCompaction, options.automaticCheckpoints {
            compactor?.didAppend(bytes)
        }
        prepareNext()
    }

    /// Makes the next log file ready in the background, if it isn't. Its number is taken here and now, so that the numbers of
    /// files don't depend on what the background is busy with.
    private func prepareNext() {
        guard options.preparesLogFiles, let log = try? log, log.preparation() != nil else { return }
        let isFirst = pending.withLock { pending -> Bool in
            defer { pending.isPreparing = true }
            return !pending.isPreparing
        }
        guard isFirst else { return }
        // Another preparation may have ended since the look above; none can now.
        guard let size = log.preparation() else {
            pending.withLock { $0.isPreparing = false }
            return
        }
        let number = logFiles.takeNumber()
        background.async { [weak self] in self?.prepare(number, size, log) }
    }

    private func backgroundCheckpoint() {
        // A failure is not the writer's: the log keeps everything, and the next one tries again.
        try? checkpoint()
        pending.withLock { $0.isCheckpointDue = false }
    }

    private func prepare(_ number: FileNumber, _ size: Int, _ log: GroupCommit) {
        defer { pending.withLock { $0.isPreparing = false } }
        guard log.preparation() != nil, !pending.withLock({ $0.isClosed }) else { return }
        // What is kept back isn't for that.
        guard files.room >= size, !files.reserve.isGivenUp,
            let file = try? logFiles.make(number, size: size)
        else { return }
        if !log.offer(file) { logFiles.discard(file) }
        keepReserve()
    }

    /// Makes the reserve where it is missing, as large as a log file, if there is room for more than that.
    private func keepReserve() {
        let size = min(logFiles.usualBytes(liveBytes: stateNow.liveLogBytes), DiskReserve.bytesMax)
        if files.room >= 2 * size { files.reserve.make(size) }
    }

    /// Returns once everything appended so far is on stable storage.
    package func flush(_ done: @escaping @Sendable (EngineError?) -> Void) throws(EngineError) {
        try log.flush(done)
    }

    // MARK: - Checkpoint and close

    /// Writes changed nodes and moves the superblock. Blocks; not for a thread of the cooperative pool.
    package func checkpoint() throws(EngineError) {
        _ = try log
        guard let checkpointer else { return }
        try files.reserve.use { () throws(EngineError) in try checkpointer.run() }
    }

    /// The superblock in force; nil on a read-only engine.
    package var superblock: Superblock? {
        pending.withLock { $0.checkpointer }?.superblock
    }

    /// Makes everything durable, marks the store as cleanly closed, and lets go of the lock. Blocks. Readers that are
    /// still held go on working. Idempotent.
    package func close() throws(EngineError) {
        let (wasClosed, checkpointer) = pending.withLock { pending in
            defer { pending.isClosed = true }
            return (pending.isClosed, pending.checkpointer)
        }
        guard !wasClosed, let writing else { return }
        // What runs in the background is waited for.
        compactor?.stop()
        background.sync {}
        var failure: EngineError?
        if writing.log.failure == nil {
            do throws(EngineError) {
                try files.reserve.use { () throws(EngineError) in
                    try checkpointer?.run(isClosing: true)
                }
            } catch {
                failure = error
            }
        }
        writing.log.stop()
        giveBackTail(checkpointer?.superblock)
        checkpointer?.close()
        pending.withLock {
            $0.checkpointer = nil
            $0.compactor = nil
        }
        writing.lock.release()
        // On a full disk the log alone holds everything; the next open replays it.
        if let failure, !failure.isLackOfRoom { throw failure }
    }

    /// Cuts the unwritten rest off a log file that the next open won't go on in. Only where the superblock says that the log ends
    /// there: anywhere else a file that was cut is damage.
    private func giveBackTail(_ superblock: Superblock?) {
        let end = stateNow.position
        guard let superblock, superblock.isCleanClose, superblock.replayPosition == end,
            let file = files.file(end.file), writing?.log.failure == nil,
            UInt64(file.length) - min(end.offset, UInt64(file.length))
                > Recovery.reusableTailBytesMax
        else { return }
        // The log may not have gone on in it since the store was opened: then nobody has it open.
        guard let writable = try? files.system.open(files.path(end.file, .log), .readWrite) else {
            return
        }
        defer { writable.close() }
        try? writable.truncate(to: end.offset)
    }

    // MARK: - Compaction

    /// Gives back all space that can be given back, and leaves the records in the order of their keys. Who reads an older
    /// state goes on with it. Blocks; not for a thread of the cooperative pool. Whether nothing is left of what the files had: without
    /// room to copy, some of them stay.
    @discardableResult
    package func compact() throws(EngineError) -> Bool {
        _ = try log
        return try compactor?.compactAll() ?? false
    }

    /// Has a compaction that runs end soon, since the engine is about to be closed.
    package func stopCompacting() { compactor?.askToStop() }

    /// About what compacting would give back.
    package var reclaimableBytes: Int64 { CompactionPlan(stateNow, files).reclaimable }

    /// Compacts as far as it does by itself, now. Blocks; not for a thread of the cooperative pool.
    package func compactWhereDue() throws(EngineError) {
        _ = try log
        try compactor?.compactWhereDue()
    }

    /// Calls `resume` once compaction has caught up with what was written: at once, mostly. Not for whoever has a
    /// transaction open.
    package func whenCaughtUp(_ resume: @escaping @Sendable () -> Void) {
        guard let compactor else { return resume() }
        compactor.whenCaughtUp(resume)
    }

    /// Removes those of the files that no tree leads to any more.
    func drop(_ files: FileSelection) throws(EngineError) {
        guard let checkpointer else { return }
        let dropped = try self.files.reserve.use { () throws(EngineError) in
            try checkpointer.run(leavingOut: files)
        }
        if dropped.isEmpty { return }
        self.files.retire(dropped.map(\.number))
        for collection in collections.withLock({ Array($0.values) }) {
            collection.whenUnwritten { [self] in leaveOldFiles(&$0) }
        }
        for (number, kind) in dropped {
            // Found and removed by the next open otherwise.
            try? self.files.system.remove(self.files.path(number, kind))
        }
        keepReserve()
    }

    /// Takes files out of the published state that a checkpoint has left out.
    func forgetFiles(_ numbers: [FileNumber]) -> [(number: FileNumber, kind: FileNames.Kind)] {
        state.withLock { state in
            numbers.map { ($0, state.files.removeValue(forKey: $0)?.kind ?? .log) }
        }
    }

    /// Makes defined collections the published and the appended ones. Nobody writes meanwhile.
    func install(_ versions: [CollectionVersion], applicationVersion: UInt64) {
        var change = StateChange()
        change.versions = versions
        Self.publish(change, state)
        state.withLock { $0.applicationVersion = applicationVersion }
        collections.withLock { collections in
            for version in versions {
                if let known = collections[version.id] {
                    known.state.withLock { $0.appended = version }
                } else {
                    collections[version.id] = EngineCollection(version)
                }
            }
        }
    }

    /// The newest node segment that a durable superblock names.
    var completedSegment: FileNumber { superblock?.catalog.file ?? FileNumber(0) }

    var checkpointer: Checkpointer? { pending.withLock { $0.checkpointer } }
    var compactor: Compactor? { pending.withLock { $0.compactor } }
    var indexDerivation: any IndexDerivation { derivation }
    func takeOwnerID() -> UInt64 {
        ownerIDs.withLock { next in
            defer { next += 1 }
            return next
        }
    }
}
