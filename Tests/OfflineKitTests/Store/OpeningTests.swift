import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct OpeningTests {
    private func schema(_ indexes: [IndexSchema]) -> [CollectionSchema] {
        [CollectionSchema(name: "c", indexes: indexes)]
    }

    @Test(arguments: TestBackend.allCases)
    func `an index added, changed and removed follows the records`(backend: TestBackend)
        async throws
    {
        let place = try TestStore(backend)
        defer { place.remove() }
        try await place.run(schema([])) { store in
            try await store.createBatch(
                "c",
                (0..<300 as Range<Int64>).map { ["id": .int($0), "n": .int($0 % 7), "t": [1]] })
        }
        let steps: [[IndexSchema]] = [
            [IndexSchema(name: "n", keyPath: "n")],
            [IndexSchema(name: "n", keyPath: "n"), IndexSchema(name: "t", keyPaths: ["t", "n"])],
            [IndexSchema(name: "n", keyPath: "t")],
            [],
            [IndexSchema(name: "id", keyPath: "id", unique: true)],
        ]
        for indexes in steps {
            try await place.run(schema(indexes)) { store in
                #expect(try await store.count("c") == 300)
                try await store.update("c", ["id": 5, "n": 100], mode: .merge)
            }
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `a unique index that the records break is refused, and the store is as before`(
        backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        let long = String(repeating: "l", count: 600)
        try await place.run(schema([IndexSchema(name: "n", keyPath: "n")])) { store in
            try await store.createBatch(
                "c",
                [
                    ["id": 1, "n": 5, "m": .string(long)], ["id": 2, "n": .null, "o": 1],
                    ["id": 3, "o": 1], ["id": 4, "n": 5, "m": .string(long)],
                ])
        }
        for (path, key) in [("n", 1), ("m", 4), ("o", 2)] as [(String, Value)] {
            let error = await expectError(.uniqueViolation) {
                _ = try await place.open(
                    schema([
                        IndexSchema(name: "n", keyPath: "n"),
                        IndexSchema(name: "unique", keyPath: path, unique: true),
                    ]))
            }
            #expect(error?.message.contains("\"unique\"") == true)
            #expect(error?.collection == "c")
            #expect(error?.key == key)
        }
        try await place.run([]) { store in
            #expect(try await store.count("c") == 4)
            try await store.create("c", ["id": 9, "n": 5])
            await expectError(.unknownCollection) { _ = try await store.count("other") }
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `an empty schema is as stored, an absent collection is kept`(
        backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        try await place.run(TestStore.schema) { store in
            try await store.create("users", ["id": "u", "email": "e"])
        }
        try await place.run([]) { store in
            await expectError(.uniqueViolation) { try await store.create("users", ["email": "e"]) }
        }
        try await place.run([CollectionSchema(name: "new")]) { store in
            try await store.create("new", ["id": 1])
            #expect(try await store.get("users", "u") != nil)
            await expectError(.uniqueViolation) { try await store.create("users", ["email": "e"]) }
        }
        // A relationship may name a collection that is only stored.
        let related = CollectionSchema(
            name: "more",
            relationships: [
                RelationshipSchema(
                    name: "user", collection: "users", type: .manyToOne, foreignKey: "user_id")
            ])
        try await place.run([related]) { store in
            let count = try await store.count("more")
            #expect(count == 0)
        }
    }

    @Test func `a changed key path needs a migration`() async throws {
        let place = try TestStore()
        try await place.run([CollectionSchema(name: "c", keyPath: "id")]) { _ in }
        for changed in [
            CollectionSchema(name: "c", keyPath: "key"),
            CollectionSchema(name: "c", keyPaths: ["id", "b"]),
        ] {
            let error = await expectError(.invalidOptions) { _ = try await place.open([changed]) }
            #expect(error?.message.contains("migration") == true)
        }
        try await place.run([CollectionSchema(name: "c", autoKey: .sequence)]) { store in
            let first = try await store.create("c", [:])
            #expect(first["id"] == 1)
        }
    }

    @Test func `the version goes up and never down`() async throws {
        let place = try TestStore()
        var store = try await place.open { $0.version = 3 }
        try await store.close()
        await expectError(.versionTooNew) { _ = try await place.open { $0.version = 2 } }
        store = try await place.open { $0.version = 4 }
        try await store.close()
        await expectError(.versionTooNew) { _ = try await place.open { $0.version = 3 } }
    }

    @Test func `a read-only opening takes the schema as stored`() async throws {
        let place = try TestStore()
        try await place.run(schema([])) { store in try await store.create("c", ["id": 1, "n": 2]) }
        let store = try await place.open(
            schema([IndexSchema(name: "n", keyPath: "n")]) + [CollectionSchema(name: "d")]
        ) { $0.isReadOnly = true }
        #expect(try await store.count("c") == 1)
        await expectError(.unknownCollection) { _ = try await store.count("d") }
        try await store.close()
        await expectError(.invalidOptions) {
            _ = try await place.open([CollectionSchema(name: "c", keyPath: "x")]) {
                $0.isReadOnly = true
            }
        }
    }
}
