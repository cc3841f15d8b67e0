import OfflineDocuments
import Testing

@testable import OfflineDemo
@testable import OfflineKit

/// Migrations as an application sees them, on every backend.
@Suite struct MigrationTests {
    static let schema = [CollectionSchema(name: "users"), CollectionSchema(name: "log")]

    /// A store of version 1 with some users.
    private func filled(
        _ backend: TestBackend, _ schema: [CollectionSchema] = Self.schema, count: Int = 3
    ) async throws -> TestStore {
        let place = try TestStore(backend)
        let store = try await place.open(schema)
        try await store.createBatch(
            "users",
            (0..<count).map {
                ["id": .string("u\($0)"), "n": .int(Int64($0)), "email": .string("e\($0)")]
            })
        try await store.close()
        return place
    }

    /// Adds the version to the users' list of those that they have been through.
    static func adding(_ version: Int64) -> TestMigration {
        TestMigration(Int(version)) { store in
            for try await var user in store.stream("users") {
                user["seen"] = .array((user["seen"]?.arrayValue ?? []) + [.int(version)])
                try await store.update("users", user)
            }
        } down: { store in
            for try await var user in store.stream("users") {
                let rest = (user["seen"]?.arrayValue ?? []).dropLast()
                user["seen"] = rest.isEmpty ? nil : .array(Array(rest))
                try await store.update("users", user)
            }
        }
    }

    struct Stop: Error {}

    @Test(arguments: TestBackend.allCases)
    func `what is due runs in order, once, and tells of it`(backend: TestBackend) async throws {
        let place = try await filled(backend)
        defer { place.remove() }
        let log = ProgressLog()
        func open(_ version: Int) async throws -> OfflineStore {
            try await place.open(Self.schema) {
                $0.version = version
                $0.migrationManager = log.manager([Self.adding(3), Self.adding(2), Self.adding(4)])
            }
        }
        var store = try await open(3)
        var seen: Value? = [2, 3]
        for user in try await store.query("users") { #expect(user["seen"] == seen) }
        try await store.close()
        func told(_ version: Int, _ count: Int, _ isFinished: Bool = false) -> MigrationProgress {
            MigrationProgress(
                name: "m\(version)", version: version, recordsChanged: count, isFinished: isFinished
            )
        }
        #expect(
            log.all
                == [2, 3].flatMap { version in
                    (0...3).map { told(version, $0) } + [told(version, 3, true)]
                })
        for _ in 0..<2 {
            store = try await open(4)
            seen = [2, 3, 4]
            for user in try await store.query("users") { #expect(user["seen"] == seen) }
            #expect(try await store.verify().problems == [])
            try await store.close()
        }
        #expect(log.last.map(\.version) == [2, 3, 4])
    }

    @Test(arguments: TestBackend.allCases)
    func `a new store has the options' version and runs none`(backend: TestBackend) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        let log = ProgressLog()
        for _ in 0..<2 {
            let store = try await place.open(Self.schema) {
                $0.version = 3
                $0.migrationManager = log.manager([Self.adding(2), Self.adding(3)])
            }
            try await store.upsert("users", ["id": "u"])
            try await store.close()
        }
        #expect(log.all.isEmpty)
        await expectError(.versionTooNew) { _ = try await place.open(Self.schema) }
    }

    @Test(arguments: TestBackend.allCases)
    func `a migration that throws leaves the last finished version, and the next opening goes on`(
        backend: TestBackend
    ) async throws {
        let place = try await filled(backend)
        defer { place.remove() }
        let failing = TestMigration(3) { store in
            try await store.clear(["users"])
            try await store.create("log", ["id": 1])
            throw Stop()
        }
        let log = ProgressLog()
        let error = await expectError(.migrationFailed) {
            _ = try await place.open(Self.schema) {
                $0.version = 4
                $0.migrationManager = log.manager([Self.adding(2), failing, Self.adding(4)])
            }
        }
        #expect(
            error?.message.contains("m3 to version 3 failed") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("Stop()") == true)
        #expect(
            log.last == [
                MigrationProgress(name: "m2", version: 2, recordsChanged: 3, isFinished: true),
                MigrationProgress(name: "m3", version: 3, recordsChanged: 4, isFinished: false),
            ])
        // It is a whole store of version 2.
        await expectError(.versionTooNew) { _ = try await place.open(Self.schema) }
        var store = try await place.open(Self.schema) { $0.version = 2 }
        for user in try await store.query("users") { #expect(user["seen"] == [2]) }
        #expect(try await store.count("users") == 3)
        #expect(try await store.count("log") == 0)
        try await store.close()
        store = try await place.open(Self.schema) {
            $0.version = 4
            $0.migrationManager = MigrationManager([2, 3, 4].map(Self.adding))
        }
        for user in try await store.query("users") { #expect(user["seen"] == [2, 3, 4]) }
        #expect(try await store.verify().problems == [])
        try await store.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `a store of a newer version is refused, but for reading`(backend: TestBackend) async throws
    {
        // A test store in memory has nothing to read but in memory of its own.
        let place = try await filled(backend)
        defer { place.remove() }
        try await place.open(Self.schema) { $0.version = 7 }.close()
        let error = await expectError(.versionTooNew) {
            _ = try await place.open(Self.schema) {
                $0.version = 6
                $0.migrationManager = MigrationManager([TestMigration(6)])
            }
        }
        #expect(error?.message.contains("version 7") == true)
        #expect(error?.message.contains("version is 6") == true)
        // What it says of the collections is about another version.
        let other = [CollectionSchema(name: "users", keyPath: "email")]
        for version in [1, 8] {
            let store = try await place.open(other) {
                $0.version = version
                $0.isReadOnly = true
            }
            let user = try await store.get("users", "u1")
            #expect(user?["n"] == 1)
            try await store.close()
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `what the seed example migrates goes up and down`(backend: TestBackend) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        var store = try await place.open()
        try await store.createBatch(
            "users",
            [
                ["id": "a", "email": "a"],
                ["id": "b", "email": "b", "preferences": ["theme": "dark"]],
            ])
        let before = try await store.query("users")
        try await store.close()
        let manager = MigrationManager([SeedExamples.AddUserPreferences()])
        let options = place.options { options in
            options.version = 2
            options.migrationManager = manager
        }
        store = try await OfflineStore.open(options)
        let light: Value = ["theme": "light", "notifications": true]
        #expect(try await store.get("users", "a")?["preferences"] == light)
        #expect(try await store.get("users", "b")?["preferences"] == ["theme": "dark"])
        try await store.close()
        try await manager.migrateDown(options, to: 1)
        store = try await place.open()
        let after = try await store.query("users")
        #expect(after.map { $0["id"] } == before.map { $0["id"] })
        #expect(after.allSatisfy { $0["preferences"] == nil })
        #expect(try await store.verify().problems == [])
        try await store.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `a migration fills collections that are new, whose indexes come after it`(
        backend: TestBackend
    ) async throws {
        let place = try await filled(backend)
        defer { place.remove() }
        var schema = Self.schema
        schema[0].indexes = [IndexSchema(name: "n", keyPath: "n")]
        schema.append(
            CollectionSchema(
                name: "emails", keyPath: "email",
                indexes: [IndexSchema(name: "user", keyPath: "user", unique: true)],
                relationships: [
                    RelationshipSchema(
                        name: "owner", collection: "users", type: .manyToOne, foreignKey: "user")
                ]))
        let split = TestMigration(2) { store in
            for try await var user in store.stream("users") {
                try await store.create(
                    "emails", ["email": user["email"] ?? .null, "user": user["id"] ?? .null])
                // Nothing is unique yet, and there is no index.
                try await store.upsert("emails", ["email": "twin", "user": user["id"] ?? .null])
                user["email"] = nil
                try await store.update("users", user)
            }
            let plan = try await store.explain("users", Query(filters: ["n": 1]))
            #expect(plan.access == .collectionScan)
            try await store.delete("emails", "twin")
        }
        let store = try await place.open(schema) {
            $0.version = 2
            $0.migrationManager = MigrationManager([split])
        }
        let found = try await store.query(
            "emails", Query(filters: ["user": "u1"], include: ["owner"]))
        #expect(found.count == 1)
        #expect(found.first?["owner"]?["n"] == 1)
        #expect(
            try await store.explain("emails", Query(filters: ["user": "u1"])).access
                == .index("user"))
        #expect(try await store.explain("users", Query(filters: ["n": 1])).access == .index("n"))
        #expect(try await store.verify().problems == [])
        try await store.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `a new unique index that the records break names them, and the store opens without it`(
        backend: TestBackend
    ) async throws {
        let place = try await filled(backend)
        defer { place.remove() }
        var schema = Self.schema
        schema[0].indexes = [IndexSchema(name: "email", keyPath: "email", unique: true)]
        let mixed = TestMigration(2) { store in
            try await store.update("users", ["id": "u2", "email": "e0"], mode: .merge)
        }
        for _ in 0..<2 {
            let error = await expectError(.uniqueViolation) {
                _ = try await place.open(schema) {
                    $0.version = 2
                    $0.migrationManager = MigrationManager([mixed])
                }
            }
            #expect(error?.message.contains("\"email\"") == true)
            #expect(error?.key == "u0")
            #expect(error?.message.contains("\"u2\"") == true, "\(error?.message ?? "")")
        }
        var store = try await place.open(Self.schema) { $0.version = 2 }
        #expect(try await store.get("users", "u2")?["email"] == "e0")
        try await store.update("users", ["id": "u2", "email": "e2"], mode: .merge)
        try await store.close()
        store = try await place.open(schema) {
            $0.version = 2
            $0.migrationManager = MigrationManager([mixed])
        }
        #expect(try await store.verify().problems == [])
        try await store.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `the way down stops where there is none`(backend: TestBackend) async throws {
        struct OneWay: Migration {
            let version = 2
            func up(_ store: any StoreWriter) async throws {}
        }
        let place = try await filled(backend)
        defer { place.remove() }
        let log = ProgressLog()
        let manager = log.manager([OneWay(), Self.adding(3), Self.adding(4)])
        let options = place.options(Self.schema) { options in
            options.version = 4
            options.migrationManager = manager
        }
        try await OfflineStore.open(options).close()
        let error = await expectError(.migrationFailed) {
            try await manager.migrateDown(options, to: 1)
        }
        #expect(error?.message.contains("OneWay") == true)
        #expect(error?.message.contains("version 2") == true)
        #expect(log.last.suffix(3).map(\.version) == [4, 3, 2])
        #expect(log.last.suffix(3).map(\.isFinished) == [true, true, false])
        let store = try await place.open(Self.schema) { $0.version = 2 }
        for user in try await store.query("users") { #expect(user["seen"] == nil) }
        try await store.close()
        if backend != .memory {
            let other = try TestStore(backend)
            defer { other.remove() }
            await expectError(.storageUnavailable) {
                try await manager.migrateDown(other.options(Self.schema), to: 1)
            }
            await expectError(.storageUnavailable) {
                _ = try await other.open(Self.schema) { $0.isReadOnly = true }
            }
        }
        await expectError(.invalidOptions) { try await manager.migrateDown(options, to: 3) }
        await expectError(.invalidOptions) { try await manager.migrateDown(options, to: 0) }
        await expectError(.versionTooNew) {
            try await MigrationManager([]).migrateDown(options, to: 1)
        }
    }
}
