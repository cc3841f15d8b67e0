// A store may have more files than a process may have descriptors: only what is being written holds one.
import OfflineBytes
import OfflineEngine
import StorageSimulation
import Testing

@Suite("Descriptors of an engine")
struct DescriptorCountTests {
    /// The superblock, the active log file, the next one, and one that is being made.
    private static let descriptorsMax = 4

    private func records(_ range: Range<Int>, bytes: Int) -> [EngineStep] {
        range.map { number in
            var key: [UInt8] = []
            key.appendBig(UInt32(number))
            return .put(1, key: key, record: [UInt8](repeating: UInt8(number & 0xFF), count: bytes))
        }
    }

    @Test
    func `a transaction of many files holds few descriptors, and so does the store afterwards`()
        throws
    {
        var harness = try EngineHarness(SimulatedFileSystem())
        let steps = records(0..<400, bytes: 500)
        let transaction = try harness.begin()
        for step in steps {
            try EngineHarness.apply(step, to: transaction)
            #expect(harness.system.openFileCount <= Self.descriptorsMax)
        }
        try EngineHarness.commit(transaction)
        harness.model.apply(steps)
        let files = harness.engine.stateNow.files.count
        #expect(files > 20, "the test is about many files")
        #expect(harness.system.openFileCount <= Self.descriptorsMax)
        try expectFewOnEveryOpening(&harness)
    }

    @Test func `log files that are full and synced hold none`() throws {
        var harness = try EngineHarness(SimulatedFileSystem())
        for round in 0..<60 {
            try harness.commit(records(round * 4..<round * 4 + 4, bytes: 1_000))
            #expect(harness.system.openFileCount <= Self.descriptorsMax)
        }
        #expect(harness.engine.stateNow.files.count > 20, "the test is about many files")
        try expectFewOnEveryOpening(&harness)
    }

    @Test func `without syncs of its own a store still syncs before it has too many files open`()
        throws
    {
        var options = EngineHarness.steadyOptions
        options.durability = .relaxed
        var harness = try EngineHarness(SimulatedFileSystem(), options: options)
        // The thread that syncs works beside the commits: sooner or later files are closed, and only it closes them.
        var isFewer = false
        for round in 0..<5_000 where !isFewer {
            let before = harness.system.openFileCount
            let first = round % 50 * 4
            try harness.commit(records(first..<first + 4, bytes: 1_000))
            isFewer = harness.system.openFileCount < before
        }
        #expect(isFewer)
        try harness.engine.checkpoint()
        #expect(harness.system.openFileCount <= Self.descriptorsMax)
        try harness.engine.close()
    }

    /// After a kill, after a clean end, and read-only.
    private func expectFewOnEveryOpening(_ harness: inout EngineHarness) throws {
        harness.system = harness.system.killed()
        try harness.reopen()
        #expect(harness.system.openFileCount <= Self.descriptorsMax)
        try harness.check("killed")
        let before = harness.system.openFileCount
        var options = harness.options
        options.isReadOnly = true
        let reader = try EngineHarness.open(harness.system, options)
        #expect(harness.system.openFileCount == before, "a reader needs maps only")
        #expect(reader.stateNow.files.count == harness.engine.stateNow.files.count)
        try harness.engine.close()
        try harness.reopen()
        #expect(harness.system.openFileCount <= Self.descriptorsMax)
        try harness.check("reopened")
        try harness.engine.close()
    }
}
