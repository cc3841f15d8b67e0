// What every file does with bytes: one list of behaviours over all implementations.
import OfflineEngine
import StorageSimulation
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct FileTests {
    @Test(arguments: FileSystemKind.allCases)
    func `what was written is read, up to the end`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let file = try fixture.create("a")
        try file.write([1, 2, 3, 4], at: 0)
        try file.write([9, 9], at: 1)
        #expect(try file.size() == 4)
        #expect(try file.read(4, at: 0) == [1, 9, 9, 4])
        #expect(try file.read(100, at: 2) == [9, 4])
        #expect(try file.read(1, at: 4) == [])
        #expect(try file.read(1, at: 1 << 40) == [])
        #expect(try file.read(1, at: .max) == [])
        #expect(try file.read(0, at: 0) == [])
        try file.write([UInt8](), at: 50)
        #expect(try file.size() == 4)
    }

    @Test(arguments: FileSystemKind.allCases)
    func `a gap reads as zeros`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let file = try fixture.create("a", [1])
        try file.write([2], at: 5000)
        #expect(try file.size() == 5001)
        #expect(try file.read(6000, at: 0) == [1] + [UInt8](repeating: 0, count: 4999) + [2])
    }

    @Test(arguments: FileSystemKind.allCases)
    func `truncation cuts, and grows with zeros`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let file = try fixture.create("a", [1, 2, 3, 4])
        try file.truncate(to: 2)
        #expect(try fixture.read("a") == [1, 2])
        try file.truncate(to: 4)
        #expect(try fixture.read("a") == [1, 2, 0, 0])
        try file.truncate(to: 0)
        #expect(try fixture.read("a") == [])
    }

    @Test(arguments: FileSystemKind.allCases)
    func `a map follows later writes at one address`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let file = try fixture.create("a", [1, 2, 3, 4])
        let map = try file.map(length: 3)
        let reader = try fixture.files.open(fixture.path("a"), .read)
        let other = try reader.map(length: 4)
        let address = unsafe map.bytes.baseAddress
        try file.write([8, 9], at: 2)
        try file.write([7], at: 100_000)
        #expect(map.copy == [1, 2, 8])
        #expect(other.copy == [1, 2, 8, 9])
        #expect(unsafe map.bytes.baseAddress == address)
        file.close()
        reader.close()
        #expect(other.copy == [1, 2, 8, 9])
    }

    @Test(arguments: FileSystemKind.allCases)
    func `a map is never longer than the file`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let file = try fixture.create("a", [1, 2])
        #expect(errorNumber { _ = try file.map(length: 3) } == EINVAL)
        #expect(errorNumber { _ = try file.map(length: .max) } == EINVAL)
        #expect(errorNumber { _ = try file.map(length: -1) } == EINVAL)
        #expect(try file.map(length: 0).copy == [])
        #expect(try file.map(length: 1).copy == [1])
    }

    @Test(arguments: FileSystemKind.allCases)
    func `a file opened to read refuses writes`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        try fixture.create("a", [1, 2])
        let file = try fixture.files.open(fixture.path("a"), .read)
        #expect(errorNumber { try file.write([9], at: 0) } == EBADF)
        #expect(errorNumber { try file.truncate(to: 0) } == EBADF)
        #expect(try file.read(9, at: 0) == [1, 2])
        #expect(try file.map(length: 2).copy == [1, 2])
        try file.sync()
    }

    @Test(arguments: FileSystemKind.allCases)
    func `a closed file answers EBADF to everything`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let file = try fixture.create("a", [1])
        file.close()
        file.close()
        #expect(errorNumber { _ = try file.size() } == EBADF)
        #expect(errorNumber { _ = try file.read(1, at: 0) } == EBADF)
        #expect(errorNumber { try file.write([1], at: 0) } == EBADF)
        #expect(errorNumber { try file.sync() } == EBADF)
        #expect(errorNumber { try file.truncate(to: 0) } == EBADF)
        #expect(errorNumber { _ = try file.map(length: 0) } == EBADF)
    }

    @Test(arguments: FileSystemKind.allCases)
    func `an offset beyond all files is EFBIG`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let file = try fixture.create("a", [1])
        #expect(errorNumber { try file.write([1], at: .max) } == EFBIG)
        #expect(errorNumber { try file.write([1], at: UInt64(Int64.max)) } == EFBIG)
        #expect(errorNumber { try file.truncate(to: .max) } == EFBIG)
        #expect(try fixture.read("a") == [1])
    }

    @Test(arguments: FileSystemKind.allCases)
    func `an error names the call, the path and the reason`(_ kind: FileSystemKind) throws {
        let fixture = try FileSystemFixture(kind)
        let path = fixture.path("a")
        #expect(throws: FileSystemError(.open, path, ENOENT)) {
            try fixture.files.open(path, .readWrite)
        }
        let file = try fixture.create("a")
        #expect(throws: FileSystemError(.create, path, EEXIST)) {
            try fixture.files.open(path, .create)
        }
        file.close()
        #expect(throws: FileSystemError(.sync, path, EBADF)) { try file.sync() }
        #expect(FileSystemError(.sync, "/x/y", EIO).description.hasPrefix("sync /x/y: "))
    }

    /// The same random operations on a real file and on an array.
    @Test(arguments: FileSystemKind.allCases)
    func `random writes, cuts and reads agree with an array`(_ kind: FileSystemKind) throws {
        for seed in SeededRandom.seeds(5) {
            var random = SeededRandom(seed: seed)
            let fixture = try FileSystemFixture(kind)
            let file = try fixture.create("a")
            var model: [UInt8] = []
            var maps: [(map: any FileMap, length: Int)] = []
            for _ in 0..<60 {
                let offset = random.below(3000)
                switch random.below(6) {
                case 0:
                    let size = random.below(4000)
                    // A real map must not be touched where its file was cut off.
                    maps.removeAll { $0.length > size }
                    try file.truncate(to: UInt64(size))
                    model = Array(model.prefix(size))
                    model += [UInt8](repeating: 0, count: size - model.count)
                case 1:
                    let length = random.below(model.count + 1)
                    maps.append((try file.map(length: length), length))
                case 2: try file.sync()
                default:
                    let bytes = random.bytes(random.below(1200))
                    try file.write(bytes, at: UInt64(offset))
                    if bytes.isEmpty { continue }
                    model += [UInt8](
                        repeating: 0, count: max(0, offset + bytes.count - model.count))
                    model.replaceSubrange(offset..<offset + bytes.count, with: bytes)
                }
                let count = random.below(1500)
                let expected = Array(model.dropFirst(offset).prefix(count))
                #expect(try file.read(count, at: UInt64(offset)) == expected, "seed \(seed)")
                #expect(try file.size() == UInt64(model.count), "seed \(seed)")
                for (map, length) in maps {
                    #expect(map.copy == Array(model.prefix(length)), "seed \(seed)")
                }
            }
        }
    }
}
