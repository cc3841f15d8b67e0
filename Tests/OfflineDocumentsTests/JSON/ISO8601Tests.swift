import Foundation
import Testing

@testable import OfflineDocuments

@Suite struct ISO8601Tests {
    @Test(arguments: [
        ("2001-01-01T00:00:00Z", 0),
        ("2000-12-31T23:59:59Z", -1),
        ("1970-01-01T00:00:00Z", -978_307_200),
        ("2024-02-29T12:00:00Z", 730_900_800),
        ("2000-02-29T00:00:00Z", -26_524_800),
        ("1900-03-01T00:00:00Z", -3_182_198_400),
        ("2001-01-01T00:00:00.5Z", 0.5),
        ("2001-01-01T00:00:00.0001Z", 0.0001),
        ("2001-01-01T00:00:00.00001Z", 0.00001),
        ("2000-12-31T23:59:59.7Z", -0.3),
        ("2000-12-31T23:59:59.99999Z", -0.00001),
        ("2000-12-31T23:59:58.75Z", -1.25),
        ("2025-06-30T18:30:00.123456Z", 773_001_000.123456),
        ("9999-12-31T23:59:59Z", 252_423_993_599),
        ("+010000-01-01T00:00:00Z", 252_423_993_600),
        ("0001-01-01T00:00:00Z", -63_113_904_000),
        ("0000-01-01T00:00:00Z", -63_145_526_400),
        ("-000001-12-31T23:59:59Z", -63_145_526_401),
        ("+275760-09-13T00:00:00Z", 8_639_021_692_800),
    ])
    func `a date has this text and comes back from it`(_ text: String, _ seconds: Double) {
        #expect(ISO8601.text(Date(timeIntervalSinceReferenceDate: seconds)) == text)
        #expect(ISO8601.date(text)?.timeIntervalSinceReferenceDate == seconds)
    }

    @Test(arguments: [
        ("2001-01-01", 0), ("2024-02-29", 730_857_600),
        ("2001-01-01T00:00Z", 0), ("2001-01-01T01:30+01:30", 0), ("2000-12-31T22:00:00-02:00", 0),
        ("2001-01-01T23:59:00+23:59", 0), ("2001-01-01T00:00:00-00:00", 0),
        ("2001-01-01T00:00:00.000000Z", 0), ("2001-01-01T00:00:01.50+00:00", 1.5),
        ("2000-12-31T23:59:59.000Z", -1),
        ("+002001-01-01T00:00:00Z", 0),
        ("2001-01-01T00:00:00.1000000000000000055511151231257827Z", 0.1),
        ("2001-01-01T00:00:00.30000000000000004Z", 0.30000000000000004),
    ])
    func `other forms are read`(_ text: String, _ seconds: Double) {
        #expect(ISO8601.date(text)?.timeIntervalSinceReferenceDate == seconds)
    }

    @Test(arguments: [
        "", "2001", "2001-01", "2001-1-1", "20010101", "2001-001", "2001-W01-1", "01-01-2001",
        "2001-00-01", "2001-13-01", "2001-01-00", "2001-01-32", "2001-04-31", "2001-02-29",
        "1900-02-29",
        "2100-02-29", "2024-02-30", "10000-01-01", "-0001-01-01", "-000000-01-01", "+2001-01-01",
        "2001-01-01T", "2001-01-01T00Z", "2001-01-01T00:00", "2001-01-01T00:00:00",
        "2001-01-01 00:00:00Z", "2001-01-01t00:00:00Z", "2001-01-01T00:00:00z", "2001-01-01Z",
        "2001-01-01T24:00:00Z", "2001-01-01T00:60:00Z", "2001-01-01T00:00:60Z",
        "2001-01-01T0:00:00Z",
        "2001-01-01T00:00:00.Z", "2001-01-01T00:00:00,5Z", "2001-01-01T00:00.5Z",
        "2001-01-01T00:00:00+1", "2001-01-01T00:00:00+01", "2001-01-01T00:00:00+0100",
        "2001-01-01T00:00:00+24:00", "2001-01-01T00:00:00+01:60", "2001-01-01T00:00:00+-1:00",
        "2001-01-01T00:00:00Z ", " 2001-01-01", "2001-01-01T00:00:00ZZ", "２001-01-01", "2001–01–01",
        "2001-01-01T00:00:00.5.5Z", "2001-01-01T+1:00:00Z",
    ])
    func `anything else is no date`(_ text: String) {
        #expect(ISO8601.date(text) == nil)
    }

    @Test(arguments: [.nan, .infinity, -.infinity, 4e13, -4e13, 1e300] as [Double])
    func `a date that is no instant of six-digit years has no text`(_ seconds: Double) {
        #expect(ISO8601.text(Date(timeIntervalSinceReferenceDate: seconds)) == nil)
    }

    @Test func `the ends of six-digit years are exact`() {
        for text in ["+999999-12-31T23:59:59Z", "-999999-01-01T00:00:00Z"] {
            let date = ISO8601.date(text)
            #expect(date.flatMap(ISO8601.text) == text)
            #expect(date.flatMap { ISO8601.text($0 + (text.first == "+" ? 1 : -1)) } == nil)
        }
    }

    @Test func `every day of 210 years follows the day before`() throws {
        var (year, month, day) = (1895, 1, 1)
        var seconds = -3_345_062_400.0  // 1895-01-01T00:00:00Z
        while year < 2105 {
            let text =
                "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)T00:00:00Z"
            try #require(ISO8601.text(Date(timeIntervalSinceReferenceDate: seconds)) == text)
            try #require(ISO8601.date(text)?.timeIntervalSinceReferenceDate == seconds)
            let isLeap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0
            let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > days[month - 1] { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
            seconds += 86_400
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `every date with a text comes back as the same double`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for step in 0..<5_000 {
            let seconds =
                switch random.below(4) {
                case 0: Double.random(in: -1...1, using: &random)
                case 1: Double.random(in: -3e13...3e13, using: &random)
                case 2: Double(random.below(1_000_000_000_000)) / 1_000
                default: random.double()
                }
            let date = Date(timeIntervalSinceReferenceDate: seconds)
            guard let text = ISO8601.text(date) else { continue }
            #expect(ISO8601.date(text) == date, "seed \(seed), step \(step): \(text)")
        }
    }
}
