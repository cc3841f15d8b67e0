// The bytes of a value that is to be sealed: a record of its own with one field, whose name is empty, and all names inline.
// So it needs no dictionary, and what was opened is validated as any record is.
internal import OfflineBytes

/// Values to bytes and back, for sealing.
package enum SealedPlaintext {
    /// Throws `.invalidDocument` where it is too large or too deep; `depth`: how deep it lies in its record.
    package static func bytes(_ value: Value, depth: Int) throws(OfflineError) -> [UInt8] {
        var encoder = RecordEncoder(inliningNames: depth)
        return try encoder.encode(Document(distinct: [Document.Field(name: "", value: value)]))
    }

    /// Throws `.corrupted` for bytes that `bytes` didn't make.
    package static func value(_ bytes: [UInt8]) throws(OfflineError) -> Value {
        let result = unsafe bytes.withUnsafeBytes { bytes in
            Result { () throws(OfflineError) in
                try unsafe RecordValidator.validate(bytes, nameCount: 0)
            }
        }
        try result.get()
        guard let value = Document(record: bytes, names: .empty)[""] else {
            throw OfflineError(.corrupted, "what was sealed is no value")
        }
        return value
    }
}
