// A file system under test with an empty folder of its own, and a few words that make the tests short.
import OfflineEngine
import StorageSimulation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The implementations that must behave alike.
enum FileSystemKind: String, CaseIterable, Sendable {
    case posix
    case simulated
    case recorded
}

/// A file system and a folder in it; a real folder is removed with everything in it when the fixture dies.
final class FileSystemFixture {
    let files: any FileSystem
    let folder: String
    private let plantLink: (String) throws -> Void

    init(_ kind: FileSystemKind) throws {
        switch kind {
        case .posix:
            files = PosixFileSystem()
            folder = try makeTemporaryFolder()
            plantLink = { path in
                if unsafe symlink("/", path) != 0 { throw FileSystemError(.create, path, errno) }
            }
        case .simulated, .recorded:
            let simulated = SimulatedFileSystem()
            files = kind == .recorded ? RecordingFileSystem(simulated) : simulated
            folder = "/folder"
            plantLink = { path in try simulated.addSymbolicLink(path) }
            try files.createDirectory(folder)
        }
    }

    deinit {
        if files is PosixFileSystem { removeTree(folder) }
    }

    func path(_ name: String) -> String { files.path(folder, name) }

    func addSymbolicLink(_ name: String) throws { try plantLink(path(name)) }

    /// A new file with these bytes.
    @discardableResult
    func create(_ name: String, _ bytes: [UInt8] = []) throws -> any File {
        let file = try files.open(path(name), .create)
        try file.write(bytes, at: 0)
        return file
    }

    func read(_ name: String) throws -> [UInt8] {
        let file = try files.open(path(name), .read)
        defer { file.close() }
        return try file.read(Int(file.size()), at: 0)
    }

    var names: [String] {
        get throws { try files.list(folder).sorted() }
    }
}

extension File {
    func write(_ bytes: [UInt8], at offset: UInt64) throws(FileSystemError) {
        let outcome: Result<Void, FileSystemError> = unsafe bytes.withUnsafeBytes { buffer in
            do throws(FileSystemError) {
                return .success(try unsafe write(buffer, at: offset))
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }

    /// Up to `count` bytes from `offset`.
    func read(_ count: Int, at offset: UInt64) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: count)
        let found = try unsafe bytes.withUnsafeMutableBytes {
            try unsafe read(into: $0, at: offset)
        }
        return Array(bytes.prefix(found))
    }
}

extension FileMap {
    var copy: [UInt8] { unsafe [UInt8](bytes) }
}

/// The error number that `body` ends with; nil where it throws none.
func errorNumber(_ body: () throws -> Void) -> Int32? {
    do {
        try body()
        return nil
    } catch let error as FileSystemError {
        return error.number
    } catch {
        return -1
    }
}

/// A new empty folder for a test.
func makeTemporaryFolder() throws -> String {
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/offline-XXXXXX".utf8CString)
    guard let made = unsafe mkdtemp(&template) else {
        throw FileSystemError(.createDirectory, parent, errno)
    }
    return unsafe String(cString: made)
}

/// Removes a folder and all in it.
func removeTree(_ path: String) {
    let files = PosixFileSystem()
    for name in (try? files.list(path)) ?? [] {
        let inner = files.path(path, name)
        if let kind = try? files.information(inner)?.kind, kind == .directory {
            removeTree(inner)
        } else {
            try? files.remove(inner)
        }
    }
    unsafe rmdir(path)
}
