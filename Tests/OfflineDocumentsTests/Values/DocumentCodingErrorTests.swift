import Foundation
import Testing

@testable import OfflineDocuments

@Suite struct DocumentCodingErrorTests {
    struct Record: Codable {
        struct Part: Codable {
            var count: UInt8
        }
        var parts: [Part]?
        var date: Date?
        var data: Data?
        var uuid: UUID?
        var url: URL?
        var decimal: Decimal?
        var color: Color?
        var flag: Bool?
        var float: Float?
        var big: UInt64?
        var named: [String: [Int]]?
        var object: Document?
        var custom: Custom?
    }

    struct Custom: Codable {
        struct Failure: Error, CustomStringConvertible { var description: String { "SECRET" } }
        init() {}
        init(from decoder: any Decoder) throws { throw Failure() }
        func encode(to encoder: any Encoder) throws { throw Failure() }
    }

    @Test(
        arguments: [
            (["parts": [["count": 1], [:]]], "no field \"count\", at parts.1"),
            (["parts": [["count": 256]]], "a number that no UInt8 holds, at parts.0.count"),
            (["parts": [["count": 1.5]]], "a number that no UInt8 holds, at parts.0.count"),
            (
                ["parts": [["count": "SECRET"]]],
                "string where an integer is wanted, at parts.0.count"
            ),
            (["parts": [["count": .null]]], "null where an integer is wanted, at parts.0.count"),
            (["parts": [["count": "7"]]], "string where an integer is wanted, at parts.0.count"),
            (["parts": ["SECRET"]], "string where an object is wanted, at parts.0"),
            (["parts": "SECRET"], "string where an array is wanted, at parts"),
            (["date": "SECRET"], "a string that is not a date, at date"),
            (["date": 5], "int where a date is wanted, at date"),
            (["data": "SECRET!"], "a string that is not data, at data"),
            (["uuid": "SECRET"], "a string that is not a UUID, at uuid"),
            (["url": ""], "a string that is not a URL, at url"),
            (["decimal": "12SECRET"], "a string that is not a decimal number, at decimal"),
            (["decimal": .double(.infinity)], "a number that no Decimal holds, at decimal"),
            (["color": "SECRET"], "a value that doesn't fit the type, at color"),
            (["flag": 1], "int where a bool is wanted, at flag"),
            (["float": 1e300], "a number that no Float holds, at float"),
            (["big": -1], "a number that no UInt64 holds, at big"),
            (["big": "18446744073709551616"], "string where an integer is wanted, at big"),
            (["named": ["a": [1, "SECRET"]]], "string where an integer is wanted, at named.a.1"),
            (["object": [1]], "array where an object is wanted, at object"),
            (["custom": "SECRET"], "the type threw Failure"),
        ] as [(Document, String)])
    func `an error of decoding says what and where, and shows no value`(
        _ document: Document, _ message: String
    ) throws {
        let error = try #require(throws: OfflineError.self) { try document.decode(Record.self) }
        #expect(error.code == .invalidDocument)
        #expect(error.message == "Record can't be decoded: \(message)")
        #expect(!error.description.contains("SECRET"))
    }

    @Test func `an error of encoding says where`() throws {
        let failing = Record(custom: Custom())
        let error = try #require(throws: OfflineError.self) { try Document(encoding: failing) }
        #expect(
            error.code == .invalidDocument
                && error.message == "Record can't be encoded: the type threw Failure")
    }

    @Test func `what is no object is no document`() throws {
        for (value, kind) in [
            (1, "int"), ("SECRET", "string"), ([1], "array"), (Date.distantPast, "date"),
        ]
            as [(any Encodable, String)]
        {
            let error = try #require(throws: OfflineError.self) { try Document(encoding: value) }
            #expect(
                error.code == .invalidDocument && error.message.hasSuffix("of type \(kind)"),
                "\(error)")
        }
        let nothing: Inner? = nil
        #expect(throws: OfflineError.self) { try Document(encoding: nothing) }
        #expect(throws: OfflineError.self) { try Document().decode([Int].self) }
        #expect(throws: OfflineError.self) { try Document().decode(Int.self) }
    }

    /// A link to itself, as a keyed field, an element, or in place of itself.
    final class Circle: Encodable {
        enum Form: CaseIterable { case field, element, single, nested }
        enum Keys: CodingKey { case next }
        let form: Form
        init(_ form: Form) { self.form = form }

        func encode(to encoder: any Encoder) throws {
            switch form {
            case .field:
                var container = encoder.container(keyedBy: Keys.self)
                try container.encode(self, forKey: .next)
            case .element:
                var container = encoder.unkeyedContainer()
                try container.encode(self)
            case .single:
                var container = encoder.singleValueContainer()
                try container.encode(self)
            case .nested:
                var container = encoder.container(keyedBy: Keys.self)
                var inner = container.nestedUnkeyedContainer(forKey: .next)
                try inner.encode(self)
            }
        }
    }

    @Test(arguments: Circle.Form.allCases)
    func `objects in a circle are refused, not followed`(_ form: Circle.Form) throws {
        let error = try #require(throws: OfflineError.self) { try Document(encoding: Circle(form)) }
        #expect(error.message.contains("deeper than 100 levels"), "\(error)")
    }

    /// Asks for two kinds of container.
    struct TwoFaced: Encodable {
        var order: [Int]

        func encode(to encoder: any Encoder) throws {
            for kind in order {
                switch kind {
                case 0:
                    var container = encoder.container(keyedBy: FieldKey.self)
                    try container.encode(1, forKey: FieldKey("a"))
                case 1:
                    var container = encoder.unkeyedContainer()
                    try container.encode(1)
                default:
                    var container = encoder.singleValueContainer()
                    try container.encode(1)
                }
            }
        }
    }

    @Test(arguments: [[0, 1], [1, 0], [0, 2], [2, 0], [1, 2], [2, 1], [2, 2]])
    func `a type that asks for two kinds of container is refused`(_ order: [Int]) throws {
        let error = try #require(throws: OfflineError.self) {
            try Document(encoding: ["x": TwoFaced(order: order)])
        }
        #expect(error.message.hasSuffix("two kinds of container, at x"), "\(error)")
        #expect(try Document(encoding: TwoFaced(order: [0, 0])) == ["a": 1])
    }
}
