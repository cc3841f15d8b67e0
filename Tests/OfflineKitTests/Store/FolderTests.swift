import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

/// Folders that aren't as they should be: each has its error, and nothing is changed.
@Suite struct FolderTests {
    private func options(_ directory: URL) -> StorageOptions {
        StorageOptions(
            databaseName: "test", directory: directory, storageSchema: TestStore.schema)
    }

    @Test func `a folder that doesn't exist is named`() async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        let missing = folder.url.appending(path: "missing")
        let error = await expectError(.storageUnavailable) {
            _ = try await OfflineStore.open(options(missing))
        }
        #expect(error?.message.isEmpty == false)
        #expect(!FileManager.default.fileExists(atPath: missing.path()))
    }

    @Test func `a file where the database's folder should be`() async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        let place = folder.url.appending(path: "test.offline")
        try Data("mine".utf8).write(to: place)
        await expectError(.storageUnavailable) {
            _ = try await OfflineStore.open(options(folder.url))
        }
        #expect(try Data(contentsOf: place) == Data("mine".utf8))
    }

    @Test func `a store whose superblock is destroyed is corrupted and left as it is`() async throws
    {
        let folder = try TestFolder()
        defer { folder.remove() }
        let store = try await OfflineStore.open(options(folder.url))
        try await store.create("users", ["id": "a"])
        try await store.close()
        let place = folder.url.appending(path: "test.offline")
        let file = place.appending(path: "SUPERBLOCK")
        try Data("no superblock".utf8).write(to: file)
        let before = try FileManager.default.contentsOfDirectory(atPath: place.path()).sorted()
        let error = await expectError(.corrupted) {
            _ = try await OfflineStore.open(options(folder.url))
        }
        #expect(error?.message.contains("SUPERBLOCK") == true)
        #expect(try Data(contentsOf: file) == Data("no superblock".utf8))
        let after = try FileManager.default.contentsOfDirectory(atPath: place.path()).sorted()
        #expect(before == after)
    }

    @Test func `a second writer is databaseLocked, a reader beside it works`() async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        let writer = try await OfflineStore.open(options(folder.url))
        try await writer.create("users", ["id": "a"])
        await expectError(.databaseLocked) { _ = try await OfflineStore.open(options(folder.url)) }
        var readOnly = options(folder.url)
        readOnly.isReadOnly = true
        let reader = try await OfflineStore.open(readOnly)
        #expect(try await reader.count("users") == 1)
        try await writer.create("users", ["id": "b"])
        #expect(try await reader.count("users") == 1, "the view is fixed")
        try await reader.refresh()
        #expect(try await reader.count("users") == 2)
        try await writer.close()
        try await reader.refresh()
        #expect(try await reader.count("users") == 2)
        try await reader.close()
        let next = try await OfflineStore.open(options(folder.url))
        #expect(try await next.count("users") == 2)
        try await next.close()
    }

    @Test func `a read-only opening of nothing is storageUnavailable and makes nothing`()
        async throws
    {
        let folder = try TestFolder()
        defer { folder.remove() }
        var readOnly = options(folder.url)
        readOnly.isReadOnly = true
        await expectError(.storageUnavailable) { _ = try await OfflineStore.open(readOnly) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func `the application-data folder is made if need be`() throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        let data = folder.path + "/deep/data"
        let path = try StoreLocation.path(
            for: StorageOptions(databaseName: "d"), environment: ["XDG_DATA_HOME": data])
        #expect(path == data + "/d.offline")
        #expect(FileManager.default.fileExists(atPath: data))
        let home = try StoreLocation.path(
            for: StorageOptions(databaseName: "d"),
            environment: ["HOME": folder.path, "XDG_DATA_HOME": "relative"])
        #expect(home == folder.path + "/.local/share/d.offline")
        #expect(throws: OfflineError.self) {
            _ = try StoreLocation.path(for: StorageOptions(databaseName: "d"), environment: [:])
        }
    }

    @Test func `a folder that is removed while the store is open is an error or no matter`()
        async throws
    {
        let folder = try TestFolder()
        let store = try await OfflineStore.open(options(folder.url))
        try await store.create("users", ["id": "a"])
        folder.remove()
        // What is mapped stays readable; what needs a new file fails cleanly.
        #expect(try await store.get("users", "a") != nil)
        do {
            for number in 0..<50 as Range<Int64> {
                let text = Value.string(String(repeating: "x", count: 100_000))
                try await store.create("users", ["id": .int(number), "text": text])
            }
        } catch let error as OfflineError {
            #expect(
                [.storageUnavailable, .outcomeUnknown, .readOnly].contains(error.code), "\(error)")
        }
        do { try await store.close() } catch is OfflineError {}
        await expectError(.storageUnavailable) {
            _ = try await OfflineStore.open(options(folder.url))
        }
    }
}
