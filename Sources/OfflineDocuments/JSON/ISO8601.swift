// Dates and their ISO 8601 text, in the form of RFC 3339: strict, exact, and without the system's calendars.
//
//     2024-02-29T23:59:59.25Z    years 0000 to 9999 of the Gregorian calendar, also before there was one
//     +012024-02-29T00:00:00Z    other years up to six digits, signed, as ECMAScript writes them
//     2024-02-29T23:59+01:00     read, not written: without seconds, with an offset (up to 23:59)
//     2024-02-29                 read, not written: midnight UTC
//
// A leap second, hour 24, "-000000" and anything else are refused. A date is a double, seconds since 2001-01-01T00:00:00Z. Its text
// has the fewest decimals that tell it from all other doubles, and reading gives the double next to the exact decimal
// value: so every date that has a text comes back as the same double.
package import Foundation

package enum ISO8601 {
    private static let secondsPerDay: Int64 = 86_400
    /// Days from 0000-03-01 to 2001-01-01.
    private static let referenceDay: Int64 = 730_791
    private static let daysPer400Years: Int64 = 146_097
    /// Beyond this many seconds years have seven digits.
    private static let secondsMax = 4e13

    /// The date's text in UTC; nil for a date that is not finite or beyond the years of six digits.
    package static func text(_ date: Date) -> String? {
        let seconds = date.timeIntervalSinceReferenceDate
        guard seconds.magnitude < secondsMax else { return nil }
        let whole = Int64(seconds.rounded(.down))
        let day = floorDivide(whole, secondsPerDay)
        let (year, month, dayOfMonth) = civil(day: day)
        guard -999_999...999_999 ~= year else { return nil }
        let second = whole - day * secondsPerDay
        var text: [UInt8] = []
        if !(0...9_999 ~= year) { text.append(UInt8(ascii: year < 0 ? "-" : "+")) }
        append(year.magnitude, digits: 0...9_999 ~= year ? 4 : 6, to: &text)
        for (separator, number) in [
            ("-", month), ("-", dayOfMonth), ("T", second / 3_600), (":", second / 60 % 60),
            (":", second % 60),
        ] as [(Unicode.Scalar, Int64)] {
            text.append(UInt8(ascii: separator))
            append(number.magnitude, digits: 2, to: &text)
        }
        let decimals = decimals(of: seconds)
        if !decimals.isEmpty {
            text.append(UInt8(ascii: "."))
            text.append(contentsOf: decimals.map { $0 + UInt8(ascii: "0") })
        }
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// The date of a text; nil for a text of no form above.
    package static func date(_ text: String) -> Date? {
        var parser = ISO8601Parser(text: Array(text.utf8))
        guard let (whole, decimals) = parser.parse() else { return nil }
        return Date(timeIntervalSinceReferenceDate: seconds(whole, decimals))
    }

    // MARK: Calendar

    private static func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
        let quotient = dividend / divisor
        return dividend % divisor < 0 ? quotient - 1 : quotient
    }

    /// The Gregorian date of a day that is counted from 2001-01-01.
    ///
    /// Years begin in March here, so that a leap day is a year's last; 400 of them always have the same number of days.
    private static func civil(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let absolute = day + referenceDay
        let era = floorDivide(absolute, daysPer400Years)
        let dayOfEra = absolute - era * daysPer400Years
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / (daysPer400Years - 1))
            / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }

    /// The inverse of `civil`: the day of a valid Gregorian date, counted from 2001-01-01.
    fileprivate static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = floorDivide(year, 400)
        let yearOfEra = year - era * 400
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * daysPer400Years + dayOfEra - referenceDay
    }

    fileprivate static func daysInMonth(_ month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // MARK: Decimals

    /// The decimals behind the whole seconds below `seconds`, the last not 0: the fewest that tell it from other doubles.
    private static func decimals(of seconds: Double) -> [UInt8] {
        // The shortest form of a double: "12.5", "0.0001", "1.5e-07"; no exponent above, as the magnitude is bounded.
        let parts = seconds.magnitude.description.utf8.split(separator: UInt8(ascii: "e"))
        let digits = parts[0].split(separator: UInt8(ascii: "."))
        var decimals = digits.count > 1 ? digits[1].map { $0 - UInt8(ascii: "0") } : []
        if parts.count > 1, let exponent = Int(String(decoding: parts[1], as: UTF8.self)) {
            let first = digits[0].map { $0 - UInt8(ascii: "0") }
            decimals = Array(repeating: 0, count: -exponent - 1) + first + decimals
        }
        while decimals.last == 0 { decimals.removeLast() }
        return seconds < 0 ? complement(decimals) : decimals
    }

    /// The decimals of 1 - 0.d for those of 0.d, the last of which is not 0.
    private static func complement(_ decimals: [UInt8]) -> [UInt8] {
        guard let last = decimals.last else { return [] }
        return decimals.dropLast().map { 9 - $0 } + [10 - last]
    }

    /// The double next to whole seconds plus decimals.
    private static func seconds(_ whole: Int64, _ decimals: [UInt8]) -> Double {
        var decimals = decimals
        while decimals.last == 0 { decimals.removeLast() }
        guard !decimals.isEmpty else { return Double(whole) }
        // Below zero the decimals lead toward it: -1 and .75 are -(0 and .25).
        let integer = whole < 0 ? (whole + 1).magnitude : whole.magnitude
        if whole < 0 { decimals = complement(decimals) }
        let digits = String(decoding: decimals.map { $0 + UInt8(ascii: "0") }, as: UTF8.self)
        let magnitude = Double("\(integer).\(digits)") ?? .nan
        return whole < 0 ? -magnitude : magnitude
    }

    private static func append(_ number: UInt64, digits: Int, to text: inout [UInt8]) {
        let plain = String(number).utf8
        text.append(
            contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, digits - plain.count)))
        text.append(contentsOf: plain)
    }
}

/// A cursor over the text of a date.
private struct ISO8601Parser {
    let text: [UInt8]
    var offset = 0

    /// Seconds since the reference date and decimals; nil for anything but a whole date.
    mutating func parse() -> (whole: Int64, decimals: [UInt8])? {
        guard let year = year(), consume("-"), let month = number(digits: 2), 1...12 ~= month,
            consume("-"), let day = number(digits: 2),
            1...ISO8601.daysInMonth(month, year: year) ~= day
        else { return nil }
        let midnight = ISO8601.day(year: year, month: month, day: day) * 86_400
        if offset == text.count { return (midnight, []) }
        guard consume("T"), let minutes = time() else { return nil }
        var seconds: Int64 = 0
        var decimals: [UInt8] = []
        if consume(":") {
            guard let number = number(digits: 2), number < 60 else { return nil }
            seconds = number
            if consume(".") {
                while let digit = digit() { decimals.append(digit) }
                if decimals.isEmpty { return nil }
            }
        }
        guard let zone = zone(), offset == text.count else { return nil }
        return (midnight + (minutes - zone) * 60 + seconds, decimals)
    }

    private mutating func year() -> Int64? {
        let isNegative = consume("-")
        guard isNegative || consume("+") else { return number(digits: 4) }
        guard let year = number(digits: 6), !(isNegative && year == 0) else { return nil }
        return isNegative ? -year : year
    }

    /// Hours and minutes, in minutes.
    private mutating func time() -> Int64? {
        guard let hour = number(digits: 2), hour < 24, consume(":"), let minute = number(digits: 2),
            minute < 60
        else { return nil }
        return hour * 60 + minute
    }

    /// The offset from UTC in minutes.
    private mutating func zone() -> Int64? {
        if consume("Z") { return 0 }
        if consume("+") { return time() }
        return consume("-") ? time().map { -$0 } : nil
    }

    private mutating func consume(_ character: Unicode.Scalar) -> Bool {
        guard offset < text.count, text[offset] == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private mutating func digit() -> UInt8? {
        guard offset < text.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= text[offset] else {
            return nil
        }
        defer { offset += 1 }
        return text[offset] - UInt8(ascii: "0")
    }

    private mutating func number(digits: Int) -> Int64? {
        var result: Int64 = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            result = result * 10 + Int64(digit)
        }
        return result
    }
}
