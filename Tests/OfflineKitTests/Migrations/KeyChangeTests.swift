import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

/// Records that get other keys.
@Suite struct KeyChangeTests {
    private func filled(
        _ backend: TestBackend = .memory, _ documents: [Document]
    ) async throws -> TestStore {
        let place = try TestStore(backend)
        let store = try await place.open([Self.schema("id")])
        try await store.createBatch("c", documents)
        try await store.close()
        return place
    }

    private static func schema(_ paths: String...) -> CollectionSchema {
        CollectionSchema(
            name: "c", keyPaths: paths,
            indexes: [
                IndexSchema(name: "n", keyPath: "n"),
                IndexSchema(name: "tags", keyPath: "tags", multiEntry: true),
            ])
    }

    private func migrated(
        _ place: TestStore, _ schema: CollectionSchema, _ migrations: [any Migration]
    ) async throws -> OfflineStore {
        try await place.open([schema]) {
            $0.version = 1 + migrations.count
            $0.migrationManager = MigrationManager(migrations)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `records stand under their new keys, with every index, and go back`(
        backend: TestBackend
    ) async throws {
        let documents: [Document] = (0..<50 as Range<Int64>).map {
            ["id": .int($0), "n": .int($0 % 5), "tags": [.int($0 % 3), "t"]]
        }
        let place = try await filled(backend, documents)
        defer { place.remove() }
        // The first one runs under the old keys, and what the second adds is the new one.
        let migrations = [
            TestMigration(2) { store in
                let before = try await store.get("c", 7)
                #expect(before != nil)
                try await store.delete("c", 49)
            },
            TestMigration(3) { store in
                for try await var document in store.stream("c") {
                    let id = document["id"]?.intValue ?? 0
                    document["email"] = .string("e\(2_000 - id)")
                    try await store.update("c", document)
                }
            },
        ]
        var store = try await migrated(place, Self.schema("email"), migrations)
        #expect(try await store.get("c", 7) == nil)
        #expect(try await store.get("c", "e1993")?["id"] == 7)
        #expect(try await store.query("c").map { $0["id"] } == (0..<49).reversed().map { .int($0) })
        #expect(try await store.count("c", ["n": 4]) == 9)
        #expect(try await store.count("c", ["tags": "t"]) == 49)
        #expect(try await store.verify().problems == [])
        try await store.close()
        store = try await place.open([Self.schema("email")]) { $0.version = 3 }
        try await store.update("c", ["email": "e1993", "n": 4], mode: .merge)
        try await store.close()
        await expectError(.invalidOptions) {
            _ = try await place.open([Self.schema("id")]) { $0.version = 3 }
        }
        // Down again, with the schema of the version that it leads to.
        try await MigrationManager(migrations).migrateDown(
            place.options([Self.schema("id")]), to: 1)
        store = try await place.open([Self.schema("id")])
        #expect(try await store.get("c", 7)?["n"] == 4)
        #expect(try await store.verify().problems == [])
        try await store.close()
    }

    /// New keys by old ones.
    static let moves: [[Int64: Int64]] = [
        [1: 2, 2: 3, 3: 4],  // a chain
        [4: 3, 3: 2, 2: 1],
        [1: 2, 2: 1],  // a circle
        [1: 3, 3: 2, 2: 1, 4: 4],
        [1: 1, 2: 2],
        [1: 2, 2: 1, 3: 5, 5: 4, 4: 3, 6: 7, 7: 8],
    ]

    @Test(arguments: moves)
    func `new keys that are old ones of other records lose nothing`(
        move: [Int64: Int64]
    ) async throws {
        let place = try await filled(
            .memory, move.map { ["id": .int($0.key), "to": .int($0.value), "n": .int($0.key)] })
        let store = try await migrated(place, Self.schema("to"), [TestMigration(2)])
        let found = try await store.query("c")
        let expected = move.sorted { $0.value < $1.value }
        #expect(found.map { $0["id"] } == expected.map { .int($0.key) })
        for (id, to) in move { #expect(try await store.get("c", .int(to))?["id"] == .int(id)) }
        #expect(try await store.verify().problems == [])
        try await store.close()
    }

    @Test func `any permutation of keys is one that random records get`() async throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            let ids = Array(0..<(1 + random.below(40)))
            let targets = ids.map { $0 + random.below(3) * 100 }.shuffled(using: &random)
            let move = Dictionary(
                uniqueKeysWithValues: zip(ids, targets).map { (Int64($0), Int64($1)) })
            try await `new keys that are old ones of other records lose nothing`(move: move)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `a record without a new key, or with that of another one, is named, and nothing happens`(
        backend: TestBackend
    ) async throws {
        let place = try await filled(backend, [["id": 1, "k": 5], ["id": 2], ["id": 3, "k": 3]])
        defer { place.remove() }
        var error = await expectError(.migrationFailed) {
            _ = try await migrated(place, Self.schema("k"), [TestMigration(2)])
        }
        #expect(error?.key == 2)
        #expect(error?.collection == "c")
        #expect(error?.message.contains("\"k\"") == true, "\(error?.message ?? "")")
        for value in [5, 3] as [Value] {
            let double = TestMigration(2) { store in
                try await store.update("c", ["id": 2, "k": value])
            }
            error = await expectError(.migrationFailed) {
                _ = try await migrated(place, Self.schema("k"), [double])
            }
            #expect(error?.key == 2)
            #expect(error?.message.contains("alreadyExists") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains(value.json()) == true)
        }
        let store = try await place.open([Self.schema("id")])
        #expect(try await store.query("c") == [["id": 1, "k": 5], ["id": 2], ["id": 3, "k": 3]])
        #expect(try await store.verify().problems == [])
        try await store.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `a key of one path becomes one of two, and the other way round`(
        backend: TestBackend
    ) async throws {
        let place = try await filled(backend, [["id": 1, "n": 7], ["id": 2, "n": 6]])
        defer { place.remove() }
        var store = try await migrated(place, Self.schema("n", "id"), [TestMigration(2)])
        #expect(try await store.get("c", [7, 1])?["id"] == 1)
        #expect(try await store.query("c").map { $0["id"] } == [2, 1])
        try await store.close()
        store = try await place.open([Self.schema("n")]) {
            $0.version = 3
            $0.migrationManager = MigrationManager([TestMigration(2), TestMigration(3)])
        }
        #expect(try await store.get("c", 6)?["id"] == 2)
        #expect(try await store.verify().problems == [])
        try await store.close()
    }

    @Test func `to a server the old records are deleted and the new ones created`() async throws {
        let place = try await filled(.memory, [["id": 1, "k": "a"], ["id": 2, "k": "b"]])
        var store = try await place.open([Self.schema("id")])
        try await store.markSynchronized(try await store.getChanges())
        try await store.close()
        store = try await migrated(place, Self.schema("k"), [TestMigration(2)])
        let changes = try await store.getChanges()
        let deleted = changes.filter { $0.operation == .delete }.map(\.key)
        let created = changes.filter { $0.operation == .create }.map(\.key)
        #expect(deleted == [1, 2])
        #expect(created == ["a", "b"])
        #expect(changes.count == 4)
        try await store.close()
    }
}
