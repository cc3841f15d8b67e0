// The JSON-like value that a field holds, and what can be read out of one.
public import Foundation

/// One field's value.
///
/// `==` and hashing follow the store's one total order: numbers by mathematical value across int and double (NaN equals
/// itself, -0.0 equals 0.0), strings by their UTF-8 bytes, objects whatever the order of their fields.
///
/// ```swift
/// let value: Value = ["name": "Ada", "tags": ["a", "b"]]
/// value["tags"]?[0] == "a"
/// ```
public enum Value: Sendable {
    /// JSON's null; a missing field compares equal to it.
    case null
    /// A truth value; never equal to a number.
    case bool(Bool)
    /// A 64-bit integer.
    case int(Int64)
    /// A 64-bit floating-point number.
    case double(Double)
    /// Text, compared by its UTF-8 bytes.
    case string(String)
    /// Raw bytes.
    case data(Data)
    /// An instant; the 64-bit double is kept exactly.
    case date(Date)
    /// An ordered list of values.
    case array([Value])
    /// Named fields.
    case object(Document)
}

/// The kinds of value, as `$type` names them. Their order is that of `Value`'s cases, not the order of values: see `rank`.
package enum ValueKind: UInt8, Sendable {
    case null
    case bool
    case int
    case double
    case string
    case data
    case date
    case array
    case object
    /// Only in records: what it is shows when it is opened.
    case sealed

    /// The kind's place in the order of values; int and double share one.
    package var rank: Int {
        switch self {
        case .null: 0
        case .int, .double: 1
        case .string: 2
        case .object: 3
        case .array: 4
        case .data: 5
        case .bool: 6
        case .date: 7
        case .sealed: 8
        }
    }
}

extension Value {
    /// The value's kind.
    package var kind: ValueKind {
        switch self {
        case .null: .null
        case .bool: .bool
        case .int: .int
        case .double: .double
        case .string: .string
        case .data: .data
        case .date: .date
        case .array: .array
        case .object: .object
        }
    }

    /// Whether it is `.null`.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// A `.bool`'s value; nil for any other kind.
    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// An `.int`, or a `.double` that is exactly an integer.
    public var intValue: Int? {
        switch self {
        case .int(let value): Int(exactly: value)
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }

    /// An `.int` (rounded to the nearest double) or a `.double`.
    public var doubleValue: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// A `.string`'s text; nil for any other kind.
    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// A `.data`'s bytes; nil for any other kind.
    public var dataValue: Data? {
        if case .data(let value) = self { value } else { nil }
    }

    /// A `.date`'s instant; nil for any other kind.
    public var dateValue: Date? {
        if case .date(let value) = self { value } else { nil }
    }

    /// An `.array`'s elements; nil for any other kind.
    public var arrayValue: [Value]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// An `.object`'s fields; nil for any other kind.
    public var objectValue: Document? {
        if case .object(let value) = self { value } else { nil }
    }

    /// A field of an object, by its exact name; nil where there is none, or where this is no object.
    public subscript(field: String) -> Value? {
        if case .object(let value) = self { value[field] } else { nil }
    }

    /// An element of an array; nil outside its bounds, or where this is no array.
    public subscript(index: Int) -> Value? {
        guard case .array(let value) = self, value.indices.contains(index) else { return nil }
        return value[index]
    }
}
