// Unsigned varints: seven bits a byte, least significant first, the high bit set on all but the last byte. Only the
// shortest form is accepted, ten bytes at most. Signed integers are zigzag-mapped first.

extension [UInt8] {
    /// Appends `value` as a varint.
    package mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a signed integer, zigzag-mapped, as a varint.
    package mutating func appendZigzag(_ value: Int64) {
        appendVarint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }
}

extension UInt64 {
    /// The signed integer that was zigzag-mapped to this one.
    package var zigzagDecoded: Int64 { Int64(bitPattern: self >> 1) ^ -Int64(bitPattern: self & 1) }
}
