// What every file system does with names: one list of behaviours over all implementations.
import OfflineEngine
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct FileSystemTests {
    @Test(arguments: FileSystemKind.allCases)
    func `a created file is found, listed and empty`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        try fixture.create("a")
        try fixture.create("b", [1, 2, 3])
        try fixture.files.createDirectory(fixture.path("c"))
        #expect(try fixture.names == ["a", "b", "c"])
        let information = { try fixture.files.information(fixture.path($0)) }
        #expect(try information("a") == FileInformation(kind: .file, size: 0))
        #expect(try information("b") == FileInformation(kind: .file, size: 3))
        #expect(try information("c")?.kind == .directory)
        #expect(try information("d") == nil)
        #expect(try information("d/e") == nil)
        #expect(try fixture.files.list(fixture.path("c")) == [])
    }

    @Test(arguments: FileSystemKind.allCases)
    func `a taken name can't be created again`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        try fixture.create("a", [1])
        try fixture.files.createDirectory(fixture.path("b"))
        for name in ["a", "b"] {
            let path = fixture.path(name)
            #expect(errorNumber { _ = try fixture.files.open(path, .create) } == EEXIST)
            #expect(errorNumber { try fixture.files.createDirectory(path) } == EEXIST)
        }
        #expect(try fixture.read("a") == [1])
    }

    @Test(arguments: FileSystemKind.allCases)
    func `what isn't there is ENOENT`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let files = fixture.files
        for path in [fixture.path("a"), fixture.path("a/b")] {
            #expect(errorNumber { _ = try files.open(path, .read) } == ENOENT)
            #expect(errorNumber { _ = try files.open(path, .readWrite) } == ENOENT)
            #expect(errorNumber { try files.remove(path) } == ENOENT)
            #expect(errorNumber { try files.rename(path, to: fixture.path("c")) } == ENOENT)
            #expect(errorNumber { _ = try files.list(path) } == ENOENT)
            #expect(errorNumber { try files.syncDirectory(path) } == ENOENT)
            #expect(errorNumber { _ = try files.availableBytes(path) } == ENOENT)
        }
        let nested = fixture.path("a/b")
        #expect(errorNumber { _ = try files.open(nested, .create) } == ENOENT)
        #expect(errorNumber { _ = try files.lock(nested) } == ENOENT)
        #expect(errorNumber { try files.createDirectory(nested) } == ENOENT)
    }

    @Test(arguments: FileSystemKind.allCases)
    func `a folder is no file and a file is no folder`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let files = fixture.files
        let folder = fixture.path("folder")
        let file = fixture.path("file")
        try files.createDirectory(folder)
        try fixture.create("file", [1])
        #expect(errorNumber { _ = try files.open(folder, .read) } == EISDIR)
        #expect(errorNumber { _ = try files.open(folder, .readWrite) } == EISDIR)
        #expect(errorNumber { _ = try files.lock(folder) } == EISDIR)
        #expect(errorNumber { try files.remove(folder) } == EISDIR)
        #expect(errorNumber { try files.rename(file, to: folder) } == EISDIR)
        #expect(errorNumber { try files.rename(folder, to: file) } == ENOTDIR)
        #expect(errorNumber { _ = try files.list(file) } == ENOTDIR)
        #expect(errorNumber { try files.syncDirectory(file) } == ENOTDIR)
        #expect(errorNumber { _ = try files.open(files.path(file, "x"), .create) } == ENOTDIR)
        #expect(errorNumber { _ = try files.information(files.path(file, "x")) } == ENOTDIR)
        #expect(try fixture.names == ["file", "folder"])
    }

    @Test(arguments: FileSystemKind.allCases)
    func `a symbolic link is seen and refused`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let files = fixture.files
        try fixture.addSymbolicLink("link")
        let link = fixture.path("link")
        #expect(try files.information(link)?.kind == .symbolicLink)
        #expect(errorNumber { _ = try files.open(link, .read) } == ELOOP)
        #expect(errorNumber { _ = try files.open(link, .readWrite) } == ELOOP)
        #expect(errorNumber { _ = try files.open(link, .create) } == EEXIST)
        #expect(errorNumber { _ = try files.lock(link) } == ELOOP)
        #expect(errorNumber { _ = try files.list(link) } == ELOOP)
        #expect(errorNumber { try files.syncDirectory(link) } == ELOOP)
        try files.remove(link)
        #expect(try fixture.names == [])
    }

    @Test(arguments: FileSystemKind.allCases)
    func `a rename moves a file and replaces another`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let files = fixture.files
        let open = try fixture.create("a", [1])
        try fixture.create("b", [2, 2])
        try files.rename(fixture.path("a"), to: fixture.path("b"))
        #expect(try fixture.names == ["b"])
        #expect(try fixture.read("b") == [1])
        try open.write([9], at: 0)
        #expect(try fixture.read("b") == [9])

        try files.createDirectory(fixture.path("c"))
        try files.rename(fixture.path("b"), to: fixture.path("c/b"))
        #expect(try fixture.read("c/b") == [9])
        try files.rename(fixture.path("c"), to: fixture.path("d"))
        #expect(try fixture.names == ["d"])
        #expect(try fixture.read("d/b") == [9])
        try files.rename(fixture.path("d/b"), to: fixture.path("d/b"))
        #expect(try fixture.read("d/b") == [9])
        #expect(
            errorNumber { try files.rename(fixture.path("d"), to: fixture.path("d/e")) } == EINVAL)
    }

    @Test(arguments: FileSystemKind.allCases)
    func `a folder replaces only an empty folder`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let files = fixture.files
        for name in ["a", "empty", "full"] { try files.createDirectory(fixture.path(name)) }
        try fixture.create("full/x")
        try files.rename(fixture.path("a"), to: fixture.path("empty"))
        #expect(try fixture.names == ["empty", "full"])
        #expect(
            errorNumber { try files.rename(fixture.path("empty"), to: fixture.path("full")) }
                == ENOTEMPTY)
    }

    @Test(arguments: FileSystemKind.allCases)
    func `a removed file lives on in its handle and map`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let file = try fixture.create("a", [1, 2, 3])
        let map = try file.map(length: 3)
        try fixture.files.remove(fixture.path("a"))
        #expect(try fixture.names == [])
        try file.write([7], at: 1)
        #expect(try file.read(9, at: 0) == [1, 7, 3])
        file.close()
        #expect(map.copy == [1, 7, 3])
        try fixture.create("a")
        #expect(try fixture.read("a") == [])
    }

    @Test(arguments: FileSystemKind.allCases)
    func `one holder has the lock, in one process too`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let path = fixture.path("LOCK")
        let first = try fixture.files.lock(path)
        #expect(try fixture.names == ["LOCK"])
        #expect(errorNumber { _ = try fixture.files.lock(path) } == EAGAIN)
        // Another handle of the file that comes and goes doesn't drop the lock.
        try fixture.files.open(path, .readWrite).close()
        #expect(errorNumber { _ = try fixture.files.lock(path) } == EAGAIN)
        first.release()
        first.release()
        do {
            let second = try fixture.files.lock(path)
            #expect(errorNumber { _ = try fixture.files.lock(path) } == EAGAIN)
            withExtendedLifetime(second) {}
        }
        #expect(errorNumber { _ = try fixture.files.lock(path) } == nil)
    }

    @Test(arguments: FileSystemKind.allCases)
    func `names of odd form are refused or kept`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let files = fixture.files
        let withNull = fixture.path("a\0b")
        try fixture.create("a")
        #expect(errorNumber { _ = try files.open(withNull, .read) } == EINVAL)
        #expect(errorNumber { _ = try files.open(withNull, .create) } == EINVAL)
        #expect(errorNumber { _ = try files.information(withNull) } == EINVAL)
        #expect(errorNumber { try files.remove(withNull) } == EINVAL)
        #expect(errorNumber { try files.rename(fixture.path("a"), to: withNull) } == EINVAL)
        let long = fixture.path(String(repeating: "x", count: 256))
        #expect(errorNumber { _ = try files.open(long, .create) } == ENAMETOOLONG)
        try fixture.create("späß 🌊.log", [1])
        #expect(try fixture.names == ["a", "späß 🌊.log"])
    }

    @Test(arguments: FileSystemKind.allCases)
    func `a folder can be synced and asked for its room`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let file = try fixture.create("a", [1])
        try file.sync()
        try fixture.files.syncDirectory(fixture.folder)
        #expect(try fixture.files.availableBytes(fixture.folder) > 0)
    }
}
