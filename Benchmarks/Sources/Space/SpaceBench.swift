// What overwriting for long costs in space and time: a collection of which every record is written again and again, in batches, with
// reads between. Twice, with and without compaction, so that what compaction costs the reads is seen; then nine tenths are
// deleted, and the store is compacted.
//
// The data is as large all the time. What is alive is what the files have at the end, less what compacting would give back. (Compacting
// the whole store also deflates it, so what that leaves is less.)
internal import Foundation
internal import OfflineKit

/// Measures the folder and the reads of a store that is overwritten.
struct SpaceBench {
    private static let documentCount = 10_000
    private static let batchCount = 1_000
    /// What the bounds leave out besides the prepared file and the reserve.
    private static let slackBytes = 256 << 10
    private let options: BenchOptions
    private let overwriteCount: Int

    init(_ options: BenchOptions) {
        self.options = options
        overwriteCount = Int(1_000_000 * options.scale)
    }

    /// One run's figures.
    private struct Run {
        var reads: [Double] = []
        /// The same where all records are deflated.
        var packedReads: [Double] = []
        var writing: Double = 0
        /// The largest that the folder was, without what the bounds leave out.
        var folderMax = 0
        var alive = 0
        var compacted = 0
    }

    func run() async throws -> String {
        let without = try await run(compacts: false)
        let with = try await run(compacts: true)
        func ratio(_ a: Double, _ b: Double) -> String { String(format: "%.2f", a / b) }
        func megabytes(_ bytes: Int) -> String { String(format: "%.1f MB", Double(bytes) / 1e6) }
        let alive = Double(with.alive)
        return """
            \(overwriteCount) overwrites of \(SpaceBench.documentCount) records in batches of \(SpaceBench.batchCount):
              folder at most     \(megabytes(with.folderMax)), \(ratio(Double(with.folderMax), alive)) of \
            the \(megabytes(with.alive)) that are alive (without compaction: \
            \(megabytes(without.folderMax)); compacted at the end: \(megabytes(with.compacted)))
              get, p50           \(text(with.reads, 0.5)) us, \
            \(ratio(with.reads.quantile(0.5), without.reads.quantile(0.5))) of that without compaction
              get, p99           \(text(with.reads, 0.99)) us, \
            \(ratio(with.reads.quantile(0.99), without.reads.quantile(0.99))) of that without compaction
              get when compacted \(text(with.packedReads, 0.5)) us (p50), \
            \(text(with.packedReads, 0.99)) us (p99)
              overwriting        \(String(format: "%.2f", with.writing)) us a record, \
            \(ratio(with.writing, without.writing)) of that without compaction
              \(try await deleted())
            """
    }

    /// What is left of a larger collection when nine tenths are deleted and it is compacted.
    private func deleted() async throws -> String {
        let folder = try BenchFolder(parent: options.directory)
        defer { folder.remove() }
        let store = try await open(folder.path, compacts: false)
        var random = SeededGenerator(seed: options.seed)
        let count = 20 * SpaceBench.documentCount
        for start in stride(from: 0, to: count, by: SpaceBench.documentCount) {
            try await store.createBatch(
                "people",
                (start..<start + SpaceBench.documentCount).map { SpaceBench.document($0, &random) })
        }
        try await store.compact()
        let full = SpaceBench.bytes(folder.path) - SpaceBench.slackBytes
        for start in stride(from: 0, to: count, by: SpaceBench.documentCount) {
            let keys = (start..<start + SpaceBench.documentCount).filter { $0 % 10 != 0 }
            try await store.deleteBatch("people", keys.map { "person\($0)" })
        }
        try await store.compact()
        let rest = SpaceBench.bytes(folder.path) - SpaceBench.slackBytes
        try await store.close()
        let ratio = Double(rest) / (Double(full) / 10)
        return
            "90 % of \(count) deleted, and compacted: \(String(format: "%.2f", ratio)) of a tenth of what all took"
    }

    private func open(_ path: String, compacts: Bool) async throws -> OfflineStore {
        try await OfflineStore.open(
            StorageOptions(
                databaseName: "space",
                directory: URL(filePath: path, directoryHint: .isDirectory),
                storageSchema: [
                    CollectionSchema(
                        name: "people", indexes: [IndexSchema(name: "age", keyPath: "age")],
                        tracksChanges: false)
                ], durability: .relaxed, autoCompaction: compacts))
    }

    private func text(_ nanoseconds: [Double], _ quantile: Double) -> String {
        String(format: "%.1f", nanoseconds.quantile(quantile) / 1_000)
    }

    private func run(compacts: Bool) async throws -> Run {
        let folder = try BenchFolder(parent: options.directory)
        defer { folder.remove() }
        let store = try await open(folder.path, compacts: compacts)
        var random = SeededGenerator(seed: options.seed)
        try await store.createBatch(
            "people", (0..<SpaceBench.documentCount).map { SpaceBench.document($0, &random) })
        var run = Run()
        for _ in 0..<overwriteCount / SpaceBench.batchCount {
            var batch: [Int: Document] = [:]
            while batch.count < SpaceBench.batchCount {
                let number = Int.random(in: 0..<SpaceBench.documentCount, using: &random)
                batch[number] = SpaceBench.document(number, &random)
            }
            let start = Clocks.wall()
            try await store.updateBatch("people", Array(batch.values), mode: .replace)
            run.writing += Double(Clocks.wall() - start)
            run.reads += try await SpaceBench.reads(50, store, &random)
            run.folderMax = max(
                run.folderMax, SpaceBench.bytes(folder.path) - SpaceBench.slackBytes)
        }
        run.writing /= Double(overwriteCount) * 1_000
        run.alive = try await SpaceBench.alive(store, folder.path)
        try await store.compact()
        run.compacted = SpaceBench.bytes(folder.path)
        run.packedReads = try await SpaceBench.reads(20_000, store, &random)
        try await store.close()
        return run
    }

    /// How long it takes to get records, in nanoseconds.
    private static func reads(
        _ count: Int, _ store: OfflineStore, _ random: inout SeededGenerator
    ) async throws -> [Double] {
        var reads: [Double] = []
        for _ in 0..<count {
            let key = Value.string("person\(Int.random(in: 0..<documentCount, using: &random))")
            let start = Clocks.wall()
            guard try await store.get("people", key) != nil else {
                throw BenchError("a record is missing")
            }
            reads.append(Double(Clocks.wall() - start))
        }
        return reads
    }

    private static func document(_ number: Int, _ random: inout SeededGenerator) -> Document {
        [
            "id": .string("person\(number)"), "name": .string("Name \(random.next() % 10_007)"),
            "role": .string("role\(number % 50)"), "age": .int(Int64(random.next() % 90)),
            "score": .double(Double(random.next() % 1_000)),
            "note": .string(String(random.next(), radix: 36) + String(random.next(), radix: 36)),
            "city": .string("City \(number % 200)"),
        ]
    }

    /// What is alive, once nothing is compacted any more.
    private static func alive(_ store: OfflineStore, _ path: String) async throws -> Int {
        while true {
            let before = bytes(path)
            let dead = try await store.getStorageInfo().reclaimableBytes
            try await Task.sleep(for: .milliseconds(200))
            if bytes(path) == before { return before - Int(dead) }
        }
    }

    /// The sizes of the files, without the unwritten part of the active log file, the prepared one and the reserve: what of the log files
    /// is zeros behind the last byte that isn't.
    private static func bytes(_ directory: String) -> Int {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: directory)) ?? []
        return names.filter { !$0.hasSuffix("RESERVE") }.reduce(0) { sum, name in
            let path = directory + "/" + name
            return sum + (name.hasSuffix(".log") ? written(path) : size(path))
        }
    }

    private static func size(_ path: String) -> Int {
        var information = stat()
        return unsafe lstat(path, &information) == 0 ? Int(information.st_size) : 0
    }

    private static func written(_ path: String) -> Int {
        guard let file = FileHandle(forReadingAtPath: path) else { return 0 }
        defer { try? file.close() }
        var end = size(path)
        while end > 0 {
            let start = max(0, end - (64 << 10))
            guard (try? file.seek(toOffset: UInt64(start))) != nil,
                let data = try? file.read(upToCount: end - start)
            else { return end }
            if let last = data.lastIndex(where: { $0 != 0 }) {
                return start + last - data.startIndex + 1
            }
            end = start
        }
        return 0
    }
}

extension [Double] {
    /// The value below which so great a part of them is.
    func quantile(_ part: Double) -> Double {
        guard !isEmpty else { return 0 }
        return sorted()[Swift.min(count - 1, Int(part * Double(count)))]
    }
}
