// How Swift types that aren't built of others become values, and the way back: the one table that ValueEncoder and ValueDecoder share.
//
//     Date       a date                                             back also from an ISO 8601 string
//     Data       data                                               back also from a base64 string
//     UUID, URL  their strings, a UUID's in lower case
//     integers   an int; outside Int64 the double that equals it, or else its digits as a string
//     Decimal    an int or double if that reads back as the same decimal, or else its digits as a string
//     Float      the double that equals it                          back from any double, rounded
//     Double     a double                                           back also from an int, rounded
//
// So what was encoded decodes to the same, and what came as JSON, where dates and data are strings, decodes too.
internal import Foundation

/// What is wrong with a value that is encoded or decoded. It goes into a coding error's context, as the part of it that is known
/// to show no value.
struct CodingIssue: Error {
    let message: String
    /// Whether the value is of another kind than the one wanted.
    var isMismatch = false
}

/// The mapping of basic types.
enum CodingBridge {
    /// The value for one of the types that aren't encoded by their own `encode(to:)`; nil for all others.
    static func value<T>(of basic: T) -> Value? {
        switch T.self {
        case is Value.Type: basic as? Value
        case is Document.Type: (basic as? Document).map(Value.object)
        case is Date.Type: (basic as? Date).map(Value.date)
        case is Data.Type: (basic as? Data).map(Value.data)
        case is UUID.Type: (basic as? UUID).map { .string($0.uuidString.lowercased()) }
        case is URL.Type: (basic as? URL).map { .string($0.absoluteString) }
        case is Decimal.Type: (basic as? Decimal).map(value)
        default: nil
        }
    }

    /// The value for an integer.
    static func value(_ integer: some FixedWidthInteger) -> Value {
        if let int = Int64(exactly: integer) { return .int(int) }
        return Double(exactly: integer).map(Value.double) ?? .string("\(integer)")
    }

    private static func value(_ decimal: Decimal) -> Value {
        if decimal.isNaN { return .double(.nan) }
        let digits = decimal.description
        if let int = Int64(digits) { return .int(int) }
        if let double = Double(digits), self.decimal(double) == decimal { return .double(double) }
        return .string(digits)
    }

    /// The instance of one of the types that aren't decoded by their own `init(from:)`; nil for all others.
    static func instance<T>(of type: T.Type, _ value: Value) throws(CodingIssue) -> T? {
        let instance: Any
        switch type {
        case is Value.Type: instance = value
        case is Document.Type:
            guard case .object(let document) = value else { throw mismatch("an object", value) }
            instance = document
        case is Date.Type: instance = try date(value)
        case is Data.Type: instance = try data(value)
        case is UUID.Type: instance = try parse(value, "a UUID") { UUID(uuidString: $0) }
        case is URL.Type: instance = try parse(value, "a URL") { URL(string: $0) }
        case is Decimal.Type: instance = try decimal(value)
        default: return nil
        }
        return instance as? T
    }

    /// The integer that a value stands for.
    static func integer<T: FixedWidthInteger>(_ type: T.Type, _ value: Value) throws(CodingIssue)
        -> T
    {
        let integer: T? =
            switch value {
            case .int(let int): T(exactly: int)
            case .double(let double): T(exactly: double)
            // Digits are written only for what no number holds.
            case .string(let digits): Int64(digits) == nil ? T(digits) : nil
            default: nil
            }
        if let integer { return integer }
        switch value {
        case .int, .double: throw CodingIssue(message: "a number that no \(type) holds")
        default: throw mismatch("an integer", value)
        }
    }

    /// The double that a value stands for.
    static func double(_ value: Value) throws(CodingIssue) -> Double {
        guard let double = value.doubleValue else { throw mismatch("a number", value) }
        return double
    }

    /// The float next to a value's number.
    static func float(_ value: Value) throws(CodingIssue) -> Float {
        let double = try double(value)
        let float = Float(double)
        guard float.isFinite || !double.isFinite else {
            throw CodingIssue(message: "a number that no Float holds")
        }
        return float
    }

    /// What is said of a value of the wrong kind.
    static func mismatch(_ wanted: String, _ value: Value) -> CodingIssue {
        CodingIssue(message: "\(value.kind) where \(wanted) is wanted", isMismatch: true)
    }

    // MARK: Foundation's types

    private static func date(_ value: Value) throws(CodingIssue) -> Date {
        if case .date(let date) = value { return date }
        return try parse(value, "a date") { ISO8601.date($0) }
    }

    private static func data(_ value: Value) throws(CodingIssue) -> Data {
        if case .data(let data) = value { return data }
        return try parse(value, "data") { Data(base64Encoded: $0) }
    }

    private static func parse<T>(
        _ value: Value, _ wanted: String, _ parse: (String) -> T?
    ) throws(CodingIssue) -> T {
        guard case .string(let text) = value else { throw mismatch(wanted, value) }
        guard let result = parse(text) else {
            throw CodingIssue(message: "a string that is not \(wanted)")
        }
        return result
    }

    private static func decimal(_ value: Value) throws(CodingIssue) -> Decimal {
        switch value {
        case .int(let int): return Decimal(int)
        case .double(let double):
            guard let decimal = decimal(double) else {
                throw CodingIssue(message: "a number that no Decimal holds")
            }
            return decimal
        default: return try parse(value, "a decimal number") { decimal($0) }
        }
    }

    /// The decimal of a double's shortest text: 0.1 is 0.1.
    private static func decimal(_ double: Double) -> Decimal? {
        double.isNaN ? .nan : decimal(double.description)
    }

    private static func decimal(_ text: String) -> Decimal? {
        // Decimal itself stops at the first character that it doesn't know.
        guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), Double(text) != nil,
            let decimal = Decimal(string: text), !decimal.isNaN
        else { return nil }
        return decimal
    }
}
