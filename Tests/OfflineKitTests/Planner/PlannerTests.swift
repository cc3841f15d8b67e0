// Which access a query gets, and what explain tells about it.
import Foundation
import Testing

@testable import OfflineKit

struct PlannerTests {
    /// 1,000 people: ages 0 to 99, ten of each; every tenth is an admin; cities by the hundred.
    private static let people: [Document] = (0..<1_000).map { number in
        [
            "id": .int(Int64(number)), "age": .int(Int64(number % 100)),
            "role": .string(number % 10 == 0 ? "admin" : "user"),
            "email": .string("p\(number)@example.org"),
            "address": ["city": .string("c\(number / 100)")],
        ]
    }

    private static let schema = CollectionSchema(
        name: "people",
        indexes: [
            IndexSchema(name: "age", keyPath: "age"),
            IndexSchema(name: "email", keyPath: "email", unique: true),
            IndexSchema(name: "role_age", keyPaths: ["role", "age"]),
            IndexSchema(name: "city", keyPath: "address.city"),
        ])

    private func explain(_ query: Query, analyze: Bool = false) async throws -> QueryPlan {
        let fixture = try await QueryFixture(Self.schema, Self.people)
        return try fixture.engine().explain("people", query, analyze: analyze)
    }

    struct Choice: Sendable {
        var query: Query
        var access: QueryPlan.Access
        var sortedByIndex = false
        var estimate: Int
        var isExact = true
    }

    static let choices: [Choice] = [
        Choice(query: Query(), access: .collectionScan, estimate: 1_000),
        Choice(query: Query(filters: ["id": 5]), access: .key, estimate: 1),
        Choice(query: Query(filters: ["id": ["$in": [5, 5.0, 7, -1]]]), access: .key, estimate: 2),
        Choice(query: Query(filters: ["id": ["$gte": 10, "$lt": 20]]), access: .key, estimate: 10),
        Choice(
            query: Query(filters: ["email": "p7@example.org"]), access: .index("email"),
            estimate: 1),
        Choice(query: Query(filters: ["age": 30]), access: .index("age"), estimate: 10),
        Choice(
            query: Query(filters: ["age": ["$gt": 30, "$lte": 33]]), access: .index("age"),
            estimate: 30),
        Choice(
            query: Query(filters: ["age": ["$in": [1, 2, 3]]]), access: .index("age"), estimate: 30),
        Choice(
            query: Query(filters: ["role": "admin", "age": 30]), access: .index("role_age"),
            estimate: 10),
        Choice(
            query: Query(filters: ["role": "admin", "age": ["$lt": 25]]),
            access: .index("role_age"), estimate: 30),
        Choice(
            query: Query(filters: ["address.city": "c3"]), access: .index("city"), estimate: 100),
        Choice(
            query: Query(filters: ["age": 30, "name": "x"]), access: .index("age"), estimate: 10,
            isExact: false),
        Choice(
            query: Query(filters: ["name": "x"]), access: .collectionScan, estimate: 1_000,
            isExact: false),
        Choice(
            query: Query(sort: [.ascending("age")], limit: 10), access: .index("age"),
            sortedByIndex: true, estimate: 1_000),
        Choice(
            query: Query(sort: [.descending("age")], limit: 10), access: .index("age"),
            sortedByIndex: true, estimate: 1_000),
        Choice(
            query: Query(filters: ["role": "admin"], sort: [.descending("age")], limit: 5),
            access: .index("role_age"), sortedByIndex: true, estimate: 100),
        Choice(
            query: Query(sort: [.descending("id")], limit: 3), access: .collectionScan,
            sortedByIndex: true, estimate: 1_000),
        Choice(
            query: Query(sort: [.ascending("age"), .descending("role")]), access: .collectionScan,
            estimate: 1_000),
        Choice(query: Query(filters: ["id": ["$in": []]]), access: .key, estimate: 0),
        Choice(
            query: Query(filters: ["age": ["$gt": 5, "$lt": 5]]), access: .index("age"),
            estimate: 0),
    ]

    @Test func `the cheapest access is chosen by exact counts`() async throws {
        let engine = try await QueryFixture(Self.schema, Self.people).engine()
        for choice in Self.choices {
            let plan = try engine.explain("people", choice.query, analyze: false)
            let place: Comment = "\(choice.query): \(plan)"
            #expect(plan.access == choice.access, place)
            #expect(plan.sortedByIndex == choice.sortedByIndex, place)
            #expect(plan.estimatedRecords == choice.estimate, place)
            #expect(plan.isExact == choice.isExact, place)
            #expect(plan.examinedRecords == nil && plan.returnedRecords == nil)
        }
    }

    @Test(arguments: [["status"], ["status", "created"]])
    func `a page comes from the index whose ties are in key order`(first: [String]) async throws {
        let orders: [Document] = (0..<1_000).map {
            ["id": .int($0), "status": "open", "created": .int(-$0)]
        }
        let other = first.count == 1 ? ["status", "created"] : ["status"]
        let schema = CollectionSchema(
            name: "orders",
            indexes: [first, other].map {
                IndexSchema(name: $0.joined(separator: "_"), keyPaths: $0)
            })
        let engine = try await QueryFixture(schema, orders).engine()
        let query = Query(sort: [.ascending("status")], limit: 10)
        let plan = try engine.explain("orders", query, analyze: true)
        #expect(plan.access == .index("status") && plan.sortedByIndex, "\(plan)")
        #expect(plan.examinedEntries == 10 && plan.examinedRecords == 10, "\(plan)")
    }

    @Test
    func
        `a page is taken in order where many match, and gathered where several conditions leave few`()
        async throws
    {
        let films: [Document] = (0..<4_000).map { number in
            [
                "id": .int(number), "year": .int(number % 20), "genre": .int(number / 7 % 20),
                "votes": .int(number * 7_919 % 4_000),
            ]
        }
        let schema = CollectionSchema(
            name: "films",
            indexes: ["year", "genre", "votes"].map { IndexSchema(name: $0, keyPath: $0) })
        let engine = try await QueryFixture(schema, films).engine()
        // A twentieth has the year, and a twentieth of these the genre.
        let one = Query(filters: ["year": 3], sort: [.descending("votes")], limit: 2)
        let plan = try engine.explain("films", one, analyze: true)
        #expect(plan.access == .index("votes"), "\(plan)")
        let two = Query(filters: ["year": 3, "genre": 5], sort: [.descending("votes")], limit: 2)
        let rare = try engine.explain("films", two, analyze: true)
        #expect(rare.access != .index("votes") && rare.estimatedRecords == 200, "\(rare)")
    }

    @Test func `every index that lost is named with the reason`() async throws {
        let plan = try await explain(Query(filters: ["email": "p7@example.org", "age": 7]))
        #expect(plan.access == .index("email"))
        #expect(Set(plan.rejected.keys) == ["age", "role_age", "city"])
        #expect(plan.rejected["age"]?.contains("10 candidates against 1") == true)
        #expect(plan.rejected["city"]?.contains("no leading path") == true)
    }

    @Test func `a plan reads like a sentence or two`() async throws {
        let query = Query(
            filters: ["age": 30, "name": ["$exists": false]], sort: [.ascending("email")], limit: 2)
        let text = try await explain(query, analyze: true).description
        for part in [
            "access: index age", "at most 10 records", "check the filter on each record",
            "sort by email asc, keeping the first 2", "not index city:",
            "ran: examined 10 index entries and 12 records, returned 2 records",
        ] {
            #expect(text.contains(part), "\(text)")
        }
    }

    @Test func `explain finds what is wrong with a query, also in an empty collection`()
        async throws
    {
        let fixture = try await QueryFixture(Self.schema, [])
        let engine = try fixture.engine()
        let mistakes: [(Query, OfflineError.Code)] = [
            (Query(filters: ["a": ["$near": 1]]), .invalidQuery), (Query(limit: -1), .invalidQuery),
            (Query(include: ["pets"]), .unknownRelationship),
        ]
        for (query, code) in mistakes {
            for analyze in [false, true] {
                let error = try #require(throws: OfflineError.self) {
                    try engine.explain("people", query, analyze: analyze)
                }
                #expect(error.code == code)
            }
            #expect(throws: OfflineError.self) { try engine.query("people", query) }
        }
        #expect(throws: OfflineError.self) { try engine.query("persons", Query()) }
        #expect(throws: OfflineError.self) { try engine.count("people", ["a": ["$near": 1]]) }
    }

    @Test func `an array on a path takes the order from its index, and a delete gives it back`()
        async throws
    {
        let fixture = try await QueryFixture(Self.schema, Self.people)
        try await fixture.create("people", [["id": 5_000, "age": [1, 99]]])
        let query = Query(filters: ["age": 99], sort: [.descending("age")])
        let sorted = Query(sort: [.ascending("age")], limit: 3)
        var engine = try fixture.engine()
        var plan = try engine.explain("people", query, analyze: true)
        #expect(plan.access == .index("age") && !plan.sortedByIndex && !plan.isExact)
        #expect(plan.returnedRecords == 11 && plan.examinedRecords == 22)
        plan = try engine.explain("people", sorted, analyze: false)
        #expect(plan.access == .collectionScan)
        #expect(plan.rejected["age"]?.contains("1 record has an array") == true)
        #expect(try engine.count("people", ["age": 99]) == 11)

        try await fixture.delete("people", 5_000)
        engine = try fixture.engine()
        plan = try engine.explain("people", query, analyze: false)
        #expect(plan.access == .index("age") && plan.isExact)
        #expect(try engine.explain("people", sorted, analyze: false).sortedByIndex)
    }
}
