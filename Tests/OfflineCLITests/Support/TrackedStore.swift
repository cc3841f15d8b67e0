// A small store with changes of every kind, and a way to put into it what no store would.
internal import Foundation
internal import OfflineKit
internal import Testing

/// Makes a store that tracks changes. Of `users`, `u1` is synchronized, `u2` was changed and `u3` deleted since, `u4` is new, and `u5` was
/// deleted before anyone knew of it.
enum TrackedStore {
    static let name = "tracked.offline"

    static func options(in folder: TemporaryFolder) -> StorageOptions {
        StorageOptions(
            databaseName: "tracked", directory: folder.url,
            storageSchema: [
                CollectionSchema(name: "users"),
                CollectionSchema(name: "notes", tracksChanges: false),
            ])
    }

    /// Makes and closes it; its path.
    static func make(in folder: TemporaryFolder) async throws -> String {
        let store = try await OfflineStore.open(options(in: folder))
        try await store.createBatch(
            "users", [["id": "u1"], ["id": "u2", "age": 1], ["id": "u3"], ["id": "u4"]])
        try await store.create("notes", ["id": "n"])
        let changes = try await store.getChanges()
        try await store.markSynchronized(changes.filter { $0.key != "u4" })
        try await store.update("users", ["id": "u2", "age": 2])
        _ = try await store.delete("users", "u3")
        try await store.create("users", ["id": "u5"])
        _ = try await store.delete("users", "u5")
        try await store.close()
        return folder.path(name)
    }

    /// Stores bytes under a key of a collection, whatever they are.
    static func put(
        _ bytes: [UInt8], key: [UInt8], of collection: UInt32, in folder: TemporaryFolder
    ) async throws {
        let backend = LogBackend()
        try await backend.initialize(
            BackendConfiguration(path: folder.path(name), deriver: NoKeys()))
        let batch = try backend.begin([CollectionID(collection)], reading: [])
        try batch.put(CollectionID(collection), key: key, record: bytes)
        try await batch.commit(appended: {}, committed: { _ in })
        try await backend.close()
    }

    /// Nothing is replayed of a store that was closed, so nothing is derived.
    private final class NoKeys: KeyDeriver {
        func load(_ collection: StoredCollection) {}
        func extendDictionary(of collection: CollectionID, with names: [String]) {}
        func deriveKeys(
            of collection: CollectionID, key: RawSpan, record: RawSpan,
            into keys: inout DerivedKeys
        ) {
            Issue.record("something is replayed")
        }
    }
}
