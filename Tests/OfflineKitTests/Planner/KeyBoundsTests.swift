// What a filter says about the keys of an index: which ranges a plan reads, and whether the records must be asked again.
import Foundation
import Testing

@testable import OfflineKit

struct KeyBoundsTests {
    /// 26 × 26 words of two letters, some numbers, and null.
    private static let records: [Document] = {
        let letters = (97...122).map { String(Unicode.Scalar(UInt8($0))) }
        let words = letters.flatMap { first in letters.map { Value.string(first + $0) } }
        let values: [Value] = words + (0..<100).map { .int(Int64($0)) } + [.null]
        return values.enumerated().map { ["id": .int(Int64($0)), "a": $1] }
    }()

    private static let schema = CollectionSchema(
        name: "words", indexes: [IndexSchema(name: "a", keyPath: "a")])

    struct Bound: Sendable, CustomTestStringConvertible {
        var filter: Document
        /// How many index entries are in the ranges; nil: the index isn't used.
        var entries: Int?
        var isExact = true
        var testDescription: String { filter.json() }
    }

    static let bounds: [Bound] = [
        Bound(filter: ["a": ["$between": [10, 19]]], entries: 10),
        Bound(filter: ["a": ["$between": ["ab", "ad"]]], entries: 3),
        Bound(filter: ["a": ["$between": [10, 19], "$gt": 15]], entries: 4),
        Bound(filter: ["a": ["$between": [19, 10]]], entries: 0),
        Bound(filter: ["a": ["$between": [1, "b"]]], entries: 0),
        Bound(filter: ["a": ["$between": [.null, .null]]], entries: 1),
        Bound(filter: ["a": ["$between": [.double(.nan), 5]]], entries: 0),
        Bound(filter: ["a": ["$startsWith": "q"]], entries: 26),
        Bound(filter: ["a": ["$startsWith": "qq"]], entries: 1),
        Bound(filter: ["a": ["$startsWith": "q", "$gte": "qx"]], entries: 3),
        Bound(filter: ["a": ["$startsWith": "q", "$in": ["qa", "ra", 5]]], entries: 1),
        Bound(filter: ["a": ["$regex": "^q"]], entries: 26),
        Bound(filter: ["a": ["$regex": "^q(?:.)*"]], entries: 26),
        Bound(filter: ["a": ["$regex": "^q[a-c]"]], entries: 26, isExact: false),
        Bound(filter: ["a": ["$regex": "^qa$"]], entries: 1, isExact: false),
        Bound(filter: ["a": ["$regex": "^q[a-c]", "$lt": "qc"]], entries: 2, isExact: false),
        Bound(filter: ["a": ["$regex": "^q", "$options": "i"]], entries: nil),
        Bound(filter: ["a": ["$regex": "^q|^r"]], entries: nil),
        Bound(filter: ["a": ["$regex": "q"]], entries: nil),
        Bound(filter: ["a": ["$endsWith": "q"]], entries: nil),
        Bound(filter: ["a": ["$contains": "q"]], entries: nil),
        Bound(filter: ["a": ["$type": "string"]], entries: nil),
        Bound(filter: ["a": ["$size": 1]], entries: nil),
        Bound(filter: ["a": ["$all": [5]]], entries: 1),
        Bound(filter: ["a": ["$all": [5, 6]]], entries: 0),
        Bound(filter: ["a": ["$elemMatch": ["$gt": 5]]], entries: nil),
        Bound(filter: ["a": ["$not": ["$startsWith": "q"]]], entries: nil),
    ]

    @Test func `a filter's ranges are no wider than it says, and decide it where they can`()
        async throws
    {
        let fixture = try await QueryFixture(Self.schema, Self.records.shuffled())
        let engine = try fixture.engine()
        for bound in Self.bounds {
            let query = Query(filters: Filter(bound.filter))
            let plan = try engine.explain("words", query, analyze: true)
            let expected = NaiveQuery.run(Self.records, keyPaths: ["id"], filter: bound.filter)
            let place: Comment = "\(bound.testDescription): \(plan)"
            #expect(try engine.query("words", query) == expected, place)
            guard let entries = bound.entries else {
                #expect(plan.access == .collectionScan, place)
                continue
            }
            #expect(plan.access == .index("a") && plan.examinedEntries == entries, place)
            #expect(plan.isExact == bound.isExact, place)
            #expect(!bound.isExact || plan.estimatedRecords == expected.count, place)
        }
    }

    @Test func `an array on the path is asked for itself, besides the ranges`() async throws {
        var records = Self.records
        records.append(["id": 5_000, "a": ["qa", "ra"]])
        records.append(["id": 5_001, "a": [["qa"], 15]])
        let fixture = try await QueryFixture(Self.schema, records)
        let engine = try fixture.engine(forcing: ForcedAccess(index: "a"))
        for bound in Self.bounds {
            let expected = NaiveQuery.run(records, keyPaths: ["id"], filter: bound.filter)
            let found = try engine.query("words", Query(filters: Filter(bound.filter)))
            #expect(found == expected, "\(bound.testDescription)")
            #expect(try engine.count("words", Filter(bound.filter)) == expected.count)
        }
    }

    @Test func `where case is ignored, keys and binary indexes bound nothing`() async throws {
        let records: [Document] = ["b", "A", "a", "B"].map {
            ["id": .string($0), "a": .string($0)]
        }
        let fixture = try await QueryFixture(Self.schema, records)
        let engine = try fixture.engine()
        func ids(_ query: Query) throws -> [String] {
            try engine.query("words", query).map { $0["id"]?.stringValue ?? "" }
        }
        for path in ["a", "id"] {
            var query = Query(filters: Field(path) == "A", collation: .caseInsensitive)
            #expect(try ids(query) == ["A", "a"])
            query.sort = [.descending(path)]
            query.filters = .all
            #expect(try ids(query) == ["b", "B", "a", "A"])
            query.sort = [.ascending(path)]
            #expect(try ids(query) == ["A", "a", "B", "b"])
            let plan = try engine.explain("words", query, analyze: false)
            #expect(plan.access == .collectionScan && !plan.sortedByIndex)
            #expect(plan.rejected["a"]?.contains("collation") == true)
        }
    }
}
