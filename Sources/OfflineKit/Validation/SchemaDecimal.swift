// Numbers as the decimals that they are written as, for `multipleOf`: 0.0075 is a multiple of 0.0001 though neither is a double, and
// their quotient as doubles is no integer. A double is the shortest decimal that reads back as it, which is what somebody wrote.

/// A number that isn't negative: `digits` times ten to the `exponent`.
struct SchemaDecimal: Sendable, Equatable {
    let digits: UInt64
    let exponent: Int

    private init(digits: UInt64, exponent: Int) {
        self.digits = digits
        self.exponent = exponent
    }

    /// The magnitude of an integer.
    init(_ value: Int64) { self.init(digits: value.magnitude, exponent: 0) }

    /// The magnitude of a double; nil for what is no finite number.
    init?(_ value: Double) {
        guard value.isFinite else { return nil }
        if let integer = Int64(exactly: value) {
            self.init(integer)
            return
        }
        var digits: UInt64 = 0
        var exponent = 0
        var isFraction = false
        var text = value.magnitude.description.utf8[...]
        while let byte = text.popFirst() {
            switch byte {
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"):
                exponent += Int(Substring(text)) ?? 0
                text = text[text.endIndex...]
            default:
                // 17 digits at most.
                digits = digits &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
                if isFraction { exponent -= 1 }
            }
        }
        while digits != 0, digits % 10 == 0 {
            digits /= 10
            exponent += 1
        }
        self.init(digits: digits, exponent: exponent)
    }

    /// Whether this is `divisor`, which isn't 0, times an integer. Exact.
    func isMultiple(of divisor: SchemaDecimal) -> Bool {
        if digits == 0 { return true }
        let shift = exponent - divisor.exponent
        if shift < 0 {
            var whole = divisor.digits
            for _ in 0..<(-shift) {
                let product = whole.multipliedReportingOverflow(by: 10)
                if product.overflow || product.partialValue > digits { return false }
                whole = product.partialValue
            }
            return digits % whole == 0
        }
        var remainder = digits % divisor.digits
        // A double's exponents differ by less than 700.
        for _ in 0..<shift where remainder != 0 {
            let product = remainder.multipliedFullWidth(by: 10)
            remainder = divisor.digits.dividingFullWidth(product).remainder
        }
        return remainder == 0
    }
}
