// Values to key bytes; KeyLayout.swift says which.
internal import Foundation
internal import OfflineBytes

/// Encodes values so that memcmp over the bytes gives the order of the values.
///
/// Encodings can be joined: joined keys compare value by value.
///
/// A folded key has the case folding of every string in the value, in arrays and objects too; names of fields stay as they are.
package enum KeyEncoder {
    /// Appends the key of `value`. The depth of `value` isn't checked; a record's is, before its keys are made.
    package static func append(
        _ value: Value, folded: Bool = false, to key: inout [UInt8]
    ) {
        switch value {
        case .null: key.append(KeyLayout.null)
        case .bool(let bool): append(bool, to: &key)
        case .int(let int): append(int, to: &key)
        case .double(let double): append(double, to: &key)
        case .string(let string): append(string, folded: folded, to: &key)
        case .data(let data):
            unsafe data.withUnsafeBytes { unsafe append($0, tag: KeyLayout.data, to: &key) }
        case .date(let date): append(seconds: date.timeIntervalSinceReferenceDate, to: &key)
        case .array(let elements):
            key.append(KeyLayout.array)
            for element in elements { append(element, folded: folded, to: &key) }
            key.append(KeyLayout.end)
        case .object(let document):
            key.append(KeyLayout.object)
            let fields = document.sorted { String.orderByUTF8($0.name, $1.name) < 0 }
            for (name, value) in fields {
                append(name, to: &key)
                append(value, folded: folded, to: &key)
            }
            key.append(KeyLayout.end)
        }
    }

    /// Appends the key of a truth value.
    package static func append(_ value: Bool, to key: inout [UInt8]) {
        key.append(value ? KeyLayout.boolTrue : KeyLayout.bool)
    }

    /// Appends the key of an integer.
    package static func append(_ value: Int64, to key: inout [UInt8]) {
        let (double, distance) = KeyLayout.floor(value)
        key.append(KeyLayout.number)
        key.appendBig(KeyLayout.orderedBits(double))
        if double.magnitude >= KeyLayout.exactMax { key.appendBig(distance) }
    }

    /// Appends the key of a floating-point number: that of the integer where it equals one.
    package static func append(_ value: Double, to key: inout [UInt8]) {
        key.append(KeyLayout.number)
        key.appendBig(KeyLayout.orderedBits(value))
        if value.magnitude >= KeyLayout.exactMax { key.appendBig(UInt16(0)) }
    }

    /// Appends the key of a string.
    package static func append(
        _ value: String, folded: Bool = false, to key: inout [UInt8]
    ) {
        unsafe value.withUTF8Bytes { bytes in
            unsafe append(bytes, tag: KeyLayout.string, folded: folded, to: &key)
        }
    }

    /// Appends the key of the string with this UTF-8.
    package static func append(utf8: UnsafeRawBufferPointer, to key: inout [UInt8]) {
        unsafe append(utf8, tag: KeyLayout.string, to: &key)
    }

    /// Appends what the keys of all strings begin with that begin with `value`.
    package static func appendPrefix(
        _ value: String, folded: Bool = false, to key: inout [UInt8]
    ) {
        key.append(KeyLayout.string)
        unsafe value.withUTF8Bytes { unsafe appendText($0, folded: folded, to: &key) }
    }

    /// Appends the key of a date: seconds since the reference date.
    static func append(seconds: Double, to key: inout [UInt8]) {
        key.append(KeyLayout.date)
        key.appendBig(KeyLayout.orderedBits(seconds))
    }

    /// Appends the key of a string's UTF-8 or of data.
    static func append(
        _ bytes: UnsafeRawBufferPointer, tag: UInt8, folded: Bool = false, to key: inout [UInt8]
    ) {
        key.append(tag)
        unsafe appendText(bytes, folded: folded, to: &key)
        key.append(KeyLayout.end)
    }

    /// The key of one value.
    package static func key(_ value: Value) -> [UInt8] {
        var key: [UInt8] = []
        append(value, to: &key)
        return key
    }

    /// The folded key of one value.
    package static func foldedKey(_ value: Value) -> [UInt8] {
        var key: [UInt8] = []
        append(value, folded: true, to: &key)
        return key
    }

    /// Appends bytes without their end, with 00 and 01 escaped. Neither is a part of another scalar, or folded.
    private static func appendText(
        _ bytes: UnsafeRawBufferPointer, folded: Bool, to key: inout [UInt8]
    ) {
        func append(_ range: Range<Int>) {
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
            if folded {
                unsafe CaseFolding.append(part, to: &key)
            } else {
                unsafe key.append(contentsOf: part)
            }
        }
        var start = 0
        for index in 0..<bytes.count where unsafe bytes[index] <= KeyLayout.escape {
            append(start..<index)
            key.append(KeyLayout.escape)
            unsafe key.append(bytes[index] + 1)
            start = index + 1
        }
        append(start..<bytes.count)
    }
}

// MARK: - Cut index keys

extension KeyEncoder {
    /// Cuts and marks the index key that begins at `start` and ends where `key` ends, if it is over `limit` bytes.
    ///
    /// KeyLayout.swift says what holds for the order of cut keys. To be called before the record's key is appended.
    /// Returns whether the key was cut.
    @discardableResult
    package static func cut(
        _ key: inout [UInt8], from start: Int = 0, limit: Int = KeyLayout.indexKeyBytesMax
    ) -> Bool {
        guard key.count - start > limit else { return false }
        key.removeSubrange((start + limit)...)
        key.append(KeyLayout.cutMark)
        return true
    }
}
