// A matrix: every way to read x every policy x every principal, on every backend, against what the definition says. The paths that a
// query names are in the table, not found by the code.
import Foundation
import Testing

@testable import OfflineKit

struct SessionReadTests {
    /// One way to read.
    struct Reading: Sendable {
        let name: String
        var names: [String] = []
        var selects: [String] = []
        let run: @Sendable (any StoreReader) async throws -> Value
        /// What the same gives of the records that count, in key order.
        let expected: @Sendable ([Document]) -> Value
    }

    private static func query(
        _ name: String, _ names: [String], _ query: Query
    ) -> [Reading] {
        @Sendable func expected(_ documents: [Document]) -> [Document] {
            NaiveQuery.run(
                documents, keyPaths: ["id"], filter: query.filters.document, sort: query.sort,
                limit: query.limit, offset: query.offset, select: query.select,
                collation: query.collation)
        }
        return [
            Reading(
                name: "query \(name)", names: names, selects: query.select ?? [],
                run: { .array(try await $0.query("notes", query).map { .object($0) }) },
                expected: { .array(expected($0).map { .object($0) }) }),
            Reading(
                name: "stream \(name)", names: names, selects: query.select ?? [],
                run: {
                    var found: [Value] = []
                    for try await document in $0.stream("notes", query) {
                        found.append(.object(document))
                    }
                    return .array(found)
                }, expected: { .array(expected($0).map { .object($0) }) }),
        ]
    }

    private static func count(_ name: String, _ names: [String], _ filter: Filter) -> Reading {
        Reading(
            name: "count \(name)", names: names,
            run: { .int(Int64(try await $0.count("notes", filter))) },
            expected: { .int(Int64($0.filter { NaiveQuery.matches($0, filter.document) }.count)) })
    }

    private static func distinct(_ field: String) -> Reading {
        Reading(
            name: "distinct \(field)", names: [field],
            run: { .array(try await $0.distinct("notes", field, .all)) },
            expected: { .array(NaiveAggregation.distinct($0, field)) })
    }

    private static func aggregate(_ names: [String], _ aggregation: Aggregation) -> Reading {
        Reading(
            name: "aggregate \(names)", names: names,
            run: { .array(try await $0.aggregate("notes", aggregation).map { .object($0) }) },
            expected: { .array(NaiveAggregation.run($0, aggregation).map { .object($0) }) })
    }

    static let readings: [Reading] =
        query("all", [], Query())
        + query("own", ["owner"], Query(filters: ["owner": "ann"]))
        + query("by level", ["level"], Query(sort: [.descending("level")], limit: 3, offset: 1))
        + query(
            "of a level", ["level", "owner"],
            Query(filters: ["level": ["$gte": 1], "owner": ["$ne": "x"]]))
        + query("selected", [], Query(select: ["secret", "items.name", "level"]))
        + query("a code", [], Query(select: ["secret.code"]))
        + query("with a code", ["secret.code"], Query(filters: ["secret.code": ["$exists": true]]))
        + query("with a secret", ["secret"], Query(filters: ["secret": ["$ne": .null]]))
        + query("by hint", ["secret.hint"], Query(sort: [.ascending("secret.hint")]))
        + query("pens", ["items.name"], Query(filters: ["items": ["$elemMatch": ["name": "pen"]]]))
        + query(
            "priced", ["items.price"],
            Query(filters: ["items": ["$elemMatch": ["price": ["$startsWith": "HIDDEN"]]]]))
        + query("first price", ["items.0.price"], Query(filters: ["items.0.price": ["$gt": ""]]))
        + query("items", ["items"], Query(filters: ["items": ["$size": 3]]))
        + query("tagged", ["tags"], Query(filters: ["tags": "ann"], sort: [.ascending("id")]))
        + query(
            "in any case", ["owner"],
            Query(filters: ["owner": ["$in": ["ANN", "BOB"]]], collation: .caseInsensitive))
        + query("no level", ["level"], Query(filters: ["level": .null]))
        + query(
            "either", ["level", "shared"],
            Query(filters: ["$or": [["level": 2], ["shared": true]]]))
        + [
            count("all", [], .all), count("own", ["owner"], ["owner": "bob"]),
            count("level", ["level"], ["level": ["$gte": 2]]),
            count("not a level", ["level"], ["$nor": [["level": 2]]]),
            count("code", ["secret.code"], ["secret.code": "HIDDEN-code-3"]),
            distinct("owner"), distinct("level"), distinct("tags"), distinct("secret"),
            distinct("secret.code"), distinct("items.name"), distinct("items.price"),
            aggregate(
                ["owner", "level"],
                Aggregation(groupBy: ["owner"], measures: ["n": .count, "sum": .sum("level")])),
            aggregate(
                ["secret.code"], Aggregation(measures: ["max": .maximum("secret.code")])),
            aggregate(["shared"], Aggregation(groupBy: ["shared"], measures: ["n": .count])),
            Reading(
                name: "search", names: ["body"],
                run: {
                    let found = try await $0.query(
                        "notes",
                        Query(
                            filters: ["$text": ["$search": "blue"]], sort: [.ascending("id")]))
                    return .array(found.map { .object($0) })
                },
                expected: {
                    .array(
                        $0.filter { $0["body"]?.stringValue?.contains("blue") == true }
                            .map { .object($0) })
                }),
            Reading(
                name: "plan", names: ["level"],
                run: {
                    let plan = try await $0.explain(
                        "notes", Query(filters: ["level": ["$gte": 1]]), analyze: true)
                    return .int(Int64(plan.estimatedRecords))
                },
                expected: {
                    .int(Int64($0.filter { ($0["level"]?.intValue ?? 0) >= 1 }.count))
                }),
        ]

    /// What a reading gives; nil: `.accessDenied`, in words that give nothing away.
    private static func outcome(
        _ reader: any StoreReader, _ reading: Reading, _ place: String
    ) async throws -> Value? {
        do {
            return try await reading.run(reader)
        } catch let error as OfflineError where error.code == .accessDenied {
            #expect(!"\(error)".contains("key-") && !"\(error)".contains(AccessWorld.marker))
            #expect(error.collection == "notes", "\(place)")
            return nil
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `every way to read sees what the policy grants`(backend: TestBackend) async throws {
        for (name, policy) in AccessWorld.policies {
            try await TestStore.with(backend, AccessWorld.schema(policy)) { store in
                try await store.createBatch("notes", AccessWorld.notes)
                for principal in AccessWorld.principals {
                    let session = store.session(as: principal)
                    let model = NaiveAccess(policy, principal)
                    for reading in Self.readings {
                        let isAllowed = model.allows(
                            naming: reading.names, selecting: reading.selects)
                        let seen = model.queried(AccessWorld.notes, naming: reading.names)
                        let expected = isAllowed ? reading.expected(seen) : nil
                        let place = "\(reading.name), \(name), \(principal)"
                        let found = try await Self.outcome(session, reading, place)
                        #expect(found == expected, "\(place)")
                        let inside = try await session.transaction([], reading: ["notes"]) {
                            try await Self.outcome($0, reading, place)
                        }
                        #expect(inside == expected, "in a transaction: \(place)")
                    }
                    try await Self.checkGets(session, model, "\(name), \(principal)")
                }
            }
        }
    }

    private static func checkGets(
        _ session: StoreSession, _ model: NaiveAccess, _ place: String
    ) async throws {
        for note in AccessWorld.notes {
            let key = note["id"] ?? .null
            guard model.grants(.read) else {
                await expectError(.accessDenied, "\(place)") {
                    _ = try await session.get("notes", key)
                }
                continue
            }
            let found = try await session.get("notes", key)
            #expect(found == model.seen(note), "\(key), \(place)")
        }
    }

    @Test func `a live query shows what the session sees, and nothing when that stays`()
        async throws
    {
        for (name, policy) in AccessWorld.policies {
            for principal in AccessWorld.principals {
                let model = NaiveAccess(policy, principal)
                guard model.grants(.read) else { continue }
                try await TestStore.with(.memory, AccessWorld.schema(policy)) { store in
                    try await Self.observe(store, model, principal, "\(name), \(principal)")
                }
            }
        }
    }

    private static func observe(
        _ store: OfflineStore, _ model: NaiveAccess, _ principal: Principal, _ place: String
    ) async throws {
        var notes = AccessWorld.notes
        try await store.createBatch("notes", notes)
        let access = SessionAccess(principal, store.options.storageSchema)
        let live = store.liveQuery("notes", Query(), as: access)
        var shown = try await live.changed()
        #expect(shown == model.queried(notes, naming: []), "\(place)")
        var stream = store.session(as: principal).observe("notes").makeAsyncIterator()
        let first = try await stream.next()
        #expect(first == shown, "\(place)")
        for index in notes.indices {
            var changed = notes[index]
            changed["level"] = .int((changed["level"]?.intValue).map { Int64($0 + 1) % 4 } ?? 0)
            if index % 2 == 0 { changed["shared"] = .bool(changed["shared"] == false) }
            for change in [changed, changed.with("new", at: "secret.code")] {
                try await store.update("notes", change)
                notes[index] = change
                await store.settle()
                let result = try await live.changed()
                let seen = model.queried(notes, naming: [])
                #expect(result == (seen == shown ? nil : seen), "\(index), \(place)")
                shown = seen
            }
        }
    }
}

extension Document {
    /// The document with this value at a path.
    fileprivate func with(_ value: Value, at path: String) -> Document {
        var result = self
        result.set(value, at: path)
        return result
    }
}
