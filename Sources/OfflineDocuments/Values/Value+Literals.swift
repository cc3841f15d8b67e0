// Literals. There is no nil literal: `flag ? value : nil` would silently mean `.null`. Write `.null`.

extension Value: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// A `.bool` from `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// An `.int` from an integer literal.
    public init(integerLiteral value: Int64) { self = .int(value) }

    /// A `.double` from a literal with a fraction or exponent.
    public init(floatLiteral value: Double) { self = .double(value) }

    /// A `.string` from a string literal, interpolated or not.
    public init(stringLiteral value: String) { self = .string(value) }

    /// An `.array` from an array literal.
    public init(arrayLiteral elements: Value...) { self = .array(elements) }

    /// An `.object` from a dictionary literal; of two equal names the last value counts, in the first's place.
    public init(dictionaryLiteral elements: (String, Value)...) {
        self = .object(Document(fields: elements))
    }
}
