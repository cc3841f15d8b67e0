// Random commits against random queries: after each commit the live result is what a fresh query gives, a result comes exactly
// when it differs from the one that came last, and the differences lead from the one to the other.
//
// Longer by LIVE_SEEDS (5) and LIVE_STEPS (30).
import Foundation
import OfflineBytes
import Testing

@testable import OfflineKit

@Suite struct LiveQueryModelTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let seeds = 0..<UInt64(environment["LIVE_SEEDS"].flatMap(UInt64.init) ?? 5)
    static let steps = environment["LIVE_STEPS"].flatMap(Int.init) ?? 30

    private static let schema = [
        CollectionSchema(
            name: "c",
            indexes: [
                IndexSchema(name: "a", keyPath: "a"),
                IndexSchema(name: "b", keyPaths: ["b", "a"]),
                .fullText(name: "words", keyPaths: ["c"]),
            ],
            relationships: [
                RelationshipSchema(
                    name: "others", collection: "d", type: .oneToMany, foreignKey: "a",
                    onDelete: .nullify)
            ]),
        CollectionSchema(
            name: "d",
            relationships: [
                RelationshipSchema(
                    name: "one", collection: "c", type: .manyToOne, foreignKey: "a",
                    onDelete: .nullify)
            ]),
    ]

    /// One query that is followed, by a consumer that asks now and then.
    private struct Consumer {
        let collection: String
        let query: Query
        let live: LiveQuery
        /// Of a hundred commits, after how many it asks.
        let diligence: Int
        var shown: [Document]?
        var built: [Document] = []
    }

    @Test(arguments: TestBackend.allCases, seeds)
    func `live results are what fresh queries give`(backend: TestBackend, seed: UInt64) async throws
    {
        var generator = QueryGenerator(seed: seed)
        var records = generator.records(60, keyPaths: ["id"])
        try await TestStore.with(backend, Self.schema) { store in
            try await store.createBatch("c", Array(records[..<40]))
            try await store.createBatch("d", Array(records[40...]))
            var consumers = (0..<15).map { _ in Self.consumer(store, records, &generator) }
            for step in 0..<Self.steps {
                for _ in 0..<generator.random.pick([1, 1, 1, 2, 5]) {
                    try await Self.commit(store, &records, &generator)
                }
                await store.settle()
                for index in consumers.indices
                where generator.random.chance(consumers[index].diligence) {
                    try await Self.check(
                        store, &consumers[index], "seed \(seed), step \(step), query \(index)")
                }
            }
            for index in consumers.indices {
                try await Self.check(store, &consumers[index], "seed \(seed), end, query \(index)")
            }
        }
    }

    private static func consumer(
        _ store: OfflineStore, _ records: [Document], _ generator: inout QueryGenerator
    ) -> Consumer {
        let collection = generator.random.chance(80) ? "c" : "d"
        var query = generator.query(records, ["id"])
        if generator.random.chance(20) { query.include = [collection == "c" ? "others" : "one"] }
        if collection == "c", generator.random.chance(10) {
            query.filters = query.filters && ["$text": ["$search": "a ab ss"]]
        }
        return Consumer(
            collection: collection, query: query, live: store.liveQuery(collection, query),
            diligence: generator.random.pick([100, 100, 30]))
    }

    private static func check(
        _ store: OfflineStore, _ consumer: inout Consumer, _ place: String
    ) async throws {
        let fresh = try await store.query(consumer.collection, consumer.query)
        let step = try await consumer.live.next(waits: false)
        let comment: Comment = "\(place): \(consumer.query)"
        #expect((step != nil) == (consumer.shown != fresh), comment)
        guard let step else { return }
        #expect(step.after.map(\.document) == fresh, comment)
        consumer.built.apply(ListDifference.changes(from: step.before, to: step.after))
        #expect(consumer.built == fresh, comment)
        consumer.shown = fresh
    }

    // MARK: Commits

    private static func commit(
        _ store: OfflineStore, _ records: inout [Document], _ generator: inout QueryGenerator
    ) async throws {
        // New values now and then, and keys that there were before.
        if generator.random.chance(10) {
            records = generator.records(60, keyPaths: ["id"])
                .map { record in
                    var record = record
                    if generator.random.chance(20) { record["n\(generator.random.below(9))"] = 1 }
                    return record
                }
        }
        let records = records
        func record() -> Document { generator.random.pick(records) }
        let collection = generator.random.chance(75) ? "c" : "d"
        switch generator.random.below(10) {
        case 0...3: try await store.upsert(collection, record())
        case 4, 5: try await store.delete(collection, record()["id"] ?? 0)
        case 6:
            _ = try await store.deleteBatch(collection, (0..<5).map { _ in record()["id"] ?? 0 })
        case 7:
            let found = try await store.query(collection, Query(limit: 3, offset: 2))
            let changed = found.map {
                ["id": $0["id"] ?? 0, "a": record()["a"] ?? .null] as Document
            }
            try await store.updateBatch(collection, changed, mode: .merge)
        default:
            let transaction = try await store.beginTransaction(["c", "d"])
            for _ in 0..<(1 + generator.random.below(6)) {
                let name = generator.random.pick(["c", "c", "d"])
                if generator.random.chance(60) {
                    try await transaction.upsert(name, record())
                } else {
                    try await transaction.delete(name, record()["id"] ?? 0)
                }
            }
            if generator.random.chance(30) {
                try await transaction.rollback()
            } else {
                try await transaction.commit()
            }
        }
    }

    // MARK: At once

    @Test(arguments: TestBackend.allCases)
    func `consumers beside several writers end with what is there`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            let queries = [
                Query(), Query(filters: ["a": ["$lt": 5]], sort: [.descending("a")], limit: 10),
                Query(sort: [.ascending("a")], limit: 3, offset: 1),
                Query(filters: ["a": ["$gte": -1]], include: ["others"]),
            ]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for query in queries {
                    group.addTask {
                        var built: [Document] = []
                        for try await changes in store.observeChanges("c", query) {
                            built.apply(changes)
                            if built.contains(where: { $0["id"] == "end" }) { break }
                        }
                        let fresh = try await store.query("c", query)
                        #expect(built == fresh, "\(query)")
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { writers in
                    for writer in 0..<3 as Range<UInt64> {
                        writers.addTask {
                            var random = QueryRandom(seed: writer)
                            for _ in 0..<60 {
                                let id = Value.int(Int64(random.below(20)))
                                if random.chance(30) {
                                    try await store.delete("c", id)
                                } else {
                                    try await store.upsert(
                                        "c", ["id": id, "a": .int(Int64(random.below(9)))])
                                }
                            }
                        }
                    }
                    try await writers.waitForAll()
                }
                // One that every query shows, and that is the last commit.
                try await store.transaction(["c"]) { transaction in
                    for id in 0..<20 as Range<Int64> { try await transaction.delete("c", .int(id)) }
                    try await transaction.createBatch(
                        "c", [["id": "begin", "a": 0], ["id": "end", "a": 0]])
                }
                try await group.waitForAll()
            }
        }
    }
}
