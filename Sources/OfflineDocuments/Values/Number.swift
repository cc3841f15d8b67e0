// Numbers of two kinds in one exact order. An Int64 beyond 2^53 need not be a double, so neither may be converted to the
// other before they are compared.

/// The order of numbers by mathematical value: NaN equals itself and is below every other, -0.0 equals 0.0.
package enum Number {
    /// Negative, zero or positive as `a` is before, equal to or after `b`.
    @inline(always)
    package static func order(_ a: Int64, _ b: Int64) -> Int { a < b ? -1 : (a == b ? 0 : 1) }

    /// The same for two doubles.
    @inline(always)
    package static func order(_ a: Double, _ b: Double) -> Int {
        if a < b { return -1 }
        if a > b { return 1 }
        if a == b { return 0 }
        return a.isNaN ? (b.isNaN ? 0 : -1) : 1
    }

    /// The same for an integer and a double, exact for all of both.
    package static func order(_ a: Int64, _ b: Double) -> Int {
        if b.isNaN || b < -0x1p63 { return 1 }
        if b >= 0x1p63 { return -1 }
        let whole = Int64(b)  // toward zero; b is in range
        if a != whole { return a < whole ? -1 : 1 }
        // A double with a fraction is below 2^53, where its whole part is a double too.
        let wholeAsDouble = Double(whole)
        return b > wholeAsDouble ? -1 : (b < wholeAsDouble ? 1 : 0)
    }

    /// The integer that equals this double; nil where there is none.
    package static func integer(_ value: Double) -> Int64? { Int64(exactly: value) }

    /// Bits that are equal exactly where two doubles that equal no integer are equal.
    static func hashBits(_ value: Double) -> UInt64 {
        value.isNaN ? Double.nan.bitPattern : value.bitPattern
    }
}
