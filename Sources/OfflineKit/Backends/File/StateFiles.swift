// The files of a file store, and how one state replaces another.
//
//   LOCK           held by the one writing process
//   STATE          the newest state that is on stable storage
//   STATE.recent   a newer one that need not be, with periodic or relaxed durability; one that is torn, or older than
//                  STATE, counts for nothing
//   STATE.new      being written; counts for nothing
//
// A durable replacement: write STATE.new, sync it, rename it to STATE, sync the folder. A recent one: write STATE.new,
// rename it to STATE.recent; a flush later makes the newest state durable in the first way.
//
// Invariants:
// - STATE is never written in place: until the rename the old state is there, whole and durable.
// - What fails before the rename leaves no trace, whatever it was: the next attempt writes a new file. What fails from the
//   rename on has an unknown outcome, and nothing is written any more until the store is opened again.
internal import OfflineBytes
internal import OfflineEngine

/// The opened files of a file store that writes. Used by one thread at a time.
final class StateFiles: Sendable {
    static let state = "STATE"
    static let recent = "STATE.recent"
    static let new = "STATE.new"
    /// No state file is larger, and no larger one is read.
    static let sizeMax = 5_000_000

    private struct Progress {
        /// The newest state that was written, and its file's generation and size.
        var newest: StateFile
        var size: Int
        /// The newest state isn't on stable storage.
        var isBehind: Bool
        var failure: EngineError?
    }
    private let folder: StoreFolder
    private let lock: any FileLock
    private let progress: Protected<Progress>

    /// A flush will come that sees what is written until then.
    let isFlushScheduled = Protected(false)

    private init(_ folder: StoreFolder, _ lock: any FileLock, _ found: Found) {
        self.folder = folder
        self.lock = lock
        progress = Protected(
            Progress(newest: found.file, size: found.size, isBehind: found.isRecent))
    }

    // MARK: - Opening

    /// A state that was read.
    private struct Found {
        var file: StateFile
        var size: Int
        /// Not in STATE.
        var isRecent: Bool
    }

    /// The newest state; nil where there is none yet.
    static func read(_ folder: StoreFolder) throws(EngineError) -> StateFile? {
        try find(folder)?.file
    }

    /// Beside a writer: each file is a whole one, old or new, and STATE.recent is read first, since its state can become
    /// STATE's meanwhile.
    private static func find(_ folder: StoreFolder) throws(EngineError) -> Found? {
        let recent = try bytes(of: recent, in: folder)
        guard let durable = try bytes(of: state, in: folder) else { return nil }
        let newest = Found(
            file: try StateFile(durable, of: state), size: durable.count, isRecent: false)
        guard let recent else { return newest }
        do throws(EngineError) {
            let file = try StateFile(recent, of: Self.recent)
            if file.generation <= newest.file.generation { return newest }
            return Found(file: file, size: recent.count, isRecent: true)
        } catch {
            // A power cut tore it. What it held was not promised.
            if error.code == .unsupportedFormat { throw error }
            return newest
        }
    }

    private static func bytes(
        of name: String, in folder: StoreFolder
    ) throws(EngineError) -> [UInt8]? {
        let path = folder.path(name)
        let (bytes, size) = try io { () throws(FileSystemError) -> ([UInt8]?, UInt64) in
            let file: any File
            do throws(FileSystemError) { file = try folder.system.open(path, .read) } catch {
                if error.number == SystemErrorNumber.noEntry { return (nil, 0) }
                throw error
            }
            defer { file.close() }
            let size = try file.size()
            let wanted = size > UInt64(sizeMax) ? StateFile.headerSize : Int(size)
            return (try file.readArray(count: wanted, at: 0), size)
        }
        guard let bytes, size > UInt64(sizeMax) else { return bytes }
        // The header has the say first: a newer release may allow more.
        try StateFile.checkHeader(bytes, of: name)
        throw .corrupted(
            "the file has \(size) bytes; a state has \(sizeMax) at most", file: name,
            offset: UInt64(sizeMax))
    }

    /// Takes the lock and reads the state, or makes an empty one.
    static func open(_ folder: StoreFolder) throws(EngineError) -> StateFiles {
        try folder.make()
        let lock = try folder.lock()
        do throws(EngineError) {
            let found = try find(folder)
            let empty = StateFile(MapState(), generation: 0)
            let files = StateFiles(
                folder, lock, found ?? Found(file: empty, size: 0, isRecent: true))
            do throws(EngineError) { try files.settle() } catch {
                // On a full disk what was found stays where it is, and records can still be deleted.
                if found == nil || error.code != .storageFull { throw error }
            }
            return files
        } catch {
            lock.release()
            throw error
        }
    }

    /// Whatever was found is durable and alone from here on, also where an earlier replacement ended halfway.
    private func settle() throws(EngineError) {
        if progress.withLock({ $0.isBehind }) {
            try flush()
        } else {
            try? folder.system.remove(folder.path(Self.recent))
        }
        try io { () throws(FileSystemError) in
            try folder.system.syncNames(ofStore: folder.path)
        }
    }

    // MARK: - Writing

    /// The state that was written last.
    var newest: MapState { progress.withLock { $0.newest.state } }

    /// How large its file is.
    var size: Int { progress.withLock { $0.size } }

    /// Makes `state` the newest one, on stable storage if `durably`. A file larger than `sizeMax` is `.quotaExceeded`.
    func write(_ state: MapState, durably: Bool, sizeMax: Int) throws {
        let next = StateFile(state, generation: try nextGeneration())
        let bytes = next.encoded()
        guard bytes.count <= sizeMax else {
            throw OfflineError(
                .quotaExceeded,
                "the store would have \(bytes.count) bytes, and may grow to \(sizeMax); delete some "
                    + "records and try again")
        }
        try replace(durably ? Self.state : Self.recent, with: bytes, durably: durably)
        progress.withLock { progress in
            progress.newest = next
            progress.size = bytes.count
            progress.isBehind = !durably
        }
    }

    /// Makes the newest state durable if it isn't.
    func flush() throws(EngineError) {
        guard progress.withLock({ $0.isBehind }) else { return }
        let next = StateFile(newest, generation: try nextGeneration())
        try replace(Self.state, with: next.encoded(), durably: true, alone: true)
        progress.withLock { progress in
            progress.newest = next
            progress.isBehind = false
        }
    }

    /// Lets go of the store.
    func close() {
        fail(EngineError(.closed, "the store is closed"))
        lock.release()
    }

    private func nextGeneration() throws(EngineError) -> UInt64 {
        let (generation, failure) = progress.withLock { ($0.newest.generation, $0.failure) }
        guard let failure else { return generation + 1 }
        if failure.code == .closed { throw failure }
        throw EngineError(
            .readOnly,
            "the store is read-only since the disk failed (\(failure.message)); open it again",
            file: failure.file)
    }

    private func fail(_ failure: EngineError) {
        progress.withLock { if $0.failure == nil { $0.failure = failure } }
    }

    /// Writes the file `name`; `alone`: STATE.recent goes, since it is older then.
    private func replace(
        _ name: String, with bytes: [UInt8], durably: Bool, alone: Bool = false
    ) throws(EngineError) {
        let system = folder.system
        try folder.writeNew(Self.new, bytes, durably: durably)
        do throws(FileSystemError) {
            try system.rename(folder.path(Self.new), to: folder.path(name))
            // It counts for nothing, so it is no matter if that fails.
            if alone { try? system.remove(folder.path(Self.recent)) }
            if durably { try system.syncDirectory(folder.path) }
        } catch {
            let failure = EngineError(error)
            fail(failure)
            throw EngineError(
                .outcomeUnknown,
                "the disk failed before the commit was durable (\(failure.message)); open the store "
                    + "again to see whether it is there", file: failure.file)
        }
    }
}
