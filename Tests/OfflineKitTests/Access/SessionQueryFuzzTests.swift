// Random policies and queries over random records: in a session every query gives what it would give in a store that has only
// what the session sees, through whatever index, or is refused where the definition says so.
//
// OFFLINE_ACCESS_WORLDS sets the number of worlds (80 by default), OFFLINE_ACCESS_SEED the first seed. A failure prints the seed of
// its world.
import Foundation
import Testing

@testable import OfflineKit

struct SessionQueryFuzzTests {
    static func setting(_ name: String, or standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? standard
    }
    private static let hideable = ["a", "b", "c", "a.x", "a.x.y", "a.y", "b.x", "missing"]

    /// So that the test can't become empty unnoticed.
    private struct Coverage: CustomStringConvertible {
        var refused = 0
        var partlyHidden = 0
        var nonEmpty = 0
        var throughIndexes = 0

        var description: String {
            "\(refused) refused, \(nonEmpty) non-empty, \(partlyHidden) by partly hidden fields, "
                + "\(throughIndexes) through indexes"
        }
    }

    @Test func `a session's query sees only what the policy grants, through every index`()
        async throws
    {
        let worlds = Self.setting("OFFLINE_ACCESS_WORLDS", or: 80)
        let firstSeed = Self.setting("OFFLINE_ACCESS_SEED", or: 20_260_601)
        var coverage = Coverage()
        for world in 0..<worlds {
            try await check(seed: UInt64(firstSeed + world), &coverage)
        }
        print("sessions: \(worlds) worlds from seed \(firstSeed); \(coverage)")
        if worlds >= 80 {
            #expect(coverage.refused > 300 && coverage.nonEmpty > 500)
            #expect(coverage.partlyHidden > 30 && coverage.throughIndexes > 500)
        }
    }

    private static func policy(_ generator: inout QueryGenerator, _ records: [Document])
        -> AccessPolicy
    {
        AccessPolicy(
            (0..<generator.random.pick([0, 1, 1, 2, 2, 3])).map { _ in
                let isAll = generator.random.chance(35)
                return AccessPolicy.Rule(
                    role: generator.random.pick(["*", "r", "other"]),
                    operations: generator.random.pick([
                        [.read], [.read], [.read, .update], [.create],
                    ]),
                    where: isAll ? .all : Filter(generator.filter(records, ["id"])),
                    hiddenFields: hideable.filter { _ in generator.random.chance(18) })
            })
    }

    private func check(seed: UInt64, _ coverage: inout Coverage) async throws {
        var generator = QueryGenerator(seed: seed)
        let records = generator.records(generator.random.pick([10, 30, 50]), keyPaths: ["id"])
        let indexes = QueryEquivalenceTests.indexes(&generator).filter { $0.kind != .fullText }
        generator.indexed = indexes.map { $0.keyPaths[0] }
        let policy = Self.policy(&generator, records)
        let principal = Principal(id: "p", roles: ["r"])
        let schema = CollectionSchema(name: "world", indexes: indexes, accessPolicy: policy)
        let fixture = try await QueryFixture(schema, records)
        let view = try fixture.view(as: SessionAccess(principal, [schema]))
        let model = NaiveAccess(policy, principal)
        for number in 0..<25 {
            let query = generator.query(records, ["id"])
            let place = "seed \(seed), query \(number): \(query) under \(policy)"
            try check(query, records, indexes, view, model, place, &coverage)
            let plan = try allowed { try view.explain("world", query, analyze: true) }
            // What the query can't be of isn't there.
            let named = NaiveAccess.paths(of: query.filters.document) + query.sort.map(\.field)
            let shown = Set(model.queried(records, naming: named).compactMap { $0["id"] })
            let seen = try await QueryFixture(
                schema, records.filter { shown.contains($0["id"] ?? .null) })
            let seenView = try seen.view(as: SessionAccess(principal, [schema]))
            let other = try allowed { try seenView.explain("world", query, analyze: true) }
            #expect(plan?.description == other?.description, "\(place)")
            // The other one is made from what is really there.
            let real = try allowed {
                try QueryEngine(seenView).explain("world", query, analyze: false)
            }
            #expect(plan?.access == real?.access, "\(place)")
        }
    }

    private func check(
        _ query: Query, _ records: [Document], _ indexes: [IndexSchema], _ view: ReadView,
        _ model: NaiveAccess, _ place: String, _ coverage: inout Coverage
    ) throws {
        let asked = NaiveAccess.paths(of: query.filters.document)
        let named = asked + query.sort.map(\.field)
        let isAllowed = model.allows(naming: named, selecting: query.select ?? [])
        if !isAllowed { coverage.refused += 1 }
        let all = model.queried(records, naming: named)
        if all.count < model.queried(records, naming: []).count { coverage.partlyHidden += 1 }
        let expected = NaiveQuery.run(
            all, keyPaths: ["id"], filter: query.filters.document, sort: query.sort,
            limit: query.limit, offset: query.offset, select: query.select,
            collation: query.collation)
        let counted = model.queried(records, naming: asked)
            .filter { NaiveQuery.matches($0, query.filters.document) }.count
        for access in [nil, .collection, .union] + indexes.map({ .index($0.name) })
            as [ForcedAccess?]
        {
            let engine = QueryEngine(view, forcing: access)
            let way = access.map { "\($0)" } ?? "free"
            let found = try allowed { try engine.query("world", query) }
            #expect(found == (isAllowed ? expected : nil), "\(way), \(place)")
            let count = try allowed { try engine.count("world", query.filters) }
            #expect(
                count == (model.allows(naming: asked) ? counted : nil),
                "count by \(way), \(place)")
            if found?.isEmpty == false { coverage.nonEmpty += 1 }
            if isAllowed, case .index = try engine.explain("world", query, analyze: false).access {
                coverage.throughIndexes += 1
            }
        }
        let plan = try allowed { try view.explain("world", query, analyze: true) }
        #expect((plan != nil) == isAllowed, "\(place)")
        let matching = all.filter {
            NaiveQuery.matches($0, query.filters.document, query.collation)
        }
        if let plan { #expect(plan.estimatedRecords >= matching.count, "\(place)") }
        try checkFields(query, records, view, model, place)
    }

    /// `distinct` and an aggregation of a field, and `get` of every record.
    private func checkFields(
        _ query: Query, _ records: [Document], _ view: ReadView, _ model: NaiveAccess,
        _ place: String
    ) throws {
        let asked = NaiveAccess.paths(of: query.filters.document)
        let field = query.sort.first?.field ?? "a"
        let isAllowed = model.allows(naming: asked + [field])
        let matching = model.queried(records, naming: asked + [field])
            .filter { NaiveQuery.matches($0, query.filters.document) }
            .sorted { NaiveOrder.compare($0["id"] ?? .null, $1["id"] ?? .null) < 0 }
        let values = try allowed { try view.distinct("world", field, query.filters) }
        #expect(
            values == (isAllowed ? NaiveAggregation.distinct(matching, field) : nil),
            "distinct \(field), \(place)")
        let aggregation = Aggregation(
            filters: query.filters, groupBy: [field], measures: ["n": .count])
        let groups = try allowed { try view.aggregate("world", aggregation) }
        #expect(
            groups == (isAllowed ? NaiveAggregation.run(matching, aggregation) : nil),
            "by \(field), \(place)")
        for record in records.prefix(8) {
            let got = try allowed { try view.get("world", record["id"] ?? .null, include: []) }
            #expect((got != nil) == model.allows(naming: []), "get, \(place)")
            if let got { #expect(got == model.seen(record), "get, \(place)") }
        }
    }
}

/// What `body` gives; nil where it is `.accessDenied`.
func allowed<Result>(_ body: () throws -> Result) throws -> Result? {
    do {
        return try body()
    } catch let error as OfflineError where error.code == .accessDenied {
        return nil
    }
}
