// The bytes of a key: what FORMAT.md's chapter "Keys" says, in code.
//
// A key is the encoding of one value; a compound key is the encodings of its values one after the other. memcmp over two
// such encodings orders them as the store's total order orders the values:
//
//     null < numbers < string < object < array < data < bool (false < true) < date
//
//     value     bytes
//     null      10
//     number    20  d:8            |d| < 2^53, and NaN
//               20  d:8  e:2       |d| >= 2^53, and the infinities
//     string    30  text  00
//     object    40  (string value)*  00      the fields in the order of their names' UTF-8 bytes
//     array     50  value*  00
//     data      60  text  00
//     false     70
//     true      71
//     date      80  t:8
//
// d is the greatest double that is not above the number, as ordered bits; e is the number minus d, an unsigned big-endian
// integer (0...1023; 0 for every double). So an int and a double of equal value have equal bytes, and ints beyond 2^53 keep
// their exact order. A number that an Int64 can hold is read back as an int, any other as a double.
//
// Ordered bits of a double, eight bytes, big-endian: the IEEE 754 bits with all bits flipped where the sign is set, else with
// the sign bit set. -0.0 is encoded as 0.0, and every NaN as eight zero bytes, below -infinity (00 0F FF FF FF FF FF FF).
//
// t is the ordered bits of the seconds since 2001-01-01T00:00:00Z.
//
// text is the UTF-8 bytes of a string, or the bytes of data, with 00 written as 01 01 and 01 as 01 02. So 00 ends it, and
// sorts before whatever a longer text goes on with.
//
// 00 also ends objects and arrays: it is below every tag, so that what is shorter sorts first. No encoding is the beginning of
// another one, which is why encodings can be joined and still compare value by value.
//
// Only these bytes are a key: a decoder refuses a number that another form encodes, text that isn't UTF-8, and fields that
// aren't in strictly ascending order. First byte 90 is that of a sealed
// value, 20 bytes follow it; those from A0 to FF are never used; FF stays free as an upper bound of everything.
//
// Cut keys. An index key (not a record's key) over 512 bytes is stored as its first 512 bytes and one byte 00, the mark.
// Then a record's key follows, as in any index entry. For index keys A, B of one index, and a key's stored form s():
//   * A < B gives s(A) <= s(B), and s(A) = s(B) only if both are cut. (Whole keys aren't prefixes of other keys, so two keys
//     that differ, one of them being 512 bytes at most, differ in the first 512.)
//   * s(A) <= A.
// So a range of stored keys holds all that it should, and where a cut key is met, the record decides: equality is checked
// again, keys that tie are sorted again, a unique index compares the records. Whether an entry is cut follows from the entry:
// its index key isn't complete within the first 512 bytes.

/// The tags and limits of keys.
package enum KeyLayout {
    // A type's tag is 0x10 * (1 + ValueKind.rank).
    static let end: UInt8 = 0x00
    static let null: UInt8 = 0x10
    static let number: UInt8 = 0x20
    static let string: UInt8 = 0x30
    static let object: UInt8 = 0x40
    static let array: UInt8 = 0x50
    static let data: UInt8 = 0x60
    static let bool: UInt8 = 0x70
    static let boolTrue: UInt8 = 0x71
    static let date: UInt8 = 0x80
    /// In index keys only: a sealed value's token (16) and its data key's id (4, little-endian).
    static let sealed: UInt8 = 0x90
    /// How many bytes follow it.
    static let sealedLength = SealedValue.tokenLength + 4

    /// In texts: the byte before an escaped 00 or 01.
    static let escape: UInt8 = 0x01

    /// A record's key takes this many encoded bytes at most.
    package static let recordKeyBytesMax = 1024
    /// A longer index key is cut to this many bytes and marked.
    package static let indexKeyBytesMax = 512
    /// What follows the bytes of a cut index key.
    package static let cutMark: UInt8 = 0x00
    /// Objects and arrays inside each other in one key, at most: a record's own limit, and the array of a compound key.
    package static let depthMax = RecordLimits.depthMax + 1

    /// From this magnitude on doubles are two or more apart, and two bytes tell the distance of an int.
    static let exactMax = 9_007_199_254_740_992.0

    /// The bytes that begin keys of one type: `first` is the least of them, `end` the least byte above all of them.
    ///
    /// Every key of a value of the type is at or above `[first]` and below `[end]`.
    package struct TypeRange: Hashable, Sendable {
        package let first: UInt8
        package let end: UInt8
    }

    /// The range of all keys of the type of `value`; int and double are one type.
    package static func typeRange(of value: Value) -> TypeRange {
        let first = 0x10 * UInt8(value.kind.rank + 1)
        return TypeRange(first: first, end: first + 0x10)
    }

    /// Eight bytes whose unsigned order is the order of doubles: NaN first, -0.0 as 0.0.
    static func orderedBits(_ value: Double) -> UInt64 {
        if value.isNaN { return 0 }
        if value == 0 { return 1 << 63 }
        let bits = value.bitPattern
        return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
    }

    /// The inverse of `orderedBits`; nil for bits that it never gives (a NaN but the one form, -0.0).
    static func double(orderedBits bits: UInt64) -> Double? {
        if bits == 0 { return .nan }
        let value = Double(bitPattern: bits >> 63 == 0 ? ~bits : bits & ~(1 << 63))
        return value.isNaN || orderedBits(value) != bits ? nil : value
    }

    /// The greatest double that is not above `value`, and what is missing to it.
    static func floor(_ value: Int64) -> (double: Double, distance: UInt16) {
        let magnitude = value.magnitude
        let significantBits = UInt64.bitWidth - magnitude.leadingZeroBitCount
        guard significantBits > 53 else { return (Double(value), 0) }
        let unit = UInt64(1) << UInt64(significantBits - 53)
        let below = magnitude & (unit - 1)
        if value > 0 { return (Double(magnitude - below), UInt16(below)) }
        // Toward minus infinity is away from zero here; the magnitude is at most 2^63, so nothing overflows.
        let above = below == 0 ? 0 : unit - below
        return (-Double(magnitude + above), UInt16(above))
    }
}
