// Migrations beside what else a collection may have: changes to be synchronized, sealed fields, a JSON Schema, delete rules, and records
// that a custom backend keeps.
import Foundation
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct MigrationFieldTests {
    private static func options(
        _ place: TestStore, _ version: Int, _ schema: [CollectionSchema],
        _ migrations: [any Migration], sensitive: Bool = false
    ) -> StorageOptions {
        place.options(schema) { options in
            options.version = version
            if !migrations.isEmpty { options.migrationManager = MigrationManager(migrations) }
            if sensitive {
                options.encryption = EncryptionOptions(
                    sensitiveFields: [], encryptionKeyProvider: KeyEnvelopeTests.key(1))
            }
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `what a migration changes is to be synchronized, with what the server has`(
        backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        let schema = [
            CollectionSchema(name: "c"), CollectionSchema(name: "cache", tracksChanges: false),
        ]
        var store = try await OfflineStore.open(Self.options(place, 1, schema, []))
        for id in ["a", "b", "c"] {
            try await store.create("c", ["id": .string(id), "n": 1])
            try await store.create("cache", ["id": .string(id)])
        }
        try await store.markSynchronized(try await store.getChanges())
        try await store.close()
        let migration = TestMigration(2) { store in
            try await store.update("c", ["id": "a", "n": 2])
            try await store.delete("c", "b")
            try await store.create("c", ["id": "d"])
            try await store.update("cache", ["id": "a", "n": 2])
        }
        store = try await OfflineStore.open(Self.options(place, 2, schema, [migration]))
        let changes = try await store.getChanges()
        #expect(changes.map(\.key) == ["a", "b", "d"])
        #expect(changes.map(\.operation) == [.update, .delete, .create])
        #expect(changes.map(\.base) == [["id": "a", "n": 1], ["id": "b", "n": 1], nil])
        #expect(try await store.verify().problems == [])
        try await store.close()
    }

    @Test func `a migration reads and writes sealed fields opened, and moves them to new keys`()
        async throws
    {
        let place = try TestStore(.log)
        defer { place.remove() }
        func schema(_ keyPath: String) -> [CollectionSchema] {
            [
                CollectionSchema(
                    name: "c", keyPath: keyPath,
                    indexes: [IndexSchema(name: "s", keyPath: "s", unique: true)],
                    sensitiveFields: ["s"])
            ]
        }
        var store = try await OfflineStore.open(
            Self.options(place, 1, schema("id"), [], sensitive: true))
        for id in 0..<20 as Range<Int64> {
            try await store.create("c", ["id": .int(id), "s": .string("MARKER-\(id)")])
        }
        try await store.close()
        let migration = TestMigration(2) { store in
            for try await var record in store.stream("c") {
                let text = record["s"]?.stringValue ?? ""
                record["s"] = .string(text + "-more")
                record["k"] = .int(-(Int64(record["id"]?.intValue ?? 0)))
                try await store.update("c", record)
            }
        }
        let options = Self.options(place, 2, schema("k"), [migration], sensitive: true)
        // A violation says nothing of the values.
        let copying = MigrationManager([
            TestMigration(2) { store in
                try await store.update("c", ["id": 3, "s": "MARKER-4"])
            }
        ])
        let report = try await copying.rehearse(options)
        #expect(report.violations.map(\.code) == [.migrationFailed])
        #expect(!report.description.contains("MARKER"), "\(report)")
        store = try await OfflineStore.open(options)
        #expect(try await store.get("c", -7)?["s"] == "MARKER-7-more")
        #expect(try await store.count("c", ["s": "MARKER-12-more"]) == 1)
        #expect(try await store.verify().problems == [])
        try await store.close()
    }

    @Test(arguments: [TestBackend.log, .file])
    func `a field becomes sensitive after the migrations, in what they have written too`(
        backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        var schema = [CollectionSchema(name: "c")]
        var store = try await OfflineStore.open(Self.options(place, 1, schema, []))
        try await store.createBatch("c", [["id": 1, "n": "one"], ["id": 2, "n": "two"]])
        try await store.close()
        let migration = TestMigration(2) { store in
            for try await var record in store.stream("c") {
                record["s"] = record["n"]
                record["n"] = nil
                try await store.update("c", record)
            }
            try await store.create("d", ["id": 1, "s": "three"])
        }
        schema[0].sensitiveFields = ["s"]
        schema.append(CollectionSchema(name: "d", sensitiveFields: ["s"]))
        let options = Self.options(place, 2, schema, [migration], sensitive: true)
        let report = try await MigrationManager([migration]).rehearse(options)
        #expect(report.violations == [] && report.steps.map(\.recordsChanged) == [3])
        store = try await OfflineStore.open(options)
        #expect(try await store.query("c").map { $0["s"] } == ["one", "two"])
        #expect(try await store.get("d", 1)?["s"] == "three")
        await store.lock()
        await expectError(.locked) { _ = try await store.get("c", 1) }
        await expectError(.locked) { _ = try await store.get("d", 1) }
        try await store.unlock()
        #expect(try await store.verify().problems == [])
        try await store.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `a JSON Schema that changes counts after the migrations, one that stays all along`(
        backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        func schema(_ required: Value) -> [CollectionSchema] {
            [
                CollectionSchema(
                    name: "c", validation: ["required": required, "maxProperties": 2]),
                CollectionSchema(name: "same", validation: ["required": ["x"]]),
            ]
        }
        var store = try await OfflineStore.open(Self.options(place, 1, schema(["old"]), []))
        try await store.createBatch("c", [["id": 1, "old": 1], ["id": 2, "old": 2]])
        try await store.close()
        func rename(_ ids: [Int64]) -> TestMigration {
            TestMigration(2) { store in
                await expectError(.validationFailed) {
                    try await store.create("same", ["id": 1])
                }
                for id in ids { try await store.update("c", ["id": .int(id), "new": 1]) }
            }
        }
        let options = Self.options(place, 2, schema(["new"]), [rename([1])])
        let report = try await MigrationManager([rename([1])]).rehearse(options)
        let error = await expectError(.validationFailed) {
            _ = try await OfflineStore.open(options)
        }
        #expect(error?.key == 2)
        #expect(report.violations == [error].compactMap(\.self))
        // The data is that of version 2; a schema that it keeps opens it, and the old one isn't among them.
        await expectError(.versionTooNew) {
            _ = try await OfflineStore.open(Self.options(place, 1, schema(["old"]), []))
        }
        let old = await expectError(.validationFailed) {
            _ = try await OfflineStore.open(Self.options(place, 2, schema(["old"]), []))
        }
        #expect(old?.key == 1)
        store = try await OfflineStore.open(Self.options(place, 2, [], []))
        #expect(try await store.query("c") == [["id": 1, "new": 1], ["id": 2, "old": 2]])
        try await store.update("c", ["id": 1, "new": 1])
        try await store.close()
        store = try await OfflineStore.open(
            Self.options(
                place, 3, schema(["new"]),
                [TestMigration(3) { try await $0.update("c", ["id": 2, "new": 2]) }]))
        await expectError(.validationFailed) { try await store.create("c", ["old": 3]) }
        try await store.close()
    }

    @Test func `delete rules as stored run, and what they reach is what a stream leaves out`()
        async throws
    {
        let place = try TestStore()
        let schema = [
            CollectionSchema(
                name: "owners",
                relationships: [
                    RelationshipSchema(
                        name: "things", collection: "things", type: .oneToMany,
                        foreignKey: "owner", onDelete: .cascade)
                ]), CollectionSchema(name: "things"),
        ]
        var store = try await OfflineStore.open(Self.options(place, 1, schema, []))
        try await store.createBatch("owners", [["id": 1], ["id": 2]])
        try await store.createBatch(
            "things", (0..<150 as Range<Int64>).map { ["id": .int($0), "owner": .int(1 + $0 % 2)] })
        try await store.close()
        let migration = TestMigration(2) { store in
            var count = 0
            for try await thing in store.stream("things") {
                if count == 0 { try await store.delete("owners", 2) }
                #expect(thing["owner"] == 1)
                count += 1
            }
            #expect(count == 75)
        }
        store = try await OfflineStore.open(Self.options(place, 2, schema, [migration]))
        #expect(try await store.count("things") == 75)
        try await store.close()
    }

    @Test func `records that a custom backend keeps are migrated together with the version`()
        async throws
    {
        let folder = try TestFolder()
        defer { folder.remove() }
        func options(_ version: Int, _ migrations: [any Migration] = []) -> StorageOptions {
            StorageOptions(
                databaseName: "custom", directory: folder.url, version: version,
                storageBackend: .custom(MyCustomStorage()),
                storageSchema: [CollectionSchema(name: "users")],
                migrationManager: MigrationManager(migrations))
        }
        var store = try await OfflineStore.open(options(1))
        try await store.createBatch("users", [["id": "a"], ["id": "b"]])
        try await store.close()
        struct Stop: Error {}
        let failing = TestMigration(3) { store in
            try await store.clear(["users"])
            throw Stop()
        }
        await expectError(.migrationFailed) {
            _ = try await OfflineStore.open(options(3, [MigrationTests.adding(2), failing]))
        }
        store = try await OfflineStore.open(options(2))
        #expect(
            try await store.query("users") == [
                ["id": "a", "seen": [2]], ["id": "b", "seen": [2]],
            ])
        try await store.close()
        try await MigrationManager([MigrationTests.adding(2)]).migrateDown(options(2), to: 1)
        store = try await OfflineStore.open(options(1))
        #expect(try await store.query("users") == [["id": "a"], ["id": "b"]])
        try await store.close()
    }

    @Test func `a store that a migration calls isn't open, and a migration may be cancelled`()
        async throws
    {
        let place = try TestStore()
        try await OfflineStore.open(Self.options(place, 1, [CollectionSchema(name: "c")], []))
            .close()
        let opening = Protected<OfflineStore?>(nil)
        let calling = TestMigration(2) { store in
            await expectError(.notOpen) {
                _ = try await opening.withLock { $0 }?.count("c")
            }
        }
        let store = OfflineStore(
            Self.options(place, 2, [CollectionSchema(name: "c")], [calling]))
        opening.withLock { $0 = store }
        try await store.initialize()
        try await store.close()
        let cancelled = TestMigration(3) { store in
            try await store.create("c", ["id": 1])
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        }
        let options = Self.options(place, 3, [CollectionSchema(name: "c")], [calling, cancelled])
        await #expect(throws: CancellationError.self) {
            try await Task { _ = try await OfflineStore.open(options) }.value
        }
        let again = try await OfflineStore.open(Self.options(place, 2, [], []))
        #expect(try await again.count("c") == 0)
        try await again.close()
    }
}
