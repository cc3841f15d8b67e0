// How the encoder has values sealed: it writes a record's bytes, and whoever has the keys fills in what is sealed.
//
// A value is sealed as a record of its own with one field, whose name is empty, and all names inline: so it needs no dictionary, names
// in it get no ids, and what was opened is validated as any record is. It is written into a buffer of its own, which is wiped then.
internal import OfflineBytes

/// Seals the values at some paths of records, one after another.
package protocol FieldSealer: AnyObject {
    /// The paths.
    var fields: FieldTree { get }

    /// How many bytes longer than what is sealed a payload is.
    func overhead(ofPath path: Int) -> Int

    /// Fills the payload (SealedValue.swift) with `plaintext` sealed, which is of `value`.
    @unsafe
    func seal(
        _ plaintext: UnsafeRawBufferPointer, _ value: EncodedValue, path: Int,
        into payload: UnsafeMutableRawBufferPointer
    ) throws(OfflineError)
}

extension RecordEncoder {
    /// Writes a value that is at the end of a sealed path; false, and nothing is written, where it is written as any other: null, and
    /// what is sealed already.
    mutating func seal(
        _ value: Value, path: Int, depth: Int
    ) throws(RecordEncodingFault) -> Bool {
        guard let sealer, !value.isNull else { return false }
        if value.sealed != nil {
            isVerbatim = false
            return false
        }
        if sealed.isEmpty { sealed.append(.inliningNames) }
        let plaintext = sealed[0].buffer
        defer { plaintext.removeAll() }
        try sealed[0].writeAlone(value, depth: depth)
        if !sealed[0].isVerbatim { isVerbatim = false }
        let length = sealer.overhead(ofPath: path) + plaintext.count
        try checkSize(adding: length)
        let start = unsafe buffer.grow(1 + length)
        unsafe start.storeLittle(ValueTag.sealed, at: 0)
        do throws(OfflineError) {
            try unsafe plaintext.withContents { (bytes) throws(OfflineError) in
                try unsafe sealer.seal(
                    bytes, SealedPlaintext.value(bytes), path: path,
                    into: UnsafeMutableRawBufferPointer(start: start + 1, count: length))
            }
        } catch {
            throw RecordEncodingFault(.unsealable(error))
        }
        return true
    }

    /// Writes what is sealed of a value: nothing else is in the buffer.
    private mutating func writeAlone(_ value: Value, depth: Int) throws(RecordEncodingFault) {
        buffer.removeAll()
        isVerbatim = true
        buffer.append(RecordLayout.format)
        var object = buffer.open(count: 1, isObject: true)
        buffer.setID(RecordLayout.inlineName, at: 0, in: object)
        unsafe buffer.appendInlineName(UnsafeRawBufferPointer(start: nil, count: 0))
        do {
            try write(value, depth: depth, nil)
        } catch {
            // What is in a sealed field isn't told, nor what its fields are called.
            throw RecordEncodingFault(error.reason)
        }
        buffer.endValue(in: &object)
        try checkSize()
    }
}
