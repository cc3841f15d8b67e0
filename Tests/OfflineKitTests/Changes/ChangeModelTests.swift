import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

/// Random histories with transactions, rollbacks, marks, synchronizations, crashes, and tracking switched on and off, against
/// ModelChanges. OFFLINE_CHANGE_SEEDS and OFFLINE_CHANGE_STEPS make it longer.
struct ChangeModelTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let seeds = 1...(environment["OFFLINE_CHANGE_SEEDS"].flatMap(UInt64.init) ?? 3)
    static let steps = environment["OFFLINE_CHANGE_STEPS"].flatMap(Int.init) ?? 400
    private static let names = ["a", "b", "c"]
    private static let stepsPerStore = 1_000

    private struct Failure: Error, CustomStringConvertible { let description: String }

    private struct Run {
        let backend: TestBackend
        let seed: UInt64
        var random: SeededGenerator
        var system: SimulatedFileSystem
        let memory: MemoryBackend
        let clock: ManualClock
        var store: OfflineStore
        var model = ModelChanges(names)
        /// Everything that was ever given out, with the model's order.
        var given: [(change: Change, order: Int)] = []
        /// The sequence that a change was seen with.
        var sequences: [Int: UInt64] = [:]
        var step = 0
        /// Of processes that were killed; they must not end before the test does.
        var old: [OfflineStore] = []
    }

    private static func schema(_ model: ModelChanges) -> [CollectionSchema] {
        names.map { name in
            CollectionSchema(
                name: name, indexes: [IndexSchema(name: "n", keyPath: "n")],
                relationships: name == "a"
                    ? [
                        RelationshipSchema(
                            name: "children", collection: "b", type: .oneToMany,
                            foreignKey: "parent", onDelete: .cascade)
                    ] : [],
                tracksChanges: model[name].isTracking)
        }
    }

    private static func open(
        _ backend: TestBackend, _ system: SimulatedFileSystem, _ memory: MemoryBackend,
        _ clock: ManualClock, _ model: ModelChanges
    ) async throws -> OfflineStore {
        if backend == .log {
            return try await SimulatedStore.open(system, schema(model), clock: clock) { options in
                options.logFileBytesMin = 16 << 10
                options.stagedTransactionBytes = 12 << 10
                options.checkpointOperations = 300
            }
        }
        let options = StorageOptions(
            databaseName: "m", storageBackend: .custom(memory), storageSchema: schema(model))
        let store = OfflineStore(options, clock: clock)
        try await store.initialize()
        return store
    }

    @Test(arguments: [TestBackend.memory, .log], seeds)
    func `pending changes are those of the model`(backend: TestBackend, seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        for first in stride(from: 0, to: Self.steps, by: Self.stepsPerStore) {
            let model = ModelChanges(Self.names)
            let (system, memory, clock) = (SimulatedFileSystem(), MemoryBackend(), ManualClock())
            let store = try await Self.open(backend, system, memory, clock, model)
            var run = Run(
                backend: backend, seed: seed, random: random, system: system, memory: memory,
                clock: clock, store: store)
            for step in first..<min(Self.steps, first + Self.stepsPerStore) {
                run.step = step
                do {
                    try await Self.step(&run)
                } catch {
                    Issue.record("seed \(seed), step \(step), \(backend): \(error)")
                    return
                }
            }
            try await run.store.close()
            random = run.random
        }
    }

    // MARK: Steps

    private static func step(_ run: inout Run) async throws {
        run.clock.advance(by: .milliseconds(run.random.below(5)))
        switch run.random.below(20) {
        case 0...5: try await writeOne(&run)
        case 6...9: try await transaction(&run)
        case 10...12: try await list(&run)
        case 13...15: try await mark(&run)
        case 16, 17: try await synchronize(&run)
        case 18:
            try await checkAll(&run)
            try await feed(&run)
        default: try await reopen(&run)
        }
    }

    private static func key(_ random: inout SeededGenerator) -> Value {
        .string("k\(random.below(12))")
    }

    /// Each once, in the order of keys.
    private static func sorted(_ keys: [Value]) -> [Value] {
        Set(keys).sorted { ($0.stringValue ?? "") < ($1.stringValue ?? "") }
    }

    private static func document(_ key: Value, _ random: inout SeededGenerator) -> Document {
        var document: Document = ["id": key, "n": .int(Int64(random.below(4)))]
        if random.chance(1, in: 3) { document["parent"] = Self.key(&random) }
        if random.chance(1, in: 3) { document["x\(random.below(30))"] = true }
        if random.chance(1, in: 20) {
            document["long"] = .string(String(repeating: "y", count: 3_000))
        }
        return document
    }

    private static func writeOne(_ run: inout Run) async throws {
        let name = names[run.random.below(3)]
        let store = run.store
        run.model.begin = run.model.order
        try await write(name, store, &run)
    }

    /// One operation on the store or a transaction, and on the model.
    private static func write(
        _ name: String, _ writer: any StoreWriter, _ run: inout Run
    ) async throws {
        let key = key(&run.random)
        let time = run.clock.milliseconds
        let document = document(key, &run.random)
        let isThere = run.model.document(name, key) != nil
        switch run.random.below(5) {
        case 0 where !isThere:
            try await writer.create(name, document)
            run.model.write(name, key, document, at: time)
        case 1 where isThere:
            let merged = try await writer.update(name, document, mode: .merge)
            run.model.write(name, key, merged, at: time)
        case 2, 3:
            try await writer.upsert(name, document)
            run.model.write(name, key, document, at: time)
        default:
            // In key order, as a batch deletes; and what they cascade to.
            let keys = sorted([key, Self.key(&run.random)])
            let count = try await writer.deleteBatch(name, keys)
            let present = keys.filter { run.model.document(name, $0) != nil }
            guard count == present.count else { throw Failure(description: "\(count) deleted") }
            for key in present { run.model.write(name, key, nil, at: time) }
            if name == "a" {
                let children = run.model["b"].records.filter { _, record in
                    record.document?["parent"].map(present.contains) ?? false
                }
                for key in sorted(Array(children.keys)) { run.model.write("b", key, nil, at: time) }
            }
        }
    }

    private static func transaction(_ run: inout Run) async throws {
        run.model.begin = run.model.order
        let before = run.model
        let transaction = try await run.store.beginTransaction(names)
        let count = run.random.chance(1, in: 20) ? 40 : 1 + run.random.below(5)
        for _ in 0..<count {
            try await write(names[run.random.below(3)], transaction, &run)
        }
        switch run.random.below(4) {
        case 0:
            try await transaction.rollback()
            run.model = before
        case 1 where run.backend == .log:
            // Killed in the middle.
            run.model = before
            try await crash(&run)
            try await transaction.rollback()
        default: try await transaction.commit()
        }
    }

    private static func list(_ run: inout Run) async throws {
        let name = run.random.chance(1, in: 2) ? names[run.random.below(3)] : nil
        let limit = run.random.chance(1, in: 3) ? run.random.below(6) : nil
        let after = run.random.chance(1, in: 4) ? run.given.randomElement(using: &run.random) : nil
        let changes = try await run.store.getChanges(
            name, after: after?.change.sequence, limit: limit)
        let expected = run.model.pending(name, after: after?.order ?? 0, limit: limit)
        try check(changes, expected, &run)
        run.given += zip(changes, expected.map(\.order)).map { (change: $0, order: $1) }
    }

    private static func checkAll(_ run: inout Run) async throws {
        let view = try run.store.core().view()
        for collection in try run.store.core().schema.collections {
            let count = try run.store.core().pendingCount(collection, in: view)
            let expected = run.model.pendingCounts[collection.name]
            guard count == expected else {
                throw Failure(description: "\(count) pending of \(collection.name)")
            }
        }
        let report = try await run.store.verify()
        guard report.isSound else { throw Failure(description: "\(report)") }
    }

    /// A feed that is resumed anywhere gives the latest change of each record.
    private static func feed(_ run: inout Run) async throws {
        let from = run.random.chance(1, in: 3) ? nil : run.given.randomElement(using: &run.random)
        let expected = run.model.latest(["a"], after: from?.order ?? 0)
        var feed = run.store.changeFeed(["a"], since: from?.change.sequence ?? 0)
            .makeAsyncIterator()
        var changes: [Change] = []
        while changes.count < expected.count, let change = try await feed.next() {
            changes.append(change)
        }
        try check(changes, expected, &run)
    }

    private static func check(
        _ changes: [Change], _ expected: [ModelChanges.Listed], _ run: inout Run
    ) throws {
        func describe(_ listed: ModelChanges.Listed) -> String {
            "\(listed.operation) \(listed.collection) \(listed.key)"
        }
        let found = changes.map { "\($0.operation) \($0.collection) \($0.key)" }
        guard found == expected.map(describe) else {
            throw Failure(description: "\(found) where \(expected.map(describe)) should be")
        }
        for (change, listed) in zip(changes, expected) {
            let seconds = change.timestamp.timeIntervalSince1970
            guard change.document == listed.document, change.base == listed.base,
                change.origin == listed.origin,
                UInt64((seconds * 1_000).rounded()) == listed.time,
                Set(change.changedFields) == changedFields(listed)
            else { throw Failure(description: "\(change) isn't \(listed)") }
            let known = run.sequences[listed.order]
            guard known == nil || known == change.sequence else {
                throw Failure(description: "\(describe(listed)) has another sequence than before")
            }
            run.sequences[listed.order] = change.sequence
        }
        for (change, next) in zip(changes, changes.dropFirst())
        where change.sequence >= next.sequence {
            throw Failure(description: "the sequences don't ascend")
        }
    }

    private static func changedFields(_ listed: ModelChanges.Listed) -> Set<String> {
        let after = listed.document ?? [:]
        guard let base = listed.base else { return Set(after.fieldNames) }
        return Set(after.fieldNames + base.fieldNames).filter { after[$0] != base[$0] }
    }

    private static func mark(_ run: inout Run) async throws {
        if run.given.isEmpty { return }
        var marked: [(change: Change, order: Int)] = []
        let recent = run.given.suffix(run.random.chance(1, in: 3) ? 100 : 12)
        for given in recent where run.random.chance(1, in: 2) { marked.append(given) }
        try await run.store.markSynchronized(marked.map(\.change).shuffled(using: &run.random))
        // Of several changes of one record the newest counts.
        var newest: [String: (change: Change, order: Int)] = [:]
        for one in marked {
            let name = "\(one.change.collection) \(one.change.key)"
            if one.order > newest[name]?.order ?? 0 { newest[name] = one }
        }
        for (change, order) in newest.values {
            run.model.mark(change.collection, change.key, order, change.document)
        }
    }

    private static func synchronize(_ run: inout Run) async throws {
        let name = names[run.random.below(3)]
        let keys = sorted((0..<3).map { _ in key(&run.random) })
        let origin = "server \(run.random.below(2))"
        var changes: [RemoteChange] = []
        for key in keys {
            let isDelete = run.random.chance(1, in: 3)
            let document = isDelete ? nil : document(key, &run.random)
            changes.append(RemoteChange(key: key, document: document))
        }
        let conflicts = try await run.store.applyRemote(name, changes, origin: origin)
        var expected: [Value] = []
        // One commit puts first, then deletes.
        let puts = changes.filter { $0.document != nil }
        for change in puts + changes.filter({ $0.document == nil }) {
            let isApplied = run.model.apply(
                name, change.key, change.document, at: run.clock.milliseconds, origin: origin)
            if !isApplied { expected.append(change.key) }
        }
        guard Set(conflicts) == Set(expected) else {
            throw Failure(description: "conflicts \(conflicts) where \(expected) should be")
        }
    }

    // MARK: Reopening

    private static func reopen(_ run: inout Run) async throws {
        if run.backend == .log, run.random.chance(1, in: 2) { return try await crash(&run) }
        try await run.store.close()
        if run.random.chance(1, in: 3) {
            // "a" tracks all the while.
            run.model.collections[names[1 + run.random.below(2)]]?.isTracking.toggle()
        }
        run.store = try await open(run.backend, run.system, run.memory, run.clock, run.model)
    }

    /// The process is killed, or the power cut; every commit was acknowledged.
    private static func crash(_ run: inout Run) async throws {
        let old = run.store
        run.system =
            run.random.chance(1, in: 2)
            ? run.system.killed() : run.system.crashedKeepingNothing()
        run.store = try await open(run.backend, run.system, run.memory, run.clock, run.model)
        run.old.append(old)
    }
}
