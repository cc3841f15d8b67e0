// What a power cut may leave, and what it never does.
import OfflineEngine
import StorageSimulation
import Testing

@Suite struct CrashImageTests {
    private static let seeds = SeededRandom.seeds(400)
    private let files = SimulatedFileSystem()

    /// A file whose bytes and name are durable.
    private func durableFile(_ path: String, _ bytes: [UInt8]) throws -> any File {
        let file = try files.open(path, .create)
        try file.write(bytes, at: 0)
        try file.sync()
        try files.syncDirectory("/")
        return file
    }

    /// All that is seen of a file over many crashes; nil where it is gone.
    private func outcomes(of path: String) -> Set<[UInt8]?> {
        Set(Self.seeds.map { try? files.crashed(keeping: $0).bytes(of: path) })
    }

    /// The sets of names that are left over many crashes.
    private func names(_ model: CrashModel = .posix) -> Set<[String]> {
        Set(Self.seeds.map { files.crashed(keeping: $0, model: model).filePaths })
    }

    @Test func `the extremes keep all and nothing`() throws {
        let file = try files.open("/a", .create)
        try file.write([1, 2], at: 0)
        #expect(try files.crashedKeepingEverything().bytes(of: "/a") == [1, 2])
        #expect(files.crashedKeepingNothing().filePaths == [])
        try files.syncDirectory("/")
        #expect(try files.crashedKeepingNothing().bytes(of: "/a") == [])
        #expect(!files.isAllDurable)
        try file.sync()
        #expect(try files.crashedKeepingNothing().bytes(of: "/a") == [1, 2])
        #expect(files.isAllDurable)
        #expect(outcomes(of: "/a") == [[1, 2]])
    }

    @Test func `a synced file without a synced name may be gone`() throws {
        let file = try files.open("/a", .create)
        try file.write([1], at: 0)
        try file.sync()
        #expect(outcomes(of: "/a") == [[1], nil])
    }

    @Test func `un-synced writes survive in every subset`() throws {
        let file = try durableFile("/a", [UInt8](repeating: 0, count: 1024))
        try file.write([1], at: 0)
        try file.write([2], at: 512)
        let seen = Set(outcomes(of: "/a").map { [$0?[0], $0?[512]] })
        #expect(seen == [[0, 0], [1, 0], [0, 2], [1, 2]])
    }

    @Test func `the sectors of one write survive in every subset`() throws {
        let file = try durableFile("/a", [UInt8](repeating: 0, count: 2048))
        // Four sectors, the outer ones in part.
        try file.write([UInt8](repeating: 7, count: 1400), at: 500)
        let seen = Set(outcomes(of: "/a").map { [$0?[500], $0?[512], $0?[1024], $0?[1899]] })
        #expect(seen.count == 16)
        for image in outcomes(of: "/a") {
            #expect(image?.count == 2048)
            #expect(image?[499] == 0 && image?[1900] == 0)
            #expect(image?[512] == image?[1023], "a sector is written as a whole")
        }
    }

    @Test func `a byte holds what was durable or what was written there since`() throws {
        for seed in SeededRandom.seeds(30) {
            var random = SeededRandom(seed: seed)
            let before = random.bytes(6000)
            let path = "/\(seed)"
            let file = try durableFile(path, before)
            var candidates = before.map { [$0] }
            for _ in 0..<random.below(6) {
                let bytes = random.bytes(random.below(1500))
                let offset = random.below(6000 - bytes.count)
                for (index, byte) in bytes.enumerated() { candidates[offset + index].append(byte) }
                try file.write(bytes, at: UInt64(offset))
            }
            let image = try files.crashed(keeping: seed).bytes(of: path)
            #expect(image.count == 6000)
            let isPossible = zip(image, candidates).allSatisfy { $1.contains($0) }
            #expect(isPossible, "seed \(seed)")
            #expect(try files.bytes(of: path) == candidates.compactMap(\.last))
        }
    }

    @Test func `a size may grow without its data`() throws {
        let file = try durableFile("/a", [9])
        try files.setBytes(of: "/other", [UInt8](repeating: 0xBB, count: 3000))
        try file.write([UInt8](repeating: 7, count: 1999), at: 1)
        let images = outcomes(of: "/a").compactMap(\.self)
        #expect(images.allSatisfy { $0.first == 9 && $0.count <= 2000 })
        #expect(images.contains { $0 == [9] }, "nothing")
        #expect(images.contains { $0 == [9] + [UInt8](repeating: 0, count: 1999) }, "zeros")
        #expect(images.contains { $0.contains(0xBB) }, "the other file's bytes")
        #expect(images.contains { $0.contains { ![0, 7, 9, 0xBB].contains($0) } }, "garbage")
        #expect(images.contains { $0.count < 2000 && $0.count > 1 }, "a part")
        #expect(
            images.contains { $0.count == 2000 && $0[600] == 7 && $0[100] != 7 }, "a later part")
    }

    @Test func `a gap before a kept write is a hole of zeros`() throws {
        let file = try durableFile("/a", [9])
        try file.write([7], at: 3000)
        for image in outcomes(of: "/a") {
            #expect(image?[1...].prefix(2999).allSatisfy { $0 == 0 } ?? false)
        }
    }

    @Test func `a truncation is kept or lost`() throws {
        let file = try durableFile("/a", [1, 2, 3])
        try file.truncate(to: 1)
        #expect(outcomes(of: "/a") == [[1], [1, 2, 3]])
        try file.sync()
        #expect(outcomes(of: "/a") == [[1]])
    }

    @Test func `a sync makes its own file durable and no other`() throws {
        let first = try durableFile("/a", [1])
        let second = try durableFile("/b", [1])
        try first.write([2], at: 0)
        try second.write([2], at: 0)
        try first.sync()
        #expect(outcomes(of: "/a") == [[2]])
        #expect(outcomes(of: "/b") == [[1], [2]])
    }

    @Test func `names survive in every subset, or as a prefix`() throws {
        for name in ["/a", "/b", "/c"] { try files.open(name, .create).close() }
        #expect(names().count == 8)
        #expect(names(.ordered) == [[], ["/a"], ["/a", "/b"], ["/a", "/b", "/c"]])
        try files.syncDirectory("/")
        #expect(names() == [["/a", "/b", "/c"]])
    }

    @Test func `a folder's sync makes its own names durable and no other's`() throws {
        for folder in ["/x", "/y"] { try files.createDirectory(folder) }
        try files.syncDirectory("/")
        for name in ["/x/a", "/y/b"] { try files.open(name, .create).close() }
        try files.syncDirectory("/x")
        #expect(names() == [["/x/a"], ["/x/a", "/y/b"]])
    }

    @Test func `what lies in a lost folder is lost`() throws {
        try files.createDirectory("/x")
        try files.open("/x/a", .create).close()
        try files.syncDirectory("/x")
        #expect(names() == [[], ["/x/a"]])
    }

    @Test func `a rename in a folder is kept or lost as a whole`() throws {
        _ = try durableFile("/a", [1])
        _ = try durableFile("/b", [2])
        try files.rename("/a", to: "/b")
        let seen = Set(
            Self.seeds.map { seed in
                let image = files.crashed(keeping: seed)
                return ["/a", "/b"].map { try? image.bytes(of: $0) }
            })
        #expect(seen == [[[1], [2]], [nil, [1]]])
    }

    @Test func `a rename between folders is two changes`() throws {
        try files.createDirectory("/x")
        _ = try durableFile("/a", [1])
        try files.rename("/a", to: "/x/a")
        #expect(names() == [["/a"], ["/x/a"], ["/a", "/x/a"], []])
    }

    @Test func `a removed file may come back as it was`() throws {
        _ = try durableFile("/a", [1, 2])
        try files.remove("/a")
        #expect(outcomes(of: "/a") == [[1, 2], nil])
        let again = try files.open("/a", .create)
        try again.write([3], at: 0)
        try again.sync()
        #expect(outcomes(of: "/a") == [[1, 2], [3], nil])
        try files.syncDirectory("/")
        #expect(outcomes(of: "/a") == [[3]])
    }

    @Test func `equal seeds give equal disks, other seeds others`() throws {
        for name in ["/a", "/b", "/c", "/d"] {
            let file = try files.open(name, .create)
            try file.write([UInt8](repeating: 5, count: 5000), at: 0)
        }
        let seeds: [UInt64] = [1, 1, 2, 3, 4, 5, 6, 7, 8]
        let disks = seeds.map { seed in
            let image = files.crashed(keeping: seed)
            return image.filePaths.map { (try? image.bytes(of: $0)) ?? [] }
        }
        #expect(disks[0] == disks[1])
        #expect(Set(disks).count > 4)
    }

    @Test func `an image is unlocked, durable and goes its own way`() throws {
        let file = try durableFile("/a", [1])
        let lock = try files.lock("/LOCK")
        let image = files.crashedKeepingEverything()
        #expect(image.isAllDurable)
        #expect(image.openFileCount == 0 && image.lockCount == 0)
        let other = try image.lock("/LOCK")
        try image.open("/a", .readWrite).write([2], at: 0)
        try image.remove("/LOCK")
        try file.write([3], at: 0)
        #expect(try files.bytes(of: "/a") == [3])
        #expect(try image.bytes(of: "/a") == [2])
        #expect(files.filePaths == ["/LOCK", "/a"])
        withExtendedLifetime((lock, other)) {}
    }

    @Test func `a killed process leaves un-synced changes pending`() throws {
        let file = try durableFile("/a", [1])
        try file.write([2], at: 0)
        try files.open("/b", .create).close()
        let lock = try files.lock("/a")
        let killed = files.killed()
        #expect(killed.filePaths == ["/a", "/b"])
        #expect(try killed.bytes(of: "/a") == [2])
        #expect(errorNumber { _ = try killed.lock("/a") } == nil)
        #expect(killed.crashedKeepingNothing().filePaths == ["/a"])
        #expect(try killed.crashedKeepingNothing().bytes(of: "/a") == [1])
        try killed.open("/a", .readWrite).sync()
        try killed.syncDirectory("/")
        #expect(killed.isAllDurable)
        #expect(!files.isAllDurable)
        withExtendedLifetime(lock) {}
    }
}
