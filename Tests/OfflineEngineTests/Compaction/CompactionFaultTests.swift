// A disk that fails at any call of a compaction: nothing is lost, the engine goes on or says why not, and the next opening
// finds everything and leaves no orphan.
import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

struct CompactionFaultTests {
    /// Every how many calls one fails; OFFLINE_FAULT_STRIDE=1 takes each.
    static let stride = TestEnvironment.integer("OFFLINE_FAULT_STRIDE", default: 1)

    enum Failure: CaseIterable {
        case noSpace
        case inputOutput

        var number: Int32 {
            self == .noSpace ? SystemErrorNumber.noSpace : SystemErrorNumber.inputOutput
        }
    }

    private func filled() throws -> EngineHarness {
        var harness = try EngineHarness(
            SimulatedFileSystem(), options: EngineHarness.steadyOptions)
        var random = SeededRandom(seed: 11)
        for _ in 0..<12 { try harness.commit(random.engineSteps(atMost: 40)) }
        try harness.engine.checkpoint()
        for _ in 0..<6 { try harness.commit(random.engineSteps(atMost: 40)) }
        return harness
    }

    @Test(arguments: Failure.allCases)
    func `whatever call fails, nothing is lost`(failure: Failure) throws {
        let operations: Set<FileSystemError.Operation> = [
            .create, .open, .write, .sync, .syncDirectory, .map, .remove, .information,
        ]
        var call = 1
        var partial = 0
        while true {
            var harness = try filled()
            let context = "\(failure), call \(call)"
            harness.system.inject(Fault(operations, first: call, error: failure.number))
            var failed: EngineError?
            let before = harness.engine.stateNow.files.map { file in
                harness.engine.files.path(file.key, file.value.kind)
            }
            var isWhole = false
            do { isWhole = try harness.engine.compact() } catch { failed = error }
            let left = before.filter(Set(harness.system.filePaths).contains)
            #expect(!isWhole || left.isEmpty, "\(context): \(left)")
            if !isWhole, failed == nil { partial += 1 }
            let fired = harness.system.firedFaultCount > 0
            harness.system.removeFaults()
            let found = try EngineHarness.contents(harness.engine.stateNow)
            #expect(found == harness.model.withAll(EngineHarness.collections), "\(context)")
            // A failed sync makes the engine read-only; anything else is tried again.
            if (try? harness.engine.begin([1]))?.rollback() != nil {
                try harness.engine.compact()
                try harness.commit([.put(1, key: [1], record: [2, 2])])
                try harness.check(context)
            } else {
                #expect(failed != nil, "\(context)")
            }
            let killed = harness.system.killed()
            harness.system = killed
            try harness.reopen()
            try harness.check("\(context), reopened")
            #expect(try EngineHarness.orphans(of: harness.engine) == [], "\(context)")
            try harness.engine.close()
            guard fired else { break }
            call += Self.stride
        }
        #expect(call > 20)
        #expect(partial > 0)
    }
}
