// Includes in a session: each collection by its own policy, at every depth, and never through a field that is hidden.
import Testing

@testable import OfflineKit

struct SessionIncludeTests {
    typealias Rule = AccessPolicy.Rule

    private static let principal = Principal(id: "ann", roles: ["clerk"])

    /// Users have notes, notes have tags (many to many) and their user.
    private static func schema(
        users: [Rule]? = nil, notes: [Rule]? = nil, tags: [Rule]? = nil
    ) -> [CollectionSchema] {
        [
            CollectionSchema(
                name: "users",
                relationships: [
                    RelationshipSchema(
                        name: "notes", collection: "notes", type: .oneToMany, foreignKey: "user"),
                    RelationshipSchema(
                        name: "badge", collection: "tags", type: .oneToOne, foreignKey: "badge_id"),
                ], accessPolicy: users.map { AccessPolicy($0) }),
            CollectionSchema(
                name: "notes",
                relationships: [
                    RelationshipSchema(
                        name: "owner", collection: "users", type: .manyToOne, foreignKey: "user"),
                    RelationshipSchema(
                        name: "labels", collection: "tags", type: .manyToMany, foreignKey: "tags"),
                ], accessPolicy: notes.map { AccessPolicy($0) }),
            CollectionSchema(name: "tags", accessPolicy: tags.map { AccessPolicy($0) }),
        ]
    }

    private func with(
        users: [Rule]? = nil, notes: [Rule]? = nil, tags: [Rule]? = nil,
        _ body: (StoreSession) async throws -> Void
    ) async throws {
        let schema = Self.schema(users: users, notes: notes, tags: tags)
        try await TestStore.with(.memory, schema) { store in
            try await store.createBatch(
                "users",
                [["id": "ann", "mail": "a@x", "badge_id": "t1"], ["id": "bob", "mail": "b@x"]])
            try await store.createBatch(
                "notes",
                [
                    ["id": 1, "user": "ann", "tags": ["t1", "t2"], "rank": 3],
                    ["id": 2, "user": "ann", "tags": ["t2"], "rank": 1],
                    ["id": 3, "user": "bob", "tags": ["t1"], "rank": 2],
                ])
            try await store.createBatch(
                "tags",
                [["id": "t1", "name": "red", "badge_id": "x"], ["id": "t2", "name": "blue"]])
            try await body(store.session(as: Self.principal))
        }
    }

    private let read = Rule(role: "*", operations: [.read])

    @Test func `what is included is what the session sees of the other collection`() async throws {
        let own = Rule(
            role: "*", operations: [.read], where: ["user": "$principal"], hiddenFields: ["rank"])
        try await with(notes: [own]) { session in
            let users = try await session.query("users", Query(include: ["notes"]))
            let notes = users.map { ($0["notes"]?.arrayValue ?? []).map { $0.json() } }
            #expect(
                notes == [
                    [
                        #"{"id":1,"user":"ann","tags":["t1","t2"]}"#,
                        #"{"id":2,"user":"ann","tags":["t2"]}"#,
                    ], [],
                ])
        }
        let self1 = Rule(
            role: "*", operations: [.read], where: ["id": "$principal"], hiddenFields: ["mail"])
        try await with(users: [self1]) { session in
            let notes = try await session.query("notes", Query(include: ["owner.notes"]))
            #expect(notes.map { $0["owner"]?.isNull } == [false, false, true])
            #expect(notes[0]["owner"]?["mail"] == nil)
            #expect(notes[0]["owner"]?["notes"]?.arrayValue?.count == 2)
            let note = try await session.get("notes", 3, include: ["owner"])
            #expect(note?["owner"] == .null)
        }
    }

    @Test func `limits and sorts of includes count what is seen`() async throws {
        let low = Rule(role: "*", operations: [.read], where: ["rank": ["$lte": 2]])
        try await with(notes: [low]) { session in
            let ann = try await session.get(
                "users", "ann", include: [Include("notes", sort: [.descending("rank")], limit: 1)])
            #expect(ann?["notes"]?[0]?["id"] == 2)
        }
    }

    @Test func `streams and live queries include the same`() async throws {
        let own = Rule(
            role: "*", operations: [.read], where: ["user": "$principal"], hiddenFields: ["rank"])
        try await with(notes: [own]) { session in
            let query = Query(include: ["notes"])
            let expected = try await session.query("users", query)
            var streamed: [Document] = []
            for try await user in session.stream("users", query) { streamed.append(user) }
            #expect(streamed == expected)
            var observed = session.observe("users", query).makeAsyncIterator()
            #expect(try await observed.next() == expected)
            let inside = try await session.transaction([], reading: ["users", "notes"]) {
                try await $0.query("users", query)
            }
            #expect(inside == expected)
        }
    }

    /// Includes that are refused, and the policies that refuse them.
    static let refused:
        [(name: String, users: [Rule]?, notes: [Rule]?, tags: [Rule]?, Query, from: String)] = {
            let read = Rule(role: "*", operations: [.read])
            func hiding(_ field: String) -> [Rule] {
                [Rule(role: "*", operations: [.read], hiddenFields: [field])]
            }
            return [
                (
                    "no right to the other collection", nil, [], nil, Query(include: ["notes"]),
                    "users"
                ),
                (
                    "no right to a nested one", nil, [read], [], Query(include: ["notes.labels"]),
                    "users"
                ),
                (
                    "only other rights", nil, [Rule(role: "*", operations: [.update])], nil,
                    Query(include: ["notes"]), "users"
                ),
                (
                    "their key is hidden", nil, hiding("user"), nil, Query(include: ["notes"]),
                    "users"
                ),
                ("our key is hidden", nil, hiding("user"), nil, Query(include: ["owner"]), "notes"),
                (
                    "our keys are hidden", nil, hiding("tags"), nil, Query(include: ["labels"]),
                    "notes"
                ),
                (
                    "our key of a nested one is hidden", nil, hiding("tags"), nil,
                    Query(include: ["notes.labels"]), "users"
                ),
                (
                    "their key of a one-to-one is hidden", nil, nil, hiding("badge_id"),
                    Query(include: ["badge"]), "users"
                ),
                (
                    "our key of a one-to-one is hidden", hiding("badge_id"), nil, nil,
                    Query(include: ["badge"]), "users"
                ),
                (
                    "its filter names what is hidden", nil, hiding("rank"), nil,
                    Query(include: [Include("notes", filters: ["rank": 1])]), "users"
                ),
                (
                    "its sort names what is hidden", nil, hiding("rank"), nil,
                    Query(include: [Include("notes", sort: [.ascending("rank")])]), "users"
                ),
            ]
        }()

    @Test(arguments: refused.indices) func `an include is refused`(index: Int) async throws {
        let (name, users, notes, tags, query, collection) = Self.refused[index]
        try await with(users: users, notes: notes, tags: tags) { session in
            await expectError(.accessDenied, "\(name)") {
                _ = try await session.query(collection, query)
            }
            await expectError(.accessDenied, "explain: \(name)") {
                _ = try await session.explain(collection, query, analyze: false)
            }
        }
    }

    @Test func `a key that is hidden in some records leads nowhere from these`() async throws {
        let rules = [
            Rule(role: "*", operations: [.read], hiddenFields: ["user"]),
            Rule(role: "*", operations: [.read], where: ["id": 3]),
        ]
        try await with(notes: rules) { session in
            let notes = try await session.query("notes", Query(include: ["owner"]))
            #expect(notes.map { $0["owner"]?["id"] ?? .null } == [.null, .null, "bob"])
            let users = try await session.query("users", Query(include: ["notes"]))
            #expect(users.map { $0["notes"]?.arrayValue?.count } == [0, 1])
        }
    }

    @Test func `an include of a record that was read is dropped by a write, not stored`()
        async throws
    {
        let rule = Rule(role: "*", operations: [.read, .update], hiddenFields: ["mail"])
        try await with(users: [rule]) { session in
            var ann = try #require(try await session.get("users", "ann", include: ["notes"]))
            ann["name"] = "Ann"
            let stored = try await session.update("users", ann)
            #expect(stored.json() == #"{"id":"ann","badge_id":"t1","name":"Ann"}"#)
        }
    }
}
