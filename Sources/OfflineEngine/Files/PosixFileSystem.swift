// The operating system's files, by system calls and nothing above them.
//
// - Every descriptor is 3 or above and closed on exec. A symbolic link as the last component is refused: ELOOP.
// - The mode is given at creation, where the umask can only narrow it, so no file of ours is ever readable by others; what the
//   umask took from it is given back. A file that is opened for writing gets it too, whoever has copied it.
// - Only regular files are opened: a pipe or device in a file's place is refused and can't make an open wait.
// - A path with a NUL in it is refused (EINVAL): the system would see another, shorter path.
// - Making one ignores SIGXFSZ where that has its default action, process-wide, so that a file size limit (RLIMIT_FSIZE)
//   is an EFBIG that is reported and not the end of the host program.
internal import COfflinePlatform

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The real file system.
package struct PosixFileSystem: FileSystem {
    private static let fileMode: UInt32 = 0o600
    private static let folderMode: mode_t = 0o700

    package init() { offline_ignore_file_size_signal() }

    package func createDirectory(_ path: String) throws(FileSystemError) {
        try unsafe call(.createDirectory, path) { unsafe mkdir($0, Self.folderMode) }
        try restoreFolderMode(path)
    }

    /// Gives a folder that was just made what the umask took from it. By its name, since a folder that its owner may not even enter
    /// can't be opened; but through no link that somebody may have put in its place.
    package func restoreFolderMode(_ path: String) throws(FileSystemError) {
        guard let made = try PosixStatus(at: path, .createDirectory), made.kind == .directory else {
            throw FileSystemError(.createDirectory, path, ENOTDIR)
        }
        if made.permissions == Self.folderMode { return }
        try unsafe call(.createDirectory, path) {
            unsafe fchmodat(AT_FDCWD, $0, Self.folderMode, AT_SYMLINK_NOFOLLOW)
        }
    }

    package func claimFolder(
        _ path: String, forWriting: Bool
    ) throws(FileSystemError) -> Bool {
        let descriptor = Descriptor(owning: try openFolder(path, .information))
        defer { descriptor.close() }
        return try descriptor.use(.information, path) { number throws(FileSystemError) in
            let found = try PosixStatus(of: number, .information, path)
            let user = geteuid()
            guard found.owner == user || !forWriting && user == 0 else { return false }
            if forWriting, found.permissions != Self.folderMode,
                fchmod(number, Self.folderMode) != 0
            {
                throw FileSystemError(.information, path, errno)
            }
            return true
        }
    }

    package func information(_ path: String) throws(FileSystemError) -> FileInformation? {
        guard let status = try PosixStatus(at: path, .information) else { return nil }
        return FileInformation(kind: status.kind, size: status.size, linkCount: status.linkCount)
    }

    package func list(_ path: String) throws(FileSystemError) -> [String] {
        let number = try openFolder(path, .list)
        guard let folder = unsafe offline_folder_open(number) else {
            throw FileSystemError(.list, path, errno)
        }
        defer { unsafe offline_folder_close(folder) }
        var names: [String] = []
        var failure: Int32 = 0
        while let name = unsafe offline_folder_next(folder, &failure) {
            let text = unsafe String(cString: name)
            if text != "." && text != ".." { names.append(text) }
        }
        if failure != 0 { throw FileSystemError(.list, path, failure) }
        return names
    }

    package func open(_ path: String, _ mode: FileMode) throws(FileSystemError) -> any File {
        switch mode {
        case .read:
            let descriptor = try openFile(path, O_RDONLY, .open)
            return PosixFile(descriptor, path: path, isWritable: false)
        case .readWrite:
            return PosixFile(try openFile(path, O_RDWR, .open), path: path, isWritable: true)
        case .create:
            let descriptor = try openFile(path, O_RDWR | O_CREAT | O_EXCL, .create)
            return PosixFile(descriptor, path: path, isWritable: true)
        }
    }

    package func remove(_ path: String) throws(FileSystemError) {
        do {
            try unsafe call(.remove, path) { unsafe unlink($0) }
        } catch {
            // EPERM is Darwin's word for a folder.
            guard error.number == EPERM, try information(path)?.kind == .directory else {
                throw error
            }
            throw FileSystemError(.remove, path, EISDIR)
        }
    }

    package func rename(_ source: String, to target: String) throws(FileSystemError) {
        guard !target.utf8.contains(0) else { throw FileSystemError(.rename, target, EINVAL) }
        try unsafe call(.rename, source) { from in
            unsafe target.withCString { unsafe systemRename(from, $0) }
        }
    }

    package func syncDirectory(_ path: String) throws(FileSystemError) {
        let descriptor = Descriptor(owning: try openFolder(path, .syncDirectory))
        defer { descriptor.close() }
        let failure = try descriptor.use(.syncDirectory, path) { offline_sync_folder($0) }
        if failure != 0 { throw FileSystemError(.syncDirectory, path, failure) }
    }

    package func lock(_ path: String) throws(FileSystemError) -> any FileLock {
        try PosixLock(openFile(path, O_RDWR | O_CREAT, .lock), path: path)
    }

    package func availableBytes(_ path: String) throws(FileSystemError) -> UInt64 {
        try checkPath(path, .space)
        let (room, failure) = unsafe withErrno(path) { unsafe offline_available_bytes($0) }
        guard room >= 0 else { throw FileSystemError(.space, path, failure) }
        return UInt64(room)
    }
}

extension PosixFileSystem {
    /// Opens a regular file. O_NONBLOCK does nothing to one, and keeps a planted pipe from making us wait.
    private func openFile(
        _ path: String, _ flags: Int32, _ operation: FileSystemError.Operation
    ) throws(FileSystemError) -> Descriptor {
        let number = try unsafe call(operation, path) {
            unsafe offline_open($0, flags | O_NONBLOCK, Self.fileMode)
        }
        let descriptor = Descriptor(owning: number)
        let found = try PosixStatus(of: number, operation, path)
        guard found.kind == .file else {
            throw FileSystemError(operation, path, found.kind == .directory ? EISDIR : EINVAL)
        }
        if flags & O_ACCMODE != O_RDONLY, found.permissions != Self.fileMode,
            fchmod(number, mode_t(Self.fileMode)) != 0
        {
            throw FileSystemError(operation, path, errno)
        }
        return descriptor
    }

    /// The descriptor of a folder, which the caller closes.
    private func openFolder(
        _ path: String, _ operation: FileSystemError.Operation
    ) throws(FileSystemError) -> Int32 {
        do {
            return try unsafe call(operation, path) {
                unsafe offline_open($0, O_RDONLY | O_DIRECTORY, 0)
            }
        } catch {
            // Linux says ENOTDIR of a symbolic link as well.
            guard error.number == ENOTDIR, try information(path)?.kind == .symbolicLink else {
                throw error
            }
            throw FileSystemError(operation, path, ELOOP)
        }
    }

    /// Runs a system call on a path, again when it was interrupted; throws its errno where it returns -1.
    @discardableResult
    private func call(
        _ operation: FileSystemError.Operation, _ path: String,
        _ body: (UnsafePointer<CChar>) -> Int32
    ) throws(FileSystemError) -> Int32 {
        try checkPath(path, operation)
        while true {
            let (result, failure) = unsafe withErrno(path, body)
            if result >= 0 { return result }
            if failure != EINTR { throw FileSystemError(operation, path, failure) }
        }
    }
}

private func checkPath(
    _ path: String, _ operation: FileSystemError.Operation
) throws(FileSystemError) {
    if path.utf8.contains(0) { throw FileSystemError(operation, path, EINVAL) }
}

/// Calls `body` with the path as the system wants it; its result and the errno that it left.
private func withErrno<Result>(
    _ path: String, _ body: (UnsafePointer<CChar>) -> Result
) -> (Result, Int32) {
    unsafe path.withCString { text in
        let result = unsafe body(text)
        return (result, errno)
    }
}

// `rename` by a name that the method above doesn't hide.
private func systemRename(_ source: UnsafePointer<CChar>, _ target: UnsafePointer<CChar>) -> Int32 {
    unsafe rename(source, target)
}

/// What the system says of a name or descriptor.
struct PosixStatus {
    let kind: FileInformation.Kind
    let size: UInt64
    /// How many names it has; of a folder that means nothing, and is 1.
    let linkCount: UInt64
    let owner: uid_t
    /// Who may read, write and enter it.
    let permissions: mode_t

    /// Of an open file.
    init(
        of descriptor: Int32, _ operation: FileSystemError.Operation, _ path: String
    ) throws(FileSystemError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw FileSystemError(operation, path, errno)
        }
        self.init(status)
    }

    /// Of a name, without following a link; nil where there is none.
    init?(at path: String, _ operation: FileSystemError.Operation) throws(FileSystemError) {
        try checkPath(path, operation)
        var status = stat()
        let (result, failure) = unsafe withErrno(path) { unsafe lstat($0, &status) }
        guard result == 0 else {
            if failure == ENOENT { return nil }
            throw FileSystemError(operation, path, failure)
        }
        self.init(status)
    }

    private init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        default: kind = .other
        }
        size = UInt64(max(0, status.st_size))
        linkCount = kind == .file ? UInt64(status.st_nlink) : 1
        owner = status.st_uid
        permissions = status.st_mode & 0o777
    }
}
