// Documents from and to Swift types, by their Codable conformance.
internal import Foundation

extension Document {
    /// The document that `value` encodes as.
    ///
    /// ```swift
    /// struct User: Codable { var id: String; var born: Date?; var tags: [String] }
    /// let document = try Document(encoding: User(id: "u1", born: nil, tags: ["a"]))
    /// let user: User = try document.decode()
    /// ```
    ///
    /// A date becomes `.date` and data `.data`; a UUID, a URL and an enum of strings a string; integers an `.int`. What no number
    /// of a document holds exactly (a `UInt64` beyond `Int64`, a `Decimal` of many digits) becomes its digits as a string. An
    /// optional property that is nil is left out, as synthesized conformances do; `encodeNil` writes null.
    ///
    /// - Throws: `.invalidDocument` with the path of the value that can't be encoded, also for a type that encodes as anything but
    ///   an object, and for more than 100 levels.
    public init(encoding value: some Encodable) throws {
        let type = type(of: value)
        let encoded: Value
        do {
            encoded = try ValueEncoder.value(of: value)
        } catch {
            throw CodingFailure.error(error, "\(type) can't be encoded")
        }
        guard case .object(let document) = encoded else {
            throw OfflineError(
                .invalidDocument,
                "\(type) can't be encoded as a document: it is no object but of type \(encoded.kind)"
            )
        }
        self = document
    }

    /// An instance of a Swift type, decoded from this document.
    ///
    /// The inverse of `init(encoding:)`. For documents that came as JSON, a date is also decoded from an ISO 8601 string, and data
    /// from a base64 string; a number is decoded as any type of number that holds it. Of an optional property, a missing field and
    /// null both make nil.
    ///
    /// - Parameter type: The type, where it doesn't follow from the context.
    /// - Throws: `.invalidDocument` with the path of the field that is missing or of another type; the message never shows a value.
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws -> T {
        do {
            return try ValueDecoder.decode(type, from: .object(self))
        } catch {
            throw CodingFailure.error(error, "\(type) can't be decoded")
        }
    }
}

/// Any error of encoding or decoding as the store's own.
///
/// Descriptions that come from elsewhere may show values, so they are left out; `CodingIssue` and the kind of error say enough.
private enum CodingFailure {
    static func error(_ error: any Error, _ what: String) -> OfflineError {
        if let error = error as? OfflineError { return error }
        let (reason, path) = reason(error)
        let place = path.map(\.stringValue).joined(separator: ".")
        return OfflineError(
            .invalidDocument, "\(what): \(reason)" + (place.isEmpty ? "" : ", at \(place)"))
    }

    private static func reason(_ error: any Error) -> (String, [any CodingKey]) {
        switch error {
        case EncodingError.invalidValue(_, let context):
            (issue(context.underlyingError) ?? "a value that doesn't encode", context.codingPath)
        case DecodingError.keyNotFound(let key, let context):
            (
                issue(context.underlyingError) ?? "no field \"\(key.stringValue)\"",
                context.codingPath
            )
        case DecodingError.typeMismatch(let type, let context):
            (issue(context.underlyingError) ?? "a value that is no \(type)", context.codingPath)
        case DecodingError.valueNotFound(let type, let context):
            (issue(context.underlyingError) ?? "null where \(type) is wanted", context.codingPath)
        case DecodingError.dataCorrupted(let context):
            (
                issue(context.underlyingError) ?? "a value that doesn't fit the type",
                context.codingPath
            )
        default: ("the type threw \(type(of: error))", [])
        }
    }

    private static func issue(_ error: (any Error)?) -> String? { (error as? CodingIssue)?.message }
}
