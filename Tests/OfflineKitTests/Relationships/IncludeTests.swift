// Includes: each kind of relationship, in one batched look-up.
import Testing

@testable import OfflineKit

struct IncludeTests {
    private static let schema: [CollectionSchema] = [
        CollectionSchema(
            name: "users", indexes: [IndexSchema(name: "age", keyPath: "age")],
            relationships: [
                RelationshipSchema(
                    name: "orders", collection: "orders", type: .oneToMany, foreignKey: "user_id"),
                RelationshipSchema(
                    name: "team", collection: "teams", type: .manyToOne, foreignKey: "work.team"),
                RelationshipSchema(
                    name: "tags", collection: "tags", type: .manyToMany, foreignKey: "tag_ids"),
                RelationshipSchema(
                    name: "profile", collection: "profiles", type: .oneToOne, foreignKey: "user"),
                RelationshipSchema(
                    name: "desk", collection: "desks", type: .oneToOne, foreignKey: "desk_id"),
            ]),
        CollectionSchema(
            name: "orders", indexes: [IndexSchema(name: "user_id", keyPath: "user_id")],
            relationships: [
                RelationshipSchema(
                    name: "user", collection: "users", type: .manyToOne, foreignKey: "user_id")
            ]),
        CollectionSchema(name: "teams"), CollectionSchema(name: "tags"),
        CollectionSchema(name: "profiles"), CollectionSchema(name: "desks"),
    ]

    private func fixture() async throws -> QueryFixture {
        let fixture = try await QueryFixture(Self.schema)
        let records: [(String, [Document])] = [
            (
                "users",
                [
                    [
                        "id": 1, "name": "Ada", "work": ["team": "red"],
                        "tag_ids": ["y", "x", "y"],
                        "desk_id": 7,
                    ],
                    ["id": 2, "name": "Bob", "work": ["team": "gone"], "tag_ids": "x"],
                    ["id": 3, "name": "Cy", "work": .null, "tag_ids": ["gone"], "desk_id": .null],
                    ["id": 4, "name": "Di"],
                ]
            ),
            (
                "orders",
                [
                    ["id": "o3", "user_id": 1.0], ["id": "o1", "user_id": 1],
                    ["id": "o2", "user_id": 2], ["id": "o4", "user_id": 9], ["id": "o5"],
                    ["id": "o6", "user_id": [2, 1]],
                ]
            ),
            ("teams", [["id": "red", "size": 3], ["id": "blue"]]),
            ("tags", [["id": "x"], ["id": "y"], ["id": "z"]]),
            (
                "profiles",
                [["id": "p1", "user": 2], ["id": "p2", "user": 4], ["id": "p3", "user": 4]]
            ),
            ("desks", [["id": 7, "floor": 2], ["id": 8]]),
        ]
        for (collection, documents) in records {
            try await fixture.create(collection, documents)
        }
        return fixture
    }

    private func included(_ name: String) async throws -> [Value] {
        let engine = try await fixture().engine()
        let query = Query(include: [Include(name)])
        return try engine.query("users", query).map { $0[name] ?? "absent" }
    }

    @Test func `one to many: theirs that refer to ours, in key order`() async throws {
        let expected: [Value] = [
            [
                ["id": "o1", "user_id": 1], ["id": "o3", "user_id": 1],
                ["id": "o6", "user_id": [2, 1]],
            ],
            [["id": "o2", "user_id": 2], ["id": "o6", "user_id": [2, 1]]], [], [],
        ]
        #expect(try await included("orders") == expected)
    }

    @Test func `many to one: the one that ours refers to, or null`() async throws {
        #expect(try await included("team") == [["id": "red", "size": 3], .null, .null, .null])
    }

    @Test func `many to many: those in our array, each once, in key order`() async throws {
        #expect(try await included("tags") == [[["id": "x"], ["id": "y"]], [["id": "x"]], [], []])
    }

    @Test func `one to one: whichever side has the field`() async throws {
        let profiles: [Value] = [
            .null, ["id": "p1", "user": 2], .null, ["id": "p2", "user": 4],
        ]
        #expect(try await included("profile") == profiles)
        #expect(try await included("desk") == [["id": 7, "floor": 2], .null, .null, .null])
    }

    @Test func `get includes too, and select doesn't leave includes out`() async throws {
        let engine = try await fixture().engine()
        let user = try engine.get("users", 1, include: ["team", "orders"])
        #expect(user?["team"] == ["id": "red", "size": 3])
        #expect(user?["orders"]?.arrayValue?.count == 3)
        #expect(try engine.get("users", 99, include: ["team"]) == nil)
        let order = try engine.get("orders", "o1", include: ["user"])
        #expect(order?.value(at: "user.name") == "Ada")
        let query = Query(filters: ["id": 1], include: ["team"], select: ["name"])
        let expected: Document = ["id": 1, "name": "Ada", "team": ["id": "red", "size": 3]]
        #expect(try engine.query("users", query) == [expected])
    }

    @Test func `an unknown relationship is named with the known ones`() async throws {
        let engine = try await fixture().engine()
        for read in [
            { _ = try engine.query("users", Query(limit: 0, include: ["pets"])) },
            { _ = try engine.get("users", 99, include: ["pets"]) },
        ] {
            let error = try #require(throws: OfflineError.self) { try read() }
            #expect(error.code == .unknownRelationship)
            #expect(error.message.contains("pets") && error.message.contains("orders"))
        }
        let error = try #require(throws: OfflineError.self) {
            try engine.get("users", 1, include: ["orders.items"])
        }
        #expect(error.code == .invalidQuery && error.message.contains("not in this build"))
    }

    @Test func `many parents cost one look-up, not one each`() async throws {
        let fixture = try await QueryFixture(Self.schema)
        let users: [Document] = (0..<300).map {
            ["id": .int($0), "work": ["team": .string($0 % 2 == 0 ? "red" : "blue")]]
        }
        let orders: [Document] = (0..<900).map {
            ["id": .int($0), "user_id": .int($0 % 300)]
        }
        try await fixture.create("users", users)
        try await fixture.create("orders", orders)
        try await fixture.create("teams", [["id": "red"], ["id": "blue"]])
        let snapshot = try fixture.backend.snapshot()
        let reader = CountingReader(snapshot)
        let engine = QueryEngine(
            ReadView(snapshot: reader, schema: try SchemaState(stored: snapshot)))

        let byTeam = try engine.query("users", Query(include: ["team"]))
        #expect(byTeam.count == 300 && byTeam.allSatisfy { $0["team"]?["id"] != nil })
        #expect(reader.counts.lookups == 2 && reader.counts.cursors == 1)

        reader.reset()
        let withOrders = try engine.query("users", Query(include: ["orders"]))
        #expect(withOrders.allSatisfy { $0["orders"]?.arrayValue?.count == 3 })
        // All orders belong to these users: one scan of them is the cheapest, and one cursor each reads all.
        #expect(reader.counts.cursors == 2 && reader.counts.recordSteps == 1_200)
    }

    @Test func `an include hides a field of its name, and an update stores neither`() async throws {
        let fixture = try await fixture()
        try await fixture.create("users", [["id": 5, "orders": "own", "team": 1]])
        let engine = try fixture.engine()
        var user = try #require(try engine.get("users", 5, include: ["orders", "team", "tags"]))
        #expect(user["orders"] == [] && user["team"] == .null && user["tags"] == [])
        user["name"] = "Eve"
        try await fixture.update("users", user, mode: .replace)
        let stored = try fixture.engine().get("users", 5, include: [])
        #expect(stored == ["id": 5, "orders": "own", "team": 1, "name": "Eve"])
        try await fixture.update("users", user, mode: .merge)
        #expect(try fixture.engine().get("users", 5, include: []) == stored)
    }

    @Test func `a query in a transaction sees what it wrote, and includes only what it may read`()
        async throws
    {
        let fixture = try await fixture()
        try await fixture.transaction(["users", "orders"]) { writer, view in
            let engine = QueryEngine(view)
            _ = try writer.create([["id": 6, "age": 70]], in: view.collection("users"))
            _ = try writer.create(
                [["id": "o7", "user_id": 6]], in: view.collection("orders"))
            let query = Query(filters: ["age": ["$gt": 60]], include: ["orders"])
            let found = try engine.query("users", query)
            #expect(found.map { $0["orders"] } == [[["id": "o7", "user_id": 6]]])
            #expect(try engine.count("users", ["age": 70]) == 1)
            #expect(try fixture.engine().count("users", ["age": 70]) == 0)
            let error = #expect(throws: OfflineError.self) {
                try engine.query("users", Query(include: ["team"]))
            }
            #expect(error?.code == .transactionScope)
        }
        #expect(try fixture.engine().count("users", ["age": 70]) == 1)
    }
}
