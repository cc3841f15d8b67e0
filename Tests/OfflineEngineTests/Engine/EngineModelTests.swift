// Random transactions against the model, with checkpoints, compactions, reopenings, kills, held snapshots and
// rollbacks in between.
import OfflineEngine
import StorageSimulation
import Testing

struct EngineModelTests {
    /// OFFLINE_STEPS and OFFLINE_SEEDS make the run longer.
    static let steps = TestEnvironment.integer("OFFLINE_STEPS", default: 2_000)
    static let seeds = SeededRandom.seeds(TestEnvironment.integer("OFFLINE_SEEDS", default: 4))

    @Test(arguments: seeds)
    func `random transactions agree with a model over checkpoints, kills and reopenings`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        var harness = try EngineHarness(SimulatedFileSystem())
        var held: [(state: HeldState, model: EngineModel)] = []
        for step in 0..<Self.steps {
            let context = "seed \(seed), step \(step)"
            switch random.below(40) {
            case 0: try harness.engine.checkpoint()
            case 1:
                try harness.engine.close()
                try harness.reopen()
                #expect(harness.engine.report.wasClean, "\(context)")
                #expect(harness.engine.report.replayedOperations == 0, "\(context)")
            case 2:
                harness.system = harness.system.killed()
                try harness.reopen()
            case 3:
                let transaction = try harness.begin()
                for change in random.engineSteps(atMost: 20) {
                    try EngineHarness.apply(change, to: transaction)
                }
                transaction.rollback()
            case 4:
                let state = HeldState(harness.engine.stateNow)
                if random.chance(2, in: 3) { harness.engine.hold(state) }
                held.append((state, harness.model))
            case 5 where !held.isEmpty:
                let (state, model) = held.remove(at: random.below(held.count))
                let found = try EngineHarness.contents(state.now)
                #expect(found == model.withAll(EngineHarness.collections), "\(context)")
            case 6: try harness.commit(random.engineSteps(atMost: 150))
            case 7: try harness.engine.compact()
            case 8...10: try harness.engine.compactWhereDue()
            default: try harness.commit(random.engineSteps(atMost: 6))
            }
            if step % 50 == 0 { try harness.check(context) }
        }
        try harness.check("seed \(seed), end")
        try harness.engine.close()
    }
}

struct HeldStateTests {
    @Test func `a state held over many checkpoints keeps no pages in memory`() throws {
        var harness = try EngineHarness(SimulatedFileSystem())
        var random = SeededRandom(seed: 21)
        for _ in 0..<20 { try harness.commit(random.engineSteps(atMost: 40)) }
        let held = HeldState(harness.engine.stateNow)
        harness.engine.hold(held)
        let model = harness.model.withAll(EngineHarness.collections)
        for _ in 0..<10 {
            for _ in 0..<20 { try harness.commit(random.engineSteps(atMost: 40)) }
            try harness.engine.checkpoint()
        }
        let bytes = harness.engine.files.arena.bytesInUse
        #expect(try EngineHarness.contents(held.now) == model)
        for entry in held.now.collections.flatMap(\.catalogEntry.trees) {
            #expect(entry.root.isStored)
        }
        // Nothing was written since the last checkpoint, so nothing needs to be in memory.
        #expect(bytes == 0)
        try harness.engine.close()
    }
}
