import Foundation
import Testing

@testable import OfflineDocuments

@Suite struct ValueCodableTests {
    private static let document: Document = [
        "null": .null, "bool": true, "zero": 0, "one": 1, "int": .int(.max), "double": 0.1,
        "big": .double(0x1p70), "string": "é\0", "list": [1, [], [:], "x", .null, false],
        "object": ["a": ["b": 1.5], "": ""],
    ]

    @Test func `JSONEncoder and JSONDecoder keep what JSON has`() throws {
        let text = try JSONEncoder().encode(Self.document)
        #expect(try JSONDecoder().decode(Document.self, from: text) == Self.document)
        #expect(try JSONDecoder().decode(Value.self, from: text) == .object(Self.document))
        #expect(try Document(json: text) == Self.document)
    }

    @Test func `JSONDecoder reads what the store's JSON has`() throws {
        var random = SeededGenerator(seed: 1)
        for step in 0..<300 {
            let text = random.value().json()
            // Whole numbers with an exponent are ints to JSONDecoder, exact ones, and doubles here.
            if text.contains("e+") { continue }
            let bytes = Data(text.utf8)
            #expect(
                try JSONDecoder().decode(Value.self, from: bytes) == Value(json: bytes),
                "step \(step): \(text)")
        }
    }

    @Test func `a property list keeps dates and data too`() throws {
        let document: Document = [
            "date": .date(Date(timeIntervalSinceReferenceDate: 5)), "data": .data(Data([0, 255])),
            "list": [.date(.distantPast), 1, 1.5, "x", true],
        ]
        let encoder = PropertyListEncoder()
        encoder.outputFormat = .binary
        let bytes = try encoder.encode(document)
        #expect(try PropertyListDecoder().decode(Document.self, from: bytes) == document)
    }

    @Test func `dates, data and NaN follow the coder's strategies`() throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        let value: Value = [.date(Date(timeIntervalSince1970: 5)), .data(Data([0, 1]))]
        #expect(String(decoding: try encoder.encode(value), as: UTF8.self) == #"[5,"AAE="]"#)
        #expect(throws: EncodingError.self) { try encoder.encode(Value.double(.nan)) }
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "+", negativeInfinity: "-", nan: "NaN")
        #expect(
            String(decoding: try encoder.encode(Value.double(.nan)), as: UTF8.self) == "\"NaN\"")
    }

    @Test func `values sit inside of any type`() throws {
        struct Record: Codable, Equatable {
            var value: Value
            var missing: Value?
            var documents: [Document]
        }
        let record = Record(value: [1, "a"], missing: nil, documents: [["a": 1], [:]])
        let text = try JSONEncoder().encode(record)
        #expect(try JSONDecoder().decode(Record.self, from: text) == record)
    }

    @Test(arguments: ["[1]", "1", "null", "\"a\""])
    func `a document is an object only`(_ text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Document.self, from: Data(text.utf8))
        }
    }
}
