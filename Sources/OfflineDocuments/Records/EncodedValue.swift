// One value inside a record's bytes, read where it is.
//
// It owns nothing and allocates nothing: whoever makes one keeps the bytes alive and unchanged while it, or anything
// reached through it, is used. The bytes must have passed `RecordValidator`; then every read is inside them.
package import OfflineBytes

/// An unowned view of one value in validated record bytes.
@unsafe
package struct EncodedValue {
    /// The value's tag.
    let start: UnsafeRawPointer
    /// The tag's byte and the payload's.
    let length: Int

    @inline(__always)
    init(start: UnsafeRawPointer, length: Int) {
        unsafe self.start = unsafe start
        unsafe self.length = length
    }

    /// How many bytes it takes in the record.
    package var byteCount: Int { unsafe length }

    var tag: UInt8 {
        @inline(__always) get { unsafe start.little(0, as: UInt8.self) }
    }

    /// What the value is.
    package var kind: ValueKind { unsafe ValueTag.kind(tag) }

    /// An `int`'s value; 0 for any other kind.
    package var int: Int64 {
        guard unsafe tag == ValueTag.int else { return 0 }
        switch unsafe length {
        case 2: return unsafe Int64(start.little(1, as: Int8.self))
        case 3: return unsafe Int64(start.little(1, as: Int16.self))
        case 5: return unsafe Int64(start.little(1, as: Int32.self))
        default: return unsafe start.little(1, as: Int64.self)
        }
    }

    /// A `double`'s value; 0 for any other kind.
    package var double: Double {
        guard unsafe tag == ValueTag.double else { return 0 }
        return unsafe Double(bitPattern: start.little(1, as: UInt64.self))
    }

    /// A `date`'s seconds since 2001-01-01 00:00:00 UTC; 0 for any other kind.
    package var dateSeconds: Double {
        guard unsafe tag == ValueTag.date else { return 0 }
        return unsafe Double(bitPattern: start.little(1, as: UInt64.self))
    }

    /// Whether it is `true`.
    package var bool: Bool { unsafe tag == ValueTag.true }

    /// The payload: a string's UTF-8, data's bytes.
    package var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start + 1, count: length &- 1)
    }

    /// A string's text; what it holds is valid UTF-8.
    package var string: String { unsafe String(decoding: bytes, as: UTF8.self) }

    /// How many elements an array has, or fields an object; 0 for any other kind.
    package var count: Int {
        guard unsafe tag >= ValueTag.array else { return 0 }
        return unsafe ContainerLayout(start).count
    }

    /// Element `index` of an array, in constant time. The index must be within its count.
    @inline(__always)
    package func element(_ index: Int) -> EncodedValue {
        let layout = unsafe ContainerLayout(start)
        precondition(unsafe index >= 0 && index < layout.count, "array index out of bounds")
        let extent = unsafe layout.extent(index)
        return unsafe EncodedValue(start: start + extent.offset, length: extent.length)
    }
}

/// A record in validated bytes that somebody else owns.
@unsafe
package struct RecordView {
    /// The record's object.
    package let root: EncodedValue
    /// The collection's names as of any moment since the record was written.
    package let names: NameDictionary

    package init(_ bytes: UnsafeRawBufferPointer, names: NameDictionary) {
        // Validated bytes hold at least the format and an empty object.
        precondition(bytes.count > 1, "a record of validated bytes is never empty")
        unsafe root = unsafe EncodedValue(
            start: bytes.baseAddress.unsafelyUnwrapped + 1, length: bytes.count - 1)
        unsafe self.names = names
    }
}
