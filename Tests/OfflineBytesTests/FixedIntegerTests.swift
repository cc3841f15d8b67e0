import OfflineBytes
import StorageSimulation
import Testing

@Suite struct FixedIntegerTests {
    @Test func `integers lie in the bytes as documented`() {
        var bytes: [UInt8] = []
        bytes.appendLittle(UInt32(0x0102_0304))
        bytes.appendBig(UInt32(0x0102_0304))
        bytes.appendLittle(Int16(-2))
        #expect(bytes == [4, 3, 2, 1, 1, 2, 3, 4, 0xFE, 0xFF])
        bytes.patchLittle(UInt16(0xAABB), at: 1)
        #expect(bytes == [4, 0xBB, 0xAA, 1, 1, 2, 3, 4, 0xFE, 0xFF])
        bytes.patchLittle(UInt64(0), at: 2)
        #expect(bytes == [4, 0xBB] + [UInt8](repeating: 0, count: 8))
    }

    @Test func `integers come back at any alignment`() {
        for seed in SeededRandom.seeds(100) {
            var random = SeededRandom(seed: seed)
            let word = random.next()
            let offset = random.below(16)
            var bytes = random.bytes(32)
            let before = bytes
            let little = unsafe bytes.withUnsafeMutableBytes { buffer -> UInt64? in
                guard let base = buffer.baseAddress else { return nil }
                unsafe base.storeLittle(word, at: offset)
                return unsafe base.little(offset, as: UInt64.self)
            }
            #expect(little == word, "seed \(seed)")
            let big = unsafe bytes.withUnsafeBytes { buffer -> UInt64? in
                guard let base = buffer.baseAddress else { return nil }
                #expect(unsafe base.little(offset, as: UInt64.self) == word)
                return unsafe base.big(offset, as: UInt64.self)
            }
            #expect(big == word.byteSwapped, "seed \(seed)")
            #expect(bytes[..<offset] == before[..<offset])
            #expect(bytes[(offset + 8)...] == before[(offset + 8)...])
        }
    }

    @Test(arguments: [-1, 1, 4, Int.max - 8])
    func `a patch outside the buffer ends the process`(_ offset: Int) async {
        await #expect(processExitsWith: .failure) { [offset] in
            var bytes: [UInt8] = [1, 2, 3, 4]
            bytes.patchLittle(UInt32(0), at: offset)
        }
    }
}
