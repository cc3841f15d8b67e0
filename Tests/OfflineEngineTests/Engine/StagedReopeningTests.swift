// Opening a store with staged files: what they cost, and what the replay of an adoption keeps; and the end of an engine.
import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

struct StagedReopeningTests {
    private func records(_ count: Int, bytes: Int) -> [EngineStep] {
        (0..<count).map { number in
            .put(
                1, key: Array("staged:\(number)".utf8),
                record: [UInt8](repeating: UInt8(number & 0xFF), count: bytes))
        }
    }

    private func staged(_ files: [FileNumber: FileUsage]) -> [FileNumber] {
        files.filter { $0.value.isStaged }.map(\.key).sorted()
    }

    @Test func `an opening reads no more than the heads of staged files`() throws {
        var harness = try EngineHarness(SimulatedFileSystem())
        try harness.commit(records(4_000, bytes: 500))
        let state = harness.engine.stateNow
        let logs = staged(state.files).filter { state.files[$0]?.kind == .log }
        #expect(logs.count > 100, "the test is about staged files")
        for isClean in [false, true] {
            if isClean {
                try harness.engine.close()
            } else {
                harness.system = harness.system.killed()
            }
            let recording = RecordingFileSystem(harness.system)
            let engine = try EngineHarness.open(recording, harness.options)
            let read = recording.calls.filter { call in
                call.operation == .read && logs.contains { call.path.hasSuffix(FileNames.log($0)) }
            }
            // Once to map it, once to see whether the log goes on there.
            #expect(read.reduce(0) { $0 + ($1.length ?? 0) } <= 2 * logs.count * FileHeader.size)
            harness.engine = engine
            try harness.check(isClean ? "after a close" : "after a kill")
        }
        try harness.engine.close()
    }

    @Test func `a replayed adoption keeps no page of the trees that it replaces`() throws {
        var harness = try EngineHarness(SimulatedFileSystem())
        try harness.engine.checkpoint()
        // In the log only: the replay makes pages of it, since the newer superblock will be gone.
        try harness.commit([.put(1, key: [1], record: [1, 2, 3])])
        let older = try #require(harness.engine.superblock)
        try harness.commit(records(60, bytes: 600))
        let newer = try #require(harness.engine.superblock)
        #expect(newer.generation == older.generation + 1, "a staged transaction makes a checkpoint")
        let path = harness.system.path(EngineHarness.folder, FileNames.superblock)
        harness.system = harness.system.killed()
        let slot = Int(newer.slotOffset)
        try harness.system.zero(slot..<slot + Superblock.slotSize, of: path)
        try harness.reopen()
        #expect(harness.engine.report.replayedFrames == 2)
        #expect(harness.engine.files.arena.pagesInUse == 0)
        try harness.check("replayed")
        try harness.engine.close()
    }

    @Test func `a flush of a closed engine says so`() throws {
        let harness = try EngineHarness(SimulatedFileSystem())
        try harness.engine.close()
        let outcome = Monitor<EngineError??>(nil)
        try harness.engine.flush { failure in outcome.withLock { $0 = .some(failure) } }
        let answer = outcome.withLock { $0 }
        #expect(answer??.code == .closed, "nobody serves whoever would wait")
    }
}
