// Every query means the same through each index, through none, on a snapshot, in a transaction that wrote some of the records
// itself, and by the naive evaluator.
//
// OFFLINE_QUERY_CASES sets the number of queries (3,000 by default), OFFLINE_QUERY_SEED the first seed. A failure prints the
// seed of its world, which alone gives it again with OFFLINE_QUERY_CASES=1.
import Foundation
import Testing

@testable import OfflineKit

struct QueryEquivalenceTests {
    private static let queriesPerWorld = 25

    private static func setting(_ name: String, or standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? standard
    }

    /// What a world's indexes may be.
    private static let indexPaths: [[String]] = [
        ["a"], ["b"], ["a", "b"], ["b", "a"], ["a", "b", "c"], ["a.x"], ["a.x", "b"], ["c", "id"],
        ["a.0"], ["b", "a.x.y"], ["missing", "a"],
    ]

    /// Indexes that aren't plain, some of which each world has too.
    private static let otherIndexes: [IndexSchema] = [
        IndexSchema(name: "each_a", keyPath: "a", multiEntry: true),
        IndexSchema(name: "each_ax", keyPath: "a.x", multiEntry: true),
        IndexSchema(name: "folded_a", keyPath: "a", collation: .caseInsensitive),
        IndexSchema(
            name: "each_folded_b", keyPath: "b", multiEntry: true, collation: .caseInsensitive),
        IndexSchema(name: "some_b", keyPath: "b", where: ["a": ["$gte": 1]]),
        IndexSchema(name: "some_ab", keyPaths: ["a", "b"], where: ["c": ["$exists": true]]),
        IndexSchema(name: "some_each_a", keyPath: "a", multiEntry: true, where: ["b": .null]),
        .fullText(name: "words", keyPaths: ["a", "b"]),
    ]

    @Test func `a query's result is the same with every index, without, and by definition`()
        async throws
    {
        let cases = Self.setting("OFFLINE_QUERY_CASES", or: 3_000)
        let firstSeed = Self.setting("OFFLINE_QUERY_SEED", or: 20_260_101)
        var coverage = Coverage()
        for world in 0..<(cases + Self.queriesPerWorld - 1) / Self.queriesPerWorld {
            let seed = UInt64(truncatingIfNeeded: firstSeed + world)
            let queries = min(Self.queriesPerWorld, cases - world * Self.queriesPerWorld)
            try await check(seed: seed, queries: queries, &coverage)
        }
        print("queries: \(cases) from seed \(firstSeed); \(coverage)")
        if cases >= 3_000 { coverage.expectAll() }
    }

    /// What the worlds have exercised, so that the test can't become empty unnoticed.
    struct Coverage: CustomStringConvertible {
        var throughIndexes = 0
        var sortedByIndex = 0
        var descendingByIndex = 0
        var exact = 0
        var byKey = 0
        var nonEmpty = 0
        var inTransactions = 0
        /// Operators in filters that some records matched and some didn't.
        var deciding: Set<String> = []

        var description: String {
            "\(throughIndexes) runs through an index, \(sortedByIndex) sorted by it, "
                + "\(descendingByIndex) descending, \(exact) exact, \(byKey) by key; "
                + "\(nonEmpty) non-empty results; \(inTransactions) in transactions; "
                + "\(deciding.count) operators"
        }

        func expectAll() {
            #expect(throughIndexes > 3_000 && sortedByIndex > 300 && descendingByIndex > 100)
            #expect(exact > 300 && byKey > 30 && nonEmpty > 500 && inTransactions > 300)
            let others = ["$and", "$or", "$nor"]
            #expect(FilterParser.valueOperators.union(others).subtracting(deciding).isEmpty)
        }
    }

    private func check(seed: UInt64, queries: Int, _ coverage: inout Coverage) async throws {
        var generator = QueryGenerator(seed: seed)
        let keyPaths = generator.random.chance(70) ? ["id"] : ["k", "id"]
        let records = generator.records(
            generator.random.pick([0, 5, 20, 40, 60]), keyPaths: keyPaths)
        let indexes =
            Self.indexPaths.shuffled(using: &generator.random).prefix(4).map { paths in
                IndexSchema(name: paths.joined(separator: "_"), keyPaths: paths)
            } + Self.otherIndexes.shuffled(using: &generator.random).prefix(2)
        let schema =
            keyPaths.count == 1
            ? CollectionSchema(name: "world", keyPath: keyPaths[0], indexes: Array(indexes))
            : CollectionSchema(name: "world", keyPaths: keyPaths, indexes: Array(indexes))
        let world = World(seed: seed, records: records, keyPaths: keyPaths, indexes: indexes)
        let isInTransaction = generator.random.chance(30)
        let committed = isInTransaction ? records.count / 2 : records.count
        let fixture = try await QueryFixture(schema, Array(records.prefix(committed)))
        var found = coverage
        func ask(_ view: ReadView) throws {
            for number in 0..<queries {
                let query = generator.query(records, keyPaths)
                try check(query, number, of: world, in: view, &found)
            }
        }
        if isInTransaction {
            try await fixture.transaction(["world"]) { writer, view in
                let rest = Array(records.dropFirst(committed))
                _ = try writer.create(rest, in: view.collection("world"))
                try ask(view)
            }
            found.inTransactions += queries
        } else {
            try ask(try fixture.view())
        }
        coverage = found
    }

    /// Records and how they are indexed.
    private struct World {
        var seed: UInt64
        var records: [Document]
        var keyPaths: [String]
        var indexes: [IndexSchema]
    }

    private func check(
        _ query: Query, _ number: Int, of world: World, in view: ReadView,
        _ coverage: inout Coverage
    ) throws {
        let filter = query.filters.document
        let expected = NaiveQuery.run(
            world.records, keyPaths: world.keyPaths, filter: filter, sort: query.sort,
            limit: query.limit, offset: query.offset, select: query.select,
            collation: query.collation)
        let matching = world.records.filter { NaiveQuery.matches($0, filter, query.collation) }
        let counted = world.records.filter { NaiveQuery.matches($0, filter) }
        if !expected.isEmpty { coverage.nonEmpty += 1 }
        if !matching.isEmpty, matching.count < world.records.count {
            coverage.deciding.formUnion(Self.operators(in: .object(filter)))
        }
        let accesses: [ForcedAccess?] =
            [nil, ForcedAccess(index: nil)] + world.indexes.map { ForcedAccess(index: $0.name) }
        for access in accesses {
            let engine = QueryEngine(view, forcing: access)
            let place: Comment =
                "seed \(world.seed), query \(number), \(access?.index ?? "no index"): \(query)"
            let plan = try engine.explain("world", query, analyze: true)
            #expect(try engine.query("world", query) == expected, place)
            #expect(try engine.count("world", query.filters) == counted.count, place)
            #expect(plan.returnedRecords == expected.count, place)
            #expect(plan.estimatedRecords >= matching.count, place)
            if plan.isExact { #expect(plan.estimatedRecords == matching.count, place) }
            note(plan, query, &coverage)
        }
    }

    /// All operators in a filter.
    private static func operators(in operand: Value) -> [String] {
        switch operand {
        case .array(let elements): elements.flatMap(operators)
        case .object(let object):
            object.fieldNames.filter { $0.hasPrefix("$") }
                + object.flatMap { operators(in: $0.value) }
        default: []
        }
    }

    private func note(_ plan: QueryPlan, _ query: Query, _ coverage: inout Coverage) {
        if plan.access == .key { coverage.byKey += 1 }
        guard case .index = plan.access else { return }
        coverage.throughIndexes += 1
        if plan.isExact { coverage.exact += 1 }
        guard plan.sortedByIndex else { return }
        coverage.sortedByIndex += 1
        if query.sort.contains(where: { $0.direction == .descending }) {
            coverage.descendingByIndex += 1
        }
    }
}
