// A file store on a disk that fails: power cuts at every call that changes anything, and every call
// failing, in every way.
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite struct FileBackendFaultTests {
    private static let path = "/store.offline"

    /// States of a store: what was begun in order, and up to where it must survive.
    private struct Row: Sendable {
        var states: [PlainStore.Records] = [[:]]
        var kept = 0
        var isDefined = false
    }

    private static func open(
        _ files: SimulatedFileSystem, _ durability: Durability = .full
    ) async throws -> PlainStore {
        try await PlainStore.open(FileBackend(system: files), at: path, durability: durability)
    }

    /// What one batch does.
    private struct Change {
        var puts: PlainStore.Records = [:]
        var removals: [[UInt8]] = []

        init(of records: PlainStore.Records, _ random: inout SeededRandom) {
            for _ in 0...random.below(4) {
                let key = [UInt8(random.below(12))]
                if records[key] != nil, puts[key] == nil, random.chance(1, in: 3) {
                    if !removals.contains(key) { removals.append(key) }
                } else if !removals.contains(key) {
                    puts[key] = random.bytes(random.below(700))
                }
            }
        }

        func applied(to records: PlainStore.Records) -> PlainStore.Records {
            records.merging(puts) { $1 }.filter { !removals.contains($0.key) }
        }
    }

    // MARK: - Power cuts

    @Test(arguments: [Durability.full, .relaxed], SeededRandom.seeds(3))
    func
        `a power cut at every change leaves a state that was, and none that was promised is missing`(
            durability: Durability, seed: UInt64
        ) async throws
    {
        let files = SimulatedFileSystem()
        let row = Protected(Row())
        let images = Protected<[(SimulatedFileSystem, String, Row)]>([])
        files.onMutation { index, files in
            let now = row.withLock { $0 }
            let label = "\(durability), seed \(seed), mutation \(index)"
            for image in files.crashImages(2, seed: seed &+ UInt64(index)) {
                images.withLock { $0.append((image.files, "\(label), \(image.label)", now)) }
            }
        }
        var random = SeededRandom(seed: seed)
        var store = try await Self.open(files, durability)
        row.withLock { $0.isDefined = durability == .full }
        for round in 0..<12 {
            let records = row.withLock { $0.states[$0.states.count - 1] }
            let change = Change(of: records, &random)
            row.withLock { $0.states.append(change.applied(to: records)) }
            try await store.commit(change.puts, removing: change.removals)
            var isDurable = durability == .full
            if round % 4 == 3 {
                try await store.backend.flush()
                isDurable = true
            }
            if round % 6 == 5 {
                try await store.backend.close()
                store = try await Self.open(files, durability)
                isDurable = true
            }
            if isDurable {
                row.withLock { row in
                    row.kept = row.states.count - 1
                    row.isDefined = true
                }
            }
        }
        files.onMutation(nil)
        try await store.backend.close()
        let all = images.withLock { $0 }
        #expect(all.count > 100)
        for (files, label, row) in all { try await Self.check(files, row, label) }
    }

    private static func check(
        _ files: SimulatedFileSystem, _ row: Row, _ label: String
    ) async throws {
        // The cut may come again, in the opening.
        let second = Protected<SimulatedFileSystem?>(nil)
        files.onMutation { index, files in
            second.withLock { if $0 == nil, index > 1 { $0 = files.crashed(keeping: 5) } }
        }
        let expected = row.states[row.kept...]
        let disks = [files, second.withLock { $0 }].compactMap { $0 }
        for files in disks {
            if row.isDefined {
                let reader = try await PlainStore.open(
                    FileBackend(system: files), at: path, readOnly: true)
                #expect(expected.contains(try reader.records()), "\(label), read-only")
            }
            let store = try await open(files)
            #expect(expected.contains(try store.records()), "\(label)")
            #expect(try await store.backend.verify().problems == [], "\(label)")
            try await store.backend.close()
            #expect(files.isAllDurable, "\(label)")
        }
    }

    // MARK: - Failing calls

    /// Opens, commits and closes with a fault; what was acknowledged is there afterwards, what failed is not, and what
    /// has an unknown outcome may be.
    private static func run(_ fault: Fault, _ durability: Durability, seed: UInt64) async throws
        -> Int
    {
        let files = SimulatedFileSystem()
        var random = SeededRandom(seed: seed)
        var possible: [PlainStore.Records] = [[:]]
        var store: PlainStore? = try await open(files, durability)
        try await store?.backend.close()
        files.inject(fault)
        let context = "\(fault), \(durability), seed \(seed)"
        store = try? await open(files, durability)
        for _ in 0..<5 {
            guard let store else { break }
            let records = try store.records()
            #expect(possible.contains(records), "\(context), read")
            let change = Change(of: records, &random)
            let next = change.applied(to: records)
            do {
                try await store.commit(change.puts, removing: change.removals)
                possible = [next]
            } catch let error as EngineError where error.code == .outcomeUnknown {
                possible.append(next)
            } catch {
                #expect(error is EngineError, "\(context)")
            }
            #expect(possible.contains(try store.records()), "\(context), read after")
        }
        try? await store?.backend.close()
        let fired = files.firedFaultCount
        files.removeFaults()
        #expect(files.openFileCount == 0 && files.lockCount == 0, "\(context)")
        // With less than full durability, what a power cut leaves is another test's.
        let images = [files.crashedKeepingNothing(), files.crashed(keeping: seed)]
        for files in durability == .full ? [files] + images : [files] {
            let after = try await open(files, durability)
            #expect(possible.contains(try after.records()), "\(context), reopened")
            try await after.commit([[99]: [1]])
            #expect(try await after.backend.verify().problems == [], "\(context)")
            try await after.backend.close()
        }
        return fired
    }

    @Test(
        arguments: [Durability.full, .relaxed],
        [Fault.Effect.nothing, .prefix(9), .dropsPending, .takesEffect])
    func `every call may fail, once or for ever`(
        durability: Durability, effect: Fault.Effect
    ) async throws {
        for isSticky in [false, true] {
            var call = 1
            while true {
                let fault = Fault(
                    first: call, isSticky: isSticky, error: SystemErrorNumber.inputOutput,
                    effect: effect)
                let fired = try await Self.run(fault, durability, seed: UInt64(call))
                if fired == 0 { break }
                call += 1
            }
            #expect(call > 20)
        }
    }

    @Test func `after an unknown outcome nothing is written until the store is opened again`()
        async throws
    {
        let files = SimulatedFileSystem()
        let store = try await Self.open(files)
        try await store.commit([[1]: [1]])
        files.inject(Fault([.syncDirectory], error: SystemErrorNumber.inputOutput))
        await expectEngineError(.outcomeUnknown) { try await store.commit([[2]: [2]]) }
        #expect(try store.records() == [[1]: [1]])
        let error = await expectEngineError(.readOnly) { try await store.commit([[3]: [3]]) }
        #expect(error?.message.contains("open it again") == true)
        try await store.backend.close()
        let after = try await Self.open(files)
        #expect(try after.records() == [[1]: [1], [2]: [2]])
        #expect(files.isAllDurable)
        try await after.backend.close()
    }

    @Test func `a full disk refuses commits, and room lets them through again`() async throws {
        let files = SimulatedFileSystem()
        let store = try await Self.open(files)
        try await store.commit([[1]: [UInt8](repeating: 1, count: 5_000)])
        files.setCapacity(files.usedBytes + 100)
        await expectEngineError(.storageFull) { try await store.commit([[2]: [2]]) }
        #expect(files.filePaths == [Self.path + "/LOCK", Self.path + "/STATE"])
        #expect(try store.records().count == 1)
        try await store.backend.close()
        let again = try await Self.open(files)
        #expect(try again.records().count == 1)
        await expectEngineError(.storageFull) { try await again.commit([[2]: [2]]) }
        files.setCapacity(nil)
        try await again.commit([[2]: [2]])
        #expect(try again.records().count == 2)
        try await again.backend.close()
    }
}
