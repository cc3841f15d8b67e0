import OfflineBytes
import StorageSimulation
import Testing

/// Reads one varint, which must be all of `bytes`.
private func decode(_ bytes: [UInt8]) throws -> UInt64 {
    try unsafe bytes.withUnsafeBytes { buffer in
        var reader = unsafe ByteReader(buffer)
        let value = try unsafe reader.varint()
        try unsafe reader.expectEnd()
        return value
    }
}

@Suite struct VarintTests {
    @Test(
        arguments: [
            (0, [0]), (1, [1]), (0x7F, [0x7F]), (0x80, [0x80, 1]), (0x3FFF, [0xFF, 0x7F]),
            (0x4000, [0x80, 0x80, 1]), (1 << 63, [UInt8](repeating: 0x80, count: 9) + [1]),
            (.max, [UInt8](repeating: 0xFF, count: 9) + [1]),
        ] as [(UInt64, [UInt8])])
    func `known encodings`(_ value: UInt64, _ expected: [UInt8]) throws {
        var bytes: [UInt8] = []
        bytes.appendVarint(value)
        #expect(bytes == expected)
        #expect(try decode(bytes) == value)
    }

    @Test(
        arguments: [
            ([], 0, "truncated byte: 1 bytes wanted"),
            ([0x80], 1, "truncated byte: 1 bytes wanted"),
            ([0x80, 0], 0, "varint not in its shortest form"),
            ([0xFF, 0x80, 0], 0, "varint not in its shortest form"),
            ([UInt8](repeating: 0xFF, count: 9) + [2], 0, "varint over 64 bits"),
            ([UInt8](repeating: 0xFF, count: 10), 0, "varint over 64 bits"),
            ([UInt8](repeating: 0x80, count: 10) + [1], 0, "varint over 64 bits"),
            ([UInt8](repeating: 0x80, count: 9) + [0], 0, "varint not in its shortest form"),
            ([1, 1], 1, "1 unexpected bytes"),
        ] as [([UInt8], Int, String)])
    func `what isn't the shortest form is refused`(_ bytes: [UInt8], _ at: Int, _ words: String) {
        #expect(throws: ByteError(words, at: at)) { try decode(bytes) }
    }

    @Test func `every value comes back, at every length`() throws {
        for seed in SeededRandom.seeds(500) {
            var random = SeededRandom(seed: seed)
            let value = random.next() >> UInt64(random.below(64))
            var bytes: [UInt8] = []
            bytes.appendVarint(value)
            #expect(bytes.count == max(1, (70 - value.leadingZeroBitCount) / 7), "seed \(seed)")
            #expect(try decode(bytes) == value, "seed \(seed)")
        }
    }

    @Test func `what any bytes decode to encodes to the same bytes`() {
        for seed in SeededRandom.seeds(2000) {
            var random = SeededRandom(seed: seed)
            var bytes = random.bytes(1 + random.below(11))
            // Mostly continued, so that long forms come up.
            for index in bytes.indices.dropLast() where random.chance(9, in: 10) {
                bytes[index] |= 0x80
            }
            guard let value = try? decode(bytes) else { continue }
            var again: [UInt8] = []
            again.appendVarint(value)
            #expect(again == bytes, "seed \(seed)")
        }
    }

    @Test(
        arguments: [
            (0, 0), (-1, 1), (1, 2), (-2, 3), (.max, .max - 1), (.min, .max),
        ] as [(Int64, UInt64)])
    func `signed integers alternate`(_ value: Int64, _ mapped: UInt64) throws {
        var bytes: [UInt8] = []
        bytes.appendZigzag(value)
        #expect(try decode(bytes) == mapped)
        #expect(mapped.zigzagDecoded == value)
    }
}
