// The simulator has to find each planted mistake within a bounded number of seeds, and must never blame a log that makes
// none: a simulator that finds nothing, or cries wolf, is worse than none.
import OfflineBytes
import OfflineEngine
import StorageSimulation
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct PlantedMistakeTests {
    /// Seeds within which a mistake has to show; each stands for about 300 crash images.
    private static let seedsToFind = 20
    private static let recordCount: UInt64 = 11

    @Test(arguments: Mistake.allCases, [CrashModel.posix, .ordered])
    func `a mistake is found`(_ mistake: Mistake, _ model: CrashModel) {
        let expected =
            model == .ordered ? mistake.showsWithOrderedNames : mistake.showsWithoutFaults
        let seeds = SeededRandom.seeds(expected ? Self.seedsToFind : 2)
        let needed = seeds.first { !powerCuts($0, model, mistake).isEmpty }
        #expect((needed != nil) == expected)
    }

    @Test(arguments: [CrashModel.posix, .ordered])
    func `a log without mistakes loses nothing to a power cut`(_ model: CrashModel) {
        for seed in SeededRandom.seeds(20) {
            let failures = powerCuts(seed, model, nil)
            #expect(failures.isEmpty, "seed \(seed): \(failures.first ?? "")")
        }
    }

    @Test func `a mistake after a failed call is found`() {
        for mistake in [Mistake.retriesFailedSync, .appendsToRecoveredLog] {
            let found = SeededRandom.seeds(Self.seedsToFind).contains { seed in
                !failedCalls(seed, mistake).isEmpty
            }
            #expect(found, "\(mistake)")
        }
    }

    @Test func `a log without mistakes survives each failing call`() {
        for seed in SeededRandom.seeds(2) {
            let failures = failedCalls(seed, nil)
            #expect(failures.isEmpty, "seed \(seed): \(failures.first ?? "")")
        }
    }

    @Test func `a killed process loses nothing, and the power cut after it neither`() throws {
        for seed in SeededRandom.seeds(20) {
            let files = SimulatedFileSystem()
            let images = Protected<[(files: SimulatedFileSystem, acknowledged: UInt64)]>([])
            let acknowledged = Protected<UInt64>(0)
            files.onMutation { _, files in
                let count = acknowledged.withLock { $0 }
                images.withLock { $0.append((files.killed(), count)) }
            }
            var log = try TinyLog(files)
            for _ in 0..<Self.recordCount {
                try log.append()
                acknowledged.withLock { $0 = log.last }
            }
            for (image, count) in images.withLock({ $0 }) {
                var log = try TinyLog(image)
                #expect(log.last == count || log.last == count + 1)
                try log.append()
                let left = try TinyLog.recovered(image.crashed(keeping: seed))
                #expect(left == log.last, "seed \(seed): \(image.trace)")
            }
        }
    }
}

/// What was lost in a run with a power cut at each mutating call, and at some within the recovery from it.
private func powerCuts(_ seed: UInt64, _ model: CrashModel, _ mistake: Mistake?) -> [String] {
    var random = SeededRandom(seed: seed)
    let draws = Protected(random.split())
    let failures = Protected<[String]>([])
    let acknowledged = Protected<UInt64>(0)
    let files = SimulatedFileSystem()

    @Sendable func check(_ image: SimulatedFileSystem, _ words: String) {
        let least = acknowledged.withLock { $0 }
        do {
            let found = try TinyLog.recovered(image, mistake)
            if found < least || found > least + 1 {
                failures.withLock { $0.append("\(found) records for \(least), \(words)") }
            }
        } catch {
            failures.withLock { $0.append("\(error), \(words)") }
        }
    }
    @Sendable func cutPower(_ index: Int, _ files: SimulatedFileSystem) {
        let imageSeed = draws.withLock { $0.next() }
        for (label, image) in files.crashImages(2, seed: imageSeed, model: model) {
            check(image, "call \(index), \(label)\n\(files.trace.last(12))")
            if imageSeed % 8 == 0 {
                // The recovery is cut off as well.
                image.onMutation { index, image in
                    let again = image.crashed(keeping: imageSeed &+ UInt64(index), model: model)
                    check(again, "\(label), then at call \(index) of the recovery")
                }
                do { _ = try TinyLog(image, mistake) } catch {
                    failures.withLock { $0.append("\(label): \(error)") }
                }
                image.onMutation(nil)
            }
        }
    }
    files.onMutation { index, files in cutPower(index, files) }
    do {
        var log = try TinyLog(files, mistake)
        for _ in 0..<11 {
            try log.append()
            acknowledged.withLock { $0 = log.last }
        }
    } catch {
        failures.withLock { $0.append("\(error)") }
    }
    cutPower(0, files)
    files.onMutation(nil)
    return failures.withLock { $0 }
}

/// What was lost in runs where the k-th mutating call fails, once or from then on, in every way, for each k; the process
/// then opens the log again, goes on, and ends with a power cut.
private func failedCalls(_ seed: UInt64, _ mistake: Mistake?) -> [String] {
    var random = SeededRandom(seed: seed)
    var failures: [String] = []
    for effect in [Fault.Effect.nothing, .prefix(700), .dropsPending, .takesEffect] {
        for isSticky in [false, true] {
            var call = 1
            while true {
                let files = SimulatedFileSystem()
                let fault = Fault(
                    .mutating, first: call, isSticky: isSticky, error: EIO, effect: effect)
                let least = runWithFault(fault, files, mistake, steps: 4 + random.below(8))
                let image = files.crashed(keeping: random.next())
                let found = try? TinyLog.recovered(image, mistake)
                if found.map({ $0 < least || $0 > least + 1 }) ?? true {
                    let words = found.map { "\($0) records" } ?? "damage"
                    failures.append("\(words) for \(least), \(fault)\n\(files.trace)")
                }
                if files.firedFaultCount == 0 { break }
                call += 1
            }
        }
    }
    return failures
}

/// Appends with a fault, opens again after each failure, and does the last steps without the fault. Returns the last
/// record that was acknowledged.
private func runWithFault(
    _ fault: Fault, _ files: SimulatedFileSystem, _ mistake: Mistake?, steps: Int
) -> UInt64 {
    files.inject(fault)
    var acknowledged: UInt64 = 0
    var log: TinyLog?
    for step in 0..<steps {
        if step == steps - 2 { files.removeFaults() }
        if log == nil { log = try? TinyLog(files, mistake) }
        if let opened = log { acknowledged = max(acknowledged, opened.last) }
        if (try? log?.append()) == nil { log = nil }
        if let opened = log { acknowledged = opened.last }
    }
    return acknowledged
}
