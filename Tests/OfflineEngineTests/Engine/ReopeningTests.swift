import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

/// Openings and closings at bad moments: nothing that is acknowledged afterwards may rest on what isn't durable.
struct ReopeningTests {
    private let step = EngineStep.put(1, key: Array("a".utf8), record: [9, 9, 9])

    private func error<Result>(_ body: () throws -> Result) -> EngineError? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? EngineError
        }
    }

    /// A store with one commit, in a log file that a close cuts.
    private func largeFiles(_ system: SimulatedFileSystem) throws -> EngineHarness {
        var options = EngineHarness.steadyOptions
        options.logFileBytesMin = 4 << 20
        var harness = try EngineHarness(system, options: options)
        try harness.commit([step])
        return harness
    }

    @Test func `a close gives back the rest of a log file that only a replay has touched`() throws {
        let system = SimulatedFileSystem()
        let end = try largeFiles(system).engine.stateNow.position
        let path = system.path(EngineHarness.folder, FileNames.log(end.file))
        let killed = system.killed()
        var harness = try EngineHarness(killed, options: EngineHarness.steadyOptions)
        #expect(try killed.bytes(of: path).count == 4 << 20)
        try harness.engine.close()
        #expect(try killed.bytes(of: path).count == Int(end.offset))
        try harness.reopen()
        #expect(harness.engine.report.wasClean)
        try harness.commit([step])
        try harness.engine.close()
    }

    @Test func `a large log file isn't cut by a close that a full disk cut short`() throws {
        let system = SimulatedFileSystem()
        var harness = try largeFiles(system)
        system.setCapacity(system.usedBytes)
        try harness.engine.close()
        try harness.reopen()
        try harness.check("opened on a full disk")
    }

    @Test func `a commit that is under way while the engine closes leaves a store that opens`()
        throws
    {
        for round in UInt8(0)..<40 {
            let system = SimulatedFileSystem()
            var harness = try largeFiles(system)
            let late = EngineStep.put(2, key: [round], record: [round, 1])
            let transaction = try harness.begin()
            try EngineHarness.apply(late, to: transaction)
            let outcome = Monitor<EngineError??>(nil)
            try transaction.commit(appended: {}) { failure in
                outcome.withLock { $0 = .some(failure) }
                outcome.wakeAll()
            }
            try harness.engine.close()
            #expect(outcome.wait { $0 } == .some(nil))
            harness.model.apply([late])
            try harness.reopen()
            try harness.check("round \(round)")
            try harness.engine.close()
        }
    }

    @Test func `what is replayed after a failed sync is written again before it is trusted`()
        throws
    {
        let system = SimulatedFileSystem()
        var harness = try EngineHarness(system, options: EngineHarness.steadyOptions)
        try harness.commit([step])
        let unknown = EngineStep.put(1, key: [1], record: [2])
        system.inject(
            Fault(
                [.sync], path: ".log", error: SystemErrorNumber.inputOutput, effect: .dropsPending)
        )
        #expect(error { try harness.commit([unknown]) }?.code == .outcomeUnknown)
        system.removeFaults()
        try harness.engine.close()
        try harness.reopen()
        // The system still shows it, so it is there from now on.
        harness.model.apply([unknown])
        try harness.check("reopened")
        try harness.commit([.put(2, key: [3], record: [4])])
        var after = harness
        after.system = system.crashedKeepingNothing()
        try after.reopen()
        try after.check("after a power cut")
        try after.engine.close()
        try harness.engine.close()
    }

    @Test func `killed at any call, the next process's commits survive a power cut`() throws {
        let images = Protected<[SimulatedFileSystem]>([])
        let system = SimulatedFileSystem()
        system.onMutation { _, files in
            let image = files.killed()
            images.withLock { $0.append(image) }
        }
        var harness = try EngineHarness(system)
        var random = SeededRandom(seed: 5)
        for _ in 0..<8 { try harness.commit(random.engineSteps(atMost: 8)) }
        try harness.engine.close()
        system.onMutation(nil)
        let all = images.withLock { $0 }
        #expect(all.count > 40)
        for (number, image) in all.enumerated() {
            var next = try EngineHarness(image)
            next.model = try EngineHarness.contents(next.engine.stateNow)
            try next.commit([.put(1, key: [7, 7], record: [1])])
            var after = next
            after.system = image.crashedKeepingNothing()
            try after.reopen()
            try after.check("killed at call \(number)")
            try after.engine.close()
            try next.engine.close()
        }
    }

    @Test
    func `transactions that stage upon commits that are still being synced are as they should be`()
        throws
    {
        let system = SimulatedFileSystem()
        var harness = try EngineHarness(system)
        // The disk takes its time, so that what follows begins before a sync ends.
        system.onMutation { _, files in
            for _ in 0..<3 { _ = files.killed() }
        }
        for round in 0..<20 {
            var random = SeededRandom(seed: UInt64(round))
            let first = random.engineSteps(atMost: 20)
            let transaction = try harness.begin()
            for step in first { try EngineHarness.apply(step, to: transaction) }
            let outcome = Monitor<EngineError??>(nil)
            try transaction.commit(appended: {}) { failure in
                outcome.withLock { $0 = .some(failure) }
                outcome.wakeAll()
            }
            harness.model.apply(first)
            // Larger than what stays in memory; some collections are named and not changed.
            let staged = try harness.begin()
            let steps = (0..<40).map { number in
                EngineStep.put(
                    1, key: Array("big:\(round % 5):\(number)".utf8), record: random.bytes(600))
            }
            for step in steps { try EngineHarness.apply(step, to: staged) }
            if round % 3 == 0 {
                staged.rollback()
            } else {
                try EngineHarness.commit(staged)
                harness.model.apply(steps)
            }
            #expect(outcome.wait { $0 } == .some(nil))
            if round % 4 == 0 { try harness.engine.checkpoint() }
            if round % 10 == 9 { try harness.check("round \(round)") }
        }
        try harness.engine.close()
        try harness.reopen()
        try harness.check("reopened")
        try harness.engine.close()
    }

    @Test(arguments: ["4294967293.tree", "4294967294.log", "4294967295.log"])
    func `a file that is none of ours may have any number`(name: String) throws {
        let system = SimulatedFileSystem()
        var harness = try EngineHarness(system)
        try harness.commit([step])
        try harness.engine.close()
        let file = try system.open(system.path(EngineHarness.folder, name), .create)
        try file.write([1, 2, 3], at: 0)
        file.close()
        try harness.reopen()
        for _ in 0..<5 { try harness.commit([step]) }
        try harness.engine.close()
        try harness.reopen()
        try harness.check("beside strangers")
        try harness.engine.close()
    }

    @Test func `a new log file that can't be made costs that commit alone`() throws {
        let system = SimulatedFileSystem()
        var harness = try EngineHarness(system, options: EngineHarness.steadyOptions)
        var random = SeededRandom(seed: 9)
        var failures = 0
        for _ in 0..<60 {
            if failures == 0 {
                system.inject(
                    Fault([.create], path: ".log", error: SystemErrorNumber.tooManyFiles))
            }
            let steps = random.engineSteps(atMost: 8)
            if let failure = error({ try harness.commit(steps) }) {
                #expect(failure.code == .unavailable)
                failures += 1
                try harness.commit(steps)
            }
            system.removeFaults()
        }
        #expect(failures == 1)
        try harness.check("after the failure")
        try harness.engine.close()
    }
}
