// A run: each repeat fills fresh stores and takes them through the workloads, slice by slice in turn.
internal import Foundation

/// Figures are only comparable within one run. One task; the stores may have threads of their own.
struct BenchRun {
    private let options: BenchOptions
    private let dataset: Dataset
    private let workloads: [Workload]
    private(set) var results: Results

    init(_ options: BenchOptions) {
        self.options = options
        dataset = Dataset(count: options.count, seed: options.seed)
        let all = Workload.all(dataset, scale: options.scale)
        workloads = all.filter { options.includes($0.id) && $0.sliceCount > 0 }
        results = Results(
            count: options.count, repeats: options.repeats, scale: options.scale,
            seed: options.seed, documentBytes: BenchRun.documentBytes(dataset),
            stores: options.stores)
        bulk = all[0]
    }

    /// Fills the stores, measured or not.
    private let bulk: Workload

    mutating func run() async throws {
        for number in 1...options.repeats {
            Progress.show("repeat \(number) of \(options.repeats)")
            let folder = try BenchFolder(parent: options.directory)
            defer { folder.remove() }
            try await runOnce(number, folder)
        }
        Progress.show("")
    }

    private mutating func runOnce(_ number: Int, _ folder: BenchFolder) async throws {
        let stores = try options.stores.map { try BenchRun.candidate($0, folder) }
        let floor = try FlushFloor(directory: folder.path)
        for store in stores { try await store.open(.full) }
        var durability = CommitDurability.full
        if !workloads.contains(where: { $0.id == bulk.id }) {
            for slice in 0..<bulk.sliceCount { try await fill(stores, bulk.slice(slice)) }
        }
        for workload in workloads {
            Progress.show("repeat \(number) of \(options.repeats): \(workload.title)")
            if workload.durability != durability {
                durability = workload.durability
                for store in stores {
                    try await store.close()
                    try await store.open(durability)
                }
            }
            try await measure(workload, stores, floor)
            if workload.id == bulk.id { measureDisk("after the bulk insert", stores, folder) }
        }
        try await compare(stores)
        for store in stores { try await store.close() }
        measureDisk("in the end, closed", stores, folder)
    }

    private func fill(_ stores: [any Candidate], _ slice: Slice) async throws {
        for store in stores { _ = try await slice.run(store) }
    }

    private mutating func measureDisk(
        _ title: String, _ stores: [any Candidate], _ folder: BenchFolder
    ) {
        for store in stores {
            results.add(disk: title, store.name, FolderSize.bytes(folder.path + "/" + store.name))
        }
    }
}

// MARK: - Measuring

extension BenchRun {
    private struct Sum {
        var wall: UInt64 = 0
        var processor: UInt64 = 0
        var operations = 0
    }

    private mutating func measure(
        _ workload: Workload, _ stores: [any Candidate], _ floor: FlushFloor
    ) async throws {
        var sums = [String: Sum]()
        for number in 0..<workload.sliceCount {
            let slice = workload.slice(number)
            var digests = [String: Digest]()
            for turn in stores.indices {
                let store = stores[(turn + number) % stores.count]
                digests[store.name] = try await time(slice.operations, workload, &sums[store.name])
                {
                    try await slice.run(store)
                }
            }
            if workload.hasFlushFloor {
                _ = try await time(slice.operations, workload, &sums["flush"]) {
                    try floor.run(slice.operations)
                    return Digest()
                }
            }
            if Set(digests.values.map(\.word)).count > 1 {
                throw BenchError("\(workload.id), slice \(number): the answers differ: \(digests)")
            }
        }
        for (store, sum) in sums {
            let operations = Double(sum.operations)
            results.add(
                workload, store, wall: Double(sum.wall) / operations / 1000,
                processor: Double(sum.processor) / operations / 1000)
        }
    }

    private func time(
        _ operations: Int, _ workload: Workload, _ sum: inout Sum?,
        _ body: () async throws -> Digest
    ) async throws -> Digest {
        let processorBefore = Clocks.process()
        let wallBefore = Clocks.wall()
        let digest = try await body()
        let wall = Clocks.wall() - wallBefore
        let waiting = workload.writes ? Clocks.settle() : 0
        let processor = Clocks.process() - processorBefore
        var next = sum ?? Sum()
        next.wall += wall
        next.processor += processor - min(processor, waiting)
        next.operations += operations
        sum = next
        return digest
    }
}

// MARK: - Comparing

extension BenchRun {
    /// What all stores must hold now: as many documents, and each of a sample in every field.
    private func compare(_ stores: [any Candidate]) async throws {
        var ran = workloads
        if !ran.contains(where: { $0.id == bulk.id }) { ran.append(bulk) }
        let expected = ran.reduce(0) { $0 + $1.inserted.count - $1.deleted.count }
        let deleted = ran.map(\.deleted).first { !$0.isEmpty } ?? 0..<0
        var random = dataset.generator(workload: "compare", slice: 0)
        var sample = (0..<1000).map { _ in Int.random(in: 0..<dataset.count, using: &random) }
        sample += ran.compactMap(\.inserted.last) + deleted.prefix(100)
        for store in stores {
            let count = try await store.count()
            guard count == expected else {
                throw BenchError("\(store.name) holds \(count) documents, not \(expected)")
            }
            for number in sample {
                let wanted = deleted.contains(number) ? nil : dataset.person(number)
                let found = try await store.person(dataset.key(number))
                guard found == wanted else {
                    throw BenchError(
                        "\(store.name), document \(number): \(String(describing: found))")
                }
            }
        }
    }
}

// MARK: - Making

extension BenchRun {
    static let storeNames = ["offline", "grdb", "sqlite"]

    private static func candidate(_ name: String, _ folder: BenchFolder) throws -> any Candidate {
        let directory = try folder.make(name)
        return switch name {
        case "offline": OfflineCandidate(directory: directory)
        case "grdb": GRDBCandidate(directory: directory)
        default: SQLiteCandidate(directory: directory)
        }
    }

    private static func documentBytes(_ dataset: Dataset) -> Int {
        let encoder = JSONEncoder()
        let sizes = (0..<100).map { (try? encoder.encode(dataset.person($0)).count) ?? 0 }
        return sizes.reduce(0, +) / sizes.count
    }
}
