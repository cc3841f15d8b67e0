import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

/// Random operations on a store and on a model that can't be wrong, with odd seeds on an encrypted one. STORE_MODEL_SEEDS
/// and STORE_MODEL_STEPS make it longer.
@Suite struct StoreModelTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let seeds = 0..<UInt64(environment["STORE_MODEL_SEEDS"].flatMap(UInt64.init) ?? 4)
    static let steps = environment["STORE_MODEL_STEPS"].flatMap(Int.init) ?? 2000
    /// Nothing compacts a store yet, so what a check reads grows with each step: a long run begins with an empty store now
    /// and then.
    private static let stepsPerStore = 2000

    /// Schemas that the store is reopened with in turn: indexes of every kind come, change and go.
    private static let schemas: [[CollectionSchema]] = [
        [
            IndexSchema(name: "n", keyPath: "n"),
            IndexSchema(name: "t", keyPath: "t", collation: .caseInsensitive),
            .fullText(name: "words", keyPaths: ["t"]),
        ],
        [
            IndexSchema(name: "n", keyPath: "n"),
            IndexSchema(name: "a", keyPath: "a", multiEntry: true),
            .fullText(name: "words", keyPaths: ["t", "a"]),
        ],
        [
            IndexSchema(name: "a", keyPath: "a", where: ["n": ["$gte": 2]]),
            IndexSchema(name: "n.x", keyPath: "n.x"),
            IndexSchema(name: "t", keyPath: "t"),
        ],
        [
            IndexSchema(
                name: "a", keyPath: "a", multiEntry: true, collation: .caseInsensitive,
                where: ["u": ["$exists": true]])
        ],
    ].map { indexes in
        let unique = IndexSchema(name: "u", keyPath: "u", unique: true)
        return [CollectionSchema(name: "c", autoKey: .none, indexes: [unique] + indexes)]
    }

    /// What is sensitive with odd seeds.
    private static let sensitive = ["u", "a", "n.x"]

    private struct Run {
        let place: TestStore
        let isEncrypted: Bool
        var store: OfflineStore
        var model = ModelStore()
        var random: SeededGenerator
        var snapshots: [(snapshot: Snapshot, model: ModelStore)] = []
        var reopenings = 0
        let seed: UInt64
    }

    @Test(arguments: TestBackend.allCases, seeds)
    func `random operations agree with the model`(backend: TestBackend, seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        for first in stride(from: 0, to: Self.steps, by: Self.stepsPerStore) {
            let steps = first..<min(Self.steps, first + Self.stepsPerStore)
            random = try await run(steps, on: backend, seed: seed, random)
        }
    }

    /// Opens the store with one of the schemas, less what can't be of a sensitive field.
    private static func open(
        _ place: TestStore, _ isEncrypted: Bool, _ number: Int
    ) async throws -> OfflineStore {
        let sensitive = isEncrypted ? sensitive : []
        var schema = schemas[number % schemas.count]
        schema[0].indexes.removeAll { !$0.isAllowed(sensitive: sensitive) }
        return try await place.open(schema) { $0.encryption = .forTests(sensitive) }
    }

    /// Steps on a store that is empty at first; the generator as they leave it.
    private func run(
        _ steps: Range<Int>, on backend: TestBackend, seed: UInt64, _ random: SeededGenerator
    ) async throws -> SeededGenerator {
        let place = try TestStore(backend)
        defer { place.remove() }
        let isEncrypted = seed % 2 == 1
        var run = Run(
            place: place, isEncrypted: isEncrypted,
            store: try await Self.open(place, isEncrypted, 0), random: random, seed: seed)
        for step in steps {
            try await self.step(&run, step)
            if step % 50 == 49 { try await check(&run, step) }
        }
        try await check(&run, steps.upperBound)
        try await run.store.close()
        return run.random
    }

    private func step(_ run: inout Run, _ step: Int) async throws {
        switch run.random.below(40) {
        case 0..<8: try await transaction(&run, step)
        case 8:
            if run.snapshots.count > 5 { run.snapshots.removeFirst().snapshot.close() }
            run.snapshots.append((try await run.store.snapshot(), run.model))
        // A store in memory has its keys for as long as it is open.
        case 9
        where run.random.chance(1, in: 4)
            && !(run.isEncrypted && run.place.backend == .memory):
            run.snapshots = []
            try await run.store.close()
            run.reopenings += 1
            run.store = try await Self.open(run.place, run.isEncrypted, run.reopenings)
        case 10 where run.isEncrypted:
            await run.store.lock()
            await expectError(.locked, "seed \(run.seed), step \(step)") {
                _ = try await run.store.count("c", ["u": 1])
            }
            try await run.store.unlock()
        default:
            let operation = ModelStore.operation(&run.random)
            let expected = run.model.apply(operation)
            let found = try await run.store.apply(operation)
            #expect(found == expected, "seed \(run.seed), step \(step), \(operation)")
        }
    }

    /// Several operations in one transaction, which is then committed or rolled back.
    private func transaction(_ run: inout Run, _ step: Int) async throws {
        var model = run.model
        let transaction = try await run.store.beginTransaction(["c"])
        for _ in 0..<run.random.below(12) {
            let operation = ModelStore.operation(&run.random)
            let expected = model.apply(operation)
            let found = try await transaction.apply(operation)
            #expect(found == expected, "seed \(run.seed), step \(step), \(operation)")
        }
        let seen = try await transaction.query("c")
        #expect(seen == model.sorted, "seed \(run.seed), step \(step), in the transaction")
        let outside = try await run.store.count("c")
        #expect(outside == run.model.records.count, "seed \(run.seed), step \(step), outside")
        if run.random.chance(1, in: 3) {
            try await transaction.rollback()
        } else {
            try await transaction.commit()
            run.model = model
        }
    }

    private func check(_ run: inout Run, _ step: Int) async throws {
        let found = try await run.store.query("c")
        #expect(found == run.model.sorted, "seed \(run.seed), step \(step)")
        for (snapshot, model) in run.snapshots {
            let found = try await snapshot.query("c", Query())
            #expect(found == model.sorted, "seed \(run.seed), step \(step), a snapshot")
        }
        // By the unique index, on tokens or not.
        let value = Value.int(Int64(run.random.below(30)))
        let holders = try await run.store.query("c", Query(filters: ["u": value]))
        #expect(
            holders == run.model.sorted.filter { $0["u"] == value },
            "seed \(run.seed), step \(step)")
        let report = try await run.store.verify()
        #expect(report.problems == [], "seed \(run.seed), step \(step)")
        #expect(report.recordsChecked == found.count)
    }
}
