// Planned failures, full disks, hooks and the books that the simulated file system keeps.
import OfflineBytes
import OfflineEngine
import StorageSimulation
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct FaultTests {
    private let files = SimulatedFileSystem()

    private func newFile(_ path: String, _ bytes: [UInt8] = []) throws -> any File {
        let file = try files.open(path, .create)
        try file.write(bytes, at: 0)
        try file.sync()
        try files.syncDirectory("/")
        return file
    }

    @Test func `the n-th call of a kind fails, once or from then on`() throws {
        let file = try newFile("/a")
        files.inject(Fault([.write], first: 2, error: EIO))
        #expect(errorNumber { try file.write([1], at: 0) } == nil)
        #expect(errorNumber { try file.write([2], at: 0) } == EIO)
        #expect(errorNumber { try file.write([3], at: 1) } == nil)
        #expect(try files.bytes(of: "/a") == [1, 3])
        files.inject(Fault([.write], first: 2, isSticky: true, error: ENOSPC))
        #expect(errorNumber { try file.write([4], at: 0) } == nil)
        #expect(errorNumber { try file.write([5], at: 0) } == ENOSPC)
        #expect(errorNumber { try file.sync() } == nil)
        #expect(errorNumber { try file.write([6], at: 0) } == ENOSPC)
        #expect(files.firedFaultCount == 3)
        files.removeFaults()
        #expect(errorNumber { try file.write([7], at: 0) } == nil)
    }

    @Test func `each kind of call can be made to fail`() throws {
        let file = try newFile("/a", [1])
        let calls: [(FileSystemError.Operation, () throws -> Void)] = [
            (.open, { _ = try files.open("/a", .read) }),
            (.create, { _ = try files.open("/b", .create) }),
            (.read, { _ = try file.read(1, at: 0) }), (.write, { try file.write([2], at: 0) }),
            (.sync, { try file.sync() }), (.truncate, { try file.truncate(to: 0) }),
            (.map, { _ = try file.map(length: 1) }), (.remove, { try files.remove("/a") }),
            (.rename, { try files.rename("/a", to: "/b") }), (.list, { _ = try files.list("/") }),
            (.createDirectory, { try files.createDirectory("/d") }),
            (.syncDirectory, { try files.syncDirectory("/") }),
            (.lock, { _ = try files.lock("/LOCK") }),
            (.information, { _ = try files.information("/a") }),
            (.space, { _ = try files.availableBytes("/") }),
        ]
        for (operation, call) in calls {
            for effect in [Fault.Effect.nothing, .prefix(0), .dropsPending] {
                files.inject(Fault([operation], error: EINTR, effect: effect))
                #expect(errorNumber(call) == EINTR, "\(operation), \(effect)")
            }
        }
        // None of them did anything.
        #expect(files.filePaths == ["/a"])
        #expect(try files.bytes(of: "/a") == [1])
        #expect(files.openFileCount == 1 && files.mapCount == 0 && files.lockCount == 0)
    }

    @Test func `a call may take effect and fail all the same`() throws {
        let file = try newFile("/a", [1])
        files.inject(Fault(isSticky: true, error: EIO, effect: .takesEffect))
        #expect(errorNumber { try file.write([2], at: 0) } == EIO)
        #expect(errorNumber { try file.sync() } == EIO)
        #expect(errorNumber { try files.rename("/a", to: "/b") } == EIO)
        #expect(errorNumber { _ = try files.open("/c", .create) } == EIO)
        #expect(errorNumber { _ = try files.lock("/d") } == EIO)
        #expect(errorNumber { _ = try file.map(length: 1) } == EIO)
        #expect(errorNumber { try files.syncDirectory("/") } == EIO)
        files.removeFaults()
        #expect(files.filePaths == ["/b", "/c", "/d"])
        #expect(try files.crashedKeepingNothing().bytes(of: "/b") == [2])
        // The handles that nobody got are gone.
        #expect(files.openFileCount == 1 && files.mapCount == 0 && files.lockCount == 0)
    }

    @Test func `a fault can be bound to a file`() throws {
        let log = try newFile("/1.log")
        let tree = try newFile("/1.tree")
        files.inject(Fault([.sync], path: ".log", isSticky: true, error: EIO))
        #expect(errorNumber { try tree.sync() } == nil)
        #expect(errorNumber { try log.sync() } == EIO)
        files.removeFaults()
        files.inject(Fault(.mutating, isSticky: true, error: EROFS))
        #expect(errorNumber { try log.write([1], at: 0) } == EROFS)
        #expect(errorNumber { try files.remove("/1.log") } == EROFS)
        #expect(try log.read(1, at: 0) == [])
    }

    @Test func `a failed write may leave its first bytes`() throws {
        let file = try newFile("/a", [1, 1, 1, 1])
        files.inject(Fault([.write], error: EIO, effect: .prefix(2)))
        #expect(errorNumber { try file.write([2, 2, 2, 2], at: 0) } == EIO)
        #expect(try file.read(9, at: 0) == [2, 2, 1, 1])
        files.inject(Fault([.write], error: EIO, effect: .prefix(99)))
        #expect(errorNumber { try file.write([3], at: 4) } == EIO)
        #expect(try file.read(9, at: 0) == [2, 2, 1, 1, 3])
    }

    @Test func `a failed sync keeps its changes for the next`() throws {
        let file = try newFile("/a", [1])
        try file.write([2], at: 0)
        files.inject(Fault([.sync], error: EIO))
        #expect(errorNumber { try file.sync() } == EIO)
        #expect(try files.crashedKeepingNothing().bytes(of: "/a") == [1])
        try file.sync()
        #expect(try files.crashedKeepingNothing().bytes(of: "/a") == [2])
    }

    @Test func `a sync that drops its changes makes the next a lie`() throws {
        let file = try newFile("/a", [UInt8](repeating: 0, count: 40))
        var outcomes: Set<Bool> = []
        for round in 1...40 as ClosedRange<UInt8> {
            try file.write([round], at: UInt64(round - 1))
            files.inject(Fault([.sync], error: EIO, effect: .dropsPending))
            #expect(errorNumber { try file.sync() } == EIO)
            try file.sync()
            #expect(try file.read(1, at: UInt64(round - 1)) == [round])
            let left = try files.crashedKeepingEverything().bytes(of: "/a")
            outcomes.insert(left[Int(round) - 1] == round)
        }
        #expect(outcomes == [true, false])
    }

    @Test(arguments: [ENOSPC, EDQUOT])
    func `a full disk takes what fits`(_ number: Int32) throws {
        let file = try newFile("/a", [1, 2, 3])
        try newFile("/b", [1]).close()
        files.setCapacity(6, error: number)
        #expect(try files.availableBytes("/") == 2)
        #expect(errorNumber { try file.write([9, 9, 9, 9, 9], at: 2) } == number)
        #expect(try file.read(9, at: 0) == [1, 2, 9, 9, 9])
        #expect(errorNumber { try file.write([7, 7, 7, 7, 7], at: 0) } == nil)
        #expect(errorNumber { try file.truncate(to: 6) } == number)
        #expect(errorNumber { _ = try files.open("/c", .create) } == nil)
        try files.remove("/b")
        #expect(try files.availableBytes("/") == 1)
        try file.write([8], at: 5)
        #expect(files.usedBytes == 6)
        try file.truncate(to: 1)
        #expect(files.usedBytes == 1)
    }

    @Test func `a removed file takes room until its last handle and map are gone`() throws {
        var file: (any File)? = try newFile("/a", [1, 2, 3])
        var map = try file?.map(length: 3)
        try files.remove("/a")
        #expect(files.usedBytes == 3)
        file = nil
        #expect(files.usedBytes == 3)
        #expect(map?.copy == [1, 2, 3])
        map = nil
        #expect(files.usedBytes == 0)
        #expect(files.openFileCount == 0 && files.mapCount == 0)
    }

    @Test func `bad sectors fail the reads that touch them`() throws {
        let file = try newFile("/a", [UInt8](repeating: 1, count: 2000))
        try files.failReads(of: "/a", in: 512..<1024)
        #expect(try file.read(512, at: 0).count == 512)
        #expect(errorNumber { _ = try file.read(513, at: 0) } == EIO)
        #expect(errorNumber { _ = try file.read(1, at: 1023) } == EIO)
        #expect(try file.read(9000, at: 1024).count == 976)
        let image = files.crashedKeepingEverything()
        #expect(errorNumber { _ = try image.open("/a", .read).read(1, at: 600) } == EIO)
    }

    @Test func `the hook comes before each mutating call`() throws {
        let seen = Protected<[(Int, Int)]>([])
        files.onMutation { index, files in
            seen.withLock { $0.append((index, files.filePaths.count)) }
        }
        let file = try files.open("/a", .create)
        _ = try file.read(1, at: 0)
        _ = try files.list("/")
        try files.open("/b", .create).close()
        #expect(seen.withLock { $0.map(\.0) } == [1, 2])
        #expect(seen.withLock { $0.map(\.1) } == [0, 1])
        files.onMutation(every: 3) { index, _ in seen.withLock { $0.append((index, 0)) } }
        for _ in 0..<5 { try file.sync() }
        #expect(seen.withLock { $0.map(\.0) } == [1, 2, 3, 6])
        files.onMutation(nil)
        try file.sync()
        #expect(seen.withLock { $0.count } == 4)
        #expect(files.mutationCount == 8)
        #expect(files.callCount == 10)
        #expect(files.count(.sync) == 6)
    }

    @Test func `the trace tells what was called and how it ended`() throws {
        let file = try newFile("/a")
        files.inject(Fault([.write], error: ENOSPC))
        #expect(errorNumber { try file.write([1, 2], at: 7) } == ENOSPC)
        try files.rename("/a", to: "/b")
        let lines = files.trace.last(2).split(separator: "\n").map(String.init)
        #expect(lines == ["5 write /a @7 +2: No space left on device", "6 rename /a to /b"])
        for _ in 0..<3000 { _ = try? file.size() }
        #expect(files.trace.calls.count <= 1024)
        #expect(files.trace.calls.last?.index == 3006)
    }
}
