// What a session's delete does by delete rules, and what its writes meet in unique indexes: all of it by the policy of the collection
// concerned, and nothing said of records that the session can't see.
import Testing

@testable import OfflineKit

struct SessionRuleTests {
    typealias Rule = AccessPolicy.Rule

    private static let principal = Principal(id: "ann")
    private static let everything = Rule(
        role: "*", operations: Set(AccessPolicy.Operation.allCases))

    private static func rule(
        _ operations: Set<AccessPolicy.Operation>, _ filter: Filter = .all, hiding: [String] = []
    ) -> Rule {
        Rule(role: "*", operations: operations, where: filter, hiddenFields: hiding)
    }

    /// Users have notes, which have parts (cascade); records that refer to each other by a name that is unique.
    private func with(
        _ rule: RelationshipSchema.DeleteRule, users: [Rule] = [everything], notes: [Rule]?,
        parts: [Rule]? = nil, _ body: (OfflineStore, StoreSession) async throws -> Void
    ) async throws {
        let schema = [
            CollectionSchema(
                name: "users",
                relationships: [
                    RelationshipSchema(
                        name: "notes", collection: "notes", type: .oneToMany, foreignKey: "user",
                        onDelete: rule)
                ], accessPolicy: AccessPolicy(users)),
            CollectionSchema(
                name: "notes",
                indexes: [IndexSchema(name: "slug", keyPath: "slug", unique: true)],
                relationships: [
                    RelationshipSchema(
                        name: "parts", collection: "parts", type: .oneToMany, foreignKey: "note",
                        onDelete: .cascade)
                ], accessPolicy: notes.map { AccessPolicy($0) }),
            CollectionSchema(name: "parts", accessPolicy: parts.map { AccessPolicy($0) }),
        ]
        try await TestStore.with(.memory, schema) { store in
            try await store.createBatch("users", [["id": "u1"], ["id": "u2"], ["id": "u3"]])
            try await store.createBatch(
                "notes",
                [
                    ["id": "n1", "user": "u1", "owner": "ann", "slug": "one"],
                    ["id": "n2", "user": "u2", "owner": "bob", "slug": "two"],
                ])
            try await store.createBatch("parts", [["id": "p1", "note": "n1", "owner": "bob"]])
            try await body(store, store.session(as: Self.principal))
        }
    }

    /// A refusal that tells nothing, and leaves everything.
    private func expectRefused(
        _ store: OfflineStore, _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async throws {
        let before = try await [
            store.query("users"), store.query("notes"), store.query("parts"),
        ]
        let error = await expectError(
            .accessDenied, comment, sourceLocation: sourceLocation, body)
        #expect(error?.key == nil, comment, sourceLocation: sourceLocation)
        let words = "the policy doesn't allow the session this change"
        #expect(error?.message == words, comment, sourceLocation: sourceLocation)
        let after = try await [
            store.query("users"), store.query("notes"), store.query("parts"),
        ]
        #expect(before == after, comment, sourceLocation: sourceLocation)
    }

    private let own: Filter = ["owner": "$principal"]

    @Test func `a cascade needs the right to delete each record that it reaches`() async throws {
        try await with(.cascade, notes: [Self.rule([.read, .delete], own)]) { store, session in
            #expect(try await session.delete("users", "u1"))
            #expect(try await session.delete("users", "u3"))
            #expect(try await store.count("parts") == 0)
            try await expectRefused(store) { _ = try await session.delete("users", "u2") }
            try await expectRefused(store, "in a batch") {
                _ = try await session.deleteBatch("users", ["u2", "absent"])
            }
        }
        let readable = [Self.rule([.read]), Self.rule([.delete], own)]
        try await with(.cascade, notes: readable) { store, session in
            try await expectRefused(store) { _ = try await session.delete("users", "u2") }
        }
        try await with(.cascade, notes: [Self.everything], parts: [Self.rule([.delete], own)]) {
            store, session in
            try await expectRefused(store, "two steps away") {
                _ = try await session.delete("users", "u1")
            }
            #expect(try await session.delete("users", "u2"))
        }
        try await with(.cascade, notes: []) { store, session in
            try await expectRefused(store, "no right at all") {
                _ = try await session.delete("users", "u1")
            }
        }
    }

    @Test func `what is nullified must be changeable before and after`() async throws {
        try await with(.nullify, notes: [Self.rule([.read, .update], own, hiding: ["slug"])]) {
            store, session in
            #expect(try await session.delete("users", "u1"))
            let note = try await store.get("notes", "n1")
            #expect(note == ["id": "n1", "user": .null, "owner": "ann", "slug": "one"])
            try await expectRefused(store) { _ = try await session.delete("users", "u2") }
        }
        try await with(.nullify, notes: [Self.rule([.read, .update], hiding: ["user"])]) {
            store, session in
            try await expectRefused(store, "hidden") { _ = try await session.delete("users", "u1") }
        }
        let bound: Filter = ["user": ["$ne": .null]]
        try await with(.nullify, notes: [Self.rule([.read, .update], bound)]) { store, session in
            try await expectRefused(store, "out of reach") {
                _ = try await session.delete("users", "u1")
            }
        }
    }

    @Test func `a restriction names the record only to who can see it`() async throws {
        try await with(.restrict, notes: [Self.rule([.read], own)]) { store, session in
            let error = await expectError(.relationshipViolation) {
                _ = try await session.delete("users", "u1")
            }
            #expect(error?.message.contains("n1") == true)
            try await expectRefused(store) { _ = try await session.delete("users", "u2") }
            #expect(try await session.delete("users", "u3"))
            let hidden: Document = ["id": "n0", "user": "u1", "owner": "bob", "slug": "zero"]
            try await store.create("notes", hidden)
            let same = await expectError(.relationshipViolation, "after one out of sight") {
                _ = try await session.delete("users", "u1")
            }
            #expect(same == error)
        }
        try await with(.restrict, notes: [Self.rule([.read], hiding: ["user"])]) { store, session in
            try await expectRefused(store) { _ = try await session.delete("users", "u1") }
        }
    }

    @Test func `a unique index names the other record only to who can see it`() async throws {
        try await with(.none, notes: [Self.rule([.create]), Self.rule([.read], own)]) {
            store, session in
            let seen = await expectError(.uniqueViolation) {
                _ = try await session.create("notes", ["id": "n3", "slug": "one"])
            }
            #expect(seen?.key == "n1")
            let unseen = await expectError(.uniqueViolation) {
                _ = try await session.create("notes", ["id": "n3", "slug": "two"])
            }
            #expect(unseen?.key == nil && unseen?.message.contains("slug") == true)
            #expect(unseen?.description.contains("n2") == false)
            let ours = await expectError(.uniqueViolation, "in the same batch") {
                _ = try await session.createBatch(
                    "notes", [["id": "n4", "slug": "new"], ["id": "n5", "slug": "new"]])
            }
            #expect(ours?.key == "n4" || ours?.key == "n5")
            let count = try await store.count("notes")
            #expect(count == 2)
        }
        try await with(
            .none, notes: [Self.rule([.create]), Self.rule([.read], hiding: ["slug"])]
        ) { store, session in
            try await expectRefused(store) {
                _ = try await session.create("notes", ["id": "n3", "slug": "one"])
            }
            try await expectRefused(store, "whatever is stored") {
                _ = try await session.create("notes", ["id": "n3", "slug": "new"])
            }
        }
    }

    @Test func `a key that is taken by a record out of sight is as forbidden as any other`()
        async throws
    {
        let rules = [Self.rule([.create], ["owner": "ann"]), Self.rule([.read], own)]
        try await with(.none, notes: rules) { store, session in
            try await expectRefused(store, "taken") {
                _ = try await session.create("notes", ["id": "n2", "owner": "ann"])
            }
            try await expectRefused(store, "forbidden") {
                _ = try await session.create("notes", ["id": "n9", "owner": "bob"])
            }
            try await expectRefused(store, "taken") {
                _ = try await session.upsert("notes", ["id": "n2", "owner": "ann"])
            }
            let seen = await expectError(.alreadyExists) {
                _ = try await session.create("notes", ["id": "n1", "owner": "ann"])
            }
            #expect(seen?.key == "n1")
            var deep: Value = 1
            for _ in 0..<300 { deep = ["a": deep] }
            for key in ["n1", "n2", "n9"] {
                let document: Document = ["id": .string(key), "owner": "ann", "deep": deep]
                await expectError(.invalidDocument, "\(key)") {
                    _ = try await session.create("notes", document)
                }
                await expectError(.invalidDocument, "\(key)") {
                    _ = try await session.upsert("notes", document)
                }
            }
        }
    }

    @Test func `no write shows the session more of a record than before`() async throws {
        let rules = [Self.rule([.update]), Self.rule([.read], own, hiding: ["slug"])]
        try await with(.nullify, notes: rules) { store, session in
            try await expectRefused(store, "the record") {
                _ = try await session.update("notes", ["id": "n2", "owner": "ann"], mode: .merge)
            }
            try await expectRefused(store, "written over") {
                _ = try await session.upsert("notes", ["id": "n2", "owner": "ann"])
            }
            let given = try await session.update(
                "notes", ["id": "n1", "owner": "bob"], mode: .merge)
            #expect(given == ["id": "n1"])
        }
        let shared = [
            Self.rule([.read, .update], hiding: ["slug"]), Self.rule([.read, .update], own),
        ]
        try await with(.none, notes: shared) { store, session in
            try await expectRefused(store, "a field") {
                _ = try await session.update("notes", ["id": "n2", "owner": "ann"], mode: .merge)
            }
        }
        let orphans = [Self.rule([.update]), Self.rule([.read], ["user": .null])]
        try await with(.nullify, notes: orphans) { store, session in
            try await expectRefused(store, "by a rule") {
                _ = try await session.delete("users", "u1")
            }
        }
    }

    @Test func `everything is emptied only by who may delete everything`() async throws {
        try await with(.none, notes: [Self.rule([.delete], own)]) { store, session in
            try await expectRefused(store) { try await session.clear(["notes"]) }
            try await expectRefused(store, "one of two") {
                try await session.clear(["parts", "notes"])
            }
            try await session.clear(["parts"])
            #expect(try await store.count("parts") == 0)
        }
        try await with(.none, notes: [Self.rule([.read, .update])]) { store, session in
            await expectError(.accessDenied) { try await session.clear(["notes"]) }
            await expectError(.accessDenied) {
                try await session.transaction(["notes"]) { try await $0.clear(["notes"]) }
            }
            let count = try await store.count("notes")
            #expect(count == 2)
        }
        try await with(.none, notes: [Self.rule([.delete])]) { store, session in
            try await session.clear(["notes"])
            #expect(try await store.count("notes") == 0)
        }
    }
}
