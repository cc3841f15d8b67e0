// What the order of use costs a read: `get` on a collection whose records are evicted by it, beside one without a policy.
internal import Foundation
internal import OfflineKit

/// Measures reads with and without `lru`.
struct AccessBench {
    private static let documentCount = 100_000
    private static let sliceCount = 40
    private static let readCount = 50_000
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> String {
        var stores: [OfflineStore] = []
        let folder = try BenchFolder(parent: options.directory)
        defer { folder.remove() }
        for (name, policy) in [
            ("plain", nil), ("lru", EvictionPolicy.lru(maxRecords: Self.documentCount * 2)),
        ] {
            stores.append(try await Self.open(folder.make(name), policy))
        }
        var ratios: [Double] = []
        var times: [[Double]] = [[], []]
        for slice in 0..<Self.sliceCount {
            var slices = [0.0, 0.0]
            for turn in 0..<2 {
                let store = (slice + turn) % 2
                slices[store] = try await Self.reads(stores[store], slice)
                times[store].append(slices[store])
            }
            ratios.append(slices[1] / slices[0])
        }
        for store in stores { try await store.close() }
        return String(
            format: "get: %.0f ns without a policy, %.0f ns with lru, ratio %.3f (processor time)",
            times[0].median, times[1].median, ratios.median)
    }

    private static func open(_ path: String, _ policy: EvictionPolicy?) async throws -> OfflineStore
    {
        let store = try await OfflineStore.open(
            StorageOptions(
                databaseName: "access", directory: URL(filePath: path, directoryHint: .isDirectory),
                storageSchema: [
                    CollectionSchema(name: "people", evictionPolicy: policy, tracksChanges: false)
                ],
                durability: .relaxed))
        for start in stride(from: 0, to: documentCount, by: 1_000) {
            try await store.createBatch("people", (start..<start + 1_000).map(document))
        }
        return store
    }

    private static func document(_ number: Int) -> Document {
        [
            "id": .string("person\(number)"), "name": .string("Name \(number * 7_919 % 10_007)"),
            "role": .string("role\(number % 50)"), "age": .int(Int64(number % 90)),
            "score": .double(Double(number * 31 % 1_000)), "city": .string("City \(number % 200)"),
        ]
    }

    /// Nanoseconds a read, of all the process's threads: what is done in the background counts.
    private static func reads(_ store: OfflineStore, _ slice: Int) async throws -> Double {
        let keys = (0..<readCount).map { number in
            "person\((number &* 48_271 &+ slice &* 7_919) % documentCount)"
        }
        let start = Clocks.process()
        for key in keys {
            guard try await store.get("people", key) != nil else {
                throw BenchError("a record isn't there")
            }
        }
        return Double(Clocks.process() - start) / Double(readCount)
    }
}
