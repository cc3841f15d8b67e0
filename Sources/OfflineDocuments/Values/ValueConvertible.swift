// What converts to a value: record keys, filter operands, assigned fields.
public import Foundation

/// A type whose values can be stored as they are.
public protocol ValueConvertible {
    /// The value that stands for this one in the store.
    var storeValue: Value { get }
}

extension Value: ValueConvertible {
    /// Itself.
    public var storeValue: Value { self }
}

extension String: ValueConvertible {
    /// A `.string`.
    public var storeValue: Value { .string(self) }
}

extension Bool: ValueConvertible {
    /// A `.bool`.
    public var storeValue: Value { .bool(self) }
}

extension Int: ValueConvertible {
    /// An `.int`.
    public var storeValue: Value { .int(Int64(self)) }
}

extension Int64: ValueConvertible {
    /// An `.int`.
    public var storeValue: Value { .int(self) }
}

extension Int32: ValueConvertible {
    /// An `.int`.
    public var storeValue: Value { .int(Int64(self)) }
}

extension UInt32: ValueConvertible {
    /// An `.int`.
    public var storeValue: Value { .int(Int64(self)) }
}

extension Double: ValueConvertible {
    /// A `.double`.
    public var storeValue: Value { .double(self) }
}

extension Float: ValueConvertible {
    /// A `.double` of exactly the same value.
    public var storeValue: Value { .double(Double(self)) }
}

extension Date: ValueConvertible {
    /// A `.date`.
    public var storeValue: Value { .date(self) }
}

extension Data: ValueConvertible {
    /// A `.data`.
    public var storeValue: Value { .data(self) }
}

extension UUID: ValueConvertible {
    /// A lower-case `.string`.
    public var storeValue: Value { .string(uuidString.lowercased()) }
}

extension Document: ValueConvertible {
    /// An `.object`.
    public var storeValue: Value { .object(self) }
}

extension Optional: ValueConvertible where Wrapped: ValueConvertible {
    /// The wrapped value's, or `.null`.
    public var storeValue: Value {
        switch self {
        case .some(let wrapped): wrapped.storeValue
        case .none: .null
        }
    }
}

extension Dictionary: ValueConvertible where Key == String, Value: ValueConvertible {
    /// An `.object` with the fields sorted by name, so that equal dictionaries give equal bytes.
    public var storeValue: OfflineDocuments.Value {
        let names = keys.sorted { String.orderByUTF8($0, $1) < 0 }
        return .object(Document(fields: names.map { ($0, self[$0].storeValue) }))
    }
}

extension Array: ValueConvertible where Element: ValueConvertible {
    /// An `.array`.
    public var storeValue: Value { .array(map(\.storeValue)) }
}
