// All that the engine asks of an operating system. Three implementations: PosixFileSystem, the simulated one in
// Tests/StorageSimulation (loses, tears and reorders what was not synced; fails any call), and a recording one there.
//
// What is assumed of a file system:
// - A write that returned is seen by every later read and map of this process, whether synced or not.
// - `File.sync` returning means that the bytes written and the size set before it survive a power cut.
// - A new name, a removal or a rename survives a power cut only once `syncDirectory` of its folder returned.
// What isn't: that un-synced writes are kept whole, in order, or at all; that a 512-byte sector is written whole
// together with its neighbour; that a failed sync may be repeated.
//
// Paths are absolute. Every call may throw `FileSystemError`. Interruptions and short transfers are the
// implementation's to ride out. Symbolic links are refused at the last path component. Files are created with mode
// 0600, folders with 0700, whatever the umask.

/// A failed system call: which, on what, and the system's error number.
package struct FileSystemError: Error, Equatable, CustomStringConvertible {
    package enum Operation: String, Sendable {
        case open
        case create
        case read
        case write
        case sync
        case truncate
        case map
        case remove
        case rename
        case list
        case createDirectory
        case syncDirectory
        case lock
        case information
        case space
    }
    package var operation: Operation
    package var path: String
    /// The system's errno.
    package var number: Int32

    package init(_ operation: Operation, _ path: String, _ number: Int32) {
        self.operation = operation
        self.path = path
        self.number = number
    }

    package var description: String {
        "\(operation.rawValue) \(path): \(SystemErrorNumber.text(number))"
    }
}

/// What a name in the file system stands for.
package struct FileInformation: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case file
        case directory
        case symbolicLink
        case other
    }
    package var kind: Kind
    package var size: UInt64
    /// How many names a file has.
    package var linkCount: UInt64

    package init(kind: Kind, size: UInt64, linkCount: UInt64 = 1) {
        self.kind = kind
        self.size = size
        self.linkCount = linkCount
    }
}

/// How a file is opened.
package enum FileMode: Sendable {
    case read
    case readWrite
    /// A new file, read and write; EEXIST if the name is taken.
    case create
}

/// A file system; see the head of this file for what it promises.
package protocol FileSystem: Sendable {
    /// One folder, mode 0700; EEXIST if the name is taken. Parents are not created.
    func createDirectory(_ path: String) throws(FileSystemError)
    /// Makes sure of a store's folder: that it is this user's own, and, for writing, nobody else's to enter (mode 0700), whatever
    /// it was before. False where it is another user's; the administrator may read any.
    func claimFolder(_ path: String, forWriting: Bool) throws(FileSystemError) -> Bool
    /// Nil where there is no such name. Doesn't follow a symbolic link.
    func information(_ path: String) throws(FileSystemError) -> FileInformation?
    /// Names in a folder, without "." and "..", in no particular order.
    func list(_ path: String) throws(FileSystemError) -> [String]
    func open(_ path: String, _ mode: FileMode) throws(FileSystemError) -> any File
    func remove(_ path: String) throws(FileSystemError)
    /// Replaces `target` if it exists, in one step.
    func rename(_ source: String, to target: String) throws(FileSystemError)
    /// Makes the names in a folder durable.
    func syncDirectory(_ path: String) throws(FileSystemError)
    /// Opens or creates the file and takes its exclusive lock without waiting: EAGAIN where another holder has it, in
    /// this process or another. The lock lasts until the returned object is released or its process dies.
    func lock(_ path: String) throws(FileSystemError) -> any FileLock
    /// Bytes that an unprivileged process may still write near `path`.
    func availableBytes(_ path: String) throws(FileSystemError) -> UInt64
}

/// An open file. Safe to use from several threads at once; the engine itself never writes one range from two.
package protocol File: AnyObject, Sendable {
    /// The size now.
    func size() throws(FileSystemError) -> UInt64
    /// Fills `buffer` from `offset`; returns how many bytes there were, fewer than asked for only at the file's end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(FileSystemError)
        -> Int
    /// Writes all of `bytes` at `offset`, growing the file if needed (a gap reads as zeros).
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileSystemError)
    /// Makes all bytes written so far, and the size, durable (fdatasync).
    func sync() throws(FileSystemError)
    func truncate(to size: UInt64) throws(FileSystemError)
    /// The file's first `length` bytes as read-only memory, coherent with later `write`s through this file system.
    /// `length` is at most the size. The memory outlives the file object and its removal, until the map is released.
    func map(length: Int) throws(FileSystemError) -> any FileMap
    /// Lets go of the descriptor. Later calls throw EBADF. Idempotent.
    func close()
}

/// Mapped memory, valid as long as the object lives.
package protocol FileMap: AnyObject, Sendable {
    var bytes: UnsafeRawBufferPointer { get }
}

/// A held lock; released by `release` or deinit.
package protocol FileLock: AnyObject, Sendable {
    func release()
}

extension FileSystem {
    /// `folder/name`.
    package func path(_ folder: String, _ name: String) -> String {
        folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }
}
