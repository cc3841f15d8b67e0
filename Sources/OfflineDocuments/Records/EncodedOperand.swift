// A value in encoded form on its own: what a filter compares a record's values with, on bytes.
package import OfflineBytes

/// One encoded value that owns its bytes and the names of its fields.
package final class EncodedOperand: Sendable {
    private let record: RecordBytes
    private let offset: Int

    /// Encodes `value`. Throws `.invalidDocument` where it is too large or too deep for any record.
    package init(_ value: Value) throws(OfflineError) {
        var encoder = RecordEncoder(dictionary: .empty)
        // As a record's one field, it may be one level less deep than a record: so may whatever it is compared with.
        let bytes = try encoder.encode(Document(distinct: [.init(name: "", value: value)]))
        let names = encoder.dictionary
        record = unsafe bytes.withUnsafeBytes { unsafe RecordBytes($0, names: names) }
        let layout = unsafe ContainerLayout(record.bytes.baseAddress.unsafelyUnwrapped + 1)
        offset = unsafe 1 + layout.valuesOffset
    }

    /// The names of the value's fields.
    package var names: NameDictionary { record.names }

    /// The value, valid as long as this object is.
    @unsafe
    package var encoded: EncodedValue {
        unsafe EncodedValue(
            start: record.bytes.baseAddress.unsafelyUnwrapped + offset,
            length: record.count - offset)
    }
}
