// What a store says about the space it takes, on each backend.
import Foundation
import OfflineDocuments
import OfflineEngine
import Testing

@testable import OfflineKit

@Suite struct StorageInfoTests {
    private static let schema = [
        CollectionSchema(name: "a", indexes: [IndexSchema(name: "n", keyPath: "n")]),
        CollectionSchema(name: "b"),
    ]

    private static func size(of folder: URL) throws -> Int64 {
        let manager = FileManager.default
        let keys: [URLResourceKey] = [.isRegularFileKey, .fileSizeKey]
        guard let files = manager.enumerator(at: folder, includingPropertiesForKeys: keys) else {
            return 0
        }
        var sum: Int64 = 0
        while let file = files.nextObject() as? URL {
            let values = try file.resourceValues(forKeys: Set(keys))
            if values.isRegularFile == true { sum += Int64(values.fileSize ?? 0) }
        }
        return sum
    }

    @Test(arguments: [TestBackend.log, .file])
    func `the sums are the sizes of the files`(backend: TestBackend) async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        // No file is made in the background between the two looks at them.
        let log = LogBackend { $0.preparesLogFiles = false }
        let options = StorageOptions(
            databaseName: "sizes", directory: folder.url,
            storageBackend: backend == .log ? .custom(log) : .file, storageSchema: Self.schema)
        let store = try await OfflineStore.open(options)
        for round in 0..<5 {
            try await store.createBatch(
                "a", (0..<200).map { ["id": .int(Int64(round * 1_000 + $0)), "n": 1] })
            let info = try await store.getStorageInfo()
            let size = try Self.size(of: folder.url)
            #expect(info.usedBytes == size)
            // What is in neither is the superblock and the lock.
            #expect(info.logBytes + info.treeBytes <= size)
            #expect(info.logBytes + info.treeBytes >= size - 16_384)
        }
        try await store.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `records, entries and pending changes are counted`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await store.createBatch("a", [["id": 1, "n": 1], ["id": 2, "n": 2]])
            try await store.create("b", ["id": "x"])
            let before = try await store.getStorageInfo()
            #expect(before.pendingChanges == 3)
            #expect(before.collectionUsage.keys.sorted() == ["a", "b"])
            #expect(before.collectionUsage["a"]?.recordCount == 2)
            let bytes = try #require(before.collectionUsage["a"])
            #expect(bytes.recordBytes > 0 && bytes.indexBytes > 0)
            try await store.markSynchronized(store.getChanges("b"))
            try await store.delete("a", 1)
            let after = try await store.getStorageInfo()
            // The record whose creation was never given out is gone without a trace.
            #expect(after.pendingChanges == 1)
            #expect(after.collectionUsage["a"]?.recordCount == 1)
            let less = try #require(after.collectionUsage["a"])
            #expect(less.recordBytes < bytes.recordBytes && less.indexBytes < bytes.indexBytes)
            #expect(after.sizeLimit == nil)
        }
    }

    @Test func `what is available is the rest of the limit, or of the device`() async throws {
        let place = try TestStore(.log)
        let limit: Int64 = 50_000_000
        let store = try await place.open(Self.schema) { $0.sizeLimit = limit }
        let info = try await store.getStorageInfo()
        #expect(info.sizeLimit == limit)
        #expect(info.availableBytes <= limit - info.usedBytes)
        #expect(info.availableBytes >= 0)
        try await store.close()
        place.remove()
    }

    @Test func `the oldest snapshot has its age`() async throws {
        let clock = ManualClock()
        try await TestStore.with(.memory, Self.schema, clock: clock) { store in
            func age() async throws -> Duration? {
                try await store.getStorageInfo().oldestSnapshotAge
            }
            #expect(try await age() == nil)
            let first = try await store.snapshot()
            clock.advance(by: .seconds(5))
            var second: Snapshot? = try await store.snapshot()
            clock.advance(by: .seconds(2))
            #expect(try await age() == .seconds(7))
            first.close()
            #expect(try await age() == .seconds(2))
            #expect(second != nil)
            second = nil
            #expect(try await age() == nil)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `compacting changes nothing that is read`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            for round in 0..<3 {
                for id in 0..<50 {
                    try await store.upsert("a", ["id": .int(Int64(id)), "n": .int(Int64(round))])
                }
            }
            try await store.deleteBatch("a", Array(0..<40))
            let before = try await store.query("a")
            try await store.compact()
            #expect(try await store.query("a") == before)
            #expect(try await store.count("a", ["n": 2]) == 10)
        }
    }
}
