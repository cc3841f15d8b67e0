// What a session is told of a query doesn't depend on what is hidden from it: two stores that differ in nothing else answer the same,
// plans, figures and order included.
import Testing

@testable import OfflineKit

struct SessionPlanTests {
    private typealias Rule = AccessPolicy.Rule

    /// Everybody reads all records, but a clerk only its own ones with what is hidden from others.
    private static let policy = AccessPolicy([
        Rule(role: "*", operations: [.read], hiddenFields: ["salary", "team", "body"]),
        Rule(role: "clerk", operations: [.read], where: ["owner": "$principal"]),
    ])
    private static let schema = [
        CollectionSchema(
            name: "teams",
            relationships: [
                RelationshipSchema(
                    name: "people", collection: "people", type: .oneToMany, foreignKey: "team")
            ]),
        CollectionSchema(
            name: "people",
            indexes: [
                IndexSchema(name: "salary", keyPath: "salary"),
                IndexSchema(name: "level", keyPath: "level"),
                .fullText(name: "words", keyPaths: ["body"]),
            ], accessPolicy: policy),
    ]

    /// A store in which what ann can't see is as `hidden` says for each number.
    private func answers(
        _ queries: [(String, Query)], hidden: (Int64) -> Document
    ) async throws -> [String] {
        var answers: [String] = []
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.createBatch("teams", [["id": "t1"], ["id": "t2"]])
            try await store.createBatch(
                "people",
                [
                    person(0, "ann", ["salary": 5, "team": "t1", "body": "red"]),
                    person(1, "ann", ["salary": 15, "team": "t2", "body": "blue"]),
                ] + (2..<120).map { person($0, "bob", hidden($0)) })
            let session = store.session(as: Principal(id: "ann", roles: ["clerk"]))
            for (collection, query) in queries {
                for analyze in [false, true] {
                    let plan = try await session.explain(collection, query, analyze: analyze)
                    answers.append("\(plan.description) \(plan.estimatedRecords) \(plan.rejected)")
                }
                answers += try await session.query(collection, query).map { $0.json() }
            }
        }
        return answers
    }

    private func person(_ number: Int64, _ owner: String, _ hidden: Document) -> Document {
        var person: Document = [
            "id": .int(number), "owner": .string(owner), "level": .int(number % 4),
        ]
        for (name, value) in hidden { person[name] = value }
        return person
    }

    @Test func `neither a plan nor an order tells of hidden values`() async throws {
        let queries = [
            ("people", Query(filters: ["salary": ["$gt": 10]])),
            ("people", Query(filters: ["salary": ["$gt": 10], "level": 1])),
            ("people", Query(sort: [.ascending("salary")], limit: 5)),
            ("people", Query(filters: ["$text": ["$search": "red blue"]])),
            ("teams", Query(include: ["people"])),
            ("teams", Query(include: [Include("people", filters: ["salary": ["$gt": 1]])])),
        ]
        let one = try await answers(queries) { number in
            ["salary": .int(number), "team": "t1", "body": "red"]
        }
        let other = try await answers(queries) { number in
            number % 9 == 0
                ? ["salary": 1, "team": "t2", "body": "blue"] : ["salary": 2, "body": "blue blue"]
        }
        for (one, other) in zip(one, other) { #expect(one == other) }
        #expect(one.count == other.count)
    }
}
