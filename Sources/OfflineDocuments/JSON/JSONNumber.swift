// Numbers between JSON text and values. Text without fraction and exponent that an Int64 holds is an int; every other number is
// the double next to it, an infinity where it is beyond all doubles.
internal import Foundation

/// The digits of an integer as they are read.
struct JSONNumber {
    private let isNegative: Bool
    /// Nil: more than 64 bits.
    private var magnitude: UInt64? = 0

    init(isNegative: Bool) { self.isNegative = isNegative }

    mutating func appendDigit(_ digit: UInt8) {
        guard let value = magnitude else { return }
        let (product, overflowsProduct) = value.multipliedReportingOverflow(by: 10)
        let (sum, overflowsSum) = product.addingReportingOverflow(UInt64(digit))
        magnitude = overflowsProduct || overflowsSum ? nil : sum
    }

    /// The integer, if an Int64 holds it.
    var integer: Int64? {
        guard let magnitude else { return nil }
        if !isNegative { return Int64(exactly: magnitude) }
        return magnitude <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
    }

    /// The double next to a number in JSON's syntax.
    static func double(_ text: String) -> Double {
        // The standard library reads all of that syntax, in time proportional to the text whatever the exponent.
        Double(text) ?? .nan
    }

    /// Appends the shortest text that reads back as the same double, and as a double: with a point or an exponent.
    static func append(_ value: Double, to text: inout [UInt8]) {
        text.append(contentsOf: value.isFinite ? value.description.utf8 : "null".utf8)
    }
}
