import Foundation
import Testing

@testable import OfflineDocuments

@Suite struct JSONParserTests {
    private func parse(_ text: String) throws -> Value { try Value(json: Data(text.utf8)) }

    @Test(
        arguments: [
            ("null", .null),
            (" \t\r\n true \n", true),
            ("false", false),
            ("0", 0), ("-0", 0), ("-1", -1), ("42", 42),
            ("9223372036854775807", .int(.max)),
            ("-9223372036854775808", .int(.min)),
            ("9223372036854775808", .double(0x1p63)),
            ("-9223372036854775809", .double(-0x1p63)),
            ("123456789012345678901234567890", .double(123_456_789_012_345_677_877_719_597_056)),
            ("1.0", .double(1)), ("-0.0", .double(-0.0)), ("1e2", .double(100)),
            ("1E+2", .double(100)),
            ("0e0", .double(0)), ("25e-2", .double(0.25)), ("0.1", .double(0.1)),
            ("1.7976931348623157e308", .double(.greatestFiniteMagnitude)),
            ("5e-324", .double(.leastNonzeroMagnitude)),
            ("1e999", .double(.infinity)), ("-1e999", .double(-.infinity)), ("1e-999", .double(0)),
            ("1e99999999999999999999999", .double(.infinity)),
            ("0e99999999999999999999999", .double(0)),
            ("-1e-99999999999999999999999", .double(-0.0)),
            (#""""#, ""), (#""a""#, "a"), (#""é\u00e9 𝄞\uD834\uDD1E""#, "éé 𝄞𝄞"),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0000\u001F\u007f\uFFFF\ud7ff\ue000""#, "\0\u{1F}\u{7F}\u{FFFF}\u{D7FF}\u{E000}"),
            (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
            ("\"\u{7F}\u{2028}\"", "\u{7F}\u{2028}"),
            ("[]", []), ("[ ]", []), ("[1,[2],{}]", [1, [2], [:]]),
            ("{}", [:]), (#"{ "a" : 1 , "" : [ null ] }"#, ["a": 1, "": [.null]]),
            (#"{"\u0061": 1}"#, ["a": 1]),
            (#"{"$date": "x"}"#, ["$date": "x"]),
        ] as [(String, Value)])
    func `a text has this value`(_ text: String, _ value: Value) throws {
        #expect(try parse(text).isIdentical(to: value))
    }

    @Test(arguments: [
        ("", 0), (" ", 1), ("nul", 0), ("nulL", 0), ("True", 0), ("tru e", 0), ("undefined", 0),
        ("\u{C}1", 0), ("\u{A0}1", 0), ("1 2", 2), ("null,", 4), ("[]]", 2), ("{}}", 2), ("]", 0),
        ("}", 0), (",", 0), (":", 0), ("//", 0), ("1 // one", 2), ("'a'", 0), ("NaN", 0),
        ("Infinity", 0), ("-Infinity", 1), ("-", 1), ("+1", 0), ("--1", 1), (".5", 0), ("-.5", 1),
        ("1.", 2), ("1.e1", 2), ("1.5.", 3), ("01", 0), ("-01", 0), ("00", 0), ("1e", 2),
        ("1e+", 3),
        ("1e1.5", 3), ("1ee1", 2), ("0x10", 1), ("1_000", 1), ("1a", 1), ("１", 0), ("1e１", 2),
        ("[", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("[1,,2]", 3), ("[1 2]", 3),
        ("[1}", 2), ("[1:2]", 2), ("[\u{B}]", 1),
        ("{", 1), (#"{"a""#, 4), (#"{"a":"#, 5), (#"{"a":1"#, 6), (#"{"a":1,"#, 7),
        (#"{"a":1,}"#, 7), (#"{"a" 1}"#, 5), (#"{"a":}"#, 5), (#"{"a":1 "b":2}"#, 7), ("{a:1}", 1),
        ("{1:1}", 1), (#"{"a":1]"#, 6), (#"{"a"::1}"#, 5), (#"{"a","b"}"#, 4), ("{,}", 1),
        ("{'a':1}", 1), (#"{"a":1}#"#, 7),
        ("\"", 0), (#""a"#, 0), (#"["a"#, 1), (#""\"#, 1), (#""\x""#, 1), (#""\'""#, 1),
        (#""ab\u""#, 3), (#""\u12""#, 1), (#""\u12G4""#, 1), (#""\U0041""#, 1), (#""\u 041""#, 1),
        ("\"a\n\"", 2), ("\"\0\"", 1), ("\"\\n\t\"", 3), ("\"\\\n\"", 1),
        (#""\uD800""#, 1), (#""\uDC00""#, 1), (#""a\uDC00\uD800""#, 2), (#""\uD800\uD800""#, 1),
        (#""\uD800x\uDC00""#, 1), (#""\uD800\n""#, 1), (#""\uD834\u0041""#, 1), (#""\uD800\u""#, 1),
        ("\u{FEFF}{}", 0), ("[\u{FEFF}]", 1), ("\"é\u{1}", 3),
    ])
    func `a text that is no JSON is refused at this byte`(_ text: String, _ offset: Int) throws {
        let error = try #require(throws: OfflineError.self) { try parse(text) }
        #expect(error.code == .invalidJSON)
        #expect(error.message.contains(" at byte \(offset) "), "\(error)")
    }

    @Test(
        arguments: [
            ([0x80], 0), ([0x22, 0xFF, 0x22], 1), ([0x22, 0xC3, 0x22], 1),
            ([0x22, 0xC0, 0x80, 0x22], 1),
            ([0x22, 0x61, 0xED, 0xA0, 0x80, 0x22], 2), ([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], 1),
            ([0x22, 0x5C, 0xE5, 0x22], 2), ([0x5B, 0x31, 0xE5, 0x5D], 2), ([0x22, 0xE2, 0x82], 1),
            ([0xFF, 0xFE, 0x31, 0x00], 0),
        ] as [([UInt8], Int)])
    func `bytes that aren't UTF-8 are refused at their place`(_ bytes: [UInt8], _ offset: Int)
        throws
    {
        let error = try #require(throws: OfflineError.self) { try Value(json: Data(bytes)) }
        #expect(error.code == .invalidJSON)
        #expect(error.message.contains(" at byte \(offset) "), "\(error)")
    }

    @Test func `a message has byte, line and column and nothing of the text`() throws {
        let error = try #require(throws: OfflineError.self) { try parse("{\n  \"é\": secret\n}") }
        #expect(error.message == "no value at byte 10 (line 2, column 8)")
    }

    @Test func `of two equal names the last value counts, in the first's place`() throws {
        let document = try Document(json: #"{"a": 1, "b": 2, "\u0061": 3}"#)
        #expect(document.fieldNames == ["a", "b"])
        #expect(document["a"] == 3)
    }

    @Test func `names are equal by their bytes only`() throws {
        let document = try Document(json: "{\"\u{E9}\": 1, \"e\u{301}\": 2}")
        #expect(document.count == 2)
    }

    @Test func `100 levels are allowed, more have their own message`() throws {
        func nested(_ levels: Int) -> String {
            (0..<levels).map { $0 % 2 == 0 ? "[" : #"{"a":"# }.joined() + "1"
                + (0..<levels).reversed().map { $0 % 2 == 0 ? "]" : "}" }.joined()
        }
        _ = try parse(nested(100))
        for levels in [101, 100_000] {
            let error = try #require(throws: OfflineError.self) { try parse(nested(levels)) }
            #expect(error.message.contains("deeper than 100 levels at byte 300 "), "\(error)")
        }
        #expect(throws: OfflineError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: OfflineError.self) {
            try parse(String(repeating: #"{"a":"#, count: 300_000))
        }
    }

    @Test func `a document takes an object only`() throws {
        #expect(try Document(json: #" {"a": {"b": [1]}} "#) == ["a": ["b": [1]]])
        #expect(try Document(json: Data("{}".utf8)).isEmpty)
        for text in ["[]", "1", "\"a\"", "null"] {
            let error = try #require(throws: OfflineError.self) { try Document(json: text) }
            #expect(error.code == .invalidJSON && error.message.contains("object"), "\(error)")
        }
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `damaged texts are refused or read, and never trap`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = Array("{}[]\",:\\u0dD8-+.eE19 tfn\n\u{1}é".utf8) + [0x80, 0xC3, 0xED, 0xFF]
        for step in 0..<4_000 {
            var text = Array(random.value().json(pretty: random.chance(1, in: 2)).utf8)
            for _ in 0...random.below(3) {
                switch random.below(3) {
                case 0 where !text.isEmpty: text[random.below(text.count)] = random.pick(pieces)
                case 1 where !text.isEmpty: text.remove(at: random.below(text.count))
                default: text.insert(random.pick(pieces), at: random.below(text.count + 1))
                }
            }
            _ = try? Value(extendedJSON: Data(text))
            guard let value = try? Value(json: Data(text)) else { continue }
            let again = try? Value(json: Data(value.json().utf8))
            #expect(
                again.map { Self.isFinite(value) ? $0.isIdentical(to: value) : true } ?? false,
                "seed \(seed), step \(step)")
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `random bytes never trap`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = Array("{{[[]]}}\"\"::,,\\\\u00D8dD-+.eE019 tfn".utf8)
        for _ in 0..<20_000 {
            let text = (0..<random.below(20)).map { _ in
                random.chance(1, in: 20)
                    ? UInt8(truncatingIfNeeded: random.next()) : random.pick(pieces)
            }
            _ = try? Value(json: Data(text))
            _ = try? Value(extendedJSON: Data(text))
        }
    }

    /// Whether the value has no infinity, which text like 1e999 makes and which is written as null.
    private static func isFinite(_ value: Value) -> Bool {
        switch value {
        case .double(let double): double.isFinite
        case .array(let elements): elements.allSatisfy(isFinite)
        case .object(let document): document.allSatisfy { isFinite($0.value) }
        default: true
        }
    }
}
