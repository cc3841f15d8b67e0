// Filters written as expressions. Each member builds exactly the object form that one would write by hand.
public import OfflineDocuments

/// A field by its dotted path, to build filters from.
///
/// ```swift
/// Field("age") >= 18 && Field("role").isIn(["admin", "editor"])
/// ```
public struct Field: Sendable, Hashable, ExpressibleByStringLiteral {
    /// The dotted path.
    let path: String

    /// The field at a dotted path.
    public init(_ path: String) {
        self.path = path
    }

    /// The field at a dotted path.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// Equal, or an array with an equal element.
    public static func == (a: Field, b: some ValueConvertible) -> Filter {
        a.filter("$eq", b.storeValue)
    }

    /// Not equal, nor an array with an equal element; also where the field is missing.
    public static func != (a: Field, b: some ValueConvertible) -> Filter {
        a.filter("$ne", b.storeValue)
    }

    /// Less, and of the operand's own type.
    public static func < (a: Field, b: some ValueConvertible) -> Filter {
        a.filter("$lt", b.storeValue)
    }

    /// Less or equal, and of the operand's own type.
    public static func <= (a: Field, b: some ValueConvertible) -> Filter {
        a.filter("$lte", b.storeValue)
    }

    /// Greater, and of the operand's own type.
    public static func > (a: Field, b: some ValueConvertible) -> Filter {
        a.filter("$gt", b.storeValue)
    }

    /// Greater or equal, and of the operand's own type.
    public static func >= (a: Field, b: some ValueConvertible) -> Filter {
        a.filter("$gte", b.storeValue)
    }

    /// Equal, or an array with an equal element.
    public static func == (a: Field, b: Value) -> Filter {
        a.filter("$eq", b)
    }

    /// Not equal, nor an array with an equal element; also where the field is missing.
    public static func != (a: Field, b: Value) -> Filter {
        a.filter("$ne", b)
    }

    /// Equal to one of these.
    public func isIn(_ values: [some ValueConvertible]) -> Filter {
        filter("$in", .array(values.map(\.storeValue)))
    }

    /// Equal to one of these.
    public func isIn(_ values: [Value]) -> Filter {
        filter("$in", .array(values))
    }

    /// Whether there is such a field, null included.
    public func exists(_ flag: Bool = true) -> Filter {
        filter("$exists", .bool(flag))
    }

    /// Null or missing.
    public var isNull: Filter {
        filter("$eq", .null)
    }

    private func filter(_ operatorName: String, _ operand: Value) -> Filter {
        let operators = Document(fields: [(operatorName, operand)])
        return Filter(Document(fields: [(path, .object(operators))]))
    }
}
