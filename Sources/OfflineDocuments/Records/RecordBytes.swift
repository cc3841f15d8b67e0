// Encoded bytes that documents own and share: a record's document, and the documents of the objects inside it, which are
// views of the same bytes.
internal import OfflineBytes

/// Immutable, validated bytes with the dictionary that names their fields.
@safe
final class RecordBytes: @unchecked Sendable {
    // @unchecked: the memory is written once, in `init`, and freed in `deinit`.
    private let memory: UnsafeMutableRawBufferPointer
    let names: NameDictionary

    /// A copy of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer, names: NameDictionary) {
        unsafe memory = .allocate(byteCount: bytes.count, alignment: 8)
        unsafe memory.copyMemory(from: bytes)
        self.names = names
    }

    deinit { unsafe memory.deallocate() }

    var count: Int { unsafe memory.count }

    /// The bytes, valid as long as this object is.
    @unsafe
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(memory) }
}

/// One object inside owned bytes. A value of two words, so that a `Document` is one too.
struct StoredObject: Sendable {
    let record: RecordBytes
    /// Where the object's tag is; a record is at most 16 MiB.
    private let offset: UInt32
    private let length: UInt32

    /// The object that takes `length` bytes at `offset`. The bytes are validated.
    init(_ record: RecordBytes, offset: Int, length: Int) {
        precondition(
            offset >= 0 && length > 0 && offset + length <= record.count
                && record.count <= RecordLimits.byteCountMax,
            "an object lies inside its record")
        self.record = record
        self.offset = UInt32(offset)
        self.length = UInt32(length)
    }

    /// Calls `body` with a view of the object, valid during the call.
    @inline(__always)
    func withEncoded<Result, Failure: Error>(
        _ body: (EncodedValue) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // `init` proved the extent; an object is never empty.
        let start = unsafe record.bytes.baseAddress.unsafelyUnwrapped + Int(offset)
        defer { withExtendedLifetime(record) {} }
        return try unsafe body(EncodedValue(start: start, length: Int(length)))
    }

    var count: Int { unsafe withEncoded { unsafe $0.count } }

    /// The value of the field with exactly this name.
    subscript(name: String) -> Value? {
        let name = FieldName(name, in: record.names)
        return unsafe withEncoded { encoded in
            guard let value = unsafe encoded.field(name) else { return nil }
            return unsafe decode(value, in: encoded)
        }
    }

    /// The field at a place in kept order.
    func field(position: Int) -> Document.Field {
        unsafe withEncoded { encoded in
            let layout = unsafe ContainerLayout(encoded.start)
            let index = unsafe layout.tableIndex(position: position)
            let field = unsafe encoded.field(at: index, layout)
            return unsafe Document.Field(
                name: field.name(record.names), value: decode(field.value, in: encoded))
        }
    }

    /// The names of all fields in kept order.
    var fieldNames: [String] {
        unsafe withEncoded { encoded in
            var result: [String] = []
            unsafe result.reserveCapacity(encoded.count)
            unsafe encoded.forEachField { field in
                unsafe result.append(field.name(record.names))
                return true
            }
            return result
        }
    }

    /// Whether both are the same bytes under the same names: then they are equal. (The reverse need not hold.)
    func hasSameBytes(as other: StoredObject) -> Bool {
        guard record.names === other.record.names, length == other.length else { return false }
        return unsafe withEncoded { left in
            unsafe other.withEncoded { right in
                unsafe left.start == right.start
                    || ByteOrder.isEqual(left.allBytes, right.allBytes)
            }
        }
    }

    /// Decodes a value inside this object; objects in it stay encoded, as views of the same bytes.
    private func decode(_ value: EncodedValue, in encoded: EncodedValue) -> Value {
        let base = unsafe encoded.start - Int(offset)
        return unsafe RecordDecoding(record: record, base: base).value(value)
    }
}

extension EncodedValue {
    /// Tag and payload.
    var allBytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start, count: length)
    }
}
