// Compaction: what is alive in files that are mostly dead is copied out of them, and the files go.
//
// Steps of one part:
// 1. Some files are chosen that don't change any more. (That a replay may still need their log is no matter: the checkpoint in
//    3 moves its beginning on.)
// 2. Records in them are copied, in key order, to new files (MovedFileWriter), which are synced; then the primary trees
//    are pointed there, some keys at a time, unless a key has changed since. Nodes in them are copied into memory.
// 3. A checkpoint writes all that, and leaves out of its catalog those of the files that no tree leads to any more; both
//    slots of the superblock say so.
// 4. Versions made from now on don't keep the files alive, and their names are removed. Who reads older versions goes on
//    reading them.
//
// A crash or failure before 3 leaves the trees as they were, on the files as they were: the new files belong to nobody
// and are removed by the next open. After 3 it is the old files that belong to nobody.
//
// A collection that is being written is waited for, so nobody may wait for compaction while he writes one.
internal import Dispatch
internal import OfflineBytes

/// Compacts a store, in parts, on a queue of its own.
final class Compactor: Sendable {
    /// The queue's label, for whoever asks what runs on it.
    static let queueLabel = "offline.engine.compaction"
    static let queueKey = DispatchSpecificKey<String>()

    private struct State {
        var isStopped = false
        var isScheduled = false
        /// Bytes appended since the use of the files was looked at, and after how many it is.
        var appended = 0
        var interval = 0
        /// Less dead bytes than this aren't worth another try: the last one got no further.
        var deadMin: Int64 = 0
        /// The sequence that the last full compaction ended at.
        var packedSequence: UInt64?
        /// The change of a collection's trees that is waited for, and how it went.
        var ticket = 0
        var outcome: Outcome?
        /// Who wrote so much that he waits.
        var waiting: [@Sendable () -> Void] = []
        var isBehind = false
    }

    private unowned let engine: Engine
    private let queue: DispatchQueue
    private let state = Monitor(State())

    init(_ engine: Engine) {
        self.engine = engine
        queue = DispatchQueue(label: Self.queueLabel, qos: .utility)
        queue.setSpecific(key: Self.queueKey, value: Self.queueLabel)
    }

    // MARK: - When

    /// Counts bytes that were appended, and compacts in the background where it is due.
    func didAppend(_ bytes: Int) {
        let looks = state.withLock { state -> Bool in
            state.appended += bytes
            guard state.appended >= state.interval, !state.isStopped else { return false }
            state.appended = 0
            return true
        }
        if looks { consider() }
    }

    private func consider() {
        let plan = CompactionPlan(engine.stateNow, engine.files)
        let starts = state.withLock { state -> Bool in
            state.interval = Int(clamping: max(16 << 10, plan.live / 32))
            let isDue = plan.isDue && plan.total - plan.live > state.deadMin
            state.isBehind = isDue && plan.isBehind
            guard isDue, !state.isScheduled, !state.isStopped else { return false }
            state.isScheduled = true
            return true
        }
        guard starts else { return }
        queue.async { [weak engine] in
            // Kept to the end: the compactor only knows it.
            guard let engine else { return }
            withExtendedLifetime(engine) { engine.compactor?.runInBackground() }
        }
    }

    /// Calls `resume` once compaction has caught up with what was written: at once, mostly.
    func whenCaughtUp(_ resume: @escaping @Sendable () -> Void) {
        let waits = state.withLock { state -> Bool in
            guard state.isBehind, state.isScheduled, !state.isStopped else { return false }
            state.waiting.append(resume)
            return true
        }
        if !waits { resume() }
    }

    private func release() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for resume in waiting { resume() }
    }

    /// Has what runs end as soon as it can; nothing is begun any more.
    func askToStop() {
        state.withLock { $0.isStopped = true }
        state.wakeAll()
    }

    /// Ends what runs as soon as it can, and waits for it.
    func stop() {
        askToStop()
        queue.sync {}
        release()
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    // MARK: - Runs

    private func runInBackground() {
        // A failure is nobody's: nothing is lost by it, and the next run tries again.
        try? runWhereDue()
        state.withLock {
            $0.isScheduled = false
            $0.isBehind = false
        }
        release()
    }

    /// Files go as long as it is due and something comes of it.
    private func runWhereDue() throws(EngineError) {
        while !isStopped {
            let plan = CompactionPlan(engine.stateNow, engine.files)
            guard plan.isDue else { return }
            // Where this throws, or nothing comes of it, it isn't tried again before there is more to gain.
            let more = plan.isTight ? plan.live / 64 : plan.live / 8
            state.withLock { $0.deadMin = plan.total - plan.live + more }
            let copyMax = max(plan.live / 4, 1 << 20)
            let given = try engine.maintenance.withLock { _ throws(EngineError) in
                try part(patience: .milliseconds(500)) { $0.emptiest(copyMax: copyMax) }
            }
            release()
            if given <= (plan.isTight ? 0 : plan.live / 64) { return }
            state.withLock { $0.deadMin = 0 }
        }
    }

    /// Gives back all that can be given back and leaves the records in the order of their keys; whether nothing is left of the files that
    /// there were. Blocks.
    func compactAll() throws(EngineError) -> Bool {
        try onQueue { () throws(EngineError) in try self.runOverAll() }
    }

    /// Does what the background would do now. Blocks.
    func compactWhereDue() throws(EngineError) {
        try onQueue { () throws(EngineError) in try self.runWhereDue() }
    }

    private func onQueue<Result: Sendable>(
        _ body: () throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
        let result = queue.sync { () -> Swift.Result<Result, EngineError> in
            do throws(EngineError) { return .success(try body()) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private func runOverAll() throws(EngineError) -> Bool {
        if state.withLock({ $0.packedSequence }) == engine.stateNow.nextSequence { return true }
        let isWhole = try engine.maintenance.withLock { _ throws(EngineError) in
            let before = engine.stateNow.files.mapValues(\.kind)
            do throws(EngineError) { try engine.log.rotate() } catch {
                // Then the active log file stays as it is.
                guard error.isLackOfRoom else { throw error }
            }
            try engine.log.flushAndWait()
            let plan = CompactionPlan(engine.stateNow, engine.files)
            var rest = Set(plan.candidates.map(\.number))
            let sequence = engine.stateNow.nextSequence
            while !rest.isEmpty {
                var chosen: [FileNumber] = []
                _ = try part(patience: nil, packsAll: true) { plan in
                    let selection = plan.emptiest(of: rest, copyMax: .max)
                    chosen = selection.numbers
                    return selection
                }
                if chosen.isEmpty {
                    // There is no room for the copy of any file.
                    if engine.files.reserve.release() { continue }
                    throw EngineError(
                        engine.files.isTight ? .quotaExceeded : .storageFull,
                        "there is no room to compact all; delete some records and try again")
                }
                rest.subtract(chosen)
            }
            // Not those that there was no room to empty, nor one that the log couldn't leave.
            let left = engine.stateNow.files
            let isWhole = before.allSatisfy { left[$0.key] == nil && isGone($0.key, $0.value) }
            state.withLock { $0.packedSequence = isWhole ? sequence : nil }
            return isWhole
        }
        release()
        return isWhole
    }

    /// Whether the file's name could be removed.
    private func isGone(_ number: FileNumber, _ kind: FileNames.Kind) -> Bool {
        do throws(FileSystemError) {
            return try engine.files.system.information(engine.files.path(number, kind)) == nil
        } catch {
            return false
        }
    }

    /// What was packed is so no more.
    func forgetPacking() { state.withLock { $0.packedSequence = nil } }

    // MARK: - A part

    /// Empties some files and drops them; the bytes that they had, less those of what was copied. `patience`: how long a
    /// collection that is being written is waited for. `packsAll`: records are deflated, cold or not.
    private func part(
        patience: Duration?, packsAll: Bool = false,
        _ choose: (CompactionPlan) -> FileSelection
    ) throws(EngineError) -> Int64 {
        dispatchPrecondition(condition: .onQueue(queue))
        try engine.log.flushAndWait()
        let before = CompactionPlan(engine.stateNow, engine.files)
        let chosen = choose(before)
        guard !chosen.numbers.isEmpty else { return 0 }
        do throws(EngineError) {
            try engine.files.reserve.use { () throws(EngineError) in
                try moveRecords(outOf: chosen, patience, packsAll: packsAll)
                try moveNodes(outOf: chosen, patience)
            }
        } catch {
            // What is empty by now goes even where there is no room to empty more.
            guard error.isLackOfRoom else { throw error }
        }
        try engine.drop(chosen)
        return before.total - CompactionPlan(engine.stateNow, engine.files).total
    }

    private func moveRecords(
        outOf chosen: FileSelection, _ patience: Duration?, packsAll: Bool
    ) throws(EngineError) {
        guard chosen.numbers.contains(where: { engine.stateNow.files[$0]?.kind == .log }) else {
            return
        }
        var mover = RecordMover(engine, packsAll: packsAll)
        for version in engine.stateNow.collections {
            var cursor = version.primaryTree.cursor()
            var seen = 0
            try cursor.seekToFirst()
            while cursor.isValid {
                // Copying may be deflating: whoever closes the store doesn't wait for that.
                seen &+= 1
                if seen % Self.stepKeys == 0 { try checkStopped() }
                let location = Location(word: cursor.value)
                if chosen.contains(location.file) {
                    try mover.copy(location, of: version.id)
                    if mover.isFull { try finish(&mover, patience) }
                }
                _ = try cursor.next()
            }
            try checkStopped()
        }
        try finish(&mover, patience)
    }

    /// Points trees to what was copied.
    private func finish(
        _ mover: inout RecordMover, _ patience: Duration?
    ) throws(EngineError) {
        for (collection, moves) in try mover.finish() {
            var rest = moves[...]
            while !rest.isEmpty {
                let some = rest.prefix(Self.stepKeys)
                rest = rest.dropFirst(Self.stepKeys)
                try change(collection, patience) { [engine] state throws(EngineError) in
                    try engine.move(&state, some)
                }
            }
        }
    }

    private func moveNodes(
        outOf chosen: FileSelection, _ patience: Duration?
    ) throws(EngineError) {
        guard chosen.numbers.contains(where: { engine.stateNow.files[$0]?.kind == .tree }) else {
            return
        }
        try engine.log.flushAndWait()
        for version in engine.stateNow.collections {
            for entry in version.catalogEntry.trees {
                var survey = TreeSurvey(engine.files.table, listing: chosen)
                try survey.walk(entry.root)
                var rest = survey.nodes[...]
                while !rest.isEmpty {
                    let some = rest.prefix(Self.stepNodes)
                    rest = rest.dropFirst(Self.stepNodes)
                    try change(version.id, patience) { [engine] state throws(EngineError) in
                        try engine.relocate(&state, tree: entry.index, some)
                    }
                }
            }
        }
    }

    /// How much is changed in one go, with a collection's lock held.
    private static let stepKeys = 512
    private static let stepNodes = 256

    /// Changes a collection's trees once nobody writes it, and waits until that is done. Nodes in memory are bounded.
    private func change(
        _ collection: UInt32, _ patience: Duration?,
        _ body: @escaping @Sendable (inout EngineCollection.State) throws(EngineError) -> Void
    ) throws(EngineError) {
        try checkStopped()
        if engine.files.arena.bytesInUse > engine.options.nodeBytesBeforeCheckpoint {
            try engine.checkpoint()
        }
        let ticket = state.withLock { state in
            state.ticket += 1
            state.outcome = nil
            return state.ticket
        }
        engine.collection(collection)?.whenUnwritten { [state] collection in
            var outcome = Outcome()
            do throws(EngineError) { try body(&collection) } catch { outcome.failure = error }
            // It may not be waited for any more.
            state.withLock { if $0.ticket == ticket { $0.outcome = outcome } }
            state.wakeAll()
        }
        let outcome = state.wait(timeout: patience) { state in
            state.outcome ?? (state.isStopped ? Outcome(failure: Self.stopped) : nil)
        }
        guard let outcome else {
            throw EngineError(.limit, "collection \(collection) is being written")
        }
        if let failure = outcome.failure { throw failure }
    }

    private struct Outcome {
        var failure: EngineError?
    }

    private func checkStopped() throws(EngineError) {
        if isStopped { throw Self.stopped }
    }

    private static var stopped: EngineError { EngineError(.closed, "the store is closed") }
}
