// A cursor over bytes that nobody has checked yet. Every read is bounds-checked and throws with its offset; no read
// allocates more than the bytes that are there.

/// What was wrong with some bytes, and where.
package struct ByteError: Error, Equatable, CustomStringConvertible {
    /// Offset from the start of the bytes that were being read.
    package var offset: Int
    /// What was expected.
    package var message: String

    package init(_ message: String, at offset: Int) {
        self.message = message
        self.offset = offset
    }

    package var description: String { "\(message) at byte \(offset)" }
}

/// A bounds-checked cursor. It doesn't own the bytes: the caller keeps them alive while it is used.
@unsafe
package struct ByteReader {
    package let bytes: UnsafeRawBufferPointer
    /// The offset of the next byte to be read.
    package private(set) var offset = 0

    package init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

    package var remaining: Int { unsafe bytes.count - offset }
    package var isAtEnd: Bool { unsafe remaining == 0 }

    private mutating func advance(_ count: Int, _ what: String) throws(ByteError) -> Int {
        guard count >= 0, unsafe count <= remaining else {
            throw ByteError("truncated \(what): \(count) bytes wanted", at: unsafe offset)
        }
        let start = unsafe offset
        unsafe offset += count
        return start
    }

    package mutating func byte() throws(ByteError) -> UInt8 {
        let at = try unsafe advance(1, "byte")
        return unsafe bytes[at]
    }

    /// A little-endian integer.
    package mutating func little<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type = T.self
    ) throws(ByteError) -> T {
        let at = try unsafe advance(MemoryLayout<T>.size, "integer")
        return unsafe T(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: T.self))
    }

    /// An unsigned varint in its shortest form.
    package mutating func varint() throws(ByteError) -> UInt64 {
        let start = unsafe offset
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try unsafe byte()
            if shift == 63, next > 1 { throw ByteError("varint over 64 bits", at: start) }
            result |= UInt64(next & 0x7F) << shift
            if next & 0x80 == 0 {
                if next == 0, shift > 0 {
                    throw ByteError("varint not in its shortest form", at: start)
                }
                return result
            }
            shift += 7
        }
    }

    /// A varint that must fit an `Int` and be at most `limit`.
    package mutating func count(atMost limit: Int) throws(ByteError) -> Int {
        let start = unsafe offset
        let value = try unsafe varint()
        guard value <= UInt64(max(0, limit)) else {
            throw ByteError("count \(value) is over \(limit)", at: start)
        }
        return Int(value)
    }

    /// The next `count` bytes, as a view that is valid as long as the underlying bytes are.
    package mutating func view(_ count: Int) throws(ByteError) -> UnsafeRawBufferPointer {
        let at = try unsafe advance(count, "bytes")
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[at..<at + count])
    }

    /// The next `count` bytes, copied.
    package mutating func array(_ count: Int) throws(ByteError) -> [UInt8] {
        try unsafe [UInt8](view(count))
    }

    /// Bytes behind a varint that says how many.
    package mutating func lengthPrefixedArray() throws(ByteError) -> [UInt8] {
        let count = try unsafe count(atMost: remaining)
        return try unsafe array(count)
    }

    package mutating func skip(_ count: Int) throws(ByteError) {
        _ = try unsafe advance(count, "bytes")
    }

    /// Throws unless every byte was read.
    package func expectEnd() throws(ByteError) {
        if unsafe !isAtEnd {
            throw ByteError("\(unsafe remaining) unexpected bytes", at: unsafe offset)
        }
    }
}

extension [UInt8] {
    /// Appends bytes behind a varint that says how many; `ByteReader.lengthPrefixedArray` reads them.
    package mutating func appendLengthPrefixed(_ bytes: some Collection<UInt8>) {
        appendVarint(UInt64(bytes.count))
        append(contentsOf: bytes)
    }
}
