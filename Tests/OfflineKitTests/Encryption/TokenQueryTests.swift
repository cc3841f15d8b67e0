// How queries get at sealed fields: by blind tokens where a test is of equality and an index is there, else by opening the candidates; and
// that `explain` says which. That the results are right is QueryEquivalenceTests' to show.
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite("Queries by tokens") struct TokenQueryTests {
    /// 400 records: "ssn" differs, "team" is one of 40, "level" one of ten, "note" is never indexed.
    private static func fixture() async throws -> QueryFixture {
        let schema = CollectionSchema(
            name: "users",
            indexes: [
                IndexSchema(name: "ssn", keyPath: "ssn", unique: true),
                IndexSchema(name: "team", keyPaths: ["team", "level"]),
                IndexSchema(name: "level", keyPaths: ["level", "team"]),
            ])
        let records: [Document] = (0..<400).map { number in
            [
                "id": .int(Int64(number)), "ssn": .string("ssn \(number)"),
                "team": number % 50 == 0 ? .null : .string("team \(number % 40)"),
                "level": .int(Int64(number % 10)), "note": .string("note \(number % 40)"),
            ]
        }
        return try await QueryFixture(
            schema, records,
            encryption: EncryptionOptions(
                sensitiveFields: ["ssn", "team", "note"],
                encryptionKeyProvider: KeyEnvelopeTests.key(1)))
    }

    struct Case: Sendable {
        let filter: Filter
        var sort: [Sort] = []
        let access: QueryPlan.Access
        var isExact = false
        var sortedByIndex = false
        /// Steps about sensitive fields.
        let steps: [String]
    }

    static let cases: [Case] = [
        Case(
            filter: ["ssn": "ssn 7"], access: .index("ssn"), isExact: true,
            steps: ["look \"ssn\" up by its blind token"]),
        Case(
            filter: ["ssn": ["$in": ["ssn 7", "ssn 8", "none"]]], access: .index("ssn"),
            isExact: true, steps: ["look \"ssn\" up by its blind token"]),
        Case(
            filter: ["team": "team 3", "level": ["$gte": 2]], access: .index("team"),
            isExact: true, steps: ["look \"team\" up by its blind token"]),
        Case(
            filter: ["team": "team 3"], sort: [.descending("level")], access: .index("team"),
            isExact: true, sortedByIndex: true, steps: ["look \"team\" up by its blind token"]),
        Case(
            filter: ["team": .null], access: .index("team"), isExact: true,
            steps: ["look \"team\" up by its blind token"]),
        Case(
            filter: ["level": 3, "team": ["$in": ["team 3", "team 13"]]],
            access: .index("team"), isExact: true,
            steps: ["look \"team\" up by its blind token"]),
        Case(
            filter: ["$or": [["ssn": "ssn 1"], ["team": "team 3"]]],
            access: .union(["ssn", "team"]),
            steps: [
                "look \"ssn\" up by its blind token", "look \"team\" up by its blind token",
            ]),
        Case(
            filter: ["ssn": "ssn 7", "note": ["$startsWith": "n"]], access: .index("ssn"),
            steps: [
                "look \"ssn\" up by its blind token",
                "open the sensitive field \"note\" of each candidate",
            ]),
        Case(
            filter: ["level": 3, "team": ["$gt": "team 2"]], access: .index("level"),
            steps: ["open the sensitive field \"team\" of each candidate"]),
        Case(
            filter: ["ssn": ["$gte": "ssn 7"]], access: .collectionScan,
            steps: ["open the sensitive field \"ssn\" of each candidate"]),
        Case(
            filter: ["note": "note 7"], access: .collectionScan,
            steps: ["open the sensitive field \"note\" of each candidate"]),
        Case(
            filter: .all, sort: [.ascending("ssn")], access: .collectionScan, isExact: true,
            steps: ["open the sensitive field \"ssn\" of each candidate"]),
        Case(
            filter: ["team": "team 3"], sort: [.ascending("ssn")], access: .index("team"),
            isExact: true,
            steps: [
                "look \"team\" up by its blind token",
                "open the sensitive field \"ssn\" of each candidate",
            ]),
    ]

    @Test(arguments: cases)
    func `equality goes by tokens, all else opens the candidates, and explain says so`(
        _ wanted: Case
    ) async throws {
        let engine = try await Self.fixture().engine()
        let query = Query(filters: wanted.filter, sort: wanted.sort)
        let plan = try engine.explain("users", query, analyze: true)
        #expect(plan.access == wanted.access, "\(plan)")
        #expect(plan.isExact == wanted.isExact, "\(plan)")
        #expect(plan.sortedByIndex == wanted.sortedByIndex, "\(plan)")
        #expect(
            plan.steps.filter { $0.contains("token") || $0.contains("sensitive") }
                == wanted.steps, "\(plan)")
        #expect(try !engine.query("users", query).isEmpty)
    }

    @Test func `what an index on tokens can't serve is told`() async throws {
        let engine = try await Self.fixture().engine()
        for query in [
            Query(filters: ["ssn": ["$gte": "ssn 7"]]), Query(sort: [.ascending("ssn")]),
        ] {
            let plan = try engine.explain("users", query, analyze: false)
            #expect(plan.rejected["ssn"]?.contains("blind tokens") == true, "\(plan)")
        }
    }

    @Test func `a count by a token opens no record`() async throws {
        let fixture = try await Self.fixture()
        let reader = CountingReader(try fixture.backend.snapshot())
        let view = ReadView(
            snapshot: reader, schema: try SchemaState(stored: reader, vault: fixture.vault),
            access: nil)
        reader.reset()
        let count = try QueryEngine(view).count("users", ["team": "team 3"])
        #expect(count == 10)
        #expect(reader.counts.lookups == 0 && reader.counts.recordSteps == 0)
    }

    @Test func `locked, no query names a sensitive field, with an index or without`() async throws {
        let fixture = try await Self.fixture()
        let engine = try fixture.engine()
        fixture.vault?.lock()
        for filter in [["ssn": "ssn 7"], ["note": "note 7"]] as [Filter] {
            await expectError(.locked) { _ = try engine.count("users", filter) }
            await expectError(.locked) {
                _ = try engine.explain("users", Query(filters: filter), analyze: false)
            }
        }
        #expect(try engine.count("users", ["level": 3]) == 40)
    }

    // MARK: Positions

    private static let cards = EncryptionOptions(
        sensitiveFields: ["cards.number"], encryptionKeyProvider: KeyEnvelopeTests.key(1))

    @Test func `an index that leads by a position into a sensitive field is refused`() async {
        let index = IndexSchema(name: "first", keyPath: "cards.0.number")
        await expectError(.invalidOptions) {
            _ = try await QueryFixture(
                [CollectionSchema(name: "users", indexes: [index])], encryption: Self.cards)
        }
    }

    @Test func `a position in a path to a sensitive field hides nothing of that`() async throws {
        let fixture = try await QueryFixture(
            CollectionSchema(name: "users"),
            [["id": 1, "cards": [["number": "x"], ["number": "y"]]]], encryption: Self.cards)
        let engine = try fixture.engine()
        for (path, value, count) in [
            ("cards.0.number", "x", 1), ("cards.0.number", "y", 0), ("cards.1.number", "y", 1),
        ] {
            let filter = Filter([path: .string(value)])
            #expect(try engine.count("users", filter) == count, "\(path) \(value)")
        }
        fixture.vault?.lock()
        await expectError(.locked) { _ = try engine.count("users", ["cards.0.number": "x"]) }
    }

    // MARK: Locking meanwhile

    @Test func `a stream whose filter needs the keys ends with an error where they are forgotten`()
        async throws
    {
        let place = try TestStore()
        defer { place.remove() }
        let store = try await place.open([CollectionSchema(name: "users")]) {
            $0.encryption = .forTests(["ssn"])
        }
        try await store.createBatch(
            "users",
            (0..<1_000).map { ["id": .int($0), "ssn": .string($0 % 2 == 0 ? "even" : "odd")] })
        for filter in [["ssn": "even"], ["ssn": ["$ne": "odd"]]] as [Filter] {
            let query = Query(filters: filter, select: ["id"])
            var seen = 0
            await expectError(.locked) {
                for try await user in store.stream("users", query) {
                    if seen == 0 { await store.lock() }
                    seen += 1
                    #expect((user["id"]?.intValue ?? 1) % 2 == 0)
                }
            }
            #expect(seen > 0 && seen < 500)
            try await store.unlock()
        }
        try await store.close()
    }
}
