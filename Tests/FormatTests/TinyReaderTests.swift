// FORMAT.md is enough to read a store: the reader written from it finds the same documents and
// index entries as the store itself, after checkpoints, staged transactions and schema changes,
// after a kill and after power cuts, and nothing that is damaged gets past it.
import OfflineBytes
import OfflineDocuments
import OfflineKit
import StorageSimulation
import Testing

struct TinyReaderTests {
    private static let seeds = SeededRandom.seeds(2)

    /// What the runs have met; a run that misses some of it proves less than it says.
    fileprivate struct Coverage {
        var replayedFrames = 0
        var adoptedFiles = 0
        var logFiles = 0
        var tornTails = 0
        var images = 0
        /// Records that trees find in files of moved records.
        var movedRecords = 0
        var deflatedRecords = 0
        /// Kinds of stamps and change entries.
        var changes: Set<TinyReader.ChangeKind> = []
    }

    /// Disks that a power cut leaves in the middle of what a store does.
    private final class PowerCuts: Sendable {
        private let state: Protected<(random: SeededRandom, image: SimulatedFileSystem?)>

        init(seed: UInt64) { state = Protected((SeededRandom(seed: seed), nil)) }

        func watch(_ system: SimulatedFileSystem) {
            system.onMutation { [self] _, files in
                state.withLock { state in
                    guard state.image == nil, state.random.chance(1, in: 3) else { return }
                    state.image = files.crashed(keeping: state.random.next())
                }
            }
        }

        func take() -> SimulatedFileSystem? { state.withLock { $0.image.take() } }
    }

    /// Opens an image with both readers and compares.
    private func compare(
        _ image: SimulatedFileSystem, _ context: String, _ coverage: inout Coverage
    ) async throws {
        let files = try FormatStoreFixture.files(image)
        let reader = try #require(try TinyReader(files), "\(context)")
        coverage.replayedFrames += reader.replayedFrames
        coverage.adoptedFiles += reader.adoptedFiles
        coverage.movedRecords += reader.movedRecords
        coverage.deflatedRecords += try reader.deflatedRecords()
        coverage.logFiles = max(coverage.logFiles, files.keys.count { $0.hasSuffix(".log") })
        coverage.tornTails += reader.hasTornTail ? 1 : 0
        coverage.images += 1
        coverage.changes.formUnion(try reader.kindsOfChanges())
        let fixture = try await FormatStoreFixture(image, [])
        let report = try await fixture.store.verify()
        #expect(report.isSound, "\(context): \(report)")
        try await fixture.compare(reader, context)
        try await fixture.store.close()
        let closed = try #require(try TinyReader(FormatStoreFixture.files(image)), "\(context)")
        #expect(closed.replayedFrames == 0, "\(context), closed")
    }

    @Test(arguments: seeds)
    func `a reader written from the document reads what the store reads`(seed: UInt64) async throws
    {
        var random = SeededRandom(seed: seed)
        var coverage = Coverage()
        let system = SimulatedFileSystem()
        let cuts = PowerCuts(seed: random.next())
        var schema = FormatStoreFixture.schema
        // Without syncs a power cut leaves whole frames behind torn ones.
        let durability: Durability = seed % 2 == 0 ? .relaxed : .full
        var fixture = try await FormatStoreFixture(system, schema, durability)
        for step in 0..<70 {
            let context = "seed \(seed), step \(step)"
            cuts.watch(system)
            try await fixture.change(&random, operations: random.chance(1, in: 12) ? 90 : 6)
            if random.chance(1, in: 15) { try fixture.checkpoint() }
            if random.chance(1, in: 20) { try fixture.compact() }
            system.onMutation(nil)
            if step == 30 {
                // An index built from the records there are, another dropped.
                try await fixture.store.close()
                schema[0].indexes[0].keyPaths = ["name", "address"]
                schema[0].indexes[3].filter = ["address.city": ["$gte": ""]]
                schema[0].indexes[4].collation = .binary
                schema[0].indexes[6].keyPaths = ["name"]
                fixture = try await FormatStoreFixture(system, schema, durability)
            }
            if random.chance(1, in: 6) {
                try await compare(system.killed(), "\(context), killed", &coverage)
            }
            if let image = cuts.take(), random.chance(1, in: 2) {
                try await compare(image, "\(context), power cut", &coverage)
            }
        }
        try fixture.compact()
        try await fixture.store.close()
        try await compare(system.killed(), "seed \(seed), closed", &coverage)
        let met = Comment(rawValue: "seed \(seed): \(coverage)")
        #expect(coverage.images > 8 && coverage.replayedFrames > 20, met)
        #expect(coverage.adoptedFiles > 0 && coverage.logFiles > 3, met)
        #expect(coverage.movedRecords > 0 && coverage.deflatedRecords > 0, met)
        #expect(coverage.tornTails > (durability == .relaxed ? 3 : 0), met)
        let kinds = Set(TinyReader.ChangeKind.allCases).subtracting([.horizon])
        #expect(coverage.changes == kinds, met)
    }

    /// So many tombstones are kept that the random work never drops any.
    @Test func `where tombstones were dropped both readers know of it`() async throws {
        let system = SimulatedFileSystem()
        let fixture = try await FormatStoreFixture(system, [CollectionSchema(name: "c")])
        let keys = (0..<10_020).map { Value.int(Int64($0)) }
        try await fixture.store.createBatch("c", keys.map { ["id": $0] })
        _ = try await fixture.store.deleteBatch("c", keys)
        try await fixture.store.create("c", ["id": -1])
        _ = try await fixture.store.delete("c", -1)
        var coverage = Coverage()
        try await compare(system.killed(), "horizon", &coverage)
        #expect(coverage.changes == [.settled, .horizon, .firstNumber])
        try await fixture.store.close()
    }

    /// With right checksums: only what is in a put is wrong.
    @Test(
        arguments: [
            (1, [0x81, 9, 5]), (1, [0x91, 4, 5, 0, 1, 0x20, 0, 0]),
            (1, [0x83, 5, 5, 0, 0, 1, 0x20, 0, 0]),
            (1, [0x81, 4, 5, 0]), (2, []), (2, [0]), (2, [0x11, 5]), (2, [1, 5, 5]), (2, [3, 5]),
            (2, [0x33, 5, 0]), (2, [4, 0x80, 0]),
        ] as [(UInt32, [UInt8])])
    func `a stamp or change entry that is malformed isn't replayed`(
        collection: UInt32, bytes: [UInt8]
    ) async throws {
        let system = SimulatedFileSystem()
        let fixture = try await FormatStoreFixture(system, [CollectionSchema(name: "c")])
        let id = CollectionID(collection)
        let batch = try fixture.backend.begin([id], reading: [])
        try batch.put(id, key: KeyEncoder.key(1), record: bytes)
        try await batch.commit(appended: {}, committed: { _ in })
        let image = system.killed()
        let files = try FormatStoreFixture.files(image)
        #expect(throws: TinyDamage.self) { try TinyReader(files) }
        await #expect(throws: OfflineError.self) { try await FormatStoreFixture(image, []) }
        try await fixture.store.close()
    }

    /// Flips bits and cuts files. What the tiny reader refuses, the store must refuse or report;
    /// what it takes, the store must have too, unless it found damage where the tiny reader never
    /// looks.
    @Test(arguments: SeededRandom.seeds(1))
    func `what is damaged gets past neither reader`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let system = SimulatedFileSystem()
        let fixture = try await FormatStoreFixture(system, FormatStoreFixture.schema)
        for step in 0..<12 {
            try await fixture.change(&random, operations: step == 4 ? 60 : 5)
        }
        var refused = 0
        for round in 0..<120 {
            let damaged = system.killed()
            let context = try "seed \(seed), round \(round): \(damage(damaged, &random))"
            let reader = try? TinyReader(FormatStoreFixture.files(damaged))
            let documents = try? reader?.allDocuments()
            let finding = await finding(damaged, reader, context)
            if reader == nil || documents == nil {
                refused += 1
                #expect(finding != nil, "\(context): only the tiny reader refuses it")
            }
        }
        #expect(refused > 20, "seed \(seed)")
    }

    private func damage(
        _ system: SimulatedFileSystem, _ random: inout SeededRandom
    ) throws -> String {
        let paths = system.filePaths.filter { !$0.hasSuffix("LOCK") }
        let path = paths[random.below(paths.count)]
        let size = try system.bytes(of: path).count
        guard size > 0 else { return "nothing" }
        if random.chance(1, in: 5) {
            let cut = random.below(size)
            try system.cut(path, to: cut)
            return "\(path) cut to \(cut)"
        }
        let bit = random.below(min(size, 6_000) * 8)
        try system.flipBit(bit, of: path)
        return "bit \(bit) of \(path)"
    }

    /// What the store says about an image: an error, or what its verification finds; nil if it
    /// finds nothing, and then it must have what the tiny reader has.
    private func finding(
        _ image: SimulatedFileSystem, _ reader: TinyReader?, _ context: String
    ) async -> String? {
        do {
            let fixture = try await FormatStoreFixture(image, [])
            let report = try await fixture.store.verify()
            if !report.isSound { return report.description }
            if let reader { try await fixture.compare(reader, context) }
            try await fixture.store.close()
            return nil
        } catch {
            return "\(error)"
        }
    }
}

extension TinyReader {
    /// Reads every document.
    fileprivate func allDocuments() throws -> Int {
        _ = try kindsOfChanges()
        return try collections.reduce(0) { count, collection in
            guard collection.value.definition.kind == .records else { return count }
            _ = try pendingChanges(collection.key)
            return try count + documents(collection.key).count
        }
    }

    fileprivate enum ChangeKind: CaseIterable {
        case local, applied, creation, firstNumber, origin
        case synchronized, base, pending, settled, stoneWithBase, stoneWithSequence, horizon
        case use, useOfPending
    }

    /// What there is of stamps and change entries.
    fileprivate func kindsOfChanges() throws -> Set<ChangeKind> {
        var kinds: Set<ChangeKind> = []
        for (number, collection) in collections {
            for key in keys(number) {
                guard let payload = try stored(number, key: key)?.payload else { continue }
                switch collection.definition.kind {
                case .records:
                    guard let stamp = try TinyStamp.split(payload).stamp else { continue }
                    kinds.insert(stamp.isLocal ? .local : .applied)
                    if stamp.isCreation { kinds.insert(.creation) }
                    if stamp.firstNumber != nil { kinds.insert(.firstNumber) }
                    if stamp.origin != nil { kinds.insert(.origin) }
                case .changes: Self.note(try TinyChangeEntry(payload), in: &kinds)
                case .access:
                    kinds.insert(try TinyAccess(payload).isPending ? .useOfPending : .use)
                case .store: break
                }
            }
        }
        return kinds
    }

    private static func note(_ entry: TinyChangeEntry, in kinds: inout Set<ChangeKind>) {
        switch entry {
        case .synchronized: kinds.insert(.synchronized)
        case .base: kinds.insert(.base)
        case .horizon: kinds.insert(.horizon)
        case .tombstone(let tombstone):
            kinds.insert(tombstone.isPending ? .pending : .settled)
            if tombstone.base != nil { kinds.insert(.stoneWithBase) }
            if tombstone.sequence != nil { kinds.insert(.stoneWithSequence) }
            if tombstone.firstNumber != nil { kinds.insert(.firstNumber) }
        }
    }
}
