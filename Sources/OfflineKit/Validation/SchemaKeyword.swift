// The keywords of JSON Schema 2020-12 that a collection's schema may have, and what else may stand in it. Any other name is refused,
// so that no rule that somebody relies on is silently none.

/// A keyword that says what a value must be, or where a schema is found. A schema's keywords are asked in this order.
enum SchemaKeyword: String, Sendable, CaseIterable {
    case type
    case constant = "const"
    case enumeration = "enum"
    case minimum
    case exclusiveMinimum
    case maximum
    case exclusiveMaximum
    case multipleOf
    case minLength
    case maxLength
    case pattern
    case minItems
    case maxItems
    case minProperties
    case maxProperties
    case required
    case properties
    case additionalProperties
    case prefixItems
    case items
    case uniqueItems
    case reference = "$ref"
    case allOf
    case anyOf
    case oneOf
    case not
    case `if`
    case then
    case `else`
    case definitions = "$defs"
    case identifier = "$id"
    case anchor = "$anchor"

    /// What may stand in a schema and asks nothing of a value, and what its value must be.
    static let annotations: [String: AnnotationKind] = [
        "$schema": .dialect, "$comment": .string, "title": .string, "description": .string,
        "default": .any, "examples": .array, "deprecated": .flag, "readOnly": .flag,
        "writeOnly": .flag, "format": .string, "contentEncoding": .string,
        "contentMediaType": .string, "contentSchema": .schema,
    ]

    enum AnnotationKind: Sendable {
        case any, string, flag, array, schema, dialect
    }

    /// Throws what is wrong with an annotation's value; nil if nothing is.
    static func problem(in value: Value, of kind: AnnotationKind) -> String? {
        switch (kind, value) {
        case (.any, _), (.string, .string), (.flag, .bool), (.array, .array), (.schema, .object),
            (.schema, .bool):
            return nil
        case (.dialect, .string(let text)) where dialects.contains(text): return nil
        case (.dialect, _): return "must be \"\(dialects[0])\": no other schemas are known"
        case (.string, _): return "must be a string"
        case (.flag, _): return "must be true or false"
        case (.array, _): return "must be an array"
        case (.schema, _): return "must be an object, true or false"
        }
    }

    private static let dialects = [
        "https://json-schema.org/draft/2020-12/schema",
        "https://json-schema.org/draft/2020-12/schema#",
    ]
}

/// The types that `type` knows: those of JSON, and `date` and `data`, which a record may have besides. No value is of two of them, but
/// that an `integer` is a `number`: as in JSON Schema a number without a fraction, whether it is kept as an int or a double.
struct SchemaTypes: OptionSet, Sendable {
    let rawValue: UInt16

    static let null = SchemaTypes(rawValue: 1)
    static let boolean = SchemaTypes(rawValue: 2)
    static let integer = SchemaTypes(rawValue: 4)
    static let number = SchemaTypes(rawValue: 8)
    static let string = SchemaTypes(rawValue: 16)
    static let array = SchemaTypes(rawValue: 32)
    static let object = SchemaTypes(rawValue: 64)
    static let date = SchemaTypes(rawValue: 128)
    static let data = SchemaTypes(rawValue: 256)

    static let names: [(name: String, type: SchemaTypes)] = [
        ("null", .null), ("boolean", .boolean), ("integer", .integer), ("number", .number),
        ("string", .string), ("array", .array), ("object", .object), ("date", .date),
        ("data", .data),
    ]

    init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The type of this name; nil where there is none.
    init?(named name: String) {
        guard let known = SchemaTypes.names.first(where: { $0.name == name }) else { return nil }
        self = known.type
    }

    /// "string or null".
    var text: String {
        SchemaTypes.names.filter { contains($0.type) }.map(\.name).joined(separator: " or ")
    }
}
