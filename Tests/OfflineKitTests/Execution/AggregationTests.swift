// Distinct values and aggregations: by hand, and random ones against their definition.
import Foundation
import Testing

@testable import OfflineKit

@Suite struct AggregationTests {
    private static let records: [Document] = [
        ["id": 1, "city": "Rome", "age": 30, "tags": ["a", "b"]],
        ["id": 2, "city": "Oslo", "age": 41.5, "tags": []],
        ["id": 3, "city": "Rome", "age": "old", "tags": ["b", .null, ["b"]]],
        ["id": 4, "age": .null, "tags": 1, "work": ["place": "Oslo"]],
        ["id": 5, "city": .null, "age": 20, "tags": 1.0, "work": ["place": ["x"]]],
    ]

    private func engine() async throws -> QueryEngine {
        try await QueryFixture(CollectionSchema(name: "people"), Self.records).engine()
    }

    @Test func `distinct unwinds arrays, in the order of values`() async throws {
        let engine = try await engine()
        #expect(try engine.distinct("people", "tags", .all) == [.null, 1, "a", "b", ["b"]])
        #expect(try engine.distinct("people", "city", .all) == [.null, "Oslo", "Rome"])
        #expect(try engine.distinct("people", "city", ["age": ["$gte": 40]]) == ["Oslo"])
        #expect(try engine.distinct("people", "work.place", .all) == ["Oslo", "x"])
        #expect(try engine.distinct("people", "nothing", .all) == [])
    }

    @Test func `groups come in the order of their values, with their figures`() async throws {
        let engine = try await engine()
        let aggregation = Aggregation(
            groupBy: ["city"],
            measures: [
                "n": .count, "sum": .sum("age"), "mean": .average("age"), "least": .minimum("age"),
                "most": .maximum("age"),
            ])
        let expected: [Document] = [
            ["city": .null, "n": 2, "sum": 20, "mean": 20, "least": 20, "most": 20],
            ["city": "Oslo", "n": 1, "sum": 41.5, "mean": 41.5, "least": 41.5, "most": 41.5],
            ["city": "Rome", "n": 2, "sum": 30, "mean": 30, "least": 30, "most": "old"],
        ]
        let found = try engine.aggregate("people", aggregation)
        #expect(found == expected)
        #expect(found[0].fieldNames == ["city", "least", "mean", "most", "n", "sum"])
        let places = Aggregation(groupBy: ["work.place"], measures: ["n": .count])
        let byPlace: [Document] = [
            ["work": ["place": .null], "n": 3], ["work": ["place": "Oslo"], "n": 1],
            ["work": ["place": ["x"]], "n": 1],
        ]
        #expect(try engine.aggregate("people", places) == byPlace)
    }

    @Test func `without groups there is one document, also of no records`() async throws {
        let engine = try await engine()
        let measures: [String: Aggregation.Measure] = [
            "n": .count, "sum": .sum("tags"), "mean": .average("city"), "least": .minimum("none"),
        ]
        #expect(
            try engine.aggregate("people", Aggregation(measures: measures))
                == [["n": 5, "sum": 2, "mean": .null, "least": .null]])
        let none = Aggregation(filters: ["id": 99], measures: measures)
        #expect(
            try engine.aggregate("people", none)
                == [["n": 0, "sum": 0, "mean": .null, "least": .null]])
        let noGroups = Aggregation(filters: ["id": 99], groupBy: ["city"], measures: measures)
        #expect(try engine.aggregate("people", noGroups) == [])
    }

    @Test func `integers are summed exactly, and become a double where they must`() async throws {
        func sum(_ numbers: [Value]) async throws -> Value? {
            let records = numbers.enumerated().map { index, number -> Document in
                ["id": .int(Int64(index)), "n": number]
            }
            let fixture = try await QueryFixture(CollectionSchema(name: "c"), records)
            return try fixture.engine()
                .aggregate("c", Aggregation(measures: ["s": .sum("n")])).first?["s"]
        }
        #expect(try await sum([.int(.max), .int(.min), 5])?.json() == "4")
        #expect(try await sum([.int(.max), 1])?.json() == Value.double(0x1p63).json())
        #expect(try await sum([.int(.max), .int(.max), .int(-.max)])?.json() == "\(Int64.max)")
        #expect(try await sum((0..<10).map { _ in 0.1 }) == 1.0)
        #expect(try await sum([1, .double(.infinity), .double(.infinity)]) == .double(.infinity))
        #expect(try await sum([.double(.infinity), .double(-.infinity)]) == .double(.nan))
        #expect(try await sum([1e100, 1, -1e100]) == 1)
    }

    @Test func `mistakes are invalidQuery, also on an empty collection`() async throws {
        let engine = try await QueryFixture([CollectionSchema(name: "people")]).engine()
        let wrong: [Aggregation] = [
            Aggregation(filters: ["a": ["$near": 1]], measures: [:]),
            Aggregation(groupBy: ["a..b"], measures: [:]),
            Aggregation(measures: ["s": .sum("")]),
            Aggregation(groupBy: ["a", "a"], measures: [:]),
            Aggregation(groupBy: ["a.b", "a"], measures: [:]),
            Aggregation(groupBy: ["a.b"], measures: ["a": .count]),
        ]
        for aggregation in wrong {
            let error = #expect(throws: OfflineError.self) {
                try engine.aggregate("people", aggregation)
            }
            #expect(error?.code == .invalidQuery && error?.collection == "people")
        }
        let error = #expect(throws: OfflineError.self) { try engine.distinct("people", "", .all) }
        #expect(error?.code == .invalidQuery)
    }

    @Test func `names are told apart by their bytes`() async throws {
        let (whole, parts) = ("\u{E9}", "e\u{301}")
        let records = (Int64(2)...3).map { number in
            Document(fields: [
                ("id", .int(number)), (whole, .int(1)), (parts, .int(number)),
            ])
        }
        let engine = try await QueryFixture(CollectionSchema(name: "c"), records).engine()
        let groups = try engine.aggregate(
            "c", Aggregation(groupBy: [whole, parts], measures: ["n": .count]))
        #expect(groups.map { $0[parts] } == [2, 3] && groups.map { $0[whole] } == [1, 1])
        let named = try engine.aggregate(
            "c", Aggregation(groupBy: [whole], measures: [parts: .count]))
        #expect(named.map { $0[parts] } == [2])
    }

    @Test func `they agree with their definition, whatever index is used`() async throws {
        var served = (multiEntry: 0, partial: 0, others: 0)
        for seed in UInt64(1)...60 {
            var generator = QueryGenerator(seed: seed)
            let records = generator.records(generator.random.pick([0, 20, 50]), keyPaths: ["id"])
            let indexes = QueryEquivalenceTests.indexes(&generator)
            let schema = CollectionSchema(name: "c", indexes: indexes)
            let view = try await QueryFixture(schema, records).view()
            for number in 0..<6 {
                // Often one that an index decides by itself.
                let index = indexes.filter { $0.kind != .fullText }
                    .randomElement(using: &generator.random)
                let isDecided = generator.random.chance(50)
                let filter =
                    isDecided
                    ? index?.filter?.document ?? [:] : generator.filter(records, ["id"])
                let matching = NaiveQuery.run(records, keyPaths: ["id"], filter: filter)
                let path =
                    isDecided
                    ? index?.keyPaths[0] ?? "a" : generator.random.pick(QueryGenerator.paths)
                let planner = try QueryEngine(view).planner(
                    "c", Filter(filter), .records(needed: nil))
                if let scan = try DistinctScan(planner, FieldPath(path)), !matching.isEmpty {
                    if scan.index.isMultiEntry { served.multiEntry += 1 }
                    if scan.index.condition != nil { served.partial += 1 }
                    if !scan.index.isMultiEntry, scan.index.condition == nil { served.others += 1 }
                }
                let groups = ["a", "b.x", "c"].filter { _ in generator.random.chance(40) }
                let aggregation = Aggregation(
                    filters: Filter(filter), groupBy: groups,
                    measures: [
                        "n": .count, "s": .sum(path), "m": .average(path), "l": .minimum(path),
                        "g": .maximum(path),
                    ])
                let expected = NaiveAggregation.run(matching, aggregation)
                for access in [nil] + indexes.prefix(2).map({ ForcedAccess.index($0.name) }) {
                    let engine = QueryEngine(view, forcing: access)
                    let place: Comment =
                        "seed \(seed), number \(number), \(access.map { "\($0)" } ?? "-"): \(aggregation)"
                    #expect(
                        try engine.distinct("c", path, Filter(filter))
                            == NaiveAggregation.distinct(matching, path), place)
                    let found = try engine.aggregate("c", aggregation)
                    #expect(found.count == expected.count, place)
                    for (a, b) in zip(found, expected) {
                        #expect(a.fieldNames.sorted() == b.fieldNames.sorted(), place)
                        for (name, value) in a {
                            #expect(b[name].map(value.isNear) == true, place)
                        }
                    }
                }
            }
        }
        #expect(served.multiEntry > 5 && served.partial > 5 && served.others > 5, "\(served)")
    }
}
