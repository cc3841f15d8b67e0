// A power cut at any moment: at every few changes of the disk, an image of what may be left is opened and compared.
// With full durability the state found is the one after some commit that was begun by then, and none that was
// acknowledged is missing.
import OfflineBytes
import OfflineEngine
import StorageSimulation
import Testing

struct PowerCutTests {
    static let states = TestEnvironment.integer("OFFLINE_POWER_CUTS", default: 250)
    static let seeds = SeededRandom.seeds(TestEnvironment.integer("OFFLINE_SEEDS", default: 4))

    /// What the workload has done, shared with the hook that takes images.
    final class Progress: Sendable {
        struct State {
            /// The model after each commit that was begun; the first is the empty store.
            var models: [EngineModel] = [EngineModel()]
            var acknowledged = 0
            var images: [Image] = []
            var random: SeededRandom
        }
        struct Image {
            var files: SimulatedFileSystem
            var label: String
            var acknowledged: Int
            var begun: Int
        }
        let state: Protected<State>
        init(seed: UInt64) { state = Protected(State(random: SeededRandom(seed: seed))) }
    }

    @Test(arguments: seeds)
    func `no acknowledged commit is lost and no other is half there`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let system = SimulatedFileSystem()
        var harness = try EngineHarness(system)
        let progress = Progress(seed: seed)
        system.onMutation { index, files in
            progress.state.withLock { state in
                guard state.random.chance(1, in: 3) else { return }
                let choice = state.random.next()
                state.images.append(
                    Progress.Image(
                        files: files.crashed(keeping: choice), label: "mutation \(index)",
                        acknowledged: state.acknowledged, begun: state.models.count - 1))
            }
        }
        var checked = 0
        while checked < Self.states {
            let steps = random.engineSteps(atMost: random.chance(1, in: 12) ? 120 : 5)
            progress.state.withLock { state in
                var next = state.models[state.models.count - 1]
                next.apply(steps)
                state.models.append(next)
            }
            try harness.commit(steps)
            progress.state.withLock { $0.acknowledged = $0.models.count - 1 }
            if random.chance(1, in: 15) { try harness.engine.checkpoint() }
            if random.chance(1, in: 20) { try harness.engine.compactWhereDue() }
            if random.chance(1, in: 40) { try harness.engine.compact() }
            if random.chance(1, in: 40) {
                try harness.engine.close()
                try harness.reopen()
            }
            checked += try check(progress, seed: seed)
        }
        system.onMutation(nil)
        try harness.engine.close()
    }

    /// Opens the images taken since the last call.
    private func check(_ progress: Progress, seed: UInt64) throws -> Int {
        let (images, models) = progress.state.withLock { state in
            defer { state.images = [] }
            return (state.images, state.models)
        }
        for image in images {
            let context = "seed \(seed), \(image.label)"
            let engine: Engine
            do { engine = try EngineHarness.open(image.files, EngineHarness.steadyOptions) } catch {
                Issue.record("\(context): \(error)")
                continue
            }
            let found = try EngineHarness.contents(engine.stateNow)
            let allowed = (image.acknowledged...image.begun).map {
                models[$0].withAll(EngineHarness.collections)
            }
            #expect(allowed.contains(found), "\(context)")
            #expect(try engine.verify().findings == [], "\(context)")
            let orphans = try EngineHarness.orphans(of: engine)
            #expect(orphans == [], "\(context)")
            try goOn(on: engine, image.files, found, context)
        }
        return images.count
    }

    /// The recovered store takes a commit, and has it after one more reopening.
    private func goOn(
        on engine: Engine, _ files: SimulatedFileSystem, _ found: EngineModel, _ context: String
    ) throws {
        let step = EngineStep.put(1, key: Array("after".utf8), record: [1, 2, 3])
        let transaction = try engine.begin([1])
        try EngineHarness.apply(step, to: transaction)
        try EngineHarness.commit(transaction)
        var expected = found
        expected.apply([step])
        let again = try EngineHarness.open(
            files.crashedKeepingNothing(), EngineHarness.smallOptions)
        #expect(try EngineHarness.contents(again.stateNow) == expected, "\(context), again")
        try again.close()
        try engine.close()
    }
}
