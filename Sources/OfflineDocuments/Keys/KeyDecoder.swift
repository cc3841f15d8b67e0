// Key bytes to values; KeyLayout.swift says which.
//
// The bytes may be anything: every read is bounds-checked, nesting is bounded, and only what the encoder writes is accepted,
// so that a value that was decoded encodes to the same bytes again.
internal import Foundation
internal import OfflineBytes

/// Decodes, and steps over, the bytes of keys.
package enum KeyDecoder {
    /// The value whose key begins at `offset`; `offset` is then after it. Anything but a whole key is `.corrupted`.
    package static func value(
        _ bytes: UnsafeRawBufferPointer, at offset: inout Int
    ) throws(OfflineError) -> Value {
        var reader = unsafe KeyReader(bytes, at: offset)
        let value = try unsafe reader.value(depth: 0)
        unsafe offset = reader.offset
        return value
    }

    /// The same for an array.
    package static func value(_ bytes: [UInt8], at offset: inout Int) throws(OfflineError) -> Value
    {
        var at = offset
        let result = unsafe bytes.withUnsafeBytes { buffer in
            Result { () throws(OfflineError) -> Value in try unsafe value(buffer, at: &at) }
        }
        offset = at
        return try result.get()
    }

    /// The value of one whole key.
    package static func value(_ bytes: [UInt8]) throws(OfflineError) -> Value {
        var offset = 0
        let value = try value(bytes, at: &offset)
        guard offset == bytes.count else {
            throw OfflineError(
                .corrupted,
                "the key has \(bytes.count - offset) bytes after its end, at byte \(offset)")
        }
        return value
    }

    /// How many bytes the key takes that begins at `offset`; nil where no whole key begins.
    ///
    /// Checks no more than is needed to find the end: of bytes that `value` refuses some are stepped over. Takes time in
    /// proportion to the key, and no memory.
    package static func length(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int? {
        guard offset >= 0 else { return nil }
        var position = offset
        var depth = 0
        repeat {
            guard position < bytes.count else { return nil }
            let tag = unsafe bytes[position]
            position += 1
            switch tag {
            case KeyLayout.end where depth > 0: depth -= 1
            case KeyLayout.null, KeyLayout.bool, KeyLayout.boolTrue: break
            case KeyLayout.number:
                guard bytes.count - position >= 8, let base = bytes.baseAddress else {
                    return nil
                }
                position += unsafe KeyLayout.numberLength(base.big(position))
            case KeyLayout.date: position += 8
            case KeyLayout.sealed: position += KeyLayout.sealedLength
            case KeyLayout.string, KeyLayout.data:
                // A plain loop: index scans come by here once an entry.
                while unsafe position < bytes.count && bytes[position] != KeyLayout.end {
                    position += 1
                }
                position += 1
            case KeyLayout.object, KeyLayout.array: depth += 1
            default: return nil
            }
        } while depth > 0
        return position <= bytes.count ? position - offset : nil
    }

    /// The same for an array.
    package static func length(_ bytes: [UInt8], at offset: Int) -> Int? {
        unsafe bytes.withUnsafeBytes { unsafe length($0, at: offset) }
    }
}

extension KeyDecoder {
    /// The token, and the key's id behind it, of a sealed value whose key begins at `offset`, which is then after it; nil where
    /// there is another value.
    package static func sealedToken(_ bytes: [UInt8], at offset: inout Int) -> [UInt8]? {
        let end = offset + 1 + KeyLayout.sealedLength
        guard offset < bytes.count, bytes[offset] == KeyLayout.sealed, end <= bytes.count else {
            return nil
        }
        defer { offset = end }
        return Array(bytes[(offset + 1)..<end])
    }
}

// MARK: - Index entries

/// Where the parts of an index entry lie: the index key, cut or not, and behind it the record's key.
package struct IndexEntryParts: Hashable, Sendable {
    /// How many bytes the index key takes, with the mark of a cut one; the record's key begins there.
    package let keyLength: Int
    /// Whether the index key was cut: the record has to be asked.
    package let isCut: Bool
}

extension KeyDecoder {
    /// Splits an index entry whose index key is made of `valueCount` values.
    ///
    /// Nil for bytes that are no such entry. `limit` is the one that the key was cut with.
    package static func indexEntryParts(
        _ entry: UnsafeRawBufferPointer, valueCount: Int, limit: Int = KeyLayout.indexKeyBytesMax
    ) -> IndexEntryParts? {
        let head = unsafe UnsafeRawBufferPointer(rebasing: entry[..<min(limit, entry.count)])
        var offset = 0
        for _ in 0..<valueCount {
            guard let length = unsafe length(head, at: offset) else {
                guard entry.count > limit, unsafe entry[limit] == KeyLayout.cutMark else {
                    return nil
                }
                return IndexEntryParts(keyLength: limit + 1, isCut: true)
            }
            offset += length
        }
        return IndexEntryParts(keyLength: offset, isCut: false)
    }

    /// The same for an array.
    package static func indexEntryParts(
        _ entry: [UInt8], valueCount: Int, limit: Int = KeyLayout.indexKeyBytesMax
    ) -> IndexEntryParts? {
        unsafe entry.withUnsafeBytes {
            unsafe indexEntryParts($0, valueCount: valueCount, limit: limit)
        }
    }
}

// MARK: - Reading

extension KeyLayout {
    /// How many bytes follow a number's tag, by its ordered bits.
    static func numberLength(_ bits: UInt64) -> Int {
        guard let double = double(orderedBits: bits) else { return 8 }
        return double.magnitude >= exactMax ? 10 : 8
    }
}

/// A cursor over key bytes. It doesn't own them.
@unsafe
private struct KeyReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        unsafe self.bytes = bytes
        unsafe self.offset = offset
    }

    private func damaged(_ what: String) -> OfflineError {
        OfflineError(.corrupted, "the key \(what), at byte \(unsafe offset)")
    }

    private mutating func byte() throws(OfflineError) -> UInt8 {
        guard unsafe offset >= 0, unsafe offset < bytes.count else {
            throw unsafe damaged("ends too early")
        }
        defer { unsafe offset += 1 }
        return unsafe bytes[offset]
    }

    private mutating func big<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type
    ) throws(OfflineError) -> T {
        guard unsafe bytes.count - offset >= MemoryLayout<T>.size,
            let base = unsafe bytes.baseAddress
        else { throw unsafe damaged("ends too early") }
        defer { unsafe offset += MemoryLayout<T>.size }
        return unsafe base.big(offset)
    }

    /// One value; `depth` objects and arrays are around it.
    mutating func value(depth: Int) throws(OfflineError) -> Value {
        let tag = try unsafe byte()
        switch tag {
        case KeyLayout.null: return .null
        case KeyLayout.bool: return .bool(false)
        case KeyLayout.boolTrue: return .bool(true)
        case KeyLayout.number: return try unsafe number()
        case KeyLayout.date: return .date(Date(timeIntervalSinceReferenceDate: try unsafe double()))
        case KeyLayout.string: return .string(try unsafe string())
        case KeyLayout.data: return .data(Data(try unsafe text()))
        case KeyLayout.array, KeyLayout.object:
            guard depth < KeyLayout.depthMax else { throw unsafe damaged("is nested too deep") }
            return try tag == KeyLayout.array
                ? unsafe array(depth: depth + 1) : unsafe object(depth: depth + 1)
        default: throw unsafe damaged("has a byte that begins no value")
        }
    }

    private mutating func double() throws(OfflineError) -> Double {
        guard let double = KeyLayout.double(orderedBits: try unsafe big(UInt64.self)) else {
            throw unsafe damaged("has a number in a form that isn't used")
        }
        return double
    }

    private mutating func number() throws(OfflineError) -> Value {
        let double = try unsafe double()
        guard double.magnitude >= KeyLayout.exactMax else {
            return Int64(exactly: double).map(Value.int) ?? .double(double)
        }
        let distance = try unsafe big(UInt16.self)
        if let floor = Int64(exactly: double) {
            let (int, overflow) = floor.addingReportingOverflow(Int64(distance))
            if !overflow, KeyLayout.floor(int) == (double, distance) { return .int(int) }
        } else if distance == 0 {
            return .double(double)
        }
        throw unsafe damaged("has a number in a form that isn't used")
    }

    private mutating func string() throws(OfflineError) -> String {
        let bytes = try unsafe text()
        guard let string = String(validating: bytes, as: UTF8.self) else {
            throw unsafe damaged("has a string that isn't UTF-8")
        }
        return string
    }

    /// Bytes up to their end, unescaped.
    private mutating func text() throws(OfflineError) -> [UInt8] {
        guard let end = unsafe bytes[offset...].firstIndex(of: KeyLayout.end) else {
            throw unsafe damaged("has a text without end")
        }
        var result: [UInt8] = []
        result.reserveCapacity(end - (unsafe offset))
        while unsafe offset < end {
            var byte = unsafe bytes[offset]
            unsafe offset += 1
            if byte == KeyLayout.escape {
                let escaped = unsafe bytes[offset]
                guard escaped == 1 || escaped == 2 else {
                    throw unsafe damaged("has an escape that isn't used")
                }
                byte = escaped - 1
                unsafe offset += 1
            }
            result.append(byte)
        }
        unsafe offset = end + 1
        return result
    }

    /// Whether an object or array ends here; steps over its end.
    private mutating func atEnd() -> Bool {
        guard unsafe offset < bytes.count, unsafe bytes[offset] == KeyLayout.end else {
            return false
        }
        unsafe offset += 1
        return true
    }

    private mutating func array(depth: Int) throws(OfflineError) -> Value {
        var elements: [Value] = []
        while unsafe !atEnd() { elements.append(try unsafe value(depth: depth)) }
        return .array(elements)
    }

    private mutating func object(depth: Int) throws(OfflineError) -> Value {
        var fields: [(String, Value)] = []
        while unsafe !atEnd() {
            guard try unsafe byte() == KeyLayout.string else {
                throw unsafe damaged("has a field without a name")
            }
            let name = try unsafe string()
            if let (last, _) = fields.last, String.orderByUTF8(last, name) >= 0 {
                throw unsafe damaged("has fields out of order")
            }
            fields.append((name, try unsafe value(depth: depth)))
        }
        return .object(Document(fields: fields))
    }
}
