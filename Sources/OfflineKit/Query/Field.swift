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

    /// Equal to none of these; also where the field is missing.
    public func isNotIn(_ values: [some ValueConvertible]) -> Filter {
        filter("$nin", .array(values.map(\.storeValue)))
    }

    /// Within both, and of their type.
    ///
    /// One value must be: of an array one element, not each end another one.
    public func isBetween(
        _ low: some ValueConvertible, _ high: some ValueConvertible
    ) -> Filter {
        filter("$between", [low.storeValue, high.storeValue])
    }

    /// Of one of these types: null, bool, int, double, number, string, data, date, array, object.
    public func hasType(_ names: String...) -> Filter {
        filter("$type", .array(names.map(Value.string)))
    }

    // MARK: Strings

    /// A string with this one in it, or an array with an equal element: `["database"]` doesn't contain "data".
    ///
    /// ```swift
    /// Field("title").contains("swift") && Field("tags").contains("database")
    /// ```
    public func contains(_ value: some ValueConvertible) -> Filter {
        filter("$contains", value.storeValue)
    }

    /// A string that begins so.
    public func hasPrefix(_ prefix: String) -> Filter {
        filter("$startsWith", .string(prefix))
    }

    /// A string that ends so.
    public func hasSuffix(_ suffix: String) -> Filter {
        filter("$endsWith", .string(suffix))
    }

    /// A string in which the regular expression matches somewhere.
    ///
    /// Options are the letters i (ignore case), m (`^` and `$` at lines), s (`.` matches newlines) and x (ignore space and
    /// comments in the pattern).
    ///
    /// ```swift
    /// Field("email").matches(#"^[^@\s]+@example\.(com|org)$"#, options: "i")
    /// ```
    public func matches(_ regex: String, options: String = "") -> Filter {
        var operators: Document = ["$regex": .string(regex)]
        if !options.isEmpty { operators["$options"] = .string(options) }
        return filter(operators)
    }

    // MARK: Arrays

    /// An array with each of these in it.
    public func containsAll(_ values: [some ValueConvertible]) -> Filter {
        filter("$all", .array(values.map(\.storeValue)))
    }

    /// An array with an object in it that passes the filter.
    ///
    /// ```swift
    /// Field("items").hasElement(Field("sku") == "A1" && Field("quantity") > 2)
    /// ```
    public func hasElement(_ element: Filter) -> Filter {
        filter("$elemMatch", .object(element.document))
    }

    /// An array of so many elements.
    public func hasCount(_ count: Int) -> Filter {
        filter("$size", .int(Int64(count)))
    }

    private func filter(_ operatorName: String, _ operand: Value) -> Filter {
        filter(Document(fields: [(operatorName, operand)]))
    }

    private func filter(_ operators: Document) -> Filter {
        Filter(Document(fields: [(path, .object(operators))]))
    }
}
