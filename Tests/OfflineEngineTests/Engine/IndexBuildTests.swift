// Index trees that are added to records there are: in little memory, with the power going at any moment, on a disk that
// fails.
import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

struct IndexBuildTests {
    /// Bounds so low that a few hundred records are sorted in many runs and nodes are written meanwhile.
    private static var options: EngineOptions {
        var options = EngineHarness.smallOptions
        options.indexSortBytes = 3_000
        options.stagedNodeBytes = 16 << 10
        options.preparesLogFiles = false
        return options
    }

    private static func define(_ engine: Engine, indexes: [UInt32]) throws {
        try engine.define(
            EngineHarness.collections.map {
                CollectionDescription(id: $0, definition: [8], indexes: indexes, names: [])
            }, applicationVersion: 3
        ) { _, _ in }
    }

    /// A store with records and without indexes.
    private static func filled(seed: UInt64) throws -> EngineHarness {
        var harness = try EngineHarness(SimulatedFileSystem(), options: options)
        try define(harness.engine, indexes: [])
        var random = SeededRandom(seed: seed)
        for _ in 0..<60 {
            let steps: [EngineStep] = (0..<15).map { _ in
                .put(
                    random.chance(4, in: 5) ? 1 : 2, key: random.bytes(8 + random.below(60)),
                    record: random.bytes(1 + random.below(80)))
            }
            let transaction = try harness.begin()
            for case .put(let collection, let key, let record) in steps {
                _ = try unsafe key.withUnsafeBytes { key in
                    try unsafe record.withUnsafeBytes {
                        try unsafe transaction.put(collection, key: key, record: $0)
                    }
                }
            }
            try EngineHarness.commit(transaction)
            harness.model.apply(steps)
        }
        return harness
    }

    @Test(arguments: SeededRandom.seeds(3))
    func `indexes built in many runs are what they must be, and stay`(seed: UInt64) throws {
        var harness = try Self.filled(seed: seed)
        let files = Set(harness.system.filePaths)
        try Self.define(harness.engine, indexes: [1, 2])
        try harness.check("seed \(seed)")
        // The build's segment, and those of the checkpoints before and after it; what it sorted in is gone.
        let added = Set(harness.system.filePaths).subtracting(files).filter {
            $0.hasSuffix(".tree")
        }
        #expect(added.count == 3, "\(added)")
        var random = SeededRandom(seed: seed)
        for _ in 0..<20 { try harness.commit(random.engineSteps(atMost: 20)) }
        try harness.check("seed \(seed), changed")
        try harness.engine.checkpoint()
        harness.system = harness.system.killed()
        try harness.reopen()
        try harness.check("seed \(seed), reopened")
        #expect(harness.engine.report.removedFiles == [])
        // Dropped and made again, one of them beside the other.
        try Self.define(harness.engine, indexes: [2])
        try Self.define(harness.engine, indexes: [1, 2])
        try harness.check("seed \(seed), again")
        try harness.engine.close()
    }

    @Test func `an index may be larger than the memory for changed nodes`() throws {
        var options = EngineOptions()
        options.nodeBytesMax = 4 << 20
        options.indexSortBytes = 1 << 20
        options.stagedNodeBytes = 1 << 20
        options.durability = .relaxed
        options.automaticCheckpoints = false
        let harness = try EngineHarness(SimulatedFileSystem(), options: options)
        try Self.define(harness.engine, indexes: [])
        let padding = [UInt8](repeating: 0x5A, count: 200)
        let count = 24_000
        for start in stride(from: 0, to: count, by: 2_000) {
            let transaction = try harness.begin([1])
            for number in start..<start + 2_000 {
                var key: [UInt8] = []
                key.appendBig(UInt32(number))
                key += padding
                _ = try unsafe key.withUnsafeBytes { bytes in
                    try unsafe transaction.put(
                        1, key: bytes, record: UnsafeRawBufferPointer(rebasing: bytes[2..<4]))
                }
            }
            try EngineHarness.commit(transaction)
            try harness.engine.checkpoint()
        }
        try Self.define(harness.engine, indexes: [1, 2])
        #expect(harness.engine.files.arena.bytesReserved <= 4 << 20)
        let version = try #require(harness.engine.stateNow.version(1))
        #expect(version.root(1)?.count == UInt64(count) && version.root(2)?.count == UInt64(count))
        #expect(try harness.engine.verify().findings == [])
        try harness.engine.close()
    }

    @Test func `a power cut leaves the old indexes or the new ones`() throws {
        let harness = try Self.filled(seed: 5)
        let expected = harness.model.withAll(EngineHarness.collections)
        let images = Protected<[(number: Int, files: SimulatedFileSystem)]>([])
        let choices = Protected(SeededRandom(seed: 6))
        harness.system.onMutation { number, files in
            let choice = choices.withLock { $0.next() }
            images.withLock { $0.append((number, files.crashed(keeping: choice))) }
        }
        try Self.define(harness.engine, indexes: [1, 2])
        harness.system.onMutation(nil)
        var outcomes: Set<[UInt32]> = []
        let taken = images.withLock { $0 }
        for image in taken {
            let engine = try EngineHarness.open(image.files, Self.options)
            #expect(try EngineHarness.contents(engine.stateNow) == expected, "\(image.number)")
            #expect(try engine.verify().findings == [], "\(image.number)")
            outcomes.insert(engine.stateNow.version(1)?.indexes.map(\.index) ?? [])
            // Whatever the build left is gone.
            let named = Set(engine.files.all.map(\.name))
            for path in image.files.filePaths where path.hasSuffix(".tree") {
                // A header that didn't arrive doesn't say that the file is the store's.
                let bytes = try image.files.bytes(of: path)
                guard case .header = unsafe bytes.withUnsafeBytes({ unsafe FileHeader.read($0) })
                else { continue }
                #expect(named.contains { path.hasSuffix($0) }, "\(image.number): \(path)")
            }
            try engine.close()
        }
        #expect(taken.count > 20)
        #expect(outcomes.isSubset(of: [[], [1, 2]]) && outcomes.contains([]))
        try harness.engine.close()
    }

    @Test(arguments: [SystemErrorNumber.noSpace, SystemErrorNumber.inputOutput])
    func `a build that fails leaves everything as it was`(number: Int32) throws {
        var call = 1
        while true {
            let harness = try Self.filled(seed: 9)
            let files = Set(harness.system.filePaths)
            harness.system.inject(
                Fault(
                    .mutating.union([.read, .open, .map]), path: ".tree", first: call,
                    error: number))
            var failure: (any Error)?
            do { try Self.define(harness.engine, indexes: [1, 2]) } catch { failure = error }
            let fired = harness.system.firedFaultCount
            harness.system.removeFaults()
            let context: Comment = "call \(call)"
            if failure != nil {
                #expect(
                    try EngineHarness.contents(harness.engine.stateNow)
                        == harness.model.withAll(EngineHarness.collections), context)
                #expect(harness.engine.stateNow.version(1)?.indexes.isEmpty == true, context)
                let left = Set(harness.system.filePaths).subtracting(files)
                #expect(left.filter { $0.hasSuffix(".tree") }.count <= 1, context)
                try Self.define(harness.engine, indexes: [1, 2])
            }
            try harness.check("call \(call)")
            try harness.engine.close()
            if fired == 0 { break }
            call += 3
        }
        #expect(call > 30)
    }
}
