// A rehearsal against the real run: the same steps and the same errors; and nothing of it is kept.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite struct RehearsalTests {
    private static let schema = [
        CollectionSchema(name: "users", indexes: [IndexSchema(name: "n", keyPath: "n")]),
        CollectionSchema(name: "log"),
    ]

    private func filled(_ backend: TestBackend) async throws -> TestStore {
        let place = try TestStore(backend)
        let store = try await place.open(Self.schema)
        try await store.createBatch(
            "users",
            (0..<40 as Range<Int64>).map {
                ["id": .int($0), "n": .int($0 % 7), "email": .string("e\($0)"), "secret": "S3CRET"]
            })
        try await store.close()
        return place
    }

    struct Stop: Error {}

    /// Runs of migrations, with the schema after them.
    struct Run: Sendable, CustomStringConvertible {
        let description: String
        let migrations: [TestMigration]
        var schema = RehearsalTests.schema
        /// Nil: it succeeds.
        var fails: OfflineError.Code?
    }

    static let tag = TestMigration(2) { store in
        for try await var user in store.stream("users", Query(filters: ["n": ["$lt": 5]])) {
            user["tag"] = user["n"]
            user["n"] = nil
            try await store.update("users", user)
        }
        try await store.delete("users", 3)
        try await store.upsert("users", ["id": 100, "n": 1])
    }
    static let split = TestMigration(3) { store in
        // It sees what the one before it has done, in records, counts and indexes.
        let left = try await store.query(
            "users", Query(filters: ["n": ["$gte": 5]], sort: [.descending("n")]))
        try await store.createBatch(
            "log", left.map { ["id": $0["id"] ?? .null, "n": $0["n"] ?? .null] })
        try await store.create(
            "log", ["id": "count", "n": .int(Int64(try await store.count("users")))])
        try await store.deleteBatch("users", left.prefix(2).compactMap { $0["id"] })
    }
    static let fill = TestMigration(4) { store in
        for try await user in store.stream("users") {
            try await store.create(
                "mails", ["email": user["email"] ?? "none", "of": user["id"] ?? .null])
        }
        try await store.clear(["log"])
        try await store.create("log", ["n": 1])
    }

    private static func changed(
        unique path: String? = nil, keyPath: String = "id"
    ) -> [CollectionSchema] {
        var schema = schema
        schema[0].keyPaths = [keyPath]
        schema[0].indexes = [IndexSchema(name: "tag", keyPath: "tag")]
        if let path {
            schema[0].indexes.append(IndexSchema(name: "new", keyPath: path, unique: true))
        }
        schema.append(
            CollectionSchema(
                name: "mails", keyPath: "email",
                indexes: [IndexSchema(name: "of", keyPath: "of", unique: true)]))
        return schema
    }

    static let runs: [Run] = [
        Run(description: "one that succeeds", migrations: [tag]),
        Run(description: "three", migrations: [tag, split, fill], schema: changed()),
        Run(description: "nothing is due", migrations: []),
        Run(
            description: "a unique index that the records break", migrations: [tag, split, fill],
            schema: changed(unique: "secret"), fails: .uniqueViolation),
        Run(
            description: "one that the records keep", migrations: [tag, split, fill],
            schema: changed(unique: "email")),
        Run(
            description: "one in the middle throws",
            migrations: [
                tag,
                TestMigration(3) { store in
                    try await store.delete("users", 7)
                    throw Stop()
                }, fill,
            ], schema: changed(), fails: .migrationFailed),
        Run(
            description: "a record is there already",
            migrations: [
                tag,
                TestMigration(3) { store in
                    try await store.createBatch("users", [["id": 200], ["id": 9]])
                },
            ], fails: .migrationFailed),
        Run(
            description: "other keys",
            migrations: [tag, TestMigration(3) { store in try await store.delete("users", 100) }],
            schema: changed(keyPath: "email")),
        Run(
            description: "other keys, and a record without one", migrations: [tag, split],
            schema: changed(keyPath: "email"), fails: .migrationFailed),
    ]

    /// All in memory, and on the other backends those in which most happens.
    static let cases: [(TestBackend, Run)] =
        runs.map { (.memory, $0) }
        + TestBackend.allCases.dropFirst().flatMap { backend in
            [runs[1], runs[3], runs[7]].map { (backend, $0) }
        }

    @Test(arguments: cases)
    func `it tells what the real run does, and keeps nothing`(
        backend: TestBackend, run: Run
    ) async throws {
        let place = try await filled(backend)
        defer { place.remove() }
        let log = ProgressLog()
        let manager = log.manager(run.migrations)
        let options = place.options(run.schema) { options in
            options.version = 1 + run.migrations.count
            options.migrationManager = manager
        }
        let report = try await manager.rehearse(options)
        #expect(log.all.isEmpty, "progress heard of a rehearsal")
        // Once more: the first one has left nothing.
        let again = try await manager.rehearse(options)
        #expect(again.steps == report.steps && again.violations == report.violations)
        #expect(again.differences == report.differences)
        var failure: OfflineError?
        do {
            let store = try await OfflineStore.open(options)
            #expect(try await store.verify().problems == [])
            try await store.close()
        } catch let error as OfflineError {
            failure = error
        }
        #expect(failure?.code == run.fails)
        #expect(report.violations == [failure].compactMap(\.self), "\(report)")
        #expect(report.steps == log.last, "\(report)")
    }

    @Test func `it shows records before and after, and never a sensitive value`() async throws {
        let place = try TestStore(.log)
        defer { place.remove() }
        var schema = Self.schema
        schema[0].sensitiveFields = ["secret"]
        func change(_ options: inout StorageOptions) {
            options.encryption = EncryptionOptions(
                sensitiveFields: [], encryptionKeyProvider: KeyEnvelopeTests.key(1))
        }
        let first = try await place.open(schema, change)
        try await first.createBatch(
            "users",
            (0..<40 as Range<Int64>).map {
                ["id": .int($0), "n": .int($0 % 7), "secret": "S3CRET", "email": .string("e\($0)")]
            })
        try await first.close()
        let manager = MigrationManager([
            Self.tag,
            TestMigration(3) { store in
                try await store.update("users", ["id": 8, "secret": "other S3CRET"], mode: .merge)
            },
        ])
        let options = place.options(schema) { options in
            options.version = 3
            change(&options)
        }
        let report = try await manager.rehearse(options)
        let shown = try #require(report.differences.first)
        #expect(shown.version == 2 && shown.collection == "users" && shown.key == 0)
        #expect(shown.before == ["id": 0, "n": 0, "email": "e0"])
        #expect(shown.after == ["id": 0, "email": "e0", "tag": 0])
        #expect(report.differences.count(where: { $0.version == 2 }) == MigrationSamples.countMax)
        #expect(report.differences.count(where: { $0.version == 3 }) == 1)
        #expect(report.bytesWritten > 500)
        #expect(report.description.contains("version 2, m2: 32 records changed"), "\(report)")
        #expect(!report.description.contains("S3CRET"))
        let store = try await place.open(schema, change)
        #expect(try await store.get("users", 0)?["n"] == 0)
        try await store.close()
    }

    @Test func `of a store that isn't there nothing is due, and none is made`() async throws {
        for backend in TestBackend.allCases where backend != .memory {
            let place = try TestStore(backend)
            defer { place.remove() }
            let options = place.options(Self.schema) { $0.version = 2 }
            let report = try await MigrationManager([Self.tag]).rehearse(options)
            #expect(report.steps.isEmpty && report.violations.isEmpty)
            await expectError(.storageUnavailable) {
                _ = try await place.open(Self.schema) { $0.isReadOnly = true }
            }
        }
        let memory = StorageOptions(databaseName: "m", version: 2, storageBackend: .memory)
        let report = try await MigrationManager([Self.tag]).rehearse(memory)
        #expect(report.description.contains("no migration is due"))
    }

    @Test func `what forbids migrations at all is thrown`() async throws {
        let place = try await filled(.memory)
        await expectError(.invalidOptions) {
            _ = try await MigrationManager([TestMigration(2), TestMigration(4)])
                .rehearse(place.options(Self.schema) { $0.version = 4 })
        }
        try await place.open(Self.schema) { $0.version = 3 }.close()
        await expectError(.versionTooNew) {
            _ = try await MigrationManager([TestMigration(2)])
                .rehearse(place.options(Self.schema) { $0.version = 2 })
        }
    }

    @Test func `nothing is written to the disk, also beside a writer`() async throws {
        func log(_ files: SimulatedFileSystem) -> any StorageBackend {
            LogBackend(system: files) { options in
                // The writer itself does nothing meanwhile.
                options.preparesLogFiles = false
                options.automaticCheckpoints = false
            }
        }
        for makes in [log, { FileBackend(system: $0) }]
            as [(SimulatedFileSystem) -> any StorageBackend]
        {
            let files = SimulatedFileSystem()
            func options(_ version: Int) -> StorageOptions {
                StorageOptions(
                    databaseName: "store", directory: URL(filePath: "/"), version: version,
                    storageBackend: .custom(makes(files)),
                    storageSchema: Self.changed())
            }
            let writer = OfflineStore(options(1))
            try await writer.initialize()
            try await writer.create("users", ["id": 1, "n": 1, "email": "e"])
            let before = files.mutationCount
            let manager = MigrationManager([Self.tag, Self.split, Self.fill])
            let report = try await manager.rehearse(options(4))
            #expect(report.steps.map(\.recordsChanged) == [2, 1, 4])
            #expect(files.mutationCount == before)
            try await writer.close()
        }
    }
}
