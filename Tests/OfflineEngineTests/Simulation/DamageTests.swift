// Damage to bytes at rest, the recording file system, and the random generator.
import OfflineEngine
import StorageSimulation
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct DamageTests {
    private let files = SimulatedFileSystem()

    @Test func `each damage does what it says`() throws {
        let bytes: [UInt8] = [0, 1, 2, 3, 4, 5, 6, 7]
        let damages: [((String) throws -> Void, [UInt8])] = [
            ({ try files.flipBit(17, of: $0) }, [0, 1, 0, 3, 4, 5, 6, 7]),
            ({ try files.flipBit(8000, of: $0) }, bytes),
            ({ try files.zero(2..<4, of: $0) }, [0, 1, 0, 0, 4, 5, 6, 7]),
            ({ try files.zero(6..<40, of: $0) }, [0, 1, 2, 3, 4, 5, 0, 0]),
            ({ try files.duplicate(1..<3, to: 5, of: $0) }, [0, 1, 2, 3, 4, 1, 2, 7]),
            ({ try files.duplicate(0..<8, to: 6, of: $0) }, [0, 1, 2, 3, 4, 5, 0, 1]),
            ({ try files.swapBlocks(at: 0, 4, length: 2, of: $0) }, [4, 5, 2, 3, 0, 1, 6, 7]),
            ({ try files.cut($0, to: 3) }, [0, 1, 2]),
            ({ try files.damage($0) { $0.append(9) } }, bytes + [9]),
        ]
        for (index, (damage, expected)) in damages.enumerated() {
            let path = "/\(index)"
            try files.setBytes(of: path, bytes)
            try damage(path)
            #expect(try files.bytes(of: path) == expected, "damage \(index)")
        }
        #expect(files.isAllDurable)
        #expect(files.callCount == 0)
        #expect(files.usedBytes == damages.reduce(0) { $0 + $1.1.count })
    }

    @Test func `an open map sees the damage`() throws {
        try files.setBytes(of: "/a", [1, 2, 3])
        let map = try files.open("/a", .read).map(length: 3)
        try files.flipBit(0, of: "/a")
        #expect(map.copy == [0, 2, 3])
        try files.cut("/a", to: 1)
        #expect(map.copy == [0, 0xA5, 0xA5])
    }

    @Test func `damage to what isn't there is an error`() throws {
        try files.createDirectory("/d")
        #expect(errorNumber { try files.flipBit(0, of: "/a") } == ENOENT)
        #expect(errorNumber { try files.setBytes(of: "/d", []) } == EISDIR)
        #expect(errorNumber { try files.addSymbolicLink("/d") } == EEXIST)
    }
}

@Suite struct RecordingTests {
    @Test func `calls are counted by kind and file`() throws {
        let files = RecordingFileSystem(SimulatedFileSystem())
        let log = try files.open("/1.log", .create)
        let tree = try files.open("/1.tree", .create)
        try log.write([1, 2, 3], at: 0)
        try tree.write([4], at: 9)
        _ = try log.read(10, at: 1)
        try log.sync()
        #expect(errorNumber { _ = try files.open("/x", .read) } == ENOENT)
        #expect(files.count(.create) == 2)
        #expect(files.count(.write) == 2)
        #expect(files.count(.write, path: ".log") == 1)
        #expect(files.count(.sync, path: ".tree") == 0)
        #expect(files.bytesWritten == 4)
        #expect(files.bytesRead == 2)
        #expect(files.calls.map(\.index) == Array(1...7))
        #expect(files.calls.last?.failure == ENOENT)
        #expect(files.writes.isEmpty)
        files.reset()
        #expect(files.count(.write) == 0 && files.calls.isEmpty && files.bytesWritten == 0)
    }

    @Test func `every byte that was to be written is kept on demand`() throws {
        let base = SimulatedFileSystem()
        let files = RecordingFileSystem(base, keepsWrites: true)
        let file = try files.open("/a", .create)
        try file.write([1, 2], at: 5)
        base.inject(Fault([.write], error: EIO, effect: .prefix(1)))
        #expect(errorNumber { try file.write([3, 4], at: 7) } == EIO)
        #expect(files.writes.map(\.bytes) == [[1, 2], [3, 4]])
        #expect(files.writes.map(\.offset) == [5, 7])
        #expect(files.writes.allSatisfy { $0.path == "/a" })
    }
}

@Suite struct SeededRandomTests {
    @Test func `the numbers are those of SplitMix64`() {
        var random = SeededRandom(seed: 1_234_567)
        #expect(random.next() == 6_457_827_717_110_365_317)
        #expect(random.next() == 3_203_168_211_198_807_973)
        #expect(random.description == "seed 1234567")
    }

    @Test func `draws stay in their bounds and repeat with the seed`() {
        var first = SeededRandom(seed: 5)
        var second = SeededRandom(seed: 5)
        for count in 0..<50 {
            let bytes = first.bytes(count)
            #expect(bytes.count == count)
            #expect(bytes == second.bytes(count))
            let draw = first.below(count)
            #expect(draw >= 0 && draw <= max(0, count - 1))
            #expect(draw == second.below(count))
        }
        #expect(first.below(0) == 0 && first.below(-1) == 0)
        #expect(!first.chance(0, in: 10) && first.chance(10, in: 10))
        #expect(SeededRandom.seeds(0) == [] || SeededRandom.seeds(0).count == 1)
    }
}
