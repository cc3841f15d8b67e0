// Which queries the kinds of indexes serve that are not plain, and several indexes together.
import Testing

@testable import OfflineKit

struct IndexKindPlanTests {
    /// 1,000 articles: three of twenty tags each, a state of which "open" is rare, titles in mixed case, ratings 0 to 49.
    private static let articles: [Document] = (0..<1_000).map(article)

    private static func article(_ number: Int) -> Document {
        var article: Document = ["id": .int(Int64(number)), "rating": .int(Int64(number % 50))]
        article["tags"] = .array((0..<3).map { .string("t\((number + $0 * 7) % 20)") })
        article["state"] = number % 40 == 0 ? "open" : "closed"
        article["title"] = .string("\(number % 2 == 0 ? "Title" : "TITLE") \(number / 4)")
        let part: Document = [
            "name": .string("p\(number % 100)"), "size": .int(Int64(number / 100)),
        ]
        article["parts"] = [.object(part)]
        article["body"] = .string("A \(number % 3 == 0 ? "fast" : "slow") fox \(number % 7)")
        return article
    }

    private static let schema = CollectionSchema(
        name: "articles",
        indexes: [
            IndexSchema(name: "tag", keyPath: "tags", multiEntry: true),
            IndexSchema(name: "part", keyPath: "parts.name", multiEntry: true),
            IndexSchema(name: "title", keyPath: "title", collation: .caseInsensitive),
            IndexSchema(name: "open", keyPath: "rating", where: ["state": "open"]),
            IndexSchema(name: "rating", keyPath: "rating"),
            .fullText(name: "words", keyPaths: ["body"]),
        ])

    struct Choice: Sendable {
        var query: Query
        var access: QueryPlan.Access
        var sortedByIndex = false
        /// Records that are read.
        var examined: Int
        var isExact = false
    }

    static let choices: [Choice] = [
        Choice(
            query: Query(filters: ["tags": "t3"]), access: .index("tag"), examined: 150,
            isExact: true),
        Choice(
            query: Query(filters: ["tags": ["$in": ["t3", "t10"]]]), access: .index("tag"),
            examined: 200),
        // Two of the three; the last one leaves out less than it costs.
        Choice(
            query: Query(filters: ["tags": ["$all": ["t0", "t7", "t14"]]]),
            access: .intersection(["tag"]), examined: 100),
        Choice(
            query: Query(filters: ["parts": ["$elemMatch": ["name": "p7", "size": 2]]]),
            access: .index("part"), examined: 10),
        Choice(
            query: Query(filters: ["title": "title 7"], collation: .caseInsensitive),
            access: .index("title"), examined: 4, isExact: true),
        Choice(
            query: Query(sort: [.ascending("title")], limit: 5, collation: .caseInsensitive),
            access: .index("title"), sortedByIndex: true, examined: 5, isExact: true),
        Choice(
            query: Query(
                filters: ["title": ["$startsWith": "TITLE 24"]], collation: .caseInsensitive),
            access: .index("title"), examined: 44, isExact: true),
        Choice(
            query: Query(filters: ["state": "open"]), access: .index("open"), examined: 25,
            isExact: true),
        Choice(
            query: Query(filters: ["state": "open", "rating": ["$lt": 20]]), access: .index("open"),
            examined: 10, isExact: true),
        Choice(
            query: Query(filters: ["state": "open"], sort: [.descending("rating")], limit: 3),
            access: .index("open"), sortedByIndex: true, examined: 3, isExact: true),
        Choice(
            query: Query(filters: ["$or": [["rating": 3], ["tags": "t5"]]]),
            access: .union(["rating", "tag"]), examined: 170),
        Choice(
            query: Query(filters: ["$or": [["id": 3], ["rating": 7]]]),
            access: .union(["the key", "rating"]), examined: 21),
        Choice(
            query: Query(filters: ["tags": "t3", "rating": ["$gte": 40]]),
            access: .intersection(["tag", "rating"]), examined: 30),
        Choice(
            query: Query(filters: ["$text": ["$search": "fast"]], limit: 10),
            access: .index("words"), examined: 10, isExact: true),
        Choice(
            query: Query(filters: ["$text": ["$search": "fast"], "rating": 0]),
            access: .index("words"), examined: 334),
    ]

    @Test(arguments: choices)
    func `each kind serves what it can`(choice: Choice) async throws {
        let engine = try await QueryFixture(Self.schema, Self.articles).engine()
        let plan = try engine.explain("articles", choice.query, analyze: true)
        let place: Comment = "\(choice.query): \(plan)"
        #expect(plan.access == choice.access, place)
        #expect(plan.sortedByIndex == choice.sortedByIndex, place)
        #expect(plan.examinedRecords == choice.examined, place)
        #expect(plan.isExact == choice.isExact, place)
        if choice.query.collation == .binary, choice.query.filters.document["$text"] == nil {
            let free = try await QueryFixture(
                CollectionSchema(name: "articles"), Self.articles
            ).engine().query("articles", choice.query)
            #expect(try engine.query("articles", choice.query) == free, place)
        }
    }

    @Test func `an index that can't serve says why`() async throws {
        let engine = try await QueryFixture(Self.schema, Self.articles).engine()
        let binary = try engine.explain(
            "articles", Query(filters: ["title": "x", "rating": 4]), analyze: false)
        #expect(binary.rejected["title"]?.contains("another collation") == true)
        #expect(binary.rejected["open"]?.contains("doesn't imply") == true)
        #expect(binary.rejected["words"]?.contains("$text only") == true)
        #expect(binary.rejected["tag"]?.contains("no leading path") == true)
        let search = try engine.explain(
            "articles", Query(filters: ["$text": ["$search": "fox"]]), analyze: false)
        #expect(search.rejected["rating"]?.contains("searches for words") == true)
    }

    @Test func `an array that is named by its position is found with its index and without`()
        async throws
    {
        let records: [Document] = [
            ["id": 1, "a": [[5, 6]]], ["id": 2, "a": [5, 6]],
            ["id": 3, "a": [["x": [[5, 6], 7]], ["x": [5]]]], ["id": 4, "a": ["0": [5]]],
        ]
        let filters: [(path: String, filter: Filter, ids: [Value])] = [
            ("a.0", ["a.0": ["$contains": 5]], [1, 4]),
            ("a.0", ["a.0": ["$elemMatch": ["$gt": 4]]], [1, 4]),
            ("a.0", ["a.0": ["$all": [["$elemMatch": ["$eq": 5]]]]], [1, 4]),
            ("a.0", ["a.0": 5], [2, 4]),
            ("a.x.0", ["a": ["$elemMatch": ["x.0": ["$contains": 5]]]], [3]),
            ("a.x.0", ["a.x.0": ["$elemMatch": ["$lt": 6]]], [3]),
        ]
        for (path, filter, ids) in filters {
            let schema = CollectionSchema(
                name: "c",
                indexes: [
                    IndexSchema(name: "each", keyPath: path, multiEntry: true),
                    IndexSchema(name: "whole", keyPath: path),
                ])
            let fixture = try await QueryFixture(schema, records)
            for access in [nil, .collection, .index("each"), .index("whole")] as [ForcedAccess?] {
                let found = try fixture.engine(forcing: access).query(
                    "c", Query(filters: filter))
                #expect(found.map { $0["id"] } == ids, "\(filter), \(String(describing: access))")
            }
        }
    }

    @Test func `an index that a union uses is not among those that lost`() async throws {
        let engine = try await QueryFixture(Self.schema, Self.articles).engine()
        let plan = try engine.explain(
            "articles", Query(filters: ["$or": [["rating": 3], ["parts.name": "p5"]]]),
            analyze: false)
        #expect(plan.access == .union(["rating", "part"]))
        #expect(Set(plan.rejected.keys) == ["tag", "title", "open", "words"], "\(plan)")
    }

    @Test func `counts through several indexes read no record`() async throws {
        let engine = try await QueryFixture(Self.schema, Self.articles).engine()
        let filters: [(Filter, Int)] = [
            (["tags": ["$in": ["t3", "t10"]]], 200), (["$or": [["rating": 3], ["rating": 4]]], 40),
            (["tags": "t3", "rating": ["$gte": 40]], 30), (["state": "open"], 25),
            (["$text": ["$search": "fast slow"]], 1_000),
            (["$text": ["$search": "fast"], "rating": 0], 7),
        ]
        for (filter, count) in filters {
            #expect(try engine.count("articles", filter) == count, "\(filter)")
            let free = Self.articles.count { NaiveQuery.matches($0, filter.document) }
            if filter.document["$text"] == nil { #expect(free == count) }
        }
    }

    @Test func `a search gives the best match first, or what is asked for`() async throws {
        let documents: [Document] = [
            ["id": 1, "body": "fox", "n": 3], ["id": 2, "body": "the fox and the fox", "n": 1],
            ["id": 3, "body": "a dog", "n": 2], ["id": 4, "body": "FOX fox fox fox", "n": 2],
            ["id": 5, "body": "dog and fox", "n": 5],
        ]
        let schema = CollectionSchema(
            name: "notes", indexes: [.fullText(name: "words", keyPaths: ["body"])])
        let engine = try await QueryFixture(schema, documents).engine()
        func ids(_ query: Query) throws -> [Int] {
            try engine.query("notes", query).map { $0["id"]?.intValue ?? 0 }
        }
        let fox: Filter = ["$text": ["$search": "Fox"]]
        let ranked = try ids(Query(filters: fox))
        #expect(ranked.first == 4 && Set(ranked) == [1, 2, 4, 5])
        #expect(try ids(Query(filters: fox, limit: 2)) == Array(ranked.prefix(2)))
        #expect(try ids(Query(filters: fox, limit: 2, offset: 1)) == Array(ranked[1..<3]))
        #expect(try ids(Query(filters: fox, sort: [.ascending("n")])) == [2, 4, 1, 5])
        #expect(
            try ids(Query(filters: ["$text": ["$search": "fox"], "n": ["$gt": 2]]))
                == ranked.filter { [1, 5].contains($0) })
        #expect(try ids(Query(filters: ["$text": ["$search": "cat"]])) == [])
        #expect(try ids(Query(filters: ["$text": ["$search": ""]])) == [])
        let error = #expect(throws: OfflineError.self) {
            try engine.query("notes", Query(filters: ["$or": [["$text": ["$search": "a"]]]]))
        }
        #expect(error?.code == .invalidQuery)
    }

    @Test func `a partial index serves what implies its condition, and nothing else`() async throws
    {
        func condition(_ filter: Filter) throws -> Condition { try FilterParser.parse(filter) }
        let implied: [(Filter, Filter, Bool)] = [
            (["a": ["$gte": 1]], ["a": 5], true), (["a": ["$gte": 1]], ["a": 0], false),
            (["a": ["$gte": 1]], ["a": ["$gt": 1]], true),
            (["a": ["$gt": 1]], ["a": ["$gte": 1]], false),
            (["a": ["$gte": 1]], ["a": ["$between": [1, 9]]], true),
            (["a": ["$gte": 1, "$lt": 9]], ["a": ["$gte": 2, "$lt": 8]], true),
            (["a": ["$gte": 1, "$lt": 9]], ["a": ["$gte": 2]], false),
            (["a": ["$in": [1, 2]]], ["a": 2], true), (["a": ["$in": [1, 2]]], ["a": 3], false),
            (["a": ["$exists": true]], ["a": ["$startsWith": "x"]], true),
            (["a": ["$exists": true]], ["a": .null], false),
            (["a": ["$exists": true]], ["a": ["$lte": .null]], false),
            (["a": ["$exists": true]], ["b": 1], false),
            (["a": ["$startsWith": "ab"]], ["a": "abc"], true),
            (["a": ["$startsWith": "ab"]], ["a": ["$startsWith": "a"]], false),
            (["$or": [["a": 1], ["b": 2]]], ["b": 2], true),
            (["a": ["$gte": 1]], ["$or": [["a": 1], ["a": 5]]], true),
            (["a": ["$gte": 1]], ["$or": [["a": 1], ["b": 5]]], false),
            (["a": ["$ne": .null]], ["a": ["$ne": .null]], true),
            (["a": ["$ne": .null]], ["a": 5], false),
        ]
        for (index, filter, expected) in implied {
            let conjuncts = try condition(filter).conjuncts
            #expect(
                try condition(index).isImplied(by: conjuncts, .binary) == expected,
                "\(index) by \(filter)")
        }
        // Where case is ignored, equal texts are not equal bytes.
        let text = try condition(["a": "x"])
        #expect(!text.isImplied(by: text.conjuncts, .caseInsensitive))
        let number = try condition(["a": ["$gte": 1]])
        #expect(number.isImplied(by: try condition(["a": 2]).conjuncts, .caseInsensitive))
    }
}
