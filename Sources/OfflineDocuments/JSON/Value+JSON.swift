// The public doors of the JSON parser and writer, and the package's doors of their extended form.
public import Foundation

extension Value {
    /// Parses any JSON text (RFC 8259, UTF-8).
    ///
    /// A number without fraction and exponent is an `.int`, or a `.double` outside Int64; of two equal names in an object the last
    /// value counts, in the first's place. Dates and data stay the strings that they are in JSON.
    ///
    /// - Throws: `.invalidJSON` with the byte offset: for what is no JSON, and for more than 100 levels of arrays and objects.
    public init(json: Data) throws {
        self = try JSONParser.value(json.span)
    }

    /// The value as JSON text.
    ///
    /// Dates are ISO 8601 in UTC, with as many decimals as the date has; data is base64; NaN, the infinities and dates beyond the
    /// year 999,999 are null. A `.double` always has a point or an exponent, so that it is read back as one.
    ///
    /// - Parameter pretty: One line an element or field, with two blanks a level.
    public func json(pretty: Bool = false) -> String {
        String(decoding: JSONWriter.text(self, isPretty: pretty), as: UTF8.self)
    }

    /// Parses a JSON text in which `{"$date": "…"}` and its like stand for the values that JSON has no form for.
    package init(extendedJSON: Data) throws(OfflineError) {
        // Each level may have an object more around it, and the innermost value may be an object here.
        let plain = try JSONParser.value(extendedJSON.span, depthMax: 2 * JSONParser.depthMax + 1)
        self = try ExtendedJSON.resolve(plain, otherwise: .invalidJSON)
    }

    /// The value as JSON text that `init(extendedJSON:)` reads back exactly.
    package func extendedJSON(pretty: Bool = false) -> String {
        String(
            decoding: JSONWriter.text(self, isPretty: pretty, isExtended: true), as: UTF8.self)
    }
}

extension Value: CustomStringConvertible {
    /// The value as JSON text.
    public var description: String { json() }
}

extension Document {
    /// Parses one JSON object (RFC 8259).
    ///
    /// ```swift
    /// let user = try Document(json: #"{"id": "u1", "name": "Ada"}"#)
    /// ```
    ///
    /// - Throws: `.invalidJSON` with the byte offset, also for a text whose value is no object.
    public init(json: String) throws {
        try self.init(object: JSONParser.value(json.utf8Span.span))
    }

    /// The same for a text's bytes.
    ///
    /// - Throws: `.invalidJSON` with the byte offset, also for a text whose value is no object.
    public init(json: Data) throws {
        try self.init(object: JSONParser.value(json.span))
    }

    /// The document as JSON text; see `Value.json(pretty:)`.
    ///
    /// - Parameter pretty: One line a field, with two blanks a level.
    public func json(pretty: Bool = false) -> String { Value.object(self).json(pretty: pretty) }

    /// Parses one object in extended form.
    package init(extendedJSON: Data) throws(OfflineError) {
        try self.init(object: Value(extendedJSON: extendedJSON))
    }

    /// The document as JSON text that `init(extendedJSON:)` reads back exactly.
    package func extendedJSON(pretty: Bool = false) -> String {
        Value.object(self).extendedJSON(pretty: pretty)
    }

    private init(object value: Value) throws(OfflineError) {
        guard case .object(let document) = value else {
            throw OfflineError(
                .invalidJSON, "the text is no object but of type \(value.kind), at byte 0")
        }
        self = document
    }
}
