// Every parser of bytes from disk takes any bytes: it answers or throws, and gives back what was written.
import OfflineBytes
import StorageSimulation
import Testing

@testable import OfflineEngine

struct ParserFuzzTests {
    static let rounds = TestEnvironment.integer("OFFLINE_FUZZ_ROUNDS", default: 3_000)

    private static let store = StoreID(high: 0x0102_0304_0506_0708, low: 0x1112_1314_1516_1718)

    private static let live = LiveBytes([
        LiveBytes.Share(collection: 1, bytes: 4_000), LiveBytes.Share(collection: 300, bytes: 7),
    ])

    private static var catalog: Catalog {
        var catalog = Catalog()
        catalog.applicationVersion = 9
        catalog.nextSequence = 1 << 40
        catalog.nextFileNumber = 77
        for id: UInt32 in [1, 300] {
            catalog.collections.append(
                Catalog.Collection(
                    id: id, definition: [1, 2, 3], names: ["a", "é", "long name"],
                    trees: [
                        Catalog.TreeEntry(
                            collection: id, index: 0, node: 1 << 32 | 129, count: 5, bytes: 70),
                        Catalog.TreeEntry(collection: id, index: 4),
                    ]))
        }
        catalog.files = [
            Catalog.File(number: FileNumber(1), kind: .tree, length: 4_096, live: live),
            Catalog.File(
                number: FileNumber(9), kind: .log, isStaged: true, length: 8, live: live,
                baseSequence: 44),
        ]
        return catalog
    }

    @Test func `a catalog reads back as it was written`() throws {
        let bytes = Self.catalog.encoded(withRoots: true)
        let read = try unsafe bytes.withBytes { bytes throws(ByteError) in
            try unsafe Catalog.decoded(bytes)
        }
        #expect(read == Self.catalog)
    }

    @Test func `headers, superblocks and operations read back as they were written`() throws {
        let position = LogPosition(file: FileNumber(3), offset: 640)
        let header = FileHeader(
            kind: .log, store: Self.store, number: FileNumber(8), previousEnd: position,
            previousChain: 77, capacity: 65_536)
        #expect(
            unsafe header.encoded().withBytes { unsafe FileHeader.read($0) } == .header(header))
        let block = Superblock(
            store: Self.store, generation: 12, catalog: position, replayPosition: position,
            replayChain: 5, isCleanClose: true, durableSequence: 99)
        let slot = block.encoded()
        #expect(
            unsafe slot.withBytes { unsafe Superblock.read($0, slot: 0) } == .superblock(block))
        var body: [UInt8] = []
        unsafe [1, 2, 3].withBytes { key in
            unsafe [9, 8, 7, 6].withBytes {
                unsafe LogOperation.append(.put, collection: 4, key: key, payload: $0, to: &body)
            }
        }
        unsafe body.withUnsafeMutableBytes {
            unsafe LogOperation.seal($0, firstSequence: 55, isRelative: false)
        }
        let read = try unsafe body.withBytes { bytes throws(LogOperationError) in
            try unsafe LogOperation.read(bytes)
        }
        #expect(read.kind == .put && read.collection == 4 && read.sequence == 55)
        #expect(Array(body[read.keyRange]) == [1, 2, 3])
        #expect(Array(body[read.payloadRange]) == [9, 8, 7, 6])
    }

    @Test func `no bytes make a parser trap, and no changed byte passes a checksum`() throws {
        var random = SeededRandom(seed: 5)
        let catalog = Self.catalog.encoded(withRoots: true)
        let header = FileHeader(kind: .tree, store: Self.store, number: FileNumber(8)).encoded()
        let block = Superblock(
            store: Self.store, generation: 13,
            catalog: LogPosition(file: FileNumber(3), offset: 640),
            replayPosition: LogPosition(file: FileNumber(0), offset: 0), replayChain: 5,
            isCleanClose: false, durableSequence: 99
        ).encoded()
        for _ in 0..<Self.rounds {
            Self.parseAll(random.bytes(random.below(200)))
            var changed = catalog
            changed[random.below(changed.count)] = UInt8(truncatingIfNeeded: random.next())
            Self.parseAll(changed)
            let bit = random.below(60 * 8)
            var broken = header
            broken[bit / 8] ^= 1 << UInt8(bit % 8)
            if case .header = unsafe broken.withBytes({ unsafe FileHeader.read($0) }) {
                Issue.record("a header with bit \(bit) flipped was accepted")
            }
            let other = random.below(4_092 * 8)
            var slot = block
            slot[other / 8] ^= 1 << UInt8(other % 8)
            if case .superblock = unsafe slot.withBytes({ unsafe Superblock.read($0, slot: 1) }) {
                Issue.record("a superblock with bit \(other) flipped was accepted")
            }
        }
    }

    private static func parseAll(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { buffer in
            _ = try? unsafe Catalog.decoded(buffer)
            _ = try? unsafe LogOperation.read(buffer)
            _ = try? unsafe LogOperation.read(buffer, checksSums: false)
            _ = try? unsafe LogOperation.decodeNames(buffer)
            _ = try? unsafe DeflatedRecord(buffer)
            _ = try? unsafe Adoption.decoded(buffer)
            _ = unsafe FileHeader.read(buffer)
            _ = unsafe Superblock.read(buffer, slot: 0)
            _ = unsafe FrameHeader.read(
                buffer, at: LogPosition(file: FileNumber(1), offset: 64), storeTag: 7)
        }
    }
}
