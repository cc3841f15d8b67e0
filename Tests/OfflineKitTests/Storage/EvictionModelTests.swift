// Random histories of a collection with a policy, against a model that sorts all records anew each time. On all backends, by a
// clock of the test's; policies change at run time, and the store is closed and opened.
//
// OFFLINE_EVICTION_SEEDS and OFFLINE_EVICTION_STEPS make it longer.
import Foundation
import OfflineBytes
import OfflineDocuments
import StorageSimulation
import Testing

@testable import OfflineKit

struct EvictionModelTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let seeds = SeededRandom.seeds(
        environment["OFFLINE_EVICTION_SEEDS"].flatMap(Int.init) ?? 100)
    static let steps = environment["OFFLINE_EVICTION_STEPS"].flatMap(Int.init) ?? 40

    private struct Record {
        var created: Int
        var written: UInt64
        var used: Int
        var count: Int
        var isPending: Bool
    }

    private struct Run {
        let backend: TestBackend
        let tracks: Bool
        let system = SimulatedFileSystem()
        let memory = MemoryBackend()
        let clock = ManualClock()
        var random: SeededRandom
        var store: OfflineStore
        var policy: EvictionPolicy
        var records: [Int64: Record] = [:]
        var uses = 0

        mutating func use() -> Int {
            uses += 1
            return uses
        }
    }

    private static func policy(_ random: inout SeededRandom) -> EvictionPolicy {
        let count = 3 + random.below(12)
        return switch random.below(5) {
        case 0: .lru(maxRecords: count)
        case 1: .lfu(maxRecords: count)
        case 2: .fifo(maxRecords: count)
        case 3: .maxAge(.milliseconds(200 + random.below(2_000)))
        default: .maxSize(bytes: Int64(count) * 150)
        }
    }

    private static func open(
        _ backend: TestBackend, _ system: SimulatedFileSystem, _ memory: MemoryBackend,
        _ clock: ManualClock, _ policy: EvictionPolicy, tracks: Bool, in folder: TestFolder
    ) async throws -> OfflineStore {
        // Only what the simulated disk can't hold is on the real one.
        var options = StorageOptions(
            databaseName: "m",
            directory: backend.isSimulated ? URL(filePath: "/") : folder.url,
            storageSchema: EvictionTests.schema(policy, tracks: tracks))
        let storage: any StorageBackend =
            switch backend {
            case .memory: memory
            case .log: LogBackend(system: system)
            case .file: FileBackend(system: system)
            #if SQLite
                case .sqlite: SQLiteBackend()
            #endif
            }
        options.storageBackend = .custom(storage)
        let store = OfflineStore(options, clock: clock)
        try await store.initialize()
        return store
    }

    @Test(arguments: TestBackend.allCases)
    func `what goes and what stays is what the model says`(backend: TestBackend) async throws {
        for seed in Self.seeds {
            var random = SeededRandom(seed: seed)
            let policy = Self.policy(&random)
            let tracks = random.chance(1, in: 2)
            let (system, memory, clock) = (SimulatedFileSystem(), MemoryBackend(), ManualClock())
            let folder = try TestFolder()
            defer { folder.remove() }
            var store = try await Self.open(
                backend, system, memory, clock, policy, tracks: tracks, in: folder)
            var run = Run(
                backend: backend, tracks: tracks, random: random, store: store, policy: policy)
            for step in 0..<Self.steps {
                clock.advance(by: .milliseconds(1 + run.random.below(60)))
                if run.random.chance(1, in: 15) {
                    try await store.close()
                    store = try await Self.open(
                        backend, system, memory, clock, policy, tracks: tracks, in: folder)
                    run.store = store
                }
                let context = "\(backend), seed \(seed), step \(step), \(run.policy)"
                let clocked = clock.milliseconds
                try await Self.check(&run, clocked, "\(context), before")
                try await Self.change(&run, clocked)
                try await Self.check(&run, clocked, context)
            }
            #expect(try await store.verify().problems == [], "\(backend), seed \(seed)")
            try await store.close()
        }
    }

    // MARK: Steps

    private static func change(_ run: inout Run, _ now: UInt64) async throws {
        let store = run.store
        switch run.random.below(20) {
        case 0..<7: try await write(&run, now, count: 1)
        case 7..<10: try await write(&run, now, count: 1 + run.random.below(6))
        case 10..<14: try await read(&run)
        case 14:
            let key = Int64(run.random.below(25))
            try await store.delete("c", key)
            run.records[key] = nil
        case 15, 16:
            let changes = try await store.getChanges().filter { _ in run.random.chance(2, in: 3) }
            try await store.markSynchronized(changes)
            for change in changes {
                run.records[Int64(change.key.intValue ?? 0)]?.isPending = false
            }
        case 17: try await store.evict()
        case 18:
            run.policy = policy(&run.random)
            try await store.setEvictionPolicy("c", run.policy)
        default:
            guard run.random.chance(1, in: 4) else { return }
            try await store.clear(["c"])
            run.records = [:]
        }
    }

    private static func write(_ run: inout Run, _ now: UInt64, count: Int) async throws {
        let transaction = try await run.store.beginTransaction(["c"])
        for _ in 0..<count {
            let key = Int64(run.random.below(25))
            try await transaction.upsert(
                "c",
                [
                    "id": .int(key), "n": .int(Int64(run.random.below(9))),
                    "t": .string(String(repeating: "x", count: 100)),
                ])
            let use = run.use()
            let old = run.records[key]
            run.records[key] = Record(
                created: old?.created ?? use, written: now, used: use,
                count: (old?.count ?? 0) + 1, isPending: run.tracks)
        }
        try await transaction.commit()
    }

    private static func read(_ run: inout Run) async throws {
        for _ in 0..<1 + run.random.below(3) {
            let key = Int64(run.random.below(25))
            let found = try await run.store.get("c", key)
            // So that the order of reads among all uses is exact.
            try run.store.core().mergeReads()
            guard found != nil else { continue }
            // Reads are counted where the policy asks for them.
            guard run.policy.order(isLimited: false).countsReads else { continue }
            let use = run.use()
            run.records[key]?.used = use
            run.records[key]?.count += 1
        }
    }

    // MARK: Comparing

    private static func check(_ run: inout Run, _ now: UInt64, _ context: String) async throws {
        let found = Set(try await EvictionTests.keys(run.store))
        let victims = run.records.filter { !$0.value.isPending }
            .sorted { isBefore($0.value, $1.value, run.policy) }.map(\.key)
        var count = 0
        if let countMax = run.policy.countMax {
            count = min(max(0, run.records.count - countMax), victims.count)
        } else if let ageMax = run.policy.ageMax {
            count = victims.count { run.records[$0].map { $0.written + ageMax <= now } ?? false }
        } else if let bytesMax = run.policy.bytesMax {
            count = victims.count { !found.contains($0) }
            let bytes =
                try await run.store.getStorageInfo().collectionUsage["c"]?.recordBytes ?? 0
            #expect(bytes <= bytesMax || count == victims.count, "\(context): too much is left")
            #expect(count == 0 || bytes + 400 > bytesMax, "\(context): too little is left")
        }
        for key in victims.prefix(count) { run.records[key] = nil }
        #expect(found.sorted() == run.records.keys.sorted(), "\(context)")
        if found != Set(run.records.keys) { throw Failure(description: context) }
    }

    private struct Failure: Error, CustomStringConvertible { let description: String }

    private static func isBefore(_ a: Record, _ b: Record, _ policy: EvictionPolicy) -> Bool {
        switch policy.order(isLimited: false) {
        case .frequency: (a.count, a.used) < (b.count, b.used)
        case .created: a.created < b.created
        case .written: (a.written, a.used) < (b.written, b.used)
        case .used, .none: a.used < b.used
        }
    }
}
