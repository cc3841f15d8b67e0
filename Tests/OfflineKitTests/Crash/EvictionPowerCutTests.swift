// Power cuts while records are evicted: nothing that has yet to be synchronized is lost, and what is opened is sound and within its
// bound as soon as it has evicted what is due.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

struct EvictionPowerCutTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let seeds = SeededRandom.seeds(environment["OFFLINE_SEEDS"].flatMap(Int.init) ?? 2)
    static let states = environment["OFFLINE_POWER_CUTS"].flatMap(Int.init) ?? 60
    private static let bound = 20

    private struct State {
        /// What the newest acknowledged change of each record says that isn't known to the server.
        var pending: [Int64: Int64] = [:]
        var random: SeededRandom
        var images: [(files: SimulatedFileSystem, pending: [Int64: Int64], label: String)] = []
    }

    private static func open(
        _ kind: DiskBackend, _ files: SimulatedFileSystem
    ) async throws -> OfflineStore {
        try await OfflineStore.open(
            StorageOptions(
                databaseName: "store", directory: URL(filePath: "/"),
                storageBackend: .custom(kind.make(files)),
                storageSchema: EvictionTests.schema(.lru(maxRecords: bound), tracks: true),
                transactionTimeout: .seconds(3_600)))
    }

    @Test(arguments: DiskBackend.allCases, seeds)
    func `a power cut during evictions loses nothing that is pending`(
        kind: DiskBackend, seed: UInt64
    ) async throws {
        var random = SeededRandom(seed: seed)
        let files = SimulatedFileSystem()
        let store = try await Self.open(kind, files)
        let state = Protected(State(random: SeededRandom(seed: seed)))
        files.onMutation { index, files in
            state.withLock { state in
                guard state.random.chance(1, in: 4) else { return }
                let choice = state.random.next()
                state.images.append(
                    (
                        files.crashed(keeping: choice), state.pending,
                        "\(kind), seed \(seed), mutation \(index), image \(choice)"
                    ))
            }
        }
        var checked = 0
        var next: Int64 = 0
        while checked < Self.states {
            for _ in 0..<1 + random.below(8) {
                next += 1
                let key = random.chance(1, in: 4) ? Int64(random.below(Int(next))) : next
                let value = next
                try await store.upsert(
                    "c", ["id": .int(key), "n": .int(value), "t": .string("text \(next)")])
                state.withLock { $0.pending[key] = value }
            }
            let changes = try await store.getChanges().filter { _ in random.chance(3, in: 4) }
            // From now on they may go.
            state.withLock { state in
                for change in changes {
                    state.pending[Int64(change.key.intValue ?? 0)] = nil
                }
            }
            try await store.markSynchronized(changes)
            await (try store.core()).eviction.settled()
            checked += try await check(kind, state)
        }
        files.onMutation(nil)
        try await store.close()
    }

    private func check(
        _ kind: DiskBackend, _ state: Protected<State>
    ) async throws -> Int {
        let images = state.withLock { state in
            defer { state.images = [] }
            return state.images
        }
        for (files, pending, label) in images {
            let store = try await Self.open(kind, files)
            await (try store.core()).eviction.settled()
            let records = try await store.query("c")
            let values = Dictionary(
                uniqueKeysWithValues: records.map {
                    (Int64($0["id"]?.intValue ?? -1), Int64($0["n"]?.intValue ?? -1))
                })
            for (key, value) in pending {
                #expect(values[key] ?? -1 >= value, "\(label): record \(key)")
            }
            let changes = try await store.getChanges()
            #expect(
                records.count <= max(Self.bound, changes.count), "\(label): \(records.count) left")
            #expect(try await store.verify().problems == [], "\(label)")
            try await store.close()
        }
        return images.count
    }
}
