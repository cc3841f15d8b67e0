// A small store with nothing random in it but its identity, in a folder that goes with it.
internal import Foundation
internal import OfflineKit
internal import Testing

/// A folder for one test, removed at its end.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "offline-cli-\(UUID())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path(percentEncoded: false) }

    /// Writes a file; its path.
    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: url.appending(path: name))
        return path(name)
    }
}

/// Makes the store of most tests.
enum SmallStore {
    static let name = "small.offline"

    static func options(in folder: TemporaryFolder) -> StorageOptions {
        StorageOptions(
            databaseName: "small", directory: folder.url,
            storageSchema: [
                CollectionSchema(
                    name: "users",
                    indexes: [
                        IndexSchema(name: "email", keyPath: "email", unique: true),
                        IndexSchema(name: "place", keyPaths: ["country", "city"]),
                    ], tracksChanges: false),
                CollectionSchema(name: "notes", keyPath: "number", tracksChanges: false),
            ])
    }

    /// Three commits, closed; its path.
    @discardableResult
    static func make(in folder: TemporaryFolder) async throws -> String {
        let empty = try await OfflineStore.open(options(in: folder))
        await waitForPreparedFile("00000002.log", folder)
        try await empty.close()
        let store = try await OfflineStore.open(options(in: folder))
        try await fill(store)
        await waitForPreparedFile("00000004.log", folder)
        try await store.close()
        return folder.path(name)
    }

    /// The next log file is made ready in the background. Only once it is there are the numbers of later files, and so the
    /// store's bytes, the same in every run.
    private static func waitForPreparedFile(_ file: String, _ folder: TemporaryFolder) async {
        let path = folder.path("\(name)/\(file)")
        for _ in 0..<1_000_000 {
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            if (attributes?[.size] as? NSNumber)?.intValue == 65_536 { return }
            await Task.yield()
        }
        Issue.record("the engine prepared no log file")
    }

    static func fill(_ store: OfflineStore) async throws {
        try await store.createBatch(
            "users",
            [
                ["id": "u1", "email": "ada@example.com", "country": "GB", "city": "London"],
                ["id": "u2", "email": "grace@example.com", "country": "US", "city": "New York"],
            ])
        try await store.create("notes", ["number": 7, "text": "seven", "tags": ["a", "b"]])
        try await store.delete("users", "u2")
    }
}
