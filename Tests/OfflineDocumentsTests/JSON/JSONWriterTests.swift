import Foundation
import Testing

@testable import OfflineDocuments

@Suite struct JSONWriterTests {
    @Test(
        arguments: [
            (.null, "null"), (true, "true"), (false, "false"),
            (0, "0"), (.int(.min), "-9223372036854775808"),
            (.double(1), "1.0"), (.double(-0.0), "-0.0"), (.double(0.1), "0.1"),
            (.double(1e16), "1e+16"),
            (.double(5e-7), "5e-07"),
            (.double(.greatestFiniteMagnitude), "1.7976931348623157e+308"),
            (.double(.nan), "null"), (.double(.infinity), "null"), (.double(-.infinity), "null"),
            ("", #""""#), ("a/é𝄞\u{7F}\u{2028}", "\"a/é𝄞\u{7F}\u{2028}\""),
            ("\"\\\u{8}\t\n\u{C}\r\0\u{1F}", #""\"\\\b\t\n\f\r\u0000\u001f""#),
            (.data(Data([0, 1, 0xFF])), #""AAH/""#), (.data(Data()), #""""#),
            (.date(Date(timeIntervalSinceReferenceDate: 0.5)), #""2001-01-01T00:00:00.5Z""#),
            (.date(Date(timeIntervalSinceReferenceDate: .nan)), "null"),
            ([], "[]"), ([1, [.null], [:]], "[1,[null],{}]"), ([:], "{}"),
            (["b": 1, "a": ["\"": []]], #"{"b":1,"a":{"\"":[]}}"#),
        ] as [(Value, String)])
    func `a value has this text`(_ value: Value, _ text: String) {
        #expect(value.json() == text)
        #expect(value.description == text)
    }

    @Test func `pretty text has one line an element, and empty lists in one line`() {
        let document: Document = ["a": [1, [:]], "b": ["c": "x", "d": []], "e": [:]]
        #expect(
            document.json(pretty: true) == """
                {
                  "a": [
                    1,
                    {}
                  ],
                  "b": {
                    "c": "x",
                    "d": []
                  },
                  "e": {}
                }
                """)
        #expect(Document().json(pretty: true) == "{}")
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `what JSON has a form for is read back as it was`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for step in 0..<4_000 {
            let value = random.value()
            let expected = Self.plain(value)
            for pretty in [false, true] {
                let text = Data(value.json(pretty: pretty).utf8)
                #expect(
                    try Value(json: text).isIdentical(to: expected), "seed \(seed), step \(step)")
            }
        }
    }

    /// What JSON makes of a value.
    private static func plain(_ value: Value) -> Value {
        switch value {
        case .double(let double) where !double.isFinite: .null
        case .data(let data): .string(data.base64EncodedString())
        case .date(let date): ISO8601.text(date).map(Value.string) ?? .null
        case .array(let elements): .array(elements.map(plain))
        case .object(let document):
            .object(Document(fields: document.map { ($0.name, plain($0.value)) }))
        default: value
        }
    }
}
