// Delete rules one by one, the scope of transactions that they widen, and what is left when a rule forbids a delete.
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct DeleteRuleTests {
    /// Users with orders, which have items; each with these rules.
    private static func schema(
        orders: RelationshipSchema.DeleteRule = .none, items: RelationshipSchema.DeleteRule = .none,
        user: RelationshipSchema.DeleteRule = .none
    ) -> [CollectionSchema] {
        [
            CollectionSchema(
                name: "users",
                relationships: [
                    RelationshipSchema(
                        name: "orders", collection: "orders", type: .oneToMany,
                        foreignKey: "user_id", onDelete: orders)
                ]),
            CollectionSchema(
                name: "orders", indexes: [IndexSchema(name: "user_id", keyPath: "user_id")],
                relationships: [
                    RelationshipSchema(
                        name: "items", collection: "items", type: .oneToMany,
                        foreignKey: "order_id", onDelete: items),
                    RelationshipSchema(
                        name: "user", collection: "users", type: .manyToOne,
                        foreignKey: "user_id", onDelete: user),
                ]),
            CollectionSchema(name: "items"), CollectionSchema(name: "other"),
        ]
    }

    private func fill(_ store: OfflineStore) async throws {
        try await store.createBatch("users", [["id": 1], ["id": 2]])
        try await store.createBatch(
            "orders",
            [
                ["id": "a", "user_id": 1], ["id": "b", "user_id": 1], ["id": "c", "user_id": 2],
                ["id": "d", "user_id": [1, 2]],
            ])
        try await store.createBatch("items", [["id": 1, "order_id": "a"], ["id": 2]])
    }

    private func ids(_ store: some StoreReader, _ collection: String) async throws -> [Value] {
        try await store.query(collection).map { $0["id"] ?? .null }
    }

    @Test func `a cascade down a chain without an index reads the collection a few times`()
        async throws
    {
        let schema = CollectionSchema(
            name: "parts",
            relationships: [
                RelationshipSchema(
                    name: "children", collection: "parts", type: .oneToMany, foreignKey: "of",
                    onDelete: .cascade)
            ])
        let parts: [Document] = (0..<300).map { ["id": .int($0), "of": .int($0 - 1)] }
        let fixture = try await QueryFixture(schema, parts + [["id": 900, "of": 800]])
        let snapshot = try fixture.backend.snapshot()
        let reader = CountingReader(snapshot)
        let view = ReadView(snapshot: reader, schema: try SchemaState(stored: snapshot))
        let effects = try DeleteRules.effects(
            ofDeleting: [KeyEncoder.key(.int(0))], in: view.collection("parts"), view)
        #expect(effects.map(\.removed.count) == [300])
        #expect(reader.counts.recordSteps < 4 * 301, "\(reader.counts)")
    }

    @Test(arguments: TestBackend.allCases)
    func `cascade goes on through the rules of what it deletes`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema(orders: .cascade, items: .cascade)) { store in
            try await fill(store)
            #expect(try await store.delete("users", 1))
            #expect(try await ids(store, "users") == [2])
            #expect(try await ids(store, "orders") == ["c"])
            #expect(try await ids(store, "items") == [2])
            #expect(try await store.delete("users", 1) == false)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `nullify empties the field, and takes the key out of arrays`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema(orders: .nullify)) { store in
            try await fill(store)
            #expect(try await store.deleteBatch("users", [1, 7]) == 1)
            let orders: [Document] = [
                ["id": "a", "user_id": .null], ["id": "b", "user_id": .null],
                ["id": "c", "user_id": 2], ["id": "d", "user_id": [2]],
            ]
            #expect(try await store.query("orders") == orders)
            #expect(try await store.count("orders", ["user_id": .null]) == 2)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `restrict forbids, says why, and nothing changes`(backend: TestBackend) async throws {
        let schema = Self.schema(orders: .cascade, items: .restrict)
        try await TestStore.with(backend, schema) { store in
            try await fill(store)
            let error = await expectError(.relationshipViolation) {
                try await store.deleteBatch("users", [1, 2])
            }
            #expect(error?.collection == "orders" && error?.key == "a")
            #expect(error?.message.contains(#""items""#) == true)
            #expect(error?.message.contains("record 1") == true)
            #expect(try await store.count("users") == 2)
            #expect(try await store.count("orders") == 4)
            // The transaction goes on, and what forbade it can be taken away in it.
            try await store.transaction(["users", "items"]) { transaction in
                await expectError(.relationshipViolation) {
                    try await transaction.delete("users", 1)
                }
                try await transaction.delete("items", 1)
                try await transaction.delete("users", 1)
            }
            #expect(try await ids(store, "orders") == ["c"])
        }
    }

    @Test func `where the reference is ours, it goes with the record`() async throws {
        for (rule, users) in [
            (.nullify, [1, 2]), (.cascade, [2]), (.none, [1, 2]),
        ] as [(RelationshipSchema.DeleteRule, [Value])] {
            try await TestStore.with(.memory, Self.schema(user: rule)) { store in
                try await fill(store)
                try await store.delete("orders", "a")
                #expect(try await ids(store, "users") == users)
            }
        }
        try await TestStore.with(.memory, Self.schema(user: .restrict)) { store in
            try await fill(store)
            await expectError(.relationshipViolation) { try await store.delete("orders", "a") }
            try await store.delete("users", 1)
            try await store.delete("orders", "a")
            #expect(try await ids(store, "orders") == ["b", "c", "d"])
        }
    }

    @Test func `circles end, also in one collection`() async throws {
        let schema = CollectionSchema(
            name: "nodes",
            relationships: [
                RelationshipSchema(
                    name: "next", collection: "nodes", type: .manyToOne, foreignKey: "next",
                    onDelete: .cascade),
                RelationshipSchema(
                    name: "guests", collection: "nodes", type: .oneToMany, foreignKey: "host",
                    onDelete: .restrict),
            ])
        try await TestStore.with(.log, [schema]) { store in
            try await store.createBatch(
                "nodes",
                [
                    ["id": 1, "next": 2], ["id": 2, "next": 3], ["id": 3, "next": 1],
                    ["id": 4, "next": 4], ["id": 5, "host": 5], ["id": 6, "host": 4],
                ])
            #expect(try await store.delete("nodes", 2))
            #expect(try await ids(store, "nodes") == [4, 5, 6])
            // Its only guest is itself, and goes with it.
            #expect(try await store.delete("nodes", 5))
            await expectError(.relationshipViolation) { try await store.delete("nodes", 4) }
            #expect(try await store.deleteBatch("nodes", [4, 6]) == 2)
        }
    }

    @Test func `a key that is the reference itself can't be set to null`() async throws {
        let schema = [
            CollectionSchema(
                name: "users",
                relationships: [
                    RelationshipSchema(
                        name: "profile", collection: "profiles", type: .oneToMany,
                        foreignKey: "id", onDelete: .nullify)
                ]), CollectionSchema(name: "profiles"),
        ]
        try await TestStore.with(.memory, schema) { store in
            try await store.create("users", ["id": 1])
            try await store.create("profiles", ["id": 1])
            await expectError(.relationshipViolation) { try await store.delete("users", 1) }
            #expect(try await store.count("users") == 1)
        }
    }

    @Test func `a unique index that a rule would break forbids all of it`() async throws {
        var schema = Self.schema(orders: .nullify)
        schema[1].indexes[0].isUnique = true
        try await TestStore.with(.memory, schema) { store in
            try await store.createBatch("users", [["id": 1], ["id": 2]])
            try await store.createBatch(
                "orders", [["id": "a", "user_id": [2]], ["id": "b", "user_id": [1, 2]]])
            await expectError(.uniqueViolation) { try await store.delete("users", 1) }
            #expect(try await store.count("users") == 2)
            #expect(try await store.get("orders", "b")?["user_id"] == [1, 2])
        }
    }

    // MARK: Scope

    @Test func `a transaction reads what its rules reach, and writes it by them only`()
        async throws
    {
        try await TestStore.with(.memory, Self.schema(orders: .cascade, items: .restrict)) {
            store in
            try await fill(store)
            try await store.transaction(["users"]) { transaction in
                #expect(try await transaction.count("orders") == 4)
                #expect(try await transaction.count("items") == 2)
                try await transaction.delete("users", 2)
                #expect(try await transaction.count("orders") == 2)
                for name in ["orders", "items"] {
                    await expectError(.transactionScope) {
                        try await transaction.create(name, ["id": "n"])
                    }
                }
                await expectError(.transactionScope) { _ = try await transaction.count("other") }
            }
            #expect(try await ids(store, "orders") == ["a", "b"])
            // Named for reading: the rules write it all the same.
            try await store.transaction(["users"], reading: ["orders"]) { transaction in
                await expectError(.transactionScope) {
                    try await transaction.delete("orders", "a")
                }
            }
        }
    }

    @Test func `locks are closed over delete rules`() throws {
        func scope(_ names: [String], _ collections: [CollectionSchema]) throws -> [[String]] {
            let schema = try SchemaState(
                version: 1,
                collections: collections.enumerated().map {
                    try CollectionState(
                        id: CollectionID(UInt32($0 + 1)), schema: $1,
                        indexNumbers: $1.indexes.indices.map { UInt32($0 + 1) })
                })
            let scope = try DeleteScope(of: names.map { try schema.collection($0) }, in: schema)
            return [scope.written.map(\.name), scope.read.map(\.name)]
        }
        let cascading = Self.schema(orders: .cascade, items: .restrict, user: .cascade)
        #expect(try scope(["users"], cascading) == [["orders"], ["items"]])
        #expect(try scope(["orders"], cascading) == [["users"], ["items"]])
        #expect(try scope(["users", "orders"], cascading) == [[], ["items"]])
        #expect(try scope(["items"], cascading) == [[], []])
        // Nothing is deleted by nullify, so it ends there; of our own reference there is nothing to nullify.
        let nullifying = Self.schema(orders: .nullify, items: .cascade, user: .nullify)
        #expect(try scope(["users"], nullifying) == [["orders"], []])
        #expect(try scope(["orders"], nullifying) == [["items"], []])
    }

    @Test func `a delete waits for a transaction on what its rules reach`() async throws {
        let clock = ManualClock()
        let place = try TestStore(.memory)
        defer { place.remove() }
        let store = try await place.open(Self.schema(orders: .cascade), clock: clock)
        try await fill(store)
        let other = try await store.beginTransaction(["orders"])
        async let deleted = store.delete("users", 1)
        while store.waitingCount < 2 { await Task.yield() }
        try await other.create("orders", ["id": "e", "user_id": 1])
        try await other.commit()
        #expect(try await deleted)
        #expect(try await ids(store, "orders") == ["c"])
        // A create needs no such lock.
        let another = try await store.beginTransaction(["orders"])
        try await store.create("users", ["id": 9])
        try await another.rollback()
        try await store.close()
    }

    @Test func `rules are stored, and may change when the store is opened again`() async throws {
        let place = try TestStore(.log)
        defer { place.remove() }
        var store = try await place.open(Self.schema(orders: .restrict))
        try await fill(store)
        try await store.close()
        store = try await place.open([])
        await expectError(.relationshipViolation) { try await store.delete("users", 1) }
        try await store.close()
        store = try await place.open(Self.schema(orders: .cascade))
        try await store.delete("users", 1)
        #expect(try await ids(store, "orders") == ["c"])
        try await store.close()
    }
}
