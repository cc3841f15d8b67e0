import OfflineBytes
import StorageSimulation
import Testing

@Suite struct CRC32CTests {
    /// RFC 3720, appendix B.4, and the usual check value.
    @Test(
        arguments: [
            ([], 0),
            (Array("123456789".utf8), 0xE306_9283),
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            ([UInt8](0..<32), 0x46DD_794E),
            ([UInt8]((0..<32).reversed()), 0x113F_DB5C),
            (
                [
                    0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 4, 0,
                    0, 0, 0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
                ], 0xD996_3A56
            ),
        ] as [([UInt8], UInt32)])
    func `known answers`(_ bytes: [UInt8], _ sum: UInt32) {
        #expect(CRC32C.checksum(bytes) == sum)
        #expect(CRC32C.portableChecksum(bytes) == sum)
    }

    @Test func `the instruction and the table agree, whatever the length, seed and alignment`() {
        for seed in SeededRandom.seeds(300) {
            var random = SeededRandom(seed: seed)
            let bytes = random.bytes(random.below(random.chance(1, in: 10) ? 9000 : 80))
            let start = UInt32(truncatingIfNeeded: random.next())
            let skipped = random.below(min(9, bytes.count + 1))
            let tail = Array(bytes.dropFirst(skipped))
            let inPlace = unsafe bytes.withUnsafeBytes {
                unsafe CRC32C.checksum(
                    UnsafeRawBufferPointer(rebasing: $0[skipped...]), seed: start)
            }
            #expect(inPlace == CRC32C.portableChecksum(tail, seed: start), "seed \(seed)")
        }
    }

    @Test func `a sum can be continued`() {
        for seed in SeededRandom.seeds(100) {
            var random = SeededRandom(seed: seed)
            let bytes = random.bytes(random.below(300))
            let cut = random.below(bytes.count + 1)
            let first = CRC32C.checksum(Array(bytes[..<cut]))
            let both = CRC32C.checksum(Array(bytes[cut...]), seed: first)
            #expect(both == CRC32C.checksum(bytes), "seed \(seed)")
        }
    }

    @Test func `every single flipped bit changes the sum`() {
        var random = SeededRandom(seed: 1)
        var bytes = random.bytes(100)
        let sum = CRC32C.checksum(bytes)
        for bit in 0..<800 {
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(CRC32C.checksum(bytes) != sum, "bit \(bit)")
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
    }
}
