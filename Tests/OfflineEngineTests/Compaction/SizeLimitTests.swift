// The size limit: it holds at every moment, what adds data stops short of it, and what frees space still works.
import Dispatch
import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

struct SizeLimitTests {
    private static let limit: Int64 = 2 << 20

    private func options(_ limit: Int64? = limit) -> EngineOptions {
        var options = EngineOptions()
        options.sizeLimit = limit
        options.durability = .relaxed
        return options
    }

    private func key(_ number: Int) -> [UInt8] {
        var key: [UInt8] = []
        key.appendBig(UInt32(number))
        return key
    }

    /// The size of all files of the store.
    private static func folderBytes(_ system: SimulatedFileSystem) throws -> Int64 {
        try system.list(EngineHarness.folder).reduce(0) { sum, name in
            let path = system.path(EngineHarness.folder, name)
            return sum + Int64(try system.information(path)?.size ?? 0)
        }
    }

    /// Notes the greatest size that the files ever have.
    private final class Peak: Sendable {
        let bytes = Protected<Int64>(0)

        init(_ system: SimulatedFileSystem) {
            system.onMutation { [bytes] _, files in
                let now = (try? SizeLimitTests.folderBytes(files)) ?? 0
                bytes.withLock { $0 = max($0, now) }
            }
        }
    }

    /// Puts records until that is refused; how many there are, and why there are no more.
    private func fill(
        _ harness: inout EngineHarness, from start: Int = 0, bytes: Int = 900
    ) throws -> (count: Int, failure: EngineError?) {
        var random = SeededRandom(seed: UInt64(start + 1))
        for number in start..<start + 100_000 {
            let record = random.bytes(bytes)
            do { try harness.commit([.put(1, key: key(number), record: record)]) } catch let error
                as EngineError
            {
                return (number, error)
            }
        }
        return (start + 100_000, nil)
    }

    private func remove(_ keys: Range<Int>, _ harness: inout EngineHarness) throws {
        let transaction = try harness.begin([1])
        transaction.useReserve()
        let steps = keys.map { EngineStep.remove(1, key: key($0)) }
        for step in steps { try EngineHarness.apply(step, to: transaction) }
        try EngineHarness.commit(transaction)
        harness.model.apply(steps)
        // As whoever commits does.
        let caughtUp = DispatchSemaphore(value: 0)
        harness.engine.whenCaughtUp { caughtUp.signal() }
        caughtUp.wait()
    }

    @Test func `it is never exceeded, and a full store can be read, emptied and filled again`()
        throws
    {
        let system = SimulatedFileSystem()
        let peak = Peak(system)
        var harness = try EngineHarness(system, options: options())
        var start = 0
        for round in 0..<4 {
            let (end, failure) = try fill(&harness, from: start)
            #expect(failure?.code == .quotaExceeded, "round \(round)")
            // Five eighths of it at least are the user's.
            let live = harness.engine.stateNow.liveLogBytes
            #expect(live > Self.limit / 8 * 5, "round \(round): \(live)")
            try harness.check("round \(round), full")
            // Few at a time: many would not fit what is kept back.
            for first in stride(from: start, to: end - 100, by: 50) {
                try remove(first..<min(first + 50, end - 100), &harness)
            }
            try harness.engine.compact()
            try harness.check("round \(round), emptied")
            #expect(try Self.folderBytes(system) < Self.limit / 2, "round \(round)")
            start = end
        }
        #expect(peak.bytes.withLock { $0 } <= Self.limit)
        try harness.engine.close()
        #expect(peak.bytes.withLock { $0 } <= Self.limit)
    }

    @Test func `what is counted is what the files have`() throws {
        let system = SimulatedFileSystem()
        var options = options()
        options.preparesLogFiles = false
        options.automaticCheckpoints = false
        var harness = try EngineHarness(system, options: options)
        var random = SeededRandom(seed: 3)
        for step in 0..<300 {
            try harness.commit(random.engineSteps(atMost: 30))
            if step % 40 == 0 { try harness.engine.compactWhereDue() }
            if step % 90 == 0 { try harness.engine.compact() }
        }
        #expect(harness.engine.files.meter?.used == (try Self.folderBytes(system)))
        try harness.engine.close()
    }

    @Test func `a commit that is refused leaves no trace`() throws {
        let system = SimulatedFileSystem()
        var options = options()
        options.automaticCheckpoints = false
        options.preparesLogFiles = false
        var harness = try EngineHarness(system, options: options)
        _ = try fill(&harness)
        let state = harness.engine.stateNow
        // The nodes of the refused commit were counted too, so a little may still fit.
        var random = SeededRandom(seed: 5)
        for bytes in [300_000, 5 << 20] {
            let transaction = try harness.begin([1, 2])
            let failure = #expect(throws: EngineError.self) {
                for part in 0..<5 {
                    let record = random.bytes(bytes / 5)
                    try EngineHarness.apply(
                        .put(2, key: key(part), record: record), to: transaction)
                }
                try EngineHarness.commit(transaction)
            }
            transaction.rollback()
            #expect(failure?.code == .quotaExceeded)
        }
        #expect(harness.engine.stateNow.nextSequence == state.nextSequence)
        // (A checkpoint may have come before it was staged.)
        #expect(try EngineHarness.orphans(of: harness.engine) == [])
        #expect(harness.engine.files.meter?.used == (try Self.folderBytes(system)))
        try harness.check("after")
        try harness.engine.close()
    }

    @Test func `overwriting goes on for ever in a store that is nearly full`() throws {
        let system = SimulatedFileSystem()
        let peak = Peak(system)
        var harness = try EngineHarness(system, options: options())
        let (count, _) = try fill(&harness)
        try remove(0..<count / 5, &harness)
        try harness.engine.compact()
        var random = SeededRandom(seed: 8)
        for step in 0..<6_000 {
            let number = count / 5 + random.below(count - count / 5)
            let put = EngineStep.put(1, key: key(number), record: random.bytes(900))
            // As the store does: what is refused is tried again once there is room.
            do { try harness.commit([put]) } catch let error as EngineError {
                #expect(error.code == .quotaExceeded, "step \(step)")
                try harness.engine.compactWhereDue()
                try harness.commit([put])
            }
        }
        try harness.check("after")
        #expect(peak.bytes.withLock { $0 } <= Self.limit)
        try harness.engine.close()
    }

    @Test func `a store larger than its limit opens, reads, and can be made smaller`() throws {
        let system = SimulatedFileSystem()
        var harness = try EngineHarness(system, options: options(8 << 20))
        let (count, _) = try fill(&harness)
        try harness.engine.close()
        harness.options = options()
        try harness.reopen()
        try harness.check("reopened")
        let failure = #expect(throws: EngineError.self) {
            try harness.commit([.put(1, key: key(1), record: [UInt8](repeating: 1, count: 900))])
        }
        #expect(failure?.code == .quotaExceeded)
        for first in stride(from: 0, to: count - 50, by: 50) {
            try remove(first..<min(first + 50, count - 50), &harness)
            if first % 500 == 0 { try harness.engine.compactWhereDue() }
        }
        try harness.engine.compact()
        #expect(try Self.folderBytes(system) < Self.limit)
        try harness.check("smaller")
        try harness.engine.close()
    }
}

extension SizeLimitTests {
    @Test func `on a full disk records can be read and removed, and compaction makes room`() throws
    {
        let system = SimulatedFileSystem()
        var harness = try EngineHarness(system, options: options(nil))
        for first in stride(from: 0, to: 600, by: 20) {
            try harness.commit(
                (first..<first + 20).map {
                    .put(1, key: key($0), record: [UInt8](repeating: 7, count: 900))
                })
        }
        try harness.engine.checkpoint()
        harness.engine.files.reserve.make(64 << 10)
        #expect(try system.information(system.path(EngineHarness.folder, "RESERVE")) != nil)
        system.setCapacity(system.usedBytes)
        let (_, failure) = try fill(&harness, from: 1_000)
        #expect(failure?.code == .storageFull)
        try harness.check("full")
        try remove(0..<100, &harness)
        try harness.check("removed")
        try harness.engine.compact()
        try harness.check("compacted")
        let (count, _) = try fill(&harness, from: 2_000)
        // A log file's worth was removed; most of it at least can be filled again.
        #expect(count > 2_040, "room for more than \(count)")
        system.setCapacity(nil)
        try harness.engine.close()
        try harness.reopen()
        try harness.check("reopened")
        try harness.engine.close()
    }
}
