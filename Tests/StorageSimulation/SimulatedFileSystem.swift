// A file system in memory that loses what was not synced, fails when told to, and says what was asked of it.
//
// The fault model
//
// Files. Each has a written image, which every read and map of the running process sees, and a durable image. Between
// them is the list of pending writes and changes of size. `sync` makes all of a file's pending changes durable, and no
// other's. A power cut leaves, for each file on its own: any subset of its pending changes, in their order; any subset of
// the 512-byte sectors of each of its writes; and the size of a write without its data, in which case the lost sectors
// hold zeros, garbage, or what another file had at the same offset. Bytes that a write doesn't cover never change.
//
// Names. Created, removed and renamed names are pending until `syncDirectory` of their folder, whatever was synced of the
// file. A power cut keeps any subset of them (`.posix`) or a prefix (`.ordered`). A rename within one folder is kept or
// lost as a whole; one between folders is two changes. A removed file whose removal is lost comes back with its content.
//
// A killed process loses nothing that it wrote, but what it didn't sync is still pending (`killed`).
//
// Faults: any call may fail once or from some call on (`Fault`); a failed write may leave a prefix; a failed sync may keep
// its pending changes or drop them for good; room may run out (`setCapacity`); sectors may become unreadable
// (`failReads`). Damage to bytes at rest: Damage.swift.
//
// Maps hand out memory of exactly their length at an address that never moves, and follow later writes. Locks belong to
// the object that `lock` returned; a crashed or killed image has none. Modes and owners of files don't exist here.
//
// Everything is deterministic given the calls and the seeds. Thread-safe: one lock guards all state; hooks run outside it.
internal import OfflineBytes
package import OfflineEngine

/// A simulated file system; it begins with an empty root folder, "/".
package final class SimulatedFileSystem: FileSystem {
    /// Called before a mutating call takes effect, on the calling thread: `index` counts mutating calls from 1. What the
    /// caller has acknowledged up to then must survive in every crash image taken here.
    package typealias MutationHook =
        @Sendable (_ index: Int, _ files: SimulatedFileSystem) -> Void

    private struct State {
        var disk: SimulatedDisk
        var faults = FaultPlan()
        var trace = OperationTrace()
        var counts: [FileSystemError.Operation: Int] = [:]
        var callCount = 0
        var mutationCount = 0
        var hook: MutationHook?
        var hookInterval = 1

        /// The result, and the error that the caller gets all the same where a fault let the call take effect.
        mutating func run<Result>(
            _ call: FileCall,
            _ body: (inout SimulatedDisk, FileCall, Fault?) throws(FileSystemError) -> Result
        ) throws(FileSystemError) -> (Result, FileSystemError?) {
            var call = call
            callCount += 1
            counts[call.operation, default: 0] += 1
            call.index = callCount
            let fault = faults.next(for: call)
            do throws(FileSystemError) {
                if let fault, !fault.lets(call) { throw call.error(fault.number) }
                let result = try body(&disk, call, fault)
                call.failure = fault?.number
                trace.append(call)
                return (result, fault.map { call.error($0.number) })
            } catch {
                call.failure = error.number
                trace.append(call)
                throw error
            }
        }
    }
    private let state: Protected<State>

    package init() { state = Protected(State(disk: SimulatedDisk())) }

    init(_ disk: SimulatedDisk) { state = Protected(State(disk: disk)) }

    /// Looks at or changes the disk without counting a call.
    func withDisk<Result, Failure: Error>(
        _ body: (inout SimulatedDisk) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try state.withLock { state throws(Failure) in try body(&state.disk) }
    }

    /// Runs one call: hook, count, faults, the call itself, trace. `body` gets the fault that applies, if it is one that
    /// lets the call take effect in some way; the error is thrown here.
    func perform<Result>(
        _ call: FileCall,
        _ body: (inout SimulatedDisk, FileCall, Fault?) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        if call.operation.isMutating { runHook() }
        // A handle that was made although the call fails dies outside the lock, which closing it takes.
        let (result, failure) = try state.withLock { state throws(FileSystemError) in
            try state.run(call, body)
        }
        if let failure { throw failure }
        return result
    }

    private func runHook() {
        let (index, hook) = state.withLock { state in
            state.mutationCount += 1
            let isDue = state.mutationCount % state.hookInterval == 0
            return (state.mutationCount, isDue ? state.hook : nil)
        }
        hook?(index, self)
    }
}

extension Fault {
    /// Whether the call does something before it fails.
    fileprivate func lets(_ call: FileCall) -> Bool {
        switch effect {
        case .nothing: false
        case .takesEffect: true
        case .prefix: call.operation == .write
        case .dropsPending: call.operation == .sync
        }
    }
}

// The protocol.
extension SimulatedFileSystem {
    package func createDirectory(_ path: String) throws(FileSystemError) {
        try perform(FileCall(.createDirectory, path)) { disk, call, _ throws(FileSystemError) in
            try disk.create(.folder(SimulatedFolder()), call)
        }
    }

    /// The disk has one user.
    package func claimFolder(_ path: String, forWriting: Bool) throws(FileSystemError) -> Bool {
        true
    }

    package func information(_ path: String) throws(FileSystemError) -> FileInformation? {
        try perform(FileCall(.information, path)) {
            disk, call, _ throws(FileSystemError) -> FileInformation? in
            do throws(FileSystemError) {
                switch try disk.entry(call) {
                case nil: return nil
                case .folder: return FileInformation(kind: .directory, size: 0)
                case .symbolicLink: return FileInformation(kind: .symbolicLink, size: 0)
                case .file(let node):
                    let size = UInt64(node.content.written.count)
                    return FileInformation(kind: .file, size: size)
                }
            } catch {
                if error.number == SystemErrorNumber.noEntry { return nil }
                throw error
            }
        }
    }

    package func list(_ path: String) throws(FileSystemError) -> [String] {
        try perform(FileCall(.list, path)) { disk, call, _ throws(FileSystemError) in
            Array(try disk.folder(call).names.keys).sorted()
        }
    }

    package func open(_ path: String, _ mode: FileMode) throws(FileSystemError) -> any File {
        switch mode {
        case .create:
            return try perform(FileCall(.create, path)) { disk, call, _ throws(FileSystemError) in
                let node = try disk.createFile(call)
                disk.addHandle(to: node, .file)
                return SimulatedFile(self, node, path: path, isWritable: true)
            }
        case .read, .readWrite:
            return try perform(FileCall(.open, path)) { disk, call, _ throws(FileSystemError) in
                let node = try disk.file(call)
                disk.addHandle(to: node, .file)
                return SimulatedFile(self, node, path: path, isWritable: mode == .readWrite)
            }
        }
    }

    package func remove(_ path: String) throws(FileSystemError) {
        try perform(FileCall(.remove, path)) { disk, call, _ throws(FileSystemError) in
            try disk.remove(call)
        }
    }

    package func rename(_ source: String, to target: String) throws(FileSystemError) {
        let call = FileCall(.rename, source, target: target)
        try perform(call) { disk, call, _ throws(FileSystemError) in
            try disk.rename(call)
        }
    }

    package func syncDirectory(_ path: String) throws(FileSystemError) {
        try perform(FileCall(.syncDirectory, path)) { disk, call, _ throws(FileSystemError) in
            try disk.syncFolder(call)
        }
    }

    package func lock(_ path: String) throws(FileSystemError) -> any FileLock {
        try perform(FileCall(.lock, path)) { disk, call, _ throws(FileSystemError) in
            let isNew = try disk.entry(call) == nil
            let node = isNew ? try disk.createFile(call) : try disk.file(call)
            guard !node.isLocked else { throw call.error(SystemErrorNumber.again) }
            node.isLocked = true
            disk.addHandle(to: node, .lock)
            return SimulatedLock(self, node)
        }
    }

    package func availableBytes(_ path: String) throws(FileSystemError) -> UInt64 {
        try perform(FileCall(.space, path)) { disk, call, _ throws(FileSystemError) in
            guard try disk.entry(call) != nil else { throw call.error(SystemErrorNumber.noEntry) }
            return UInt64(disk.availableBytes)
        }
    }
}

// What a test asks and sets.
extension SimulatedFileSystem {
    /// All calls so far.
    package var callCount: Int { state.withLock { $0.callCount } }
    /// All calls so far that may change what is stored or durable.
    package var mutationCount: Int { state.withLock { $0.mutationCount } }
    /// The calls of one kind so far.
    package func count(_ operation: FileSystemError.Operation) -> Int {
        state.withLock { $0.counts[operation] ?? 0 }
    }

    /// The last calls, for a failure message.
    package var trace: OperationTrace { state.withLock { $0.trace } }

    /// Calls `hook` before every `interval`-th mutating call; nil ends it.
    package func onMutation(every interval: Int = 1, _ hook: MutationHook?) {
        // The old hook is let go outside the lock: what it holds may call in here when it dies.
        let old = state.withLock { state in
            let old = state.hook
            state.hook = hook
            state.hookInterval = max(1, interval)
            return old
        }
        withExtendedLifetime(old) {}
    }

    /// Plans a failure, counted from now.
    package func inject(_ fault: Fault) { state.withLock { $0.faults.add(fault) } }

    /// Ends all planned failures.
    package func removeFaults() { state.withLock { $0.faults.removeAll() } }

    /// How many calls were made to fail so far: a loop over the k-th call ends where none was.
    package var firedFaultCount: Int { state.withLock { $0.faults.firedCount } }

    /// Lets all files together hold so many bytes (nil: any number); what doesn't fit fails with `number`.
    package func setCapacity(_ bytes: Int?, error number: Int32 = SystemErrorNumber.noSpace) {
        withDisk { disk in
            disk.capacity = bytes
            disk.fullNumber = number
        }
    }

    /// The size of all files that have a name, an open handle or a map.
    package var usedBytes: Int { withDisk { $0.usedBytes } }

    package var openFileCount: Int { withDisk { $0.handles[.file] ?? 0 } }
    package var mapCount: Int { withDisk { $0.handles[.map] ?? 0 } }
    package var lockCount: Int { withDisk { $0.handles[.lock] ?? 0 } }
}
