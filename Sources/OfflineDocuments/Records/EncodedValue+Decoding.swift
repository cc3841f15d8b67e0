// Encoded values → values. Scalars, strings and arrays are decoded; objects stay encoded until one of their fields is
// asked for.
internal import Foundation
package import OfflineBytes

extension EncodedValue {
    /// The value, in memory of its own: nothing of the record's bytes is referred to afterwards.
    package func value(_ names: NameDictionary) -> Value {
        guard unsafe tag >= ValueTag.array else { return unsafe scalar }
        let record = unsafe RecordBytes(allBytes, names: names)
        // A value is never empty.
        let base = unsafe record.bytes.baseAddress.unsafelyUnwrapped
        return unsafe RecordDecoding(record: record, base: base)
            .value(EncodedValue(start: base, length: length))
    }

    /// The value of anything but an array or object.
    fileprivate var scalar: Value {
        switch unsafe tag {
        case ValueTag.false: .bool(false)
        case ValueTag.true: .bool(true)
        case ValueTag.int: unsafe .int(int)
        case ValueTag.double: unsafe .double(double)
        case ValueTag.date: unsafe .date(Date(timeIntervalSinceReferenceDate: dateSeconds))
        case ValueTag.string: unsafe .string(string)
        case ValueTag.data: unsafe .data(Data(bytes))
        case ValueTag.sealed: unsafe .object(Document(sealed: SealedValue(valid: bytes)))
        default: .null
        }
    }
}

/// Decodes values that lie in owned bytes. The recursion is bounded by a record's depth.
@unsafe
struct RecordDecoding {
    let record: RecordBytes
    /// The first of the record's bytes.
    let base: UnsafeRawPointer

    func value(_ encoded: EncodedValue) -> Value {
        let tag = unsafe encoded.tag
        if ValueTag.isArray(tag) {
            let layout = unsafe ContainerLayout(encoded.start)
            var elements: [Value] = []
            unsafe elements.reserveCapacity(layout.count)
            for index in 0..<(unsafe layout.count) {
                let extent = unsafe layout.extent(index)
                let element = unsafe EncodedValue(
                    start: encoded.start + extent.offset, length: extent.length)
                unsafe elements.append(value(element))
            }
            return .array(elements)
        }
        if ValueTag.isObject(tag) {
            let offset = unsafe encoded.start - base
            return unsafe .object(
                Document(StoredObject(record, offset: offset, length: encoded.length)))
        }
        return unsafe encoded.scalar
    }
}
