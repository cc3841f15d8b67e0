// Damaged files: whatever bytes they hold, the answer is right or an error that names the place; never a crash.
import StorageSimulation
import Testing

@testable import OfflineEngine

struct EngineDamageTests {
    static let rounds = TestEnvironment.integer("OFFLINE_DAMAGE_ROUNDS", default: 400)

    /// A store with several log files, staged files, node segments and an unclean end.
    /// With the model after each commit.
    private func store(
        seed: UInt64
    ) throws -> (files: SimulatedFileSystem, models: [EngineModel]) {
        var random = SeededRandom(seed: seed)
        var harness = try EngineHarness(SimulatedFileSystem())
        var models = [harness.model]
        for index in 0..<60 {
            try harness.commit(random.engineSteps(atMost: index % 20 == 19 ? 100 : 6))
            models.append(harness.model)
            if index % 25 == 24 { try harness.engine.checkpoint() }
            // Some of it is deflated, with dictionaries and without.
            if index == 30 { try harness.engine.compact() }
        }
        return (harness.system.killed(), models.map { $0.withAll(EngineHarness.collections) })
    }

    private func damage(_ files: SimulatedFileSystem, _ random: inout SeededRandom) throws -> String
    {
        let paths = files.filePaths.filter { !$0.hasSuffix("LOCK") }
        let path = paths[random.below(paths.count)]
        let size = try files.bytes(of: path).count
        guard size > 0 else { return "nothing in \(path)" }
        switch random.below(5) {
        case 0...2:
            let bit = random.below(size * 8)
            try files.flipBit(bit, of: path)
            return "bit \(bit) of \(path)\(bit < FileHeader.size * 8 ? ", no header" : "")"
        case 3:
            let start = random.below(size)
            try files.zero(start..<min(size, start + 512), of: path)
            return "zeros at \(start) of \(path)\(start < FileHeader.size ? ", no header" : "")"
        default:
            let cut = random.below(size)
            try files.cut(path, to: cut)
            return "\(path) cut to \(cut)\(cut < FileHeader.size ? ", no header" : "")"
        }
    }

    @Test func `damage is found, or does no harm`() throws {
        var random = SeededRandom(seed: 11)
        let (files, models) = try store(seed: 3)
        var found = 0
        for round in 0..<Self.rounds {
            let damaged = files.killed()
            let what = try damage(damaged, &random)
            let context = "round \(round): \(what)"
            do {
                var options = EngineHarness.smallOptions
                options.isReadOnly = random.chance(1, in: 2)
                let engine = try EngineHarness.open(damaged, options)
                let findings = try engine.verify().findings
                if findings.isEmpty {
                    let contents = try EngineHarness.contents(engine.stateNow)
                    // Nothing vouches for the last commit: damaged, it looks like the tail of a power cut. And a log file without
                    // a whole header looks like one that was never used.
                    let allowed =
                        what.hasSuffix("no header")
                        ? models.suffix(20) : models.suffix(engine.report.cut == nil ? 1 : 2)
                    #expect(allowed.contains(contents), "\(context)")
                } else {
                    found += 1
                }
                try engine.close()
            } catch let error as EngineError {
                found += 1
                #expect(
                    [.corrupted, .unsupportedFormat].contains(error.code), "\(context): \(error)")
                #expect(error.file != nil || error.code == .unsupportedFormat, "\(context)")
            }
        }
        #expect(found > Self.rounds / 4)
    }

    @Test func `a damaged record is an error for that record alone`() throws {
        var harness = try EngineHarness(SimulatedFileSystem())
        let secret = [UInt8](repeating: 0xA7, count: 64)
        try harness.commit([
            .put(1, key: [1], record: secret), .put(1, key: [2], record: [5, 6, 7]),
        ])
        try harness.engine.close()
        var place: (path: String, offset: Int)?
        for path in harness.system.filePaths where path.hasSuffix(".log") {
            let bytes = try harness.system.bytes(of: path)
            let offset = bytes.indices.first { bytes[$0...].prefix(64).elementsEqual(secret) }
            if let offset { place = (path, offset) }
        }
        let (path, at) = try #require(place)
        try harness.system.flipBit(at * 8, of: path)
        try harness.reopen()
        let transaction = try harness.begin([1])
        let intact = try EngineHarness.read([2], of: 1, in: transaction)
        #expect(intact == [5, 6, 7])
        #expect(throws: EngineError.self) {
            _ = try EngineHarness.read([1], of: 1, in: transaction)
        }
        transaction.rollback()
        let findings = try harness.engine.verify().findings
        #expect(findings.contains { $0.file?.hasSuffix(".log") ?? false && $0.offset != nil })
    }

    /// What an open says.
    private func failure(_ system: SimulatedFileSystem) -> EngineError? {
        do {
            _ = try EngineHarness(system)
            return nil
        } catch { return error as? EngineError }
    }

    @Test func `a superblock and a catalog that don't belong together are damage`() throws {
        let harness = try EngineHarness(SimulatedFileSystem())
        try harness.engine.close()
        let folder = EngineHarness.folder
        var superblock = try #require(SuperblockFile.read(harness.system, folder)?.newest)
        superblock.generation += 1
        superblock.durableSequence += 1
        let file = try SuperblockFile.open(harness.system, folder)
        try file.write(superblock)
        file.close()
        let error = failure(harness.system)
        #expect(error?.code == .corrupted)
        #expect(error?.file == FileNames.tree(superblock.catalog.file))
    }

    @Test func `a commit that skips a sequence number is damage`() throws {
        var harness = try EngineHarness(SimulatedFileSystem())
        try harness.commit([.put(1, key: [1], record: [5, 6, 7])])
        let system = harness.system.killed()
        let end = try harness.engine.log.writerState.position
        let path = system.path(EngineHarness.folder, FileNames.log(end.file))
        var bytes = try system.bytes(of: path)
        // The last frame is the commit.
        let start = try #require(
            stride(from: Int(end.offset) - 8, to: 0, by: -8).first { offset in
                unsafe bytes.withUnsafeBytes {
                    unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                        == FormatVersion.frameMagic
                }
            })
        let position = LogPosition(file: end.file, offset: UInt64(start))
        let tag = harness.engine.files.store.tag
        var (header, _) = try #require(
            unsafe bytes.withUnsafeBytes {
                unsafe FrameHeader.read(
                    UnsafeRawBufferPointer(rebasing: $0[start...]), at: position, storeTag: tag)
            })
        #expect(header.kind == .commit)
        header.sequence += 1
        var frame = Array(bytes[start..<start + header.frameLength])
        _ = LogWriter.finish(&frame, header, seals: true)
        bytes.replaceSubrange(start..<start + frame.count, with: frame)
        let file = try system.open(path, .readWrite)
        try file.write(bytes, at: 0)
        file.close()
        let error = failure(system)
        #expect(error?.code == .corrupted)
        #expect(error?.file == FileNames.log(end.file) && error?.offset == UInt64(start))
    }

    @Test func `only what was written is cut off`() throws {
        var harness = try EngineHarness(SimulatedFileSystem())
        try harness.commit([.put(1, key: [1], record: [5, 6, 7])])
        var killed = harness.system.killed()
        var engine = try EngineHarness.open(killed, EngineHarness.smallOptions)
        #expect(engine.report.replayedFrames == 1 && engine.report.cut == nil)
        // Closed cleanly, the log file ends with the log.
        try engine.close()
        engine = try EngineHarness.open(killed, EngineHarness.smallOptions)
        #expect(engine.report.wasClean && engine.report.cut == nil)
        try engine.close()
        // A frame that didn't arrive as a whole.
        let end = try harness.engine.log.writerState.position
        killed = harness.system.killed()
        let path = killed.path(EngineHarness.folder, FileNames.log(end.file))
        try killed.flipBit((Int(end.offset) - 9) * 8, of: path)
        engine = try EngineHarness.open(killed, EngineHarness.smallOptions)
        #expect(engine.report.cut != nil)
        try engine.close()
    }
}
