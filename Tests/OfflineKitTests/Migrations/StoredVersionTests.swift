// What a store notes of its migrations: which notes count, and what becomes of them.
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct StoredVersionTests {
    /// A backend with a collection of users, and records of the store's own.
    private func backend(_ version: UInt64 = 2) async throws -> MemoryBackend {
        let backend = MemoryBackend()
        try await backend.initialize(BackendConfiguration(path: "", deriver: StoreKeyDeriver()))
        let changes = try SchemaChanges(
            stored: [], nextSequence: 1, wanted: [CollectionSchema(name: "users")])
        try await backend.define(changes.changes, version: version) { _, _ in }
        return backend
    }

    private func put(
        _ record: (key: [UInt8], value: [UInt8]), in backend: any StorageBackend
    ) async throws {
        let own = try #require(try SchemaState(stored: backend.snapshot()).storeRecords)
        let batch = try backend.begin([own], reading: [])
        try batch.put(own, key: record.key, record: record.value)
        try await batch.commit(appended: {}, committed: { _ in })
    }

    private func ownCount(_ backend: any StorageBackend) throws -> Int {
        let own = try #require(try SchemaState(stored: backend.snapshot()).storeRecords)
        return try backend.snapshot().count(TreeID(own), in: .all)
    }

    @Test func `a version counts while the definitions have the one that it is over`() async throws
    {
        for (defined, data, counts) in [(2, 3, 3), (2, 1, 1), (1, 3, 2), (3, 5, 2)] {
            let backend = try await backend()
            try await put(
                StoredVersion.versionRecord(data, over: UInt64(defined)), in: backend)
            #expect(try StoredVersion(backend.snapshot()).number == UInt64(counts))
            #expect(try SchemaState(stored: backend.snapshot()).version == counts)
            try await StoredVersion.settle(backend)
            #expect(try backend.snapshot().storedVersion == UInt64(counts))
            #expect(try ownCount(backend) == 0)
        }
    }

    @Test func `key paths count until the definition has them`() async throws {
        let backend = try await backend()
        let id = try SchemaState(stored: backend.snapshot()).collection("users").id
        try await put(StoredVersion.keyPathsRecord(["a", "b.c"], of: id), in: backend)
        try await put(StoredVersion.keyPathsRecord(["x"], of: CollectionID(77)), in: backend)
        let read = try SchemaState(stored: backend.snapshot()).collection("users")
        #expect(read.schema.keyPaths == ["a", "b.c"])
        try await StoredVersion.settle(backend)
        #expect(try ownCount(backend) == 0)
        let settled = try SchemaState(stored: backend.snapshot()).collection("users")
        #expect(settled.schema.keyPaths == ["a", "b.c"])
        #expect(settled.id == id)
    }

    @Test func `any other bytes are damage`() async throws {
        let version = StoredVersion.versionRecord(300, over: 2)
        let paths = StoredVersion.keyPathsRecord(["a", "b.c"], of: CollectionID(1))
        var damaged: [(key: [UInt8], value: [UInt8])] = []
        for record in [version, paths] {
            for length in record.value.indices {
                damaged.append((record.key, Array(record.value.prefix(length))))
            }
            damaged.append((record.key, record.value + [0]))
        }
        damaged += [
            (paths.key, [0]), (paths.key, [1, 0]), (paths.key, [1, 2, 0xFF, 0xFE]),
            (paths.key, [33] + Array(repeating: 0, count: 66)),
            (paths.key, [1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]),
            (version.key, [UInt8](repeating: 0xFF, count: 12)),
        ]
        for record in damaged {
            let backend = try await backend()
            try await put(record, in: backend)
            await expectError(.corrupted, "\(record)") { _ = try StoredVersion(backend.snapshot()) }
            await expectError(.corrupted, "\(record)") { try await StoredVersion.settle(backend) }
        }
    }
}
