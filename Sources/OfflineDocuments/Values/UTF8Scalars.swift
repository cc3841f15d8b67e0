// Unicode scalars in bytes that may be anything, for tables of scalars of our own. (The store's strings are valid UTF-8; what
// reads them still relies on nothing.)
internal import OfflineBytes

/// Decodes and encodes scalars.
package enum UTF8Scalars {
    /// The scalar that begins at `offset`, which is then behind it. Nil for a byte that begins none, of which one is stepped over.
    ///
    /// `offset` is within the bytes.
    @inline(always)
    package static func next(_ bytes: UnsafeRawBufferPointer, at offset: inout Int) -> UInt32? {
        let first = unsafe bytes[offset]
        offset += 1
        if first < 0x80 { return UInt32(first) }
        return unsafe decode(bytes, at: &offset, first)
    }

    /// The same, behind a first byte that isn't ASCII.
    private static func decode(
        _ bytes: UnsafeRawBufferPointer, at offset: inout Int, _ first: UInt8
    ) -> UInt32? {
        let length: Int
        var scalar: UInt32
        let least: UInt32
        switch first {
        case 0xC2...0xDF: (length, scalar, least) = (1, UInt32(first & 0x1F), 0x80)
        case 0xE0...0xEF: (length, scalar, least) = (2, UInt32(first & 0x0F), 0x800)
        case 0xF0...0xF4: (length, scalar, least) = (3, UInt32(first & 0x07), 0x10000)
        default: return nil
        }
        guard bytes.count - offset >= length else { return nil }
        for index in offset..<offset + length {
            let byte = unsafe bytes[index]
            guard byte & 0xC0 == 0x80 else { return nil }
            scalar = scalar << 6 | UInt32(byte & 0x3F)
        }
        guard scalar >= least, scalar <= 0x10FFFF, !(0xD800...0xDFFF ~= scalar) else { return nil }
        offset += length
        return scalar
    }

    /// Appends a scalar's UTF-8.
    @inline(always)
    package static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        func continuation(_ shift: UInt32) -> UInt8 {
            0x80 | UInt8(truncatingIfNeeded: scalar >> shift & 0x3F)
        }
        switch scalar {
        case ..<0x80:
            bytes.append(UInt8(truncatingIfNeeded: scalar))
        case ..<0x800:
            bytes.append(0xC0 | UInt8(truncatingIfNeeded: scalar >> 6))
            bytes.append(continuation(0))
        case ..<0x10000:
            bytes.append(0xE0 | UInt8(truncatingIfNeeded: scalar >> 12))
            bytes.append(continuation(6))
            bytes.append(continuation(0))
        default:
            bytes.append(0xF0 | UInt8(truncatingIfNeeded: scalar >> 18))
            bytes.append(continuation(12))
            bytes.append(continuation(6))
            bytes.append(continuation(0))
        }
    }
}
