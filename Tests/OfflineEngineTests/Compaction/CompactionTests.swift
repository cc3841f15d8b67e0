// Compaction: what it gives back, what stays as it was, and who it waits for.
import Dispatch
import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

struct CompactionTests {
    /// An engine in which every key was written `times` times.
    private func overwritten(
        _ times: Int, keys: Int = 300, _ system: SimulatedFileSystem = SimulatedFileSystem()
    ) throws -> EngineHarness {
        var harness = try EngineHarness(system)
        for time in 0..<times {
            for start in stride(from: 0, to: keys, by: 20) {
                try harness.commit(
                    (start..<min(start + 20, keys)).map { number in
                        .put(
                            1, key: key(number),
                            record: [UInt8(time), 3] + [UInt8](repeating: 7, count: 150))
                    })
            }
        }
        return harness
    }

    private func key(_ number: Int) -> [UInt8] {
        var key: [UInt8] = []
        key.appendBig(UInt32(number))
        return key
    }

    private func folderBytes(_ harness: EngineHarness) throws -> Int64 {
        try harness.system.list(EngineHarness.folder).reduce(0) { sum, name in
            let path = harness.system.path(EngineHarness.folder, name)
            return sum + Int64(try harness.system.information(path)?.size ?? 0)
        }
    }

    @Test func `compacting leaves what is alive, in the order of its keys, and little else`() throws
    {
        let harness = try overwritten(10)
        let before = try folderBytes(harness)
        try harness.engine.compact()
        let state = harness.engine.stateNow
        let plan = CompactionPlan(state, harness.engine.files)
        #expect(Double(plan.total) <= 1.1 * Double(plan.live) + 4_096, "\(plan)")
        #expect(try folderBytes(harness) < before / 4)
        var cursor = try #require(state.version(1)).primaryTree.cursor()
        var last: UInt64 = 0
        try cursor.seekToFirst()
        while cursor.isValid {
            #expect(cursor.value > last)
            last = cursor.value
            _ = try cursor.next()
        }
        try harness.check("compacted")
        #expect(try EngineHarness.orphans(of: harness.engine) == [])
        try harness.engine.close()
    }

    @Test func `a record keeps its sequence when it is moved, from a log and from a staged file`()
        throws
    {
        var harness = try overwritten(2)
        // Large enough to be staged, and some of it to be deflated.
        var random = SeededRandom(seed: 3)
        try harness.commit(
            (0..<100).map {
                .put(2, key: key($0), record: random.text($0 % 10 == 0 ? 2_000 : 300))
            })
        #expect(harness.engine.stateNow.files.values.contains { $0.isStaged })
        let before = try sequences(harness)
        try harness.engine.compact()
        #expect(try sequences(harness) == before)
        try harness.check("compacted")
        try harness.engine.close()
        try harness.reopen()
        #expect(try sequences(harness) == before)
        try harness.check("reopened")
        try harness.engine.close()
    }

    private func sequences(_ harness: EngineHarness) throws -> [[UInt64]] {
        try harness.engine.stateNow.collections.map { version in
            let reader = try #require(TreeReader(version, index: 0))
            var cursor = reader.tree.cursor()
            var found: [UInt64] = []
            try cursor.seekToFirst()
            while cursor.isValid {
                let key = cursor.key
                let sequence = try unsafe key.withUnsafeBytes {
                    try unsafe reader.sequence(cursor.value, key: $0)
                }
                found.append(try #require(sequence))
                _ = try cursor.next()
            }
            return found
        }
    }

    @Test func `a state read meanwhile stays what it was, and its files go once it is let go`()
        throws
    {
        var harness = try overwritten(3)
        let model = harness.model.withAll(EngineHarness.collections)
        var plain: StoreState? = harness.engine.stateNow
        var held: HeldState? = HeldState(harness.engine.stateNow)
        if let held { harness.engine.hold(held) }
        for round in 0..<3 {
            try harness.commit([.put(1, key: key(round), record: [9, 9])])
            try harness.engine.compact()
            #expect(try EngineHarness.contents(#require(plain)) == model)
            #expect(try EngineHarness.contents(#require(held).now) == model)
        }
        #expect(harness.engine.files.retiredBytes > 0)
        plain = nil
        held = nil
        #expect(harness.engine.files.retiredBytes == 0)
        try harness.check("after")
        try harness.engine.close()
    }

    @Test func `a collection that is being written is moved when the write ends`() throws {
        let harness = try overwritten(3)
        let transaction = try harness.begin([1])
        try EngineHarness.apply(.put(1, key: key(1), record: [4, 4]), to: transaction)
        let done = DispatchSemaphore(value: 0)
        let engine = harness.engine
        let failure = Protected<EngineError?>(nil)
        DispatchQueue.global().async {
            do throws(EngineError) { try engine.compact() } catch {
                failure.withLock { $0 = error }
            }
            done.signal()
        }
        // Others go on writing meanwhile.
        var other = harness
        let step = EngineStep.put(2, key: key(2), record: [5])
        let second = try harness.begin([2])
        try EngineHarness.apply(step, to: second)
        try EngineHarness.commit(second)
        other.model.apply([step, .put(1, key: key(1), record: [4, 4])])
        try EngineHarness.commit(transaction)
        done.wait()
        #expect(failure.withLock { $0 } == nil)
        try other.check("after")
        let plan = CompactionPlan(engine.stateNow, engine.files)
        #expect(plan.reclaimable < plan.live / 2, "\(plan)")
        try engine.close()
    }

    @Test func `what a checkpoint has left out is in none after it, however soon that comes`()
        throws
    {
        var harness = try overwritten(10)
        let engine = harness.engine
        try engine.checkpoint()
        let plan = CompactionPlan(engine.stateNow, engine.files)
        let dead = plan.candidates.filter { $0.live == 0 }.map(\.number)
        let leftOut = try #require(engine.checkpointer).run(leavingOut: FileSelection(dead))
        #expect(!leftOut.isEmpty)
        // Another checkpoint, before anything else is done about the files: their names go then.
        try harness.commit([.put(1, key: key(1), record: [1])])
        try engine.checkpoint()
        for file in leftOut {
            try harness.system.remove(engine.files.path(file.number, file.kind))
        }
        try engine.close()
        try harness.reopen()
        try harness.check("reopened")
        try harness.engine.close()
    }

    @Test func `closing ends a compaction that waits`() throws {
        let harness = try overwritten(3)
        let transaction = try harness.begin([1])
        let engine = harness.engine
        let outcome = Protected<EngineError?>(nil)
        let started = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            started.signal()
            do throws(EngineError) { try engine.compact() } catch {
                outcome.withLock { $0 = error }
            }
            done.signal()
        }
        started.wait()
        engine.compactor?.stop()
        done.wait()
        #expect(outcome.withLock { $0?.code } == .closed)
        transaction.rollback()
        try harness.check("after")
        try engine.close()
    }

    @Test func `overwriting for long keeps the files within twice of what is alive`() throws {
        var options = EngineHarness.smallOptions
        options.automaticCheckpoints = true
        options.checkpointOperations = 50_000
        options.logFileBytesMin = 64 << 10
        options.stagedTransactionBytes = 4 << 20
        var harness = try EngineHarness(SimulatedFileSystem(), options: options)
        var random = SeededRandom(seed: 5)
        for step in 0..<400 {
            try harness.commit(
                (0..<50).map { _ in
                    .put(1, key: key(random.below(1_000)), record: random.bytes(500))
                })
            try harness.engine.compactWhereDue()
            let plan = CompactionPlan(harness.engine.stateNow, harness.engine.files)
            #expect(plan.total <= 2 * plan.live + 256 << 10, "step \(step): \(plan)")
        }
        try harness.check("after")
        try harness.engine.close()
    }

    @Test func `compaction runs on its queue, with writers and readers beside it`() throws {
        var options = EngineHarness.smallOptions
        options.automaticCheckpoints = true
        options.stagedTransactionBytes = 4 << 20
        var harness = try EngineHarness(SimulatedFileSystem(), options: options)
        let queues = Protected<Set<String>>([])
        harness.system.onMutation { _, _ in
            let label = DispatchQueue.getSpecific(key: Compactor.queueKey)
            queues.withLock { _ = $0.insert(label ?? "another") }
        }
        var random = SeededRandom(seed: 6)
        for _ in 0..<600 {
            try harness.commit(
                (0..<20).map { _ in
                    .put(2, key: key(random.below(200)), record: random.bytes(300))
                })
        }
        #expect(queues.withLock { $0 }.contains(Compactor.queueLabel))
        harness.system.onMutation(nil)
        try harness.check("after")
        try harness.engine.close()
        try harness.reopen()
        try harness.check("reopened")
        try harness.engine.close()
    }

    @Test func `a full disk stops compaction and loses nothing`() throws {
        let harness = try overwritten(4)
        harness.system.setCapacity(0)
        #expect(throws: EngineError.self) { try harness.engine.compact() }
        try harness.check("full")
        harness.system.setCapacity(nil)
        try harness.engine.compact()
        try harness.check("compacted")
        let plan = CompactionPlan(harness.engine.stateNow, harness.engine.files)
        #expect(Double(plan.total) <= 1.1 * Double(plan.live) + 4_096, "\(plan)")
        try harness.engine.close()
    }
}
