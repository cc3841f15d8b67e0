import StorageSimulation
import Testing

@testable import OfflineEngine

@Suite struct TreeModelTests {
    @Test(arguments: KeyShape.allCases, SeededRandom.seeds(4))
    func `a small tree holds what was put and not removed, after every change`(
        _ shape: KeyShape, _ seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        var fixture = TreeFixture(valueWidth: seed % 2 == 0 ? 0 : 8)
        // Grows, shrinks to nothing, grows again.
        for (steps, removals) in [(100, 1), (130, 4), (50, 2), (140, 5), (30, 0)] {
            for step in 0..<steps {
                try change(&fixture, shape, &random, step, removalsOfFive: removals)
                if random.chance(1, in: 7) { fixture.commitAlone() }
                try fixture.verify("\(shape) seed \(seed) step \(step)")
            }
        }
        try drain(&fixture, &random)
    }

    /// OFFLINE_STEPS and OFFLINE_SEEDS make the run longer.
    private static let steps = TestEnvironment.integer("OFFLINE_STEPS", default: 10_000)
    private static let seeds = SeededRandom.seeds(
        TestEnvironment.integer("OFFLINE_SEEDS", default: 1))

    @Test(arguments: KeyShape.allCases, seeds)
    func `a large tree holds what was put and not removed`(
        _ shape: KeyShape, _ seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        var fixture = TreeFixture()
        let tenth = Self.steps / 10
        for (steps, removals) in [(5 * tenth, 1), (3 * tenth, 4), (2 * tenth, 2)] {
            for step in 0..<steps {
                try change(&fixture, shape, &random, step, removalsOfFive: removals)
                if random.chance(1, in: 50) { fixture.commitAlone() }
                if step % (tenth / 2 + 1) == 0 {
                    try fixture.verify("\(shape) seed \(seed) step \(step)")
                }
            }
        }
        try fixture.verify("\(shape) seed \(seed)")
        try drain(&fixture, &random)
    }

    private func change(
        _ fixture: inout TreeFixture, _ shape: KeyShape, _ random: inout SeededRandom, _ step: Int,
        removalsOfFive: Int
    ) throws {
        if random.chance(removalsOfFive, in: 5), !fixture.model.isEmpty {
            let isKnown = random.chance(9, in: 10)
            let key =
                isKnown
                ? fixture.model[random.below(fixture.model.count)].key : shape.key(&random, step)
            try fixture.remove(key)
        } else {
            try fixture.insert(shape.key(&random, step), random.next())
        }
    }

    /// Removes everything, in an order of the seed's, and finds all pages free again.
    private func drain(_ fixture: inout TreeFixture, _ random: inout SeededRandom) throws {
        let order = random.below(3)
        while !fixture.model.isEmpty {
            let place =
                [0, fixture.model.count - 1, random.below(fixture.model.count)][order]
            try fixture.remove(fixture.model[place].key)
            if random.chance(1, in: 20) { fixture.commitAlone() }
        }
        #expect(fixture.tree.root == .empty(valueWidth: fixture.tree.root.valueWidth))
        fixture.commitAlone()
        #expect(fixture.arena.pagesInUse == 0, "\(random) order \(order)")
    }
}
