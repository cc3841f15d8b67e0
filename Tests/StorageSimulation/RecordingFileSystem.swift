// Counts and notes the calls that go to any other file system, and can keep every byte that was written: which names,
// how often, in what order, and was a secret among it.
internal import OfflineBytes
package import OfflineEngine

/// A file system that passes all on to another one and remembers it.
package final class RecordingFileSystem: FileSystem {
    /// One write with its bytes.
    package struct Write: Sendable {
        package let path: String
        package let offset: UInt64
        package let bytes: [UInt8]
    }

    private struct State {
        var counts: [FileSystemError.Operation: Int] = [:]
        var calls: [FileCall] = []
        var writes: [Write] = []
        var bytesRead = 0
        var bytesWritten = 0
        var callCount = 0
    }
    private let base: any FileSystem
    private let keepsWrites: Bool
    private let state = Protected(State())

    package init(_ base: any FileSystem, keepsWrites: Bool = false) {
        self.base = base
        self.keepsWrites = keepsWrites
    }

    /// All calls since the last reset, in the order in which they returned.
    package var calls: [FileCall] { state.withLock { $0.calls } }

    /// How many calls of one kind there were since the last reset, of paths that end so.
    package func count(_ operation: FileSystemError.Operation, path suffix: String = "") -> Int {
        state.withLock { state in
            if suffix.isEmpty { return state.counts[operation] ?? 0 }
            return state.calls.count { $0.operation == operation && $0.path.hasSuffix(suffix) }
        }
    }

    /// All writes since the last reset, if they are kept.
    package var writes: [Write] { state.withLock { $0.writes } }
    package var bytesRead: Int { state.withLock { $0.bytesRead } }
    package var bytesWritten: Int { state.withLock { $0.bytesWritten } }

    package func reset() { state.withLock { $0 = State() } }

    fileprivate func run<Result>(
        _ call: FileCall, _ body: () throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        do throws(FileSystemError) {
            let result = try body()
            note(call, nil)
            return result
        } catch {
            note(call, error.number)
            throw error
        }
    }

    private func note(_ call: FileCall, _ failure: Int32?) {
        state.withLock { state in
            var call = call
            state.callCount += 1
            call.index = state.callCount
            call.failure = failure
            state.counts[call.operation, default: 0] += 1
            state.calls.append(call)
        }
    }

    fileprivate func noteRead(_ count: Int) { state.withLock { $0.bytesRead += count } }

    fileprivate func noteWrite(_ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ path: String) {
        let kept =
            unsafe keepsWrites ? Write(path: path, offset: offset, bytes: [UInt8](bytes)) : nil
        let count = bytes.count
        state.withLock { state in
            state.bytesWritten += count
            if let kept { state.writes.append(kept) }
        }
    }
}

extension RecordingFileSystem {
    package func createDirectory(_ path: String) throws(FileSystemError) {
        try run(FileCall(.createDirectory, path)) { () throws(FileSystemError) in
            try base.createDirectory(path)
        }
    }

    package func claimFolder(_ path: String, forWriting: Bool) throws(FileSystemError) -> Bool {
        try base.claimFolder(path, forWriting: forWriting)
    }

    package func information(_ path: String) throws(FileSystemError) -> FileInformation? {
        try run(FileCall(.information, path)) { () throws(FileSystemError) in
            try base.information(path)
        }
    }

    package func list(_ path: String) throws(FileSystemError) -> [String] {
        try run(FileCall(.list, path)) { () throws(FileSystemError) in try base.list(path) }
    }

    package func open(_ path: String, _ mode: FileMode) throws(FileSystemError) -> any File {
        let call = FileCall(mode == .create ? .create : .open, path)
        let file = try run(call) { () throws(FileSystemError) in try base.open(path, mode) }
        return RecordingFile(self, file, path)
    }

    package func remove(_ path: String) throws(FileSystemError) {
        try run(FileCall(.remove, path)) { () throws(FileSystemError) in try base.remove(path) }
    }

    package func rename(_ source: String, to target: String) throws(FileSystemError) {
        try run(FileCall(.rename, source, target: target)) { () throws(FileSystemError) in
            try base.rename(source, to: target)
        }
    }

    package func syncDirectory(_ path: String) throws(FileSystemError) {
        try run(FileCall(.syncDirectory, path)) { () throws(FileSystemError) in
            try base.syncDirectory(path)
        }
    }

    package func lock(_ path: String) throws(FileSystemError) -> any FileLock {
        try run(FileCall(.lock, path)) { () throws(FileSystemError) in try base.lock(path) }
    }

    package func availableBytes(_ path: String) throws(FileSystemError) -> UInt64 {
        try run(FileCall(.space, path)) { () throws(FileSystemError) in
            try base.availableBytes(path)
        }
    }
}

/// A file whose calls are noted.
private final class RecordingFile: File {
    private let recorder: RecordingFileSystem
    private let base: any File
    private let path: String

    init(_ recorder: RecordingFileSystem, _ base: any File, _ path: String) {
        self.recorder = recorder
        self.base = base
        self.path = path
    }

    func size() throws(FileSystemError) -> UInt64 {
        try recorder.run(FileCall(.information, path)) { () throws(FileSystemError) in
            try base.size()
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64)
        throws(FileSystemError) -> Int
    {
        let call = FileCall(.read, path, offset: offset, length: buffer.count)
        let count = try recorder.run(call) { () throws(FileSystemError) in
            try unsafe base.read(into: buffer, at: offset)
        }
        recorder.noteRead(count)
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileSystemError) {
        // Kept before it is tried: a failed write may have left some of it.
        unsafe recorder.noteWrite(bytes, at: offset, path)
        let call = FileCall(.write, path, offset: offset, length: bytes.count)
        try recorder.run(call) { () throws(FileSystemError) in
            try unsafe base.write(bytes, at: offset)
        }
    }

    func sync() throws(FileSystemError) {
        try recorder.run(FileCall(.sync, path)) { () throws(FileSystemError) in try base.sync() }
    }

    func truncate(to size: UInt64) throws(FileSystemError) {
        let call = FileCall(.truncate, path, offset: size)
        try recorder.run(call) { () throws(FileSystemError) in try base.truncate(to: size) }
    }

    func map(length: Int) throws(FileSystemError) -> any FileMap {
        let call = FileCall(.map, path, length: length)
        return try recorder.run(call) { () throws(FileSystemError) in
            try base.map(length: length)
        }
    }

    func close() { base.close() }
}
