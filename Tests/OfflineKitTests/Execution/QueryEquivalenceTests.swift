// Every query means the same through each index, through none, on a snapshot, in a transaction that wrote some of the records
// itself, and by the naive evaluator.
//
// OFFLINE_QUERY_CASES sets the number of queries (5,000 by default), OFFLINE_QUERY_SEED the first seed. A failure prints the
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

    @Test func `a query's result is the same with every index, without, and by definition`()
        async throws
    {
        let cases = Self.setting("OFFLINE_QUERY_CASES", or: 5_000)
        let firstSeed = Self.setting("OFFLINE_QUERY_SEED", or: 20_260_101)
        var coverage = Coverage()
        for world in 0..<(cases + Self.queriesPerWorld - 1) / Self.queriesPerWorld {
            let seed = UInt64(truncatingIfNeeded: firstSeed + world)
            let queries = min(Self.queriesPerWorld, cases - world * Self.queriesPerWorld)
            try await check(seed: seed, queries: queries, &coverage)
        }
        print("queries: \(cases) from seed \(firstSeed); \(coverage)")
        if cases >= 5_000 { coverage.expectAll() }
    }

    /// What the worlds have exercised, so that the test can't become empty unnoticed.
    struct Coverage: CustomStringConvertible {
        var throughIndexes = 0
        var sortedByIndex = 0
        var descendingByIndex = 0
        var exact = 0
        var byKey = 0
        var nonEmpty = 0
        var unions = 0
        var intersections = 0
        var multiEntry = 0
        /// Queries for what is in an array that such an index has as one value.
        var byPosition = 0
        var partial = 0
        var folded = 0
        var sortedByFolded = 0
        /// Through an index by the token of a sensitive field, and how many of those with no record read.
        var byToken = 0
        var exactByToken = 0
        var sortedBehindToken = 0
        var inTransactions = 0
        /// Operators in filters that some records matched and some didn't.
        var deciding: Set<String> = []

        var description: String {
            "\(throughIndexes) runs through an index, \(sortedByIndex) sorted by it, "
                + "\(unions) by unions, \(intersections) by intersections, \(multiEntry) through "
                + "multi-entry (\(byPosition) by position), \(partial) partial, \(folded) case-insensitive ones "
                + "(\(sortedByFolded) sorted), \(byToken) by tokens (\(exactByToken) exact, \(sortedBehindToken) sorted), \(descendingByIndex) descending, \(exact) exact, \(byKey) by key; "
                + "\(nonEmpty) non-empty results; \(inTransactions) in transactions; "
                + "\(deciding.count) operators"
        }

        func expectAll() {
            #expect(throughIndexes > 3_000 && sortedByIndex > 300 && descendingByIndex > 100)
            #expect(unions > 100 && intersections > 30 && multiEntry > 100 && partial > 100)
            #expect(folded > 100 && sortedByFolded > 5)
            #expect(byPosition > 5)
            #expect(byToken > 100 && exactByToken > 20 && sortedBehindToken > 2)
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
        let sensitive = generator.random.chance(30) ? generator.random.pick(Self.sensitive) : []
        let indexes = Self.indexes(&generator).filter { $0.isAllowed(sensitive: sensitive) }
        generator.indexed = indexes.filter { $0.kind != .fullText }.map { $0.keyPaths[0] }
        let schema =
            keyPaths.count == 1
            ? CollectionSchema(name: "world", keyPath: keyPaths[0], indexes: Array(indexes))
            : CollectionSchema(name: "world", keyPaths: keyPaths, indexes: Array(indexes))
        let world = World(seed: seed, records: records, keyPaths: keyPaths, indexes: indexes)
        let isInTransaction = generator.random.chance(30)
        let committed = isInTransaction ? records.count / 2 : records.count
        // Of a sensitive field some values may be sealed with an older key.
        let older = generator.random.chance(50) ? committed / 2 : committed
        let fixture = try await QueryFixture(
            schema, Array(records.prefix(older)), encryption: .forTests(sensitive))
        if older < committed {
            try await fixture.vault?.rotate(to: KeyEnvelopeTests.key(1), addingKey: true)
            try await fixture.create("world", Array(records[older..<committed]))
        }
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

    /// A few indexes, of all kinds; a full-text one serves none of the queries.
    static func indexes(_ generator: inout QueryGenerator) -> [IndexSchema] {
        let words: [IndexSchema] =
            generator.random.chance(20) ? [.fullText(name: "words", keyPaths: ["a", "b"])] : []
        let elements: [IndexSchema] =
            generator.hasNestedArrays
            ? ["a.0", "a.x.0"].map { path in
                IndexSchema(name: "each_" + path, keyPath: path, multiEntry: true)
            } : []
        return words + elements
            + indexPaths.shuffled(using: &generator.random).prefix(elements.isEmpty ? 5 : 3).map {
                paths in
                let name = paths.joined(separator: "_")
                let isPartial = generator.random.chance(25)
                let filter = isPartial ? generator.random.pick(indexFilters) : nil
                guard paths.count == 1, generator.random.chance(60) else {
                    return IndexSchema(name: name, keyPaths: paths, where: filter)
                }
                return IndexSchema(
                    name: name, keyPath: paths[0], multiEntry: generator.random.chance(60),
                    collation: generator.random.chance(35) ? .caseInsensitive : .binary,
                    where: filter)
            }
    }

    /// What may be sensitive.
    private static let sensitive: [[String]] = [
        ["a"], ["b"], ["a", "b"], ["a.x"], ["c", "b"], ["a.x", "a.y", "b"], ["a.x.y"], ["missing"],
    ]

    /// What partial indexes ask of records.
    private static let indexFilters: [Filter] = [
        ["a": ["$gte": 1]], ["b": ["$exists": true]], ["c": 1], ["a": ["$in": [1, 2, "a"]]],
        ["b": ["$startsWith": "a"]], ["$or": [["a": 1], ["b": 2]]], ["a": ["$gte": 0, "$lt": 3]],
        ["c": ["$ne": .null]],
    ]

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
        let text = filter.json()
        let asksPositions = ["$contains", "$elemMatch", "$all"].contains {
            text.contains(".0\":{\"\($0)\"")
        }
        if asksPositions, !matching.isEmpty, world.indexes.contains(where: \.endsInPosition) {
            coverage.byPosition += 1
        }
        let accesses: [ForcedAccess?] =
            [nil, .collection, .union, .intersection] + world.indexes.map { .index($0.name) }
        for access in accesses {
            let engine = QueryEngine(view, forcing: access)
            let place: Comment =
                "seed \(world.seed), query \(number), \(access.map { "\($0)" } ?? "free"): \(query)"
            let plan = try engine.explain("world", query, analyze: true)
            #expect(try engine.query("world", query) == expected, place)
            #expect(try engine.count("world", query.filters) == counted.count, place)
            #expect(plan.returnedRecords == expected.count, place)
            #expect(plan.estimatedRecords >= matching.count, place)
            if plan.isExact { #expect(plan.estimatedRecords == matching.count, place) }
            note(plan, query, world, &coverage)
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

    private func note(
        _ plan: QueryPlan, _ query: Query, _ world: World, _ coverage: inout Coverage
    ) {
        switch plan.access {
        case .key: coverage.byKey += 1
        case .union: coverage.unions += 1
        case .intersection: coverage.intersections += 1
        default: break
        }
        guard case .index(let name) = plan.access,
            let index = world.indexes.first(where: { $0.name == name })
        else { return }
        if index.isMultiEntry { coverage.multiEntry += 1 }
        if index.filter != nil { coverage.partial += 1 }
        if index.collation == .caseInsensitive {
            coverage.folded += 1
            if plan.sortedByIndex { coverage.sortedByFolded += 1 }
        }
        coverage.throughIndexes += 1
        if plan.steps.contains(where: { $0.hasSuffix("by its blind token") }) {
            coverage.byToken += 1
            if plan.isExact { coverage.exactByToken += 1 }
            if plan.sortedByIndex { coverage.sortedBehindToken += 1 }
        }
        if plan.isExact { coverage.exact += 1 }
        guard plan.sortedByIndex else { return }
        coverage.sortedByIndex += 1
        if query.sort.contains(where: { $0.direction == .descending }) {
            coverage.descendingByIndex += 1
        }
    }
}

extension IndexSchema {
    fileprivate var endsInPosition: Bool { isMultiEntry && keyPaths[0].hasSuffix(".0") }
}
