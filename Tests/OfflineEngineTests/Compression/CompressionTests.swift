// What a store deflates, when, and that nothing else about it changes.
import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

struct CompressionTests {
    /// Options with which nothing is compacted by itself.
    private var options: EngineOptions {
        var options = EngineOptions()
        options.automaticCompaction = false
        return options
    }

    /// How many of a collection's records are deflated: alone, and with a dictionary.
    private func deflated(
        _ harness: EngineHarness, _ collection: UInt32 = 1
    ) throws -> (alone: Int, packed: Int) {
        let version = try #require(harness.engine.stateNow.version(collection))
        var cursor = version.primaryTree.cursor()
        var counts = (alone: 0, packed: 0)
        try cursor.seekToFirst()
        while cursor.isValid {
            let (bytes, operation) = try unsafe RecordAccess.entry(
                at: Location(word: cursor.value), in: harness.engine.files)
            if operation.isDeflated {
                let payload = unsafe UnsafeRawBufferPointer(rebasing: bytes[operation.payloadRange])
                let distance = try unsafe DeflatedRecord(payload).dictionaryDistance
                if distance > 0 { counts.packed += 1 } else { counts.alone += 1 }
            }
            _ = try cursor.next()
        }
        return counts
    }

    private func key(_ number: Int) -> [UInt8] {
        var key: [UInt8] = []
        key.appendBig(UInt32(number))
        return key
    }

    private func put(_ numbers: Range<Int>, _ harness: inout EngineHarness, bytes: Int = 300) throws
    {
        var random = SeededRandom(seed: UInt64(numbers.lowerBound + 1))
        for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 50) {
            try harness.commit(
                (start..<min(start + 50, numbers.upperBound)).map {
                    .put(1, key: key($0), record: random.text(bytes))
                })
        }
    }

    private func logBytes(_ harness: EngineHarness) -> Int64 {
        harness.engine.stateNow.liveLogBytes
    }

    @Test func `a commit deflates records over a kilobyte, where that pays`() throws {
        var random = SeededRandom(seed: 2)
        var harness = try EngineHarness(SimulatedFileSystem(), options: options)
        try harness.commit([
            .put(1, key: [1], record: random.text(1_024)),
            .put(1, key: [2], record: random.text(1_025)),
            .put(1, key: [3], record: random.text(50_000)),
            .put(1, key: [4], record: random.bytes(50_000)),
        ])
        #expect(try deflated(harness) == (alone: 2, packed: 0))
        // One in a transaction that is still open is read too.
        let large = random.text(9_000)
        let transaction = try harness.begin([1])
        try EngineHarness.apply(.put(1, key: [2], record: large), to: transaction)
        let read = try EngineHarness.read([2], of: 1, in: transaction)
        #expect(read == large)
        try EngineHarness.apply(.put(1, key: [2], record: [2]), to: transaction)
        try EngineHarness.commit(transaction)
        harness.model.apply([.put(1, key: [2], record: [2])])
        try harness.check("committed")
        // After a kill all of it is replayed.
        let killed = harness.system.killed()
        try harness.engine.close()
        harness.system = killed
        try harness.reopen()
        try harness.check("replayed")
        #expect(try deflated(harness) == (alone: 1, packed: 0))
        try harness.engine.close()
    }

    @Test func `compacting packs records that have much in common`() throws {
        var harness = try EngineHarness(SimulatedFileSystem(), options: options)
        try put(0..<2_000, &harness)
        let before = logBytes(harness)
        try harness.engine.compact()
        #expect(try deflated(harness).packed == 2_000)
        #expect(logBytes(harness) < before * 2 / 3)
        try harness.check("packed")
        try harness.engine.close()
        try harness.reopen()
        try harness.check("reopened")
        // What is packed is moved again, with another dictionary, and changed like everything else.
        try put(1_000..<1_200, &harness)
        try harness.commit((0..<500).map { .remove(1, key: key($0)) })
        try harness.check("changed")
        try harness.engine.compact()
        #expect(try deflated(harness).packed == 1_500)
        try harness.check("packed again")
        try harness.engine.close()
    }

    @Test func `records that have nothing in common are moved as they are`() throws {
        var random = SeededRandom(seed: 4)
        var harness = try EngineHarness(SimulatedFileSystem(), options: options)
        for start in stride(from: 0, to: 500, by: 50) {
            try harness.commit(
                (start..<start + 50).map { .put(1, key: key($0), record: random.bytes(300)) })
        }
        let before = logBytes(harness)
        try harness.engine.compact()
        #expect(try deflated(harness) == (alone: 0, packed: 0))
        #expect(logBytes(harness) == before)
        try harness.check("moved")
        try harness.engine.close()
    }

    @Test func `in the background only what is cold is packed, and it stays so`() throws {
        var harness = try EngineHarness(SimulatedFileSystem(), options: options)
        try put(0..<1_000, &harness)
        try put(1_000..<1_100, &harness)
        // All but the first thousand are written again and again, until these are in the way.
        var writes = 1_100
        while writes < 1_100 * 8 {
            try put(1_000..<1_100, &harness)
            writes += 100
        }
        try harness.engine.compactWhereDue()
        #expect(try deflated(harness).packed == 0)
        while writes < 1_100 * 10 {
            try put(1_000..<1_100, &harness)
            writes += 100
        }
        // The file that they are in is no longer mostly dead, so a part of them is removed.
        try harness.commit((0..<1_000).filter { $0 % 4 > 0 }.map { .remove(1, key: key($0)) })
        try harness.engine.compactWhereDue()
        let packed = try deflated(harness).packed
        #expect(packed == 250)
        try harness.check("packed")
        try harness.engine.close()
    }

    @Test func `what is deflated counts as the bytes that it has`() throws {
        var harness = try EngineHarness(SimulatedFileSystem(), options: options)
        try put(0..<300, &harness)
        try put(300..<320, &harness, bytes: 5_000)
        func bytes() throws -> Int64 {
            try #require(harness.engine.stateNow.version(1)).primary.bytes
        }
        let before = try bytes()
        #expect(before == 300 * 304 + 20 * 5_004)
        try harness.engine.compact()
        #expect(try bytes() == before)
        // `check` compares what the catalog says of bytes alive with what is there.
        try harness.check("compacted")
        try harness.commit((0..<100).map { .remove(1, key: key($0)) })
        try put(310..<320, &harness, bytes: 2_000)
        #expect(try bytes() == 200 * 304 + 10 * 5_004 + 10 * 2_004)
        try harness.check("changed")
        try harness.engine.close()
    }

    @Test
    func `a compaction that meets damage leaves no file behind, and what it holds is read on`()
        throws
    {
        var harness = try EngineHarness(SimulatedFileSystem(), options: options)
        try put(0..<6_000, &harness)
        try harness.engine.compact()
        try harness.engine.close()
        // The last dictionary: by then the compaction has begun a file.
        var last: (path: String, offset: Int)?
        for path in harness.system.filePaths.sorted() where path.hasSuffix(".log") {
            let bytes = try harness.system.bytes(of: path)
            for offset in stride(from: 128, to: bytes.count - 32, by: 8) {
                let isDictionary = unsafe bytes.withUnsafeBytes {
                    let entry = unsafe UnsafeRawBufferPointer(rebasing: $0[offset...])
                    return try? unsafe LogOperation.read(entry).kind == .dictionary
                }
                if isDictionary == true { last = (path, offset) }
            }
        }
        let (path, offset) = try #require(last)
        try harness.system.flipBit((offset + 100) * 8, of: path)
        try harness.reopen()
        // So that there is something to compact.
        try put(0..<10, &harness)
        let failure = #expect(throws: EngineError.self) { try harness.engine.compact() }
        #expect(failure?.code == .corrupted)
        #expect(try EngineHarness.orphans(of: harness.engine) == [])
        try harness.engine.close()
        try harness.system.flipBit((offset + 100) * 8, of: path)
        try harness.reopen()
        try harness.check("as it was")
        try harness.engine.close()
    }

    @Test func `a store that is nearly full of text is overwritten for little`() throws {
        var random = SeededRandom(seed: 8)
        var options = EngineOptions()
        options.sizeLimit = 2 << 20
        let system = SimulatedFileSystem()
        var harness = try EngineHarness(system, options: options)
        try put(0..<2_000, &harness, bytes: 500)
        try harness.engine.compact()
        let plan = CompactionPlan(harness.engine.stateNow, harness.engine.files)
        // Dictionaries are dead bytes that no compaction gives back: not so many that it would try.
        #expect(plan.total - plan.live < plan.live / 16 + CompactionPlan.slackBytes / 4, "\(plan)")
        for round in 0..<20 {
            try harness.commit(
                (0..<20).map { _ in
                    .put(1, key: key(random.below(2_000)), record: random.text(500))
                })
            if round == 10 { try harness.engine.compactWhereDue() }
        }
        try harness.check("overwritten")
        try harness.engine.close()
    }

    @Test func `a damaged dictionary is an error for each of its records, and for no other`() throws
    {
        var random = SeededRandom(seed: 6)
        var harness = try EngineHarness(SimulatedFileSystem(), options: options)
        try put(0..<1_000, &harness)
        try harness.engine.compact()
        let other = random.text(200)
        try harness.commit([.put(1, key: key(2_000), record: other)])
        try harness.engine.close()
        // The first entry of the file of moved records is its first dictionary.
        let packed = try #require(
            harness.system.filePaths.first { path in
                guard path.hasSuffix(".log") else { return false }
                let bytes = try harness.system.bytes(of: path)
                return bytes.count > 142
                    && bytes[128 + 14] == LogOperation.Kind.dictionary.rawValue
            })
        for bit in [(128 + 9) * 8, (128 + 500) * 8] {
            try harness.system.flipBit(bit, of: packed)
            try harness.reopen()
            let transaction = try harness.begin([1])
            for number in [0, 500, 999] {
                let failure = #expect(throws: EngineError.self) {
                    _ = try EngineHarness.read(key(number), of: 1, in: transaction)
                }
                #expect(failure?.code == .corrupted)
            }
            let read = try EngineHarness.read(key(2_000), of: 1, in: transaction)
            #expect(read == other)
            transaction.rollback()
            #expect(try !harness.engine.verify().findings.isEmpty)
            // What can't be read isn't moved, and so isn't lost either.
            #expect(throws: EngineError.self) { try harness.engine.compact() }
            try harness.engine.close()
            try harness.system.flipBit(bit, of: packed)
            try harness.reopen()
            try harness.check("bit \(bit) as it was")
            try harness.engine.close()
        }
    }
}
