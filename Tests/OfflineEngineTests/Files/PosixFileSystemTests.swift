// What only the real file system can get wrong: modes, descriptors, signals, other processes. Whatever changes the whole
// process runs in a child of its own.
import OfflineEngine
import StorageSimulation
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file's permission bits, owner and kind.
private func mode(_ path: String) -> mode_t? {
    var status = stat()
    return unsafe lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
}

/// The descriptors of this process that are open on something in a folder. (The test runner opens others as it likes.)
private func descriptors(in folder: String) -> [Int32] {
    (0..<256 as Range<Int32>).filter { number in
        var target = [CChar](repeating: 0, count: 4096)
        #if canImport(Glibc)
            unsafe readlink("/proc/self/fd/\(number)", &target, target.count - 1)
        #else
            unsafe fcntl(number, F_GETPATH, &target)
        #endif
        let path = target.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: path, as: UTF8.self).contains(folder)
    }
}

/// Gives SIGXFSZ the action that a program has that knows nothing of it. Whoever started the tests may have it ignored,
/// which children inherit, and the pool's threads block it.
private func unignoreFileSizeSignal() {
    signal(SIGXFSZ, SIG_DFL)
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGXFSZ)
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
}

/// Lets no file of this process grow beyond so many bytes.
private func limitFileSize(to bytes: UInt64) -> Bool {
    var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: 1 << 20)
    #if canImport(Glibc)
        return unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0
    #else
        return unsafe setrlimit(RLIMIT_FSIZE, &limit) == 0
    #endif
}

/// Ends a child process as failed where the condition doesn't hold.
private func require(_ condition: Bool, _ words: String) {
    if !condition { fatalError(words) }
}

@Suite struct PosixFileSystemTests {
    @Test(arguments: [0, 0o022, 0o077, 0o777] as [mode_t])
    func `files are private whatever the umask`(_ mask: mode_t) async {
        await #expect(processExitsWith: .success) { [mask] in
            let folder = try makeTemporaryFolder()
            defer { removeTree(folder) }
            umask(mask)
            let files = PosixFileSystem()
            try files.open(folder + "/file", .create).close()
            try files.createDirectory(folder + "/folder")
            let lock = try files.lock(folder + "/LOCK")
            lock.release()
            require(mode(folder + "/file") == 0o600, "file")
            require(mode(folder + "/folder") == 0o700, "folder")
            require(mode(folder + "/LOCK") == 0o600, "lock")
        }
    }

    @Test func `a link in the place of a folder that was made leaves what it leads to as it is`()
        throws
    {
        let fixture = try FileSystemFixture(.posix)
        let files = PosixFileSystem()
        let (other, link) = (fixture.path("other"), fixture.path("link"))
        try files.createDirectory(other)
        #expect(unsafe chmod(other, 0o755) == 0)
        #expect(unsafe symlink(other, link) == 0)
        #expect(throws: FileSystemError.self) { try files.restoreFolderMode(link) }
        #expect(mode(other) == 0o755)
        try files.restoreFolderMode(other)
        #expect(mode(other) == 0o700)
    }

    @Test func `a file that others may read is closed to them when it is opened for writing`()
        throws
    {
        let fixture = try FileSystemFixture(.posix)
        let path = fixture.path("a")
        try fixture.create("a", [1]).close()
        #expect(unsafe chmod(path, 0o644) == 0)
        try fixture.files.open(path, .read).close()
        #expect(mode(path) == 0o644)
        try fixture.files.open(path, .readWrite).close()
        #expect(mode(path) == 0o600)
    }

    @Test func `no descriptor of ours is a standard stream, and none is inherited`() async {
        await #expect(processExitsWith: .success) {
            let folder = try makeTemporaryFolder()
            defer { removeTree(folder) }
            let files = PosixFileSystem()
            for number in 0...2 as ClosedRange<Int32> { _ = close(number) }
            let file = try files.open(folder + "/a", .create)
            let lock = try files.lock(folder + "/LOCK")
            try file.write([1], at: 0)
            let map = try file.map(length: 1)
            try files.syncDirectory(folder)
            let ours = descriptors(in: folder)
            // Not by `require`: nothing could be printed.
            guard ours.count == 2, ours.allSatisfy({ $0 > 2 }),
                ours.allSatisfy({ fcntl($0, F_GETFD) == FD_CLOEXEC })
            else { exit(1) }
            withExtendedLifetime((file, lock, map)) {}
        }
    }

    @Test func `descriptors go with their objects and after each failure`() async {
        await #expect(processExitsWith: .success) {
            let folder = try makeTemporaryFolder()
            defer { removeTree(folder) }
            let files = PosixFileSystem()
            try files.createDirectory(folder + "/d")
            do {
                let file = try files.open(folder + "/a", .create)
                let lock = try files.lock(folder + "/a")
                _ = try? files.lock(folder + "/a")
                for path in ["/d", "/none", "/a/x"] {
                    for mode in [FileMode.read, .readWrite] {
                        _ = try? files.open(folder + path, mode)
                    }
                    _ = try? files.list(folder + path)
                    _ = try? files.lock(folder + path)
                    try? files.syncDirectory(folder + path)
                }
                _ = try? file.map(length: 9)
                let ours = descriptors(in: folder)
                require(ours.count == 2, "two are open")
                require(ours.allSatisfy { fcntl($0, F_GETFD) == FD_CLOEXEC }, "closed on exec")
                withExtendedLifetime((file, lock)) {}
            }
            require(descriptors(in: folder).isEmpty, "none is left")
        }
    }

    @Test func `a file size limit is an error and not the end of the process`() async {
        await #expect(processExitsWith: .success) {
            let folder = try makeTemporaryFolder()
            defer { removeTree(folder) }
            unignoreFileSizeSignal()
            let file = try PosixFileSystem().open(folder + "/a", .create)
            require(limitFileSize(to: 1000), "setrlimit")
            // The system takes the first part, so that this is the loop over short writes as well.
            let bytes = [UInt8](repeating: 7, count: 1500)
            require(errorNumber { try file.write(bytes, at: 0) } == EFBIG, "write")
            require(try file.size() == 1000, "what fits is there")
            require(errorNumber { try file.truncate(to: 2000) } == EFBIG, "truncate")
            require(errorNumber { try file.write(bytes, at: 2000) } == EFBIG, "beyond")
            try file.write([1], at: 999)
            require(try file.read(2, at: 998) == [7, 1], "it goes on")
        }
    }

    @Test func `a program's own action for SIGXFSZ stays`() async {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ) { _ in }
            _ = PosixFileSystem()
            var action = sigaction()
            unsafe sigaction(SIGXFSZ, nil, &action)
            #if canImport(Glibc)
                let handler = unsafe action.__sigaction_handler.sa_handler
            #else
                let handler = unsafe action.__sigaction_u.__sa_handler
            #endif
            require(handler != nil, "still there")
            require(unsafe unsafeBitCast(handler, to: Int.self) != 1, "not ignored")
        }
    }

    @Test func `a pipe in a file's place is refused and makes nobody wait`() throws {
        let fixture = try FileSystemFixture(.posix)
        let path = fixture.path("pipe")
        #expect(unsafe mkfifo(path, 0o600) == 0)
        #expect(try fixture.files.information(path)?.kind == .other)
        #expect(errorNumber { _ = try fixture.files.open(path, .read) } == EINVAL)
        #expect(errorNumber { _ = try fixture.files.lock(path) } == EINVAL)
    }

    @Test func `another process can't have the lock until we let go`() async throws {
        let fixture = try FileSystemFixture(.posix)
        let path = fixture.path("LOCK")
        let lock = try fixture.files.lock(path)
        await #expect(processExitsWith: .success) { [path = path as String] in
            require(errorNumber { _ = try PosixFileSystem().lock(path) } == EAGAIN, "locked")
        }
        lock.release()
        await #expect(processExitsWith: .success) { [path = path as String] in
            _ = try PosixFileSystem().lock(path)
        }
    }

    @Test func `the lock of a killed process is free at once`() async throws {
        let fixture = try FileSystemFixture(.posix)
        let path = fixture.path("LOCK")
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let lock = try PosixFileSystem().lock(path)
            require(errorNumber { _ = try PosixFileSystem().lock(path) } == EAGAIN, "held")
            kill(getpid(), SIGKILL)
            withExtendedLifetime(lock) {}
        }
        #expect(try fixture.names == ["LOCK"])
        #expect(errorNumber { _ = try fixture.files.lock(path) } == nil)
    }

    @Test func `a big file is read and written whole`() throws {
        let fixture = try FileSystemFixture(.posix)
        let bytes = [UInt8]((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) })
        let file = try fixture.create("a", bytes)
        #expect(try file.read(4_000_000, at: 0) == bytes)
        #expect(try file.map(length: bytes.count).copy == bytes)
    }
}
