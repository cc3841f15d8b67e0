// What a record's key may be, and the message for each thing that it may not.
internal import Foundation

extension KeyEncoder {
    /// The encoded key of a record.
    ///
    /// A key is a string, an integer, data or a date; a floating-point number counts as the integer that it equals. The key of a
    /// collection with a compound key path is the array of its parts, each of them one of these. Anything else, and more than
    /// 1,024 encoded bytes, is `.invalidDocument`; the message never shows the value.
    ///
    /// - Parameter pathCount: How many paths the collection's key has: 1 allows no array, more demand an array of exactly
    ///   as many. Nil: either form.
    package static func recordKey(_ value: Value, pathCount: Int? = nil) throws(OfflineError)
        -> [UInt8]
    {
        var key: [UInt8] = []
        // Most keys are UUIDs or shorter: they take one allocation then.
        key.reserveCapacity(40)
        if case .array(let parts) = value, pathCount != 1 {
            guard !parts.isEmpty else { throw invalid("is an empty array") }
            if let pathCount, parts.count != pathCount {
                throw invalid("has \(parts.count) parts, but the key has \(pathCount) paths")
            }
            for (index, part) in parts.enumerated() {
                if let reason = refusal(part) { throw invalid("\(reason), at part \(index)") }
            }
        } else {
            if let pathCount, pathCount > 1 {
                throw invalid("is no array, but the key has \(pathCount) paths")
            }
            if let reason = refusal(value) { throw invalid(reason) }
        }
        append(value, to: &key)
        guard key.count <= KeyLayout.recordKeyBytesMax else {
            throw OfflineError(
                .invalidDocument,
                "the record's key takes \(key.count) encoded bytes; \(KeyLayout.recordKeyBytesMax) are allowed"
            )
        }
        return key
    }

    /// What is wrong with `part` as a key or as a part of one; nil if nothing is.
    private static func refusal(_ part: Value) -> String? {
        switch part {
        case .string, .int, .data: nil
        case .date(let date):
            date.timeIntervalSinceReferenceDate.isFinite ? nil : "is a date that is no instant"
        case .double(let double) where double.isNaN: "is NaN"
        case .double(let double) where Int64(exactly: double) != nil: nil
        case .double(let double) where double.rounded(.towardZero) == double:
            "is a number outside the 64-bit integers"
        case .double: "is a number with a fraction"
        case .null: "is null"
        case .bool: "is a bool"
        case .object: "is an object"
        case .array: "is an array"
        }
    }

    private static func invalid(_ what: String) -> OfflineError {
        OfflineError(
            .invalidDocument,
            "the record's key \(what); a key is a string, an integer, data or a date"
                + " (of a compound key path: an array of these)")
    }
}
