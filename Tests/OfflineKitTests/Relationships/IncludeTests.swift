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
            try engine.get("users", 1, include: ["orders.pets"])
        }
        #expect(error.code == .unknownRelationship && error.collection == "orders")
        for path in ["", "orders.", ".orders"] {
            #expect(throws: OfflineError.self) {
                try engine.get("users", 1, include: [Include(path)])
            }
        }
    }

    @Test func `an include that makes no sense is invalidQuery, and says which it is`()
        async throws
    {
        let engine = try await fixture().engine()
        let cases: [([Include], String)] = [
            ([Include("orders", filters: ["a": ["$near": 1]])], "$near"),
            ([Include("orders", sort: [.ascending("")])], "path"),
            ([Include("orders", limit: -1)], "-1"),
            ([Include("orders"), Include("orders", limit: 1)], "twice"),
            ([Include(Array(repeating: "orders", count: 101).joined(separator: "."))], "deeper"),
        ]
        for (include, words) in cases {
            let error = try #require(throws: OfflineError.self) {
                try engine.query("users", Query(limit: 0, include: include))
            }
            #expect(error.code == .invalidQuery && error.message.contains(words))
        }
        // Fields that look the same are two.
        let (whole, parts) = ("\u{E9}", "e\u{301}")
        #expect(throws: OfflineError.self) {
            try CheckedInclude.tree([
                Include("orders", sort: [.ascending(whole)]),
                Include("orders", sort: [.ascending(parts)]),
            ])
        }
        #expect(try CheckedInclude.tree([Include(whole), Include(parts)]).count == 2)
        // The same twice is one.
        #expect(try engine.get("users", 1, include: ["team", "team"])?["team"]?["size"] == 3)
    }

    @Test func `nested includes: dotted names, and what is on the way`() async throws {
        let engine = try await fixture().engine()
        let user = try engine.get(
            "users", 2, include: ["orders.user.team", Include("orders", limit: 1)])
        #expect(user?.value(at: "orders.0.user.name") == "Bob")
        #expect(user?.value(at: "orders.0.user.team") == .null)
        #expect(user?["orders"]?.arrayValue?.count == 1)
    }

    @Test func `filter, sort and limit hold for each parent`() async throws {
        let fixture = try await QueryFixture(Self.schema)
        try await fixture.create("users", (0..<3).map { ["id": .int($0)] })
        try await fixture.create(
            "orders",
            (0..<30).map {
                ["id": .int($0), "user_id": .int($0 % 3), "total": .int($0 * 7 % 30), "n": 1]
            })
        let include = Include(
            "orders", filters: ["total": ["$lt": 20]], sort: [.descending("total")], limit: 2)
        let result = try fixture.engine().query("users", Query(include: [include]))
        let totals = result.map { $0["orders"]?.arrayValue?.map { $0["total"]?.intValue ?? -1 } }
        let expected = (0..<3).map { user in
            Array(
                (0..<30).filter { $0 % 3 == user }.map { $0 * 7 % 30 }.filter { $0 < 20 }
                    .sorted(by: >).prefix(2))
        }
        #expect(totals == expected)
    }

    @Test func `the plan says how includes are found`() async throws {
        let engine = try await fixture().engine()
        let plan = try engine.explain(
            "users", Query(include: ["orders.user", "profile"]), analyze: false)
        #expect(plan.description.contains(#"by the index user_id of "orders""#))
        #expect(
            plan.description.contains(
                #"in orders: include user, for all records at once: by the keys of "users""#))
        #expect(plan.description.contains(#"by a scan of "profiles", which has no index on user"#))
    }

    /// What reading users with these includes costs where there are so many of them.
    private func cost(users count: Int, _ include: [Include]) async throws -> ReadCounts {
        let fixture = try await QueryFixture(Self.schema)
        let users: [Document] = (0..<count).map {
            [
                "id": .int(Int64($0)), "work": ["team": .int(Int64($0))],
                "tag_ids": [.int(Int64($0)), 1],
            ]
        }
        let orders: [Document] = (0..<3 * count).map {
            ["id": .int(Int64($0)), "user_id": .int(Int64($0 % count))]
        }
        let others: [Document] = (0..<count).map { ["id": .int(Int64($0))] }
        try await fixture.create("users", users)
        try await fixture.create("orders", orders)
        try await fixture.create("teams", others)
        try await fixture.create("tags", others)
        let snapshot = try fixture.backend.snapshot()
        let reader = CountingReader(snapshot)
        let engine = QueryEngine(
            ReadView(snapshot: reader, schema: try SchemaState(stored: snapshot)))
        let result = try engine.query("users", Query(include: include))
        #expect(result.count == count)
        for include in include where !include.path.contains(".") {
            #expect(result.allSatisfy { $0[include.path] != .null && $0[include.path] != [] })
        }
        return reader.counts
    }

    @Test(
        arguments: [
            ["team"], ["tags"], ["orders"], ["orders", "orders.user.team", "team", "tags"],
            [Include("orders", sort: [.descending("id")], limit: 1), "orders.user"],
        ] as [[Include]])
    func `a thousand parents cost as many scans as ten`(include: [Include]) async throws {
        let few = try await cost(users: 10, include)
        let many = try await cost(users: 1_000, include)
        #expect(many.cursors == few.cursors && many.lookups == 0)
        // One for the users, at most three an include.
        #expect(many.cursors <= 1 + 3 * (include.count + 2))
        // Every record that is read is part of the result.
        #expect(many.recordSteps <= 1_000 * (1 + 7 * include.count))
    }

    @Test
    func `references in arrays are found by a multi-entry index, and no other record is read`()
        async throws
    {
        let schema = [
            CollectionSchema(
                name: "tags",
                relationships: [
                    RelationshipSchema(
                        name: "users", collection: "users", type: .oneToMany,
                        foreignKey: "tag_ids")
                ]),
            CollectionSchema(
                name: "users",
                indexes: [
                    IndexSchema(name: "whole", keyPath: "tag_ids"),
                    IndexSchema(name: "each", keyPath: "tag_ids", multiEntry: true),
                ]),
        ]
        let fixture = try await QueryFixture(schema)
        try await fixture.create("tags", [["id": 1]])
        try await fixture.create(
            "users",
            (0..<500).map { ["id": .int($0), "tag_ids": [.int($0 % 100), .int($0 % 100 + 1)]] })
        let snapshot = try fixture.backend.snapshot()
        let reader = CountingReader(snapshot)
        let engine = QueryEngine(
            ReadView(snapshot: reader, schema: try SchemaState(stored: snapshot)))
        let tag = try engine.get("tags", 1, include: ["users"])
        #expect(tag?["users"]?.arrayValue?.count == 10)
        #expect(reader.counts.steps + reader.counts.seeks < 150)
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
