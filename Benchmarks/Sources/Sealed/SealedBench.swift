// What sealed fields cost: the same records, of which two fields of 64 bytes are sealed, one, or none, in three stores. The stores take
// turns, slice by slice, and the order rotates; a ratio or difference is the median of the slices' own ones.
internal import Foundation
internal import OfflineKit

/// Measures writing and reading records with sealed fields beside the same ones without.
struct SealedBench {
    private static let sliceCount = 25
    private static let createCount = 1_000
    private static let batchCount = 3_000
    private static let readCount = 10_000
    private static let sensitive: [[String]] = [[], ["first"], ["first", "second"]]
    private let options: BenchOptions
    private let documentCount: Int

    init(_ options: BenchOptions) {
        self.options = options
        documentCount = max(1_000, Int(20_000 * options.scale))
    }

    /// Nanoseconds of processor time an operation, slice by slice, of each store.
    private typealias Times = [[Double]]

    func run() async throws -> String {
        let folder = try BenchFolder(parent: options.directory)
        defer { folder.remove() }
        var stores: [OfflineStore] = []
        for fields in Self.sensitive {
            stores.append(try await open(folder.make("sealed\(fields.count)"), fields))
        }
        let create = try await measure(
            "create", stores, Self.createCount, writes: true, documents(Self.createCount)
        ) { try await creates($0, $1) }
        let batch = try await measure(
            "createBatch", stores, Self.batchCount, writes: true, documents(Self.batchCount)
        ) { try await batches($0, $1) }
        let get = try await measure(
            "get", stores, Self.readCount, numbers(Self.readCount)
        ) { try await reads($0, $1) }
        let scan = try await measure("scan", stores, documentCount, { _ in }) { store, _ in
            try await queries(store)
        }
        let count = try await measure("count", stores, documentCount, { _ in }) { store, _ in
            try await counts(store)
        }
        for store in stores { try await store.close() }
        return """
            Records of eight fields, of which none, one or two of 64 bytes are sealed. Processor time of all threads, us:
            \(line("create", create))
            \(line("createBatch of 1,000, a record", batch))
            \(line("get", get))
            \(line("query by an unsealed field without an index, 1 % match, a record read", scan))
            \(line("count of the same, a record read", count))
            """
    }

    private func line(_ title: String, _ times: Times) -> String {
        let perField = zip(times[0], times[2]).map { ($1 - $0) / 2_000 }
        return String(
            format: "  %@: %.2f, %.2f, %.2f; two / none %.2f; %.2f more a sealed field", title,
            times[0].median / 1_000, times[1].median / 1_000, times[2].median / 1_000,
            times[2].ratio(to: times[0]), perField.median)
    }

    /// `body` does `operations` in one store, with what `prepare` made for the slice.
    private func measure<Input>(
        _ name: String, _ stores: [OfflineStore], _ operations: Int, writes: Bool = false,
        _ prepare: (_ slice: Int) -> Input,
        _ body: (_ store: OfflineStore, Input) async throws -> Void
    ) async throws -> Times {
        var times: Times = stores.map { _ in [] }
        // The first slice warms up.
        for slice in 0...Self.sliceCount {
            Progress.show("\(name), \(slice) of \(Self.sliceCount)")
            let input = prepare(slice)
            for turn in stores.indices {
                let place = (slice + turn) % stores.count
                let start = Clocks.process()
                try await body(stores[place], input)
                let waiting = writes ? Clocks.settle() : 0
                let time = Clocks.process() - start
                if slice == 0 { continue }
                times[place].append(Double(time - min(time, waiting)) / Double(operations))
            }
        }
        Progress.show("")
        return times
    }

    // MARK: Stores

    private func open(_ path: String, _ fields: [String]) async throws -> OfflineStore {
        let provider = EncryptionKeyProvider.applicationKey { [UInt8](repeating: 7, count: 32) }
        func people(_ name: String, _ indexes: [IndexSchema] = []) -> CollectionSchema {
            CollectionSchema(
                name: name, indexes: indexes, sensitiveFields: fields, tracksChanges: false)
        }
        let store = try await OfflineStore.open(
            StorageOptions(
                databaseName: "sealed", directory: URL(filePath: path, directoryHint: .isDirectory),
                encryption: fields.isEmpty
                    ? .disabled : EncryptionOptions(encryptionKeyProvider: provider),
                storageSchema: [
                    people("people", [IndexSchema(name: "first", keyPath: "first")]),
                    people("created"), people("inserted"),
                ],
                durability: .relaxed))
        for start in stride(from: 0, to: documentCount, by: 1_000) {
            try await store.createBatch("people", (start..<start + 1_000).map(document))
        }
        return store
    }

    private func document(_ number: Int) -> Document {
        [
            "id": .string("person\(number)"), "name": .string("Name \(number * 7_919 % 10_007)"),
            "role": .string("role\(number % 50)"), "age": .int(Int64(number % 90)),
            "score": .double(Double(number * 31 % 1_000)), "city": .string("City \(number % 200)"),
            "first": .string(secret(number, 1)), "second": .string(secret(number, 2)),
        ]
    }

    /// 64 bytes.
    private func secret(_ number: Int, _ salt: UInt64) -> String {
        var random = SeededGenerator(seed: options.seed ^ UInt64(number) << 8 ^ salt)
        let words = (0..<4).map { _ in String(random.next(), radix: 16) }
        return words.map { String(repeating: "0", count: 16 - $0.utf8.count) + $0 }.joined()
    }

    // MARK: Slices

    private func documents(_ count: Int) -> (_ slice: Int) -> [Document] {
        { slice in (slice * count..<(slice + 1) * count).map(document) }
    }

    /// Records in any order.
    private func numbers(_ count: Int) -> (_ slice: Int) -> [Int] {
        { slice in (0..<count).map { ($0 &* 48_271 &+ slice &* 7_919) % documentCount } }
    }

    private func creates(_ store: OfflineStore, _ documents: [Document]) async throws {
        for document in documents { try await store.create("created", document) }
    }

    private func batches(_ store: OfflineStore, _ documents: [Document]) async throws {
        for start in stride(from: 0, to: documents.count, by: 1_000) {
            try await store.createBatch("inserted", Array(documents[start..<start + 1_000]))
        }
    }

    private func reads(_ store: OfflineStore, _ numbers: [Int]) async throws {
        for number in numbers {
            guard try await store.get("people", .string("person\(number)")) != nil else {
                throw BenchError("a record isn't there")
            }
        }
    }

    private func queries(_ store: OfflineStore) async throws {
        let found = try await store.query("people", Query(filters: ["score": ["$lt": 10]]))
        guard found.count == documentCount / 100 else {
            throw BenchError("\(found.count) records are found")
        }
    }

    private func counts(_ store: OfflineStore) async throws {
        guard try await store.count("people", ["score": ["$lt": 10]]) == documentCount / 100 else {
            throw BenchError("other records are counted")
        }
    }
}
