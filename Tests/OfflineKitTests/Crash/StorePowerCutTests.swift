// Power cuts under a whole store: documents, indexes of every kind, transactions over two
// collections, and schema changes. What is opened from any image of the disk is the state after
// some commit that was begun, with none missing that was acknowledged, and sound by its own
// verification.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

struct StorePowerCutTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let seeds = SeededRandom.seeds(environment["OFFLINE_SEEDS"].flatMap(Int.init) ?? 2)
    static let states = environment["OFFLINE_POWER_CUTS"].flatMap(Int.init) ?? 60

    private typealias Model = [String: [Value: Document]]

    private final class Progress: Sendable {
        struct State {
            var models: [Model] = [["a": [:], "b": [:]]]
            var acknowledged = 0
            var random: SeededRandom
            var images: [(SimulatedFileSystem, String, ClosedRange<Int>)] = []
        }
        let state: Protected<State>
        init(_ seed: UInt64) { state = Protected(State(random: SeededRandom(seed: seed))) }
    }

    private static func schema(_ round: Int) -> [CollectionSchema] {
        var indexes = [
            IndexSchema(name: "u", keyPath: "u", unique: true),
            IndexSchema(name: "n", keyPath: "n"),
        ]
        if round % 2 == 1 {
            indexes += [
                IndexSchema(name: "nt", keyPaths: ["n", "t.x"]),
                IndexSchema(name: "tags", keyPath: "tags", unique: true, multiEntry: true),
                .fullText(name: "words", keyPaths: ["tags", "t.x"]),
            ]
        } else {
            indexes += [
                IndexSchema(name: "nt", keyPaths: ["n", "t.x"], where: ["n": ["$gt": 3]]),
                IndexSchema(name: "tags", keyPath: "tags", collation: .caseInsensitive),
            ]
        }
        return [
            CollectionSchema(name: "a", indexes: indexes),
            CollectionSchema(name: "b", indexes: indexes),
        ]
    }

    private static func open(
        _ kind: DiskBackend, _ files: SimulatedFileSystem, _ round: Int
    ) async throws -> OfflineStore {
        let backend = kind.make(files)
        return try await OfflineStore.open(
            StorageOptions(
                databaseName: "store", directory: URL(filePath: "/"),
                storageBackend: .custom(backend), storageSchema: schema(round),
                transactionTimeout: .seconds(3_600)))
    }

    @Test(arguments: DiskBackend.allCases, seeds)
    func `a power cut at any moment leaves a store that some commit made`(
        kind: DiskBackend, seed: UInt64
    ) async throws {
        var random = SeededRandom(seed: seed)
        let files = SimulatedFileSystem()
        var round = 0
        var store = try await Self.open(kind, files, round)
        let progress = Progress(seed)
        files.onMutation { index, files in
            progress.state.withLock { state in
                guard state.random.chance(1, in: 4) else { return }
                let choice = state.random.next()
                state.images.append(
                    (
                        files.crashed(keeping: choice), "mutation \(index), image \(choice)",
                        state.acknowledged...state.models.count - 1
                    ))
            }
        }
        var checked = 0
        while checked < Self.states {
            try await commit(store, progress, &random)
            if random.chance(1, in: 12) {
                try await store.close()
                round += 1
                store = try await Self.open(kind, files, round)
            }
            checked += try await check(kind, progress, round, "\(kind), seed \(seed)")
        }
        files.onMutation(nil)
        try await store.close()
    }

    /// One transaction of a few changes, in both collections.
    private func commit(
        _ store: OfflineStore, _ progress: Progress, _ random: inout SeededRandom
    ) async throws {
        var next = progress.state.withLock { $0.models[$0.models.count - 1] }
        let transaction = try await store.beginTransaction(["a", "b"])
        for _ in 0..<1 + random.below(random.chance(1, in: 10) ? 80 : 4) {
            let name = random.chance(1, in: 2) ? "a" : "b"
            let key = Value.int(Int64(random.below(60)))
            if random.chance(1, in: 4) {
                try await transaction.delete(name, key)
                next[name]?[key] = nil
                continue
            }
            let document: Document = [
                "id": key, "n": .int(Int64(random.below(9))), "u": key,
                "t": ["x": .string(String(random.below(30)))],
                "tags": ["Tag \(key)", .string("odd \(key), \(random.below(9))")],
                "field\(random.below(40))": .string(
                    String(repeating: "x", count: random.below(300))),
            ]
            try await transaction.upsert(name, document)
            next[name]?[key] = document
        }
        let model = next
        progress.state.withLock { $0.models.append(model) }
        try await transaction.commit()
        progress.state.withLock { $0.acknowledged = $0.models.count - 1 }
    }

    private func check(
        _ kind: DiskBackend, _ progress: Progress, _ round: Int, _ context: String
    ) async throws -> Int {
        let (images, models) = progress.state.withLock { state in
            defer { state.images = [] }
            return (state.images, state.models)
        }
        for (files, label, allowed) in images {
            let context = "\(context), \(label)"
            let store = try await Self.open(kind, files, round)
            var found: Model = [:]
            for name in ["a", "b"] {
                let documents = try await store.query(name)
                found[name] = Dictionary(
                    uniqueKeysWithValues: documents.map { ($0["id"] ?? .null, $0) })
                let even = try await store.query(name, Query(filters: ["n": 4]))
                #expect(even == documents.filter { $0["n"] == 4 }, "\(context), by index")
            }
            #expect(models[allowed].contains(found), "\(context)")
            #expect(try await store.verify().problems == [], "\(context)")
            try await store.close()
        }
        return images.count
    }
}
