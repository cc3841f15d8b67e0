// What a query doesn't read, counted by the reader beneath it.
import Testing

@testable import OfflineKit

struct ReadCountTests {
    private static let count = 2_000
    private static let schema = CollectionSchema(
        name: "items",
        indexes: [
            IndexSchema(name: "rank", keyPath: "rank"), IndexSchema(name: "flag", keyPath: "flag"),
        ])

    /// Items with a distinct rank, and a flag that half of them share.
    private func reader() async throws -> (QueryEngine, CountingReader) {
        let items: [Document] = (0..<Self.count).map { number in
            [
                "id": .int(Int64(number)), "rank": .int(Int64((number * 7) % Self.count)),
                "flag": .bool(number % 2 == 0),
            ]
        }
        let fixture = try await QueryFixture(Self.schema, items)
        let snapshot = try fixture.backend.snapshot()
        let reader = CountingReader(snapshot)
        let view = ReadView(snapshot: reader, schema: try SchemaState(stored: snapshot))
        return (QueryEngine(view), reader)
    }

    @Test func `counting a collection, a key range or an index range reads nothing`() async throws {
        let (engine, reader) = try await reader()
        #expect(try engine.count("items", .all) == Self.count)
        #expect(try engine.count("items", ["id": ["$lt": 100]]) == 100)
        #expect(try engine.count("items", ["rank": ["$gte": 500, "$lt": 1_500]]) == 1_000)
        #expect(try engine.count("items", ["flag": true]) == Self.count / 2)
        #expect(try engine.count("items", ["rank": ["$in": [1, 2, 99_999]]]) == 2)
        #expect(reader.counts == ReadCounts())
    }

    @Test func `a deep page through an index reads the page, in both directions`() async throws {
        let (engine, reader) = try await reader()
        for direction in [Sort.Direction.ascending, .descending] {
            reader.reset()
            let query = Query(
                sort: [Sort(field: "rank", direction: direction)], limit: 10, offset: 1_500)
            let ranks = try engine.query("items", query).map { $0["rank"]?.intValue ?? -1 }
            let first = direction == .ascending ? 1_500 : 499
            #expect(ranks == (0..<10).map { direction == .ascending ? first + $0 : first - $0 })
            #expect(reader.counts.lookups == 10 && reader.counts.recordSteps == 0)
            // The page, one entry for the plan, and those around the page.
            #expect(reader.counts.steps <= 13, "\(reader.counts)")
        }
    }

    @Test func `a deep page in key order reads the page`() async throws {
        let (engine, reader) = try await reader()
        let pages: [(Query, Int)] = [
            (Query(limit: 5, offset: 1_990), 1_990),
            (Query(filters: ["id": ["$gte": 100]], limit: 5, offset: 1_000), 1_100),
            (Query(sort: [.descending("id")], limit: 5, offset: 10), 1_989),
        ]
        for (query, first) in pages {
            reader.reset()
            let found = try engine.query("items", query)
            #expect(found.count == 5 && found.first?["id"] == .int(Int64(first)))
            #expect(reader.counts.recordSteps == 5 && reader.counts.lookups == 0)
        }
    }

    @Test func `a page deep inside a large group of ties reads little more than the page`()
        async throws
    {
        let (engine, reader) = try await reader()
        let query = Query(sort: [.descending("flag")], limit: 3, offset: 900)
        let found = try engine.query("items", query).map { $0["id"]?.intValue ?? -1 }
        #expect(found == [1_800, 1_802, 1_804])
        #expect(reader.counts.lookups == 3)
        #expect(reader.counts.steps < 300, "\(reader.counts)")
    }

    @Test func `a limit stops a filtered scan early`() async throws {
        let (engine, reader) = try await reader()
        let found = try engine.query("items", Query(filters: ["rank": ["$ne": 0]], limit: 5))
        #expect(found.count == 5)
        #expect(reader.counts.recordSteps == 6)
        reader.reset()
        #expect(try engine.query("items", Query(limit: 0)).isEmpty)
        #expect(reader.counts == ReadCounts())
    }

    @Test func `a sort with a limit looks up again only what it returns`() async throws {
        let (engine, reader) = try await reader()
        let query = Query(
            filters: ["rank": ["$lt": 300]], sort: [.ascending("flag"), .descending("rank")],
            limit: 4)
        let ranks = try engine.query("items", query).map { $0["rank"]?.intValue ?? -1 }
        #expect(ranks.count == 4 && ranks == ranks.sorted(by: >))
        #expect(reader.counts.lookups == 304 && reader.counts.steps == 300)
    }

    /// A stream's records and what they cost.
    private func stream(
        _ indexes: [IndexSchema], _ records: [Document], _ query: Query
    ) async throws -> ([Document], ReadCounts) {
        let fixture = try await QueryFixture(
            CollectionSchema(name: "items", indexes: indexes), records)
        let snapshot = try fixture.backend.snapshot()
        let reader = CountingReader(snapshot)
        let view = ReadView(snapshot: reader, schema: try SchemaState(stored: snapshot))
        var pages = QueryPages("items", query, isFixed: true)
        var found: [Document] = []
        while case let page = try pages.next(view), !page.isEmpty { found += page }
        let expected = try fixture.engine(forcing: .collection).query("items", query)
        #expect(found == expected, "\(query)")
        return (found, reader.counts)
    }

    @Test func `a stream reads a group of ties once, however many pages it has`() async throws {
        let states: [Document] = (0..<2_000).map { number in
            [
                "id": .int(Int64(number)), "state": .int(Int64(number / 500)),
                "time": .int(Int64(-number)),
            ]
        }
        let index = IndexSchema(name: "state_time", keyPaths: ["state", "time"])
        for sort in [Sort.ascending("state"), .descending("state")] {
            let (found, counts) = try await stream([index], states, Query(sort: [sort]))
            #expect(found.count == 2_000 && counts.lookups == 2_000 && counts.recordSteps == 0)
            #expect(counts.steps < 2_100, "\(counts)")
        }
        // Of the long texts an index has no order; the first text is no hint at that.
        let texts: [Document] = (0..<1_000).map { number in
            let text = number == 0 ? "a" : String(repeating: "x", count: 600) + "\(number % 100)"
            return ["id": .int(Int64(number)), "text": .string(text)]
        }
        let plain = IndexSchema(name: "text", keyPath: "text")
        let (found, counts) = try await stream([plain], texts, Query(sort: [.ascending("text")]))
        #expect(found.count == 1_000 && counts.recordSteps == 0, "\(counts)")
        #expect(counts.steps < 1_100 && counts.lookups < 2_100, "\(counts)")
    }

    @Test func `a stream reads a collection that it includes without an index no more than thrice`()
        async throws
    {
        let users = CollectionSchema(
            name: "users",
            relationships: [
                RelationshipSchema(
                    name: "orders", collection: "orders", type: .oneToMany, foreignKey: "user")
            ])
        let fixture = try await QueryFixture([users, CollectionSchema(name: "orders")])
        try await fixture.create("users", (0..<1_000).map { ["id": .int($0)] })
        try await fixture.create(
            "orders", (0..<1_000).map { ["id": .int($0), "user": .int($0)] })
        let snapshot = try fixture.backend.snapshot()
        let reader = CountingReader(snapshot)
        let view = ReadView(snapshot: reader, schema: try SchemaState(stored: snapshot))
        let query = Query(include: ["orders"])
        let expected = try fixture.engine().query("users", query)
        var pages = QueryPages("users", query, isFixed: true)
        var found: [Document] = []
        while case let page = try pages.next(view), !page.isEmpty { found += page }
        #expect(found == expected)
        // The users, and for the orders the first page's scan, all references, and the orders of all other pages.
        #expect(reader.counts.recordSteps < 1_020 + 3 * 1_020, "\(reader.counts)")
    }

    @Test func `a plan tells all reads: those after a sort, and those of includes`() async throws {
        let schema = CollectionSchema(
            name: "items", indexes: [IndexSchema(name: "of", keyPath: "of")],
            relationships: [
                RelationshipSchema(
                    name: "parts", collection: "items", type: .oneToMany, foreignKey: "of")
            ])
        let items: [Document] = (0..<100).map {
            ["id": .int($0), "of": .int($0 / 10), "rank": .int(-$0)]
        }
        let engine = try await QueryFixture(schema, items).engine()
        let sorted = Query(sort: [.ascending("rank")], limit: 5)
        var plan = try engine.explain("items", sorted, analyze: true)
        #expect(plan.examinedRecords == 105 && plan.examinedEntries == 0, "\(plan)")
        let including = Query(filters: ["id": ["$lt": 3]], include: ["parts"])
        plan = try engine.explain("items", including, analyze: true)
        #expect(plan.examinedRecords == 33 && plan.examinedEntries == 30, "\(plan)")
    }

    @Test func `distinct values come from an index, a look-up each`() async throws {
        let (engine, reader) = try await reader()
        #expect(try engine.distinct("items", "flag", .all) == [false, true])
        #expect(reader.counts.lookups == 0 && reader.counts.recordSteps == 0)
        #expect(reader.counts.steps <= 4 && reader.counts.seeks <= 2, "\(reader.counts)")
        reader.reset()
        let ranks = try engine.distinct("items", "rank", ["rank": ["$lt": 30]])
        #expect(ranks == (0..<30).map { .int($0) })
        #expect(reader.counts.lookups == 0 && reader.counts.recordSteps == 0)
        reader.reset()
        // The index says nothing of the other field.
        #expect(try engine.distinct("items", "flag", ["rank": 5]).count == 1)
        #expect(reader.counts.lookups == 1)
    }
}
