// What is sealed of a value (FieldSealer.swift), found again in its bytes.
internal import OfflineBytes

/// Reads what was opened.
enum SealedPlaintext {
    /// The value in validated bytes of a record whose one field has the empty name.
    @unsafe
    static func value(_ bytes: UnsafeRawBufferPointer) -> EncodedValue {
        let root = unsafe object(bytes)
        return unsafe root.field(at: 0, ContainerLayout(root.start)).value
    }

    private static func object(_ bytes: UnsafeRawBufferPointer) -> EncodedValue {
        // Validated, or from the encoder: the format's byte and an object.
        unsafe EncodedValue(
            start: bytes.baseAddress.unsafelyUnwrapped + 1, length: bytes.count - 1)
    }

    /// The value, which lies `depth` levels deep in its record. Throws `.corrupted` for bytes that no encoder made.
    @unsafe
    static func validated(
        _ bytes: UnsafeRawBufferPointer, depth: Int
    ) throws(OfflineError) -> EncodedValue {
        try unsafe RecordValidator.validate(bytes, nameCount: 0, depth: depth - 1)
        let root = unsafe object(bytes)
        let layout = unsafe ContainerLayout(root.start)
        // With no names known, all are inline.
        guard unsafe layout.count == 1, let field = unsafe Optional(root.field(at: 0, layout)),
            unsafe field.inlineName.isEmpty
        else { throw OfflineError(.corrupted, "what was sealed is no value") }
        return unsafe field.value
    }
}
