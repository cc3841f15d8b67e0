import OfflineBytes
import StorageSimulation
import Testing

/// Runs `body` with a reader of these bytes.
@discardableResult
private func reading<Result>(
    _ bytes: [UInt8], _ body: (inout ByteReader) throws -> Result
) throws -> Result {
    try unsafe bytes.withUnsafeBytes { buffer in
        var reader = unsafe ByteReader(buffer)
        return try unsafe body(&reader)
    }
}

@Suite struct ByteReaderTests {
    @Test func `fields are read one after another`() throws {
        var bytes: [UInt8] = [7]
        bytes.appendLittle(UInt32(0xDEAD_BEEF))
        bytes.appendVarint(300)
        bytes.appendLengthPrefixed([1, 2, 3])
        bytes += [8, 9, 10, 11]
        try unsafe reading(bytes) { reader in
            #expect(try unsafe reader.byte() == 7)
            #expect(try unsafe reader.little(UInt32.self) == 0xDEAD_BEEF)
            #expect(try unsafe reader.varint() == 300)
            #expect(try unsafe reader.lengthPrefixedArray() == [1, 2, 3])
            #expect(unsafe reader.remaining == 4)
            #expect(try unsafe [UInt8](reader.view(1)) == [8])
            try unsafe reader.skip(1)
            #expect(try unsafe reader.array(2) == [10, 11])
            #expect(unsafe reader.isAtEnd)
            try unsafe reader.expectEnd()
        }
    }

    @Test(arguments: [-1, 4, Int.max, Int.min])
    func `nothing is read beyond the end`(_ count: Int) throws {
        try unsafe reading([1, 2, 3, 4]) { reader in
            try unsafe reader.skip(1)
            #expect(throws: ByteError.self) { _ = try unsafe reader.view(count) }
            #expect(throws: ByteError.self) { _ = try unsafe reader.array(count) }
            #expect(throws: ByteError.self) { try unsafe reader.skip(count) }
            #expect(throws: ByteError("truncated integer: 4 bytes wanted", at: 1)) {
                _ = try unsafe reader.little(UInt32.self)
            }
            // A failed read moves nothing.
            #expect(unsafe reader.offset == 1)
            #expect(try unsafe reader.array(3) == [2, 3, 4])
            #expect(throws: ByteError.self) { _ = try unsafe reader.byte() }
        }
    }

    @Test func `a count above its limit is refused before anything is made of it`() throws {
        var bytes: [UInt8] = []
        bytes.appendVarint(.max)
        try unsafe reading(bytes) { reader in
            #expect(throws: ByteError("count 18446744073709551615 is over 10", at: 0)) {
                _ = try unsafe reader.count(atMost: 10)
            }
        }
        try unsafe reading(bytes) { reader in
            #expect(throws: ByteError.self) { _ = try unsafe reader.count(atMost: .max) }
        }
        try unsafe reading(bytes) { reader in
            #expect(throws: ByteError.self) { _ = try unsafe reader.lengthPrefixedArray() }
        }
        #expect(try unsafe reading([10]) { try unsafe $0.count(atMost: 10) } == 10)
        #expect(throws: ByteError.self) {
            try unsafe reading([1]) { try unsafe $0.count(atMost: -1) }
        }
        #expect(throws: ByteError.self) {
            try unsafe reading([11]) { try unsafe $0.count(atMost: 10) }
        }
    }

    @Test func `no bytes are read from nothing`() throws {
        try unsafe reading([]) { reader throws in
            #expect(unsafe reader.isAtEnd)
            #expect(try unsafe reader.array(0) == [])
            #expect(throws: ByteError.self) { _ = try unsafe reader.byte() }
            #expect(throws: ByteError.self) { _ = try unsafe reader.varint() }
        }
    }

    @Test func `an error tells what and where`() {
        #expect(ByteError("no magic", at: 12).description == "no magic at byte 12")
    }

    /// Whatever the bytes and the order of reads, a read gives what is there or throws, and stays in bounds.
    @Test func `random reads of random bytes end in values or errors`() throws {
        for seed in SeededRandom.seeds(500) {
            var random = SeededRandom(seed: seed)
            let bytes = random.bytes(random.below(60))
            try unsafe reading(bytes) { reader in
                for _ in 0..<20 {
                    let before = unsafe reader.offset
                    let count = random.below(12) - 1
                    let kind = random.below(6)
                    do {
                        switch kind {
                        case 0: _ = try unsafe reader.byte()
                        case 1: _ = try unsafe reader.little(UInt64.self)
                        case 2: _ = try unsafe reader.varint()
                        case 3: _ = try unsafe reader.lengthPrefixedArray()
                        case 4: #expect(try unsafe reader.array(count).count == count)
                        default: _ = try unsafe reader.count(atMost: 5)
                        }
                    } catch let error as ByteError {
                        #expect(error.offset >= before && error.offset <= bytes.count)
                    }
                    #expect(unsafe reader.offset >= before, "seed \(seed)")
                    #expect(unsafe reader.offset <= bytes.count, "seed \(seed)")
                }
            }
        }
    }
}
