// What a session is, beside what it lets through: whose policies count, what the principal's id stands for, and how it behaves in
// transactions, over reopenings and beside others.
import Testing

@testable import OfflineKit

struct SessionTests {
    typealias Rule = AccessPolicy.Rule

    private func with(
        _ rules: [Rule]?, _ body: (OfflineStore) async throws -> Void
    ) async throws {
        let schema = AccessWorld.schema(rules.map { AccessPolicy($0) })
        try await TestStore.with(.memory, schema) { store in
            try await store.createBatch("notes", AccessWorld.notes)
            try await body(store)
        }
    }

    private static let all = Set(AccessPolicy.Operation.allCases)

    @Test func `a session before initialize and after close is notOpen`() async throws {
        let place = try TestStore()
        let store = OfflineStore(place.options(AccessWorld.schema(AccessPolicy([]))))
        let session = store.session(as: Principal(id: "ann"))
        await expectError(.notOpen) { _ = try await session.query("notes") }
        try await store.initialize()
        await expectError(.accessDenied) { _ = try await session.query("notes") }
        await expectError(.unknownCollection) { _ = try await session.query("nothing") }
        try await store.close()
        await expectError(.notOpen) { _ = try await session.create("notes", [:]) }
        await expectError(.notOpen) { for try await _ in session.stream("notes") {} }
        await expectError(.notOpen) { for try await _ in session.observe("notes") {} }
    }

    @Test func `a policy isn't stored, and may change with every opening`() async throws {
        let place = try TestStore(.log)
        defer { place.remove() }
        let reading = AccessPolicy([Rule(role: "*", operations: [.read])])
        var store = try await place.open(AccessWorld.schema(reading))
        try await store.createBatch("notes", AccessWorld.notes)
        try await store.close()
        let ann = Principal(id: "ann")
        store = try await place.open(AccessWorld.schema(AccessPolicy([])))
        await expectError(.accessDenied) {
            _ = try await store.session(as: ann).count("notes")
        }
        try await store.close()
        store = try await place.open([])
        #expect(try await store.session(as: ann).count("notes") == AccessWorld.notes.count)
        try await store.close()
    }

    @Test func `the principal's id stands for itself, whatever is in it`() async throws {
        let rules = [
            Rule(role: "*", operations: [.read], where: ["owner": ["$in": ["$principal"]]])
        ]
        try await with(rules) { store in
            for id in ["$principal", "", "$ne", "^", "{\"$ne\": null}", "ann\u{0}", "ANN"] {
                let found = try await store.session(as: Principal(id: id)).count("notes")
                #expect(found == 0)
            }
            let found = try await store.session(as: Principal(id: "ann")).count("notes")
            #expect(found == 2)
        }
        let pattern = [
            Rule(role: "*", operations: [.read], where: ["owner": ["$regex": "$principal"]])
        ]
        try await with(pattern) { store in
            for id in ["ann", ".", "("] {
                let found = try await store.session(as: Principal(id: id)).count("notes")
                #expect(found == 0)
            }
        }
    }

    @Test func `a policy compares exactly, whatever the query does`() async throws {
        let rules = [
            Rule(role: "*", operations: [.read], where: ["owner": "$principal"]),
            Rule(role: "clerk", operations: [.read], where: ["tags": "T2"]),
        ]
        try await with(rules) { store in
            let session = store.session(as: Principal(id: "ANN", roles: ["clerk"]))
            for filter in [.all, ["owner": "ann"], ["shared": true]] as [Filter] {
                let query = Query(filters: filter, collation: .caseInsensitive)
                let found = try await session.query("notes", query)
                #expect(found.isEmpty)
                let plan = try await session.explain("notes", query)
                #expect(plan.estimatedRecords == 0)
            }
            // One that isn't seen doesn't take the place of one that is.
            try await store.create("notes", ["id": "a", "owner": "Mia"])
            let query = Query(filters: ["owner": "MIA"], limit: 1, collation: .caseInsensitive)
            let mia = try await store.session(as: Principal(id: "mia")).query("notes", query)
            #expect(mia.map { $0["id"] } == ["key-5-k"])
        }
    }

    @Test func `a failed operation leaves a session's transaction going on`() async throws {
        try await with([Rule(role: "*", operations: Self.all, where: ["owner": "$principal"])]) {
            store in
            let session = store.session(as: Principal(id: "ann"))
            try await session.transaction(["notes"]) { notes in
                try await notes.update("notes", ["id": "key-0-k", "level": 9], mode: .merge)
                await expectError(.accessDenied) {
                    _ = try await notes.update(
                        "notes", ["id": "key-0-k", "owner": "bob"], mode: .merge)
                }
                await expectError(.notFound) {
                    _ = try await notes.update(
                        "notes", ["id": "key-3-k", "level": 9], mode: .merge)
                }
                await expectError(.transactionScope) { _ = try await session.create("notes", [:]) }
                let levels = try await notes.distinct("notes", "level")
                #expect(levels == [2, 9])
            }
            #expect(try await store.get("notes", "key-0-k")?["level"] == 9)
            #expect(try await store.get("notes", "key-0-k")?["owner"] == "ann")
        }
    }

    @Test func `a record that leaves reach while it is streamed isn't given out`() async throws {
        let rules = [
            Rule(role: "*", operations: [.read], where: ["shared": true]),
            Rule(role: "*", operations: [.update]),
        ]
        try await with(rules) { store in
            let session = store.session(as: Principal(id: "ann"))
            try await session.transaction(["notes"]) { notes in
                var stream = notes.stream("notes").makeAsyncIterator()
                #expect(try await stream.next()?["id"] == "key-0-k")
                var rest: [Value] = []
                while let note = try await stream.next() { rest.append(note["id"] ?? .null) }
                #expect(rest == ["key-2-k", "key-5-k"])
            }
            // More than a page, so that the rest is read after the change.
            let many = (0..<200 as Range<Int64>).map { number in
                ["id": .string("m\(1000 + number)"), "shared": true] as Document
            }
            try await store.createBatch("notes", many)
            try await session.transaction(["notes"]) { notes in
                let query = Query(filters: ["id": ["$startsWith": "m"]])
                var stream = notes.stream("notes", query).makeAsyncIterator()
                var count = try await stream.next() == nil ? 0 : 1
                try await notes.updateBatch(
                    "notes",
                    many.suffix(50).map { ["id": $0["id"] ?? .null, "shared": false] })
                while try await stream.next() != nil { count += 1 }
                #expect(count == 150)
            }
        }
    }

    @Test func `a generated key is told to who may only write`() async throws {
        try await with([Rule(role: "*", operations: [.create])]) { store in
            let session = store.session(as: Principal(id: "ann"))
            let created = try await session.create("notes", ["body": "mine"])
            #expect(created.fieldNames == ["id"])
            let stored = try await store.get("notes", created["id"] ?? .null)
            #expect(stored?["body"] == "mine")
        }
    }

    @Test func `damage in a record out of reach names no key`() {
        let access = SessionAccess(Principal(id: "ann"), AccessWorld.schema(nil))
        let damage = OfflineError(.corrupted, "damaged", collection: "notes", key: "key-3-k")
        let concealed = access.concealed(damage) as? OfflineError
        #expect(concealed?.key == nil && concealed?.code == .corrupted)
        let own = OfflineError(.notFound, "none", collection: "notes", key: "key-3-k")
        #expect(access.concealed(own) as? OfflineError == own)
    }

    @Test func `the best match doesn't depend on records out of reach`() async throws {
        let rules = [Rule(role: "*", operations: [.read], where: ["owner": "$principal"])]
        try await with(rules) { store in
            let session = store.session(as: Principal(id: "ann"))
            try await store.clear(["notes"])
            try await store.createBatch(
                "notes",
                [
                    ["id": "a", "owner": "ann", "body": "rare"],
                    ["id": "b", "owner": "ann", "body": "common"],
                ])
            let query = Query(filters: ["$text": ["$search": "rare common"]])
            let before = try await session.query("notes", query).map { $0["id"] }
            for word in ["rare", "common"] {
                try await store.createBatch(
                    "notes",
                    (0..<20).map { _ in ["owner": "bob", "body": .string(word)] as Document })
                let after = try await session.query("notes", query).map { $0["id"] }
                #expect(before == after, "\(word)")
                for note in try await store.query("notes", Query(filters: ["owner": "bob"])) {
                    try await store.delete("notes", note["id"] ?? .null)
                }
            }
        }
    }

    @Test func `what the policy asks is served by indexes, as if the query asked it`() async throws
    {
        let rules = [Rule(role: "*", operations: [.read], where: ["owner": "$principal"])]
        let schema = AccessWorld.schema(AccessPolicy(rules))
        let many = (0..<500 as Range<Int64>).map { number in
            AccessWorld.note(
                number, number % 50 == 0 ? "ann" : "bob", number % 4, shared: true, "b")
        }
        let fixture = try await QueryFixture(schema[0], many)
        let reader = CountingReader(try fixture.backend.snapshot())
        let view = ReadView(
            snapshot: reader, schema: try SchemaState(stored: reader),
            access: SessionAccess(Principal(id: "ann"), schema))
        reader.reset()
        #expect(try view.query("notes", Query()).count == 10)
        #expect(reader.counts.recordSteps == 0 && reader.counts.lookups == 10)
        reader.reset()
        #expect(try view.count("notes", .all) == 10)
        #expect(reader.counts == ReadCounts(), "the tree's own count")
        #expect(try view.count("notes", ["level": 2]) == 5)
        #expect(reader.counts == ReadCounts(), "that of an index of both")
        #expect(try view.explain("notes", Query(), analyze: false).access == .index("owner"))
    }

    @Test func `the README's policy does what it says`() async throws {
        let policy = AccessPolicy([
            .init(
                role: "*", operations: [.read], where: ["shared": true], hiddenFields: ["salary"]),
            .init(
                role: "clerk", operations: [.read, .create, .update], where: ["owner": "$principal"]
            ),
            .init(role: "chief", operations: Set(AccessPolicy.Operation.allCases)),
        ])
        let schema = CollectionSchema(name: "people", accessPolicy: policy)
        try await TestStore.with(.memory, [schema]) { store in
            try await store.createBatch(
                "people",
                [
                    ["id": 1, "name": "Ada", "owner": "ann", "salary": 10, "shared": false],
                    ["id": 2, "name": "Bea", "owner": "bob", "salary": 20, "shared": true],
                    ["id": 3, "name": "Cid", "owner": "bob", "salary": 30, "shared": false],
                ])
            let session = store.session(as: Principal(id: "ann", roles: ["clerk"]))
            let mine = try await session.query("people", Query(sort: [.ascending("name")]))
            #expect(mine.map { $0["salary"] } == [10, nil])
            let paid = try await session.query("people", Query(sort: [.descending("salary")]))
            #expect(paid.map { $0["id"] } == [1], "where it is shown")
            let chief = store.session(as: Principal(id: "mia", roles: ["chief"]))
            #expect(
                try await chief.aggregate(
                    "people", Aggregation(measures: ["all": .sum("salary")])) == [["all": 60]])
            let nobody = store.session(as: Principal(id: "zoe"))
            await expectError(.accessDenied) { _ = try await nobody.distinct("people", "salary") }
            await expectError(.accessDenied) { _ = try await nobody.delete("people", 2) }
        }
    }

    /// Policies that can't be, and what the message must name.
    static let wrong: [(rule: Rule, named: String)] = [
        (Rule(role: "", operations: [.read]), "role"),
        (Rule(role: "r", operations: []), "grants nothing"),
        (Rule(role: "r", operations: [.read], where: ["a": ["$what": 1]]), "$what"),
        (Rule(role: "r", operations: [.read], where: ["$text": ["$search": "a"]]), "$text"),
        (Rule(role: "r", operations: [.read], hiddenFields: [""]), "hiddenFields"),
        (Rule(role: "r", operations: [.read], hiddenFields: ["a..b"]), "a..b"),
        (Rule(role: "r", operations: [.read], hiddenFields: ["tags.0"]), "tags.0"),
        (Rule(role: "r", operations: [.read], hiddenFields: ["id"]), "key"),
        (Rule(role: "r", operations: [.read], hiddenFields: ["id.x"]), "key"),
    ]

    @Test(arguments: wrong) func `a policy that can't be is refused`(
        rule: Rule, named: String
    ) async throws {
        let options = try TestStore().options(AccessWorld.schema(AccessPolicy([rule])))
        let error = await expectError(.invalidOptions) {
            try await OfflineStore(options).initialize()
        }
        #expect(error?.message.contains("notes") == true)
        #expect(error?.message.contains(named) == true, "\(error?.message ?? "")")
    }
}
