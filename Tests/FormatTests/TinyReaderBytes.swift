// The tiny reader, part 1 of 11: FORMAT.md's "Numbers" and the checksum, over plain arrays of bytes.
//
// The tiny reader is a second implementation of the format, written from FORMAT.md alone, to show
// that the document is enough. It imports nothing of the store, is as plain as can be, reads
// everything into memory, and only reads. None of its sums can overflow: every number from a file
// is compared with the bytes that are there before it is used.

/// What the reader refuses, and where.
struct TinyDamage: Error, Equatable, CustomStringConvertible {
    var reason: String
    var file = ""
    var offset = 0

    init(_ reason: String, file: String = "", offset: Int = 0) {
        self.reason = reason
        self.file = file
        self.offset = offset
    }

    var description: String { "\(reason) in \(file) at \(offset)" }
}

/// CRC-32C, a byte at a time.
enum TinyChecksum {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0x82F6_3B78 }
    }

    static func sum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(0xFFFF_FFFF) { sum, byte in
            sum >> 8 ^ table[Int((sum ^ UInt32(byte)) & 0xFF)]
        }
    }
}

/// A place in a file: a location without its tag.
struct TinyPosition: Hashable, Comparable, CustomStringConvertible {
    var file: UInt32
    var offset: Int

    init(file: UInt32, offset: Int) {
        self.file = file
        self.offset = offset
    }

    /// From a location word.
    init(_ word: UInt64) {
        file = UInt32(word >> 32)
        offset = Int((word >> 1) & 0x7FFF_FFFF) * 8
    }

    static func < (a: TinyPosition, b: TinyPosition) -> Bool {
        (a.file, a.offset) < (b.file, b.offset)
    }

    var description: String { "\(file):\(offset)" }
}

/// Reads numbers one after another.
struct TinyCursor {
    let bytes: [UInt8]
    private(set) var offset: Int
    /// Where it must stop.
    let end: Int

    /// From `start` on, `count` bytes at most; all of them where `count` is nil.
    init(_ bytes: [UInt8], at start: Int = 0, count: Int? = nil) throws {
        guard start >= 0, start <= bytes.count, (count ?? 0) <= bytes.count - start else {
            throw TinyDamage("bytes are missing", offset: start)
        }
        self.bytes = bytes
        offset = start
        end = count.map { start + $0 } ?? bytes.count
    }

    var isAtEnd: Bool { offset == end }

    mutating func take(_ count: Int) throws -> [UInt8] {
        guard count >= 0, count <= end - offset else {
            throw TinyDamage("bytes are missing", offset: offset)
        }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    private mutating func little(_ count: Int) throws -> UInt64 {
        try take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func u8() throws -> UInt8 { UInt8(try little(1)) }
    mutating func u16() throws -> Int { Int(try little(2)) }
    mutating func u32() throws -> UInt32 { UInt32(try little(4)) }
    mutating func u64() throws -> UInt64 { try little(8) }

    mutating func varint() throws -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        for place in 0..<10 {
            let byte = try u8()
            guard place < 9 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7F) << UInt64(7 * place)
            if byte < 0x80 {
                guard byte > 0 || place == 0 else { break }
                return value
            }
        }
        throw TinyDamage("a varint is too long", offset: start)
    }

    /// A varint that counts things of at least one byte each, or bytes.
    mutating func count() throws -> Int {
        let start = offset
        let value = try varint()
        guard value <= UInt64(end - offset) else {
            throw TinyDamage("a count is over what is there", offset: start)
        }
        return Int(value)
    }

    /// A varint in a range.
    mutating func number(_ range: ClosedRange<UInt64>) throws -> UInt64 {
        let start = offset
        let value = try varint()
        guard range.contains(value) else {
            throw TinyDamage("a number is out of range", offset: start)
        }
        return value
    }

    mutating func blob() throws -> [UInt8] { try take(try count()) }

    mutating func text() throws -> String {
        let start = offset
        guard let text = String(validating: try blob(), as: UTF8.self) else {
            throw TinyDamage("a text is no UTF-8", offset: start)
        }
        return text
    }

    func expectEnd() throws {
        if !isAtEnd { throw TinyDamage("bytes are left over", offset: offset) }
    }
}
