// The bytes of a state file: they come back as they went in, and no others are taken for a state or
// do any harm.
import OfflineBytes
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite struct StateFileTests {
    private static func state(_ random: inout SeededRandom) -> MapState {
        var state = MapState()
        state.version = UInt64(random.below(3))
        state.nextSequence = 1 + UInt64(random.below(1_000))
        for _ in 0..<random.below(4) {
            let id = CollectionID(1 + UInt32(random.below(9)))
            var collection = MapState.Collection(
                definition: random.bytes(random.below(30)),
                names: (0..<random.below(4)).map { "name \($0) ä" })
            for _ in 0..<random.below(12) where state.nextSequence > 1 {
                var value = MapRecord.encoded(random.bytes(random.below(40)))
                MapRecord.setSequence(
                    1 + UInt64(random.below(Int(state.nextSequence) - 1)), in: &value)
                collection.records.insert(random.bytes(random.below(20)), value)
            }
            for _ in 0..<random.below(3) {
                var entries = PersistentMap()
                for _ in 0..<random.below(9) { entries.insert(random.bytes(random.below(9))) }
                collection.entries[1 + UInt32(random.below(5))] = entries
            }
            state.collections[id] = collection
        }
        return state
    }

    /// Gives changed bytes the checksums that they would have.
    private static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= StateFile.headerSize else { return bytes }
        var bytes = bytes
        bytes.patchLittle(UInt64(bytes.count - StateFile.headerSize), at: 24)
        bytes.patchLittle(CRC32C.checksum(Array(bytes[StateFile.headerSize...])), at: 32)
        bytes.patchLittle(CRC32C.checksum(Array(bytes[..<36])), at: 36)
        return bytes
    }

    @Test(arguments: SeededRandom.seeds(40))
    func `a state comes back as it went in`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let state = Self.state(&random)
        let bytes = StateFile(state, generation: 7).encoded()
        let read = try StateFile(bytes, of: "STATE")
        #expect(read.generation == 7)
        #expect(read.encoded() == bytes)
        #expect(read.state.verify().problems == [])
        #expect(read.state.stored().map(\.names) == state.stored().map(\.names))
        #expect(
            read.state.collections.mapValues(\.records.count)
                == state.collections.mapValues(\.records.count))
    }

    @Test func `one flipped bit anywhere is found, and so is every cut`() throws {
        var random = SeededRandom(seed: 3)
        let bytes = StateFile(Self.state(&random), generation: 2).encoded()
        #expect(bytes.count > 100)
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            let error = #expect(throws: EngineError.self, "bit \(bit)") {
                try StateFile(damaged, of: "STATE")
            }
            #expect(error?.code == .corrupted && error?.file == "STATE", "bit \(bit)")
            #expect(error?.offset != nil, "bit \(bit)")
        }
        for count in 0..<bytes.count {
            let error = #expect(throws: EngineError.self, "cut to \(count)") {
                try StateFile(Array(bytes.prefix(count)), of: "STATE")
            }
            #expect(error?.code == .corrupted, "cut to \(count)")
        }
    }

    @Test(arguments: SeededRandom.seeds(400))
    func `hostile bytes with right checksums are refused with an offset, or are a sound state`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        var bytes = StateFile(Self.state(&random), generation: 2).encoded()
        for _ in 0...random.below(6) {
            guard bytes.count > StateFile.headerSize else { break }
            let place =
                StateFile.headerSize + random.below(bytes.count - StateFile.headerSize)
            switch random.below(4) {
            case 0: bytes[place] = UInt8(random.below(256))
            case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(4)))
            default: bytes.insert(contentsOf: random.bytes(1 + random.below(9)), at: place)
            }
        }
        do throws(EngineError) {
            let read = try StateFile(Self.sealed(bytes), of: "STATE")
            #expect(read.state.verify().problems == [], "seed \(seed)")
            #expect(try StateFile(read.encoded(), of: "STATE").encoded() == read.encoded())
        } catch {
            #expect(error.code == .corrupted, "seed \(seed)")
            #expect(error.offset.map { $0 >= 40 && $0 <= UInt64(bytes.count) } == true, "\(error)")
        }
    }

    @Test func `a newer version and an unknown flag are unsupported, not damage`() throws {
        let bytes = StateFile(MapState(), generation: 1).encoded()
        for offset in [8, 12, 15] {
            var newer = bytes
            newer[offset] = 2
            let error = #expect(throws: EngineError.self) {
                try StateFile(Self.sealed(newer), of: "STATE")
            }
            #expect(error?.code == .unsupportedFormat, "offset \(offset)")
        }
    }

    @Test func `a file that is too large is refused unread`() async throws {
        let files = SimulatedFileSystem()
        var bytes = StateFile(MapState(), generation: 1).encoded()
        bytes += [UInt8](repeating: 0, count: StateFiles.sizeMax)
        try files.createDirectory("/s.offline")
        try files.setBytes(of: "/s.offline/STATE", Self.sealed(bytes))
        let error = await expectEngineError(.corrupted) {
            _ = try await PlainStore.open(FileBackend(system: files), at: "/s.offline")
        }
        #expect(error?.file == "STATE" && error?.offset == 5_000_000)
        bytes[8] = 2
        try files.setBytes(of: "/s.offline/STATE", Self.sealed(bytes))
        await expectEngineError(.unsupportedFormat) {
            _ = try await PlainStore.open(FileBackend(system: files), at: "/s.offline")
        }
        #expect(files.lockCount == 0 && files.openFileCount == 0)
    }
}
