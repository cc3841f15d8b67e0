// A store's files are its owner's alone, on every backend that has any: whatever the umask, whatever the folder was before, and whatever
// somebody has put in the place of a file. What changes the process (umask, user) runs in a child.
import Foundation
import OfflineBytes
import Testing

@testable import OfflineKit

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A store on disk, in a folder of the test's own.
private struct Place {
    let backend: TestBackend
    let folder: TestFolder
    /// The database's own folder.
    var path: String { folder.path + "/test.offline" }

    init(_ backend: TestBackend) throws {
        self.backend = backend
        folder = try TestFolder()
    }

    func open(_ change: (inout StorageOptions) -> Void = { _ in }) async throws -> OfflineStore {
        var options = StorageOptions(
            databaseName: "test", directory: folder.url, storageSchema: TestStore.schema)
        options.storageBackend = try StorageBackendOption(named: backend.rawValue)
        change(&options)
        return try await OfflineStore.open(options)
    }

    /// Opens the store, writes, reads, compacts, and looks at it before and after it is closed.
    func use(_ look: () throws -> Void = {}) async throws {
        let store = try await open()
        for number in 0..<20 as Range<Int64> {
            let text = Value.string(String(repeating: "x", count: 5_000))
            try await store.upsert("users", ["id": .string("u\(number)"), "text": text])
        }
        try look()
        try await store.compact()
        try await store.create("orders", [:])
        try look()
        try await store.close()
        try look()
        let again = try await open()
        guard try await again.count("users") == 20 else { throw POSIXError(.EBADMSG) }
        try look()
        try await again.close()
    }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }

    /// Whatever isn't as it should be.
    func strangers() throws -> [String] {
        let files = try names.filter { mode(path + "/" + $0) != 0o600 }
        return (mode(path) == 0o700 ? [] : ["the folder"]) + files
    }
}

/// Permission bits, of the link itself where it is one.
private func mode(_ path: String) -> mode_t? {
    var status = stat()
    return unsafe lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
}

// System calls, each true where it succeeded.
private func setMode(_ path: String, _ mode: mode_t) -> Bool { unsafe chmod(path, mode) == 0 }
private func give(_ path: String, to user: uid_t) -> Bool { unsafe chown(path, user, user) == 0 }
private func move(_ path: String, to target: String) -> Bool { unsafe rename(path, target) == 0 }
private func link(_ path: String, to target: String) -> Bool { unsafe symlink(target, path) == 0 }
private func makeFolder(_ path: String) -> Bool { unsafe mkdir(path, 0o700) == 0 }
private func remove(_ path: String) -> Bool { unsafe unlink(path) == 0 }

/// Ends a child process as failed where something is left to say.
private func require(_ strangers: [String], _ words: String) {
    if !strangers.isEmpty { fatalError("\(words): \(strangers)") }
}

@Suite struct FilePrivacyTests {
    private static let onDisk = TestBackend.allCases.filter { $0 != .memory }
    private static let isAdministrator = geteuid() == 0
    /// A user that isn't us, whoever we are.
    private static let other: uid_t = 54_321

    @Test(arguments: onDisk, [0, 0o022, 0o077, 0o277, 0o777] as [mode_t])
    func `files are 0600 in a 0700 folder whatever the umask`(
        backend: TestBackend, mask: mode_t
    ) async {
        await #expect(processExitsWith: .success) { [name = backend.rawValue as String, mask] in
            let place = try Place(TestBackend(rawValue: name) ?? .log)
            defer { place.folder.remove() }
            umask(mask)
            try await place.use { require(try place.strangers(), "with umask \(mask)") }
        }
    }

    @Test(
        .enabled(if: isAdministrator, "only an administrator may become another user"),
        arguments: onDisk)
    func `so they are for a user who may do less`(backend: TestBackend) async {
        await #expect(processExitsWith: .success) { [name = backend.rawValue as String] in
            let place = try Place(TestBackend(rawValue: name) ?? .log)
            if !give(place.folder.path, to: 54_321) { fatalError("chown") }
            guard setgid(54_321) == 0, setuid(54_321) == 0 else { fatalError("setuid") }
            umask(0o777)
            try await place.use { require(try place.strangers(), "as another user") }
            place.folder.remove()
        }
    }

    @Test(arguments: onDisk) func `a folder that is open to others is closed to them`(
        backend: TestBackend
    ) async throws {
        let place = try Place(backend)
        defer { place.folder.remove() }
        for wide in [0o777, 0o750, 0o1777, 0o500] as [mode_t] {
            try? FileManager.default.removeItem(atPath: place.path)
            #expect(makeFolder(place.path) && setMode(place.path, wide))
            try await place.use()
            #expect(try place.strangers() == [], "\(wide)")
        }
        #expect(setMode(place.path, 0o755))
        let reader = try await place.open { $0.isReadOnly = true }
        #expect(try await reader.count("users") == 20)
        try await reader.close()
        #expect(mode(place.path) == 0o755, "a reader changes nothing")
    }

    @Test(
        .enabled(if: isAdministrator, "only an administrator may give a folder away"),
        arguments: onDisk)
    func `another user's folder is permissionDenied, and left as it is`(
        backend: TestBackend
    ) async throws {
        let place = try Place(backend)
        defer { place.folder.remove() }
        try await place.use()
        for path in try [place.path] + place.names.map({ place.path + "/" + $0 }) {
            #expect(give(path, to: Self.other))
        }
        #expect(setMode(place.path, 0o777))
        let before = try place.names
        let error = await expectError(.permissionDenied) { _ = try await place.open() }
        #expect(error?.message.contains("another user") == true, "\(error?.message ?? "")")
        #expect(try place.names == before && mode(place.path) == 0o777)
        // An administrator may read anybody's; nobody else may, however open it is.
        let reader = try await place.open { $0.isReadOnly = true }
        #expect(try await reader.count("users") == 20)
        try await reader.close()
        await #expect(processExitsWith: .success) {
            [name = backend.rawValue as String, path = place.folder.path as String] in
            guard setgid(54_322) == 0, setuid(54_322) == 0 else { fatalError("setuid") }
            var options = StorageOptions(
                databaseName: "test", directory: URL(filePath: path),
                storageSchema: TestStore.schema)
            options.storageBackend = try StorageBackendOption(named: name)
            for isReadOnly in [false, true] {
                options.isReadOnly = isReadOnly
                do {
                    _ = try await OfflineStore.open(options)
                    fatalError("it is open")
                } catch let error as OfflineError where error.code == .permissionDenied {}
            }
        }
    }

    @Test(arguments: onDisk) func `a symbolic link in the folder's place is permissionDenied`(
        backend: TestBackend
    ) async throws {
        let place = try Place(backend)
        defer { place.folder.remove() }
        try await place.use()
        let target = place.folder.path + "/elsewhere"
        #expect(move(place.path, to: target) && link(place.path, to: target))
        for isReadOnly in [false, true] {
            await expectError(.permissionDenied, "read-only: \(isReadOnly)") {
                _ = try await place.open { $0.isReadOnly = isReadOnly }
            }
        }
    }

    @Test(arguments: onDisk) func `a symbolic link in a file's place is permissionDenied`(
        backend: TestBackend
    ) async throws {
        let place = try Place(backend)
        defer { place.folder.remove() }
        let found = Protected<Set<String>>([])
        try await place.use {
            let names = try place.names
            found.withLock { $0.formUnion(names) }
        }
        let target = place.folder.path + "/elsewhere"
        // Those of an open store, some of which go when it is closed, and those that are soon gone.
        let soonGone = ["STATE.new", "STATE.recent", "store.sqlite-journal", "00000099.log"]
        for name in soonGone + found.withLock({ $0 }) {
            let path = place.path + "/" + name
            let isThere = Self.isFile(path)
            if !isThere {
                #expect(FileManager.default.createFile(atPath: path, contents: Data("x".utf8)))
            }
            #expect(move(path, to: target) && link(path, to: target))
            let bytes = try Data(contentsOf: URL(filePath: target))
            for isReadOnly in [false, true] {
                let error = await expectError(
                    .permissionDenied, "\(name), read-only: \(isReadOnly)"
                ) {
                    _ = try await place.open { $0.isReadOnly = isReadOnly }
                }
                #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
            }
            #expect(try Data(contentsOf: URL(filePath: target)) == bytes, "\(name)")
            #expect(remove(path) && move(target, to: path))
            if !isThere { #expect(remove(path)) }
        }
        try await place.open().close()
    }

    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
