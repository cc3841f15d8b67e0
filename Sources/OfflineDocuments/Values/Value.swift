// The JSON-like value that a field holds.
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
