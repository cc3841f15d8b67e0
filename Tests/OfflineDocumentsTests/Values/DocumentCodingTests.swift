import Foundation
import Testing

@testable import OfflineDocuments

@Suite struct DocumentCodingTests {
    private func expectRoundTrip<T: Codable & Equatable>(
        _ value: T, _ document: Document? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let encoded = try Document(encoding: value)
        #expect(try encoded.decode(T.self) == value, sourceLocation: sourceLocation)
        guard let document else { return }
        let isSame = Value.object(encoded).isIdentical(to: .object(document))
        #expect(isSame, "\(encoded)", sourceLocation: sourceLocation)
    }

    @Test func `numbers, bools and strings become values of their kind`() throws {
        try expectRoundTrip(
            Scalars(),
            [
                "bool": true, "int8": -128, "int16": 32767, "int32": -2_147_483_648,
                "int64": .int(.max), "int": -1, "uint8": 255, "uint16": 65535,
                "uint32": 4_294_967_295, "uint": 7, "float": .double(Double(Float(0.1))),
                "double": 0.1, "string": "é\0",
            ])
    }

    @Test
    func `dates and data are kept, other types of Foundation become what they read back from`()
        throws
    {
        try expectRoundTrip(FoundationTypes())
        let document = try Document(encoding: FoundationTypes())
        #expect(document["date"] == .date(Date(timeIntervalSinceReferenceDate: 0.1)))
        #expect(document["data"] == .data(Data([0, 1])))
        #expect(document["uuid"] == "01020304-0506-0708-090a-0b0c0d0e0fab")
        #expect(document["url"] == "file:///a/b%20c")
        #expect(document["decimal"] == 19.99)
    }

    @Test func `structs, lists, dictionaries, enums and optionals nest`() throws {
        try expectRoundTrip(Nested())
        let document = try Document(encoding: Nested())
        #expect(document["inner"] == ["name": "a", "score": 1.0])
        #expect(document["list"] == [["name": "b"]])
        #expect(document["matrix"] == [[1, 2], [], [3]])
        #expect(document["byNumber"] == ["1": "one", "-2": "two"])
        #expect(document["byColor"] == ["red": 1])
        #expect(document["byPair"] == [[1, 2], "pair"])
        #expect(document["empty"] == [:])
        #expect(
            document["shapes"] == [
                ["point": [:]], ["circle": ["radius": 2.0]], ["box": ["_0": 1, "_1": 2]],
            ])
        #expect(document["color"] == "green")
        #expect(document["optionals"] == [1, .null, 3])
        try expectRoundTrip(Empty(), [:])
    }

    @Test func `containers within containers may be written in any order`() throws {
        try expectRoundTrip(ByHand(), ["list": [.null, ["a", "b"]], "point": ["x": 1, "y": 2]])
    }

    @Test func `a subclass shares its superclass's container or nests it`() throws {
        let dog = try Document(encoding: Dog(name: "Rex", tricks: ["sit"]))
        #expect(dog == ["tricks": ["sit"], "name": "Rex"])
        #expect(try dog.decode(Dog.self).name == "Rex")
        let cat = try Document(encoding: Cat(name: "Tom", lives: 9))
        #expect(cat == ["super": ["name": "Tom"], "lives": 9])
        let decoded = try cat.decode(Cat.self)
        #expect(decoded.name == "Tom" && decoded.lives == 9)
    }

    @Test
    func `a missing field and null both make nil, a missing field that isn't optional throws`()
        throws
    {
        for document: Document in [["name": "a"], ["name": "a", "score": .null]] {
            #expect(try document.decode(Inner.self) == Inner(name: "a", score: nil))
        }
        #expect(throws: OfflineError.self) { try Document().decode(Inner.self) }
    }

    @Test func `documents and values pass through unchanged`() throws {
        struct Record: Codable, Equatable {
            var document: Document
            var values: [Value]
            var value: Value?
        }
        var random = SeededGenerator(seed: 1)
        for step in 0..<500 {
            let record = Record(
                document: random.document(), values: [random.value(), random.value()],
                value: random.value())
            let encoded = try Document(encoding: record)
            #expect(
                encoded["values"]?.isIdentical(to: .array(record.values)) ?? false, "step \(step)")
            let decoded = try encoded.decode(Record.self)
            #expect(Value.object(decoded.document).isIdentical(to: .object(record.document)))
            #expect(Value.array(decoded.values).isIdentical(to: .array(record.values)))
        }
        let document: Document = ["b": 1, "a": .date(.distantPast)]
        #expect(try Document(encoding: document).fieldNames == ["b", "a"])
        #expect(try document.decode(Document.self) == document)
        #expect(try document.decode([String: Value].self) == ["b": 1, "a": .date(.distantPast)])
    }

    struct Box<T: Codable & Equatable>: Codable, Equatable {
        var x: T
    }

    @Test func `integers that no Int64 holds come back exactly`() throws {
        try expectRoundTrip(Box(x: UInt64(1) << 63), ["x": .double(0x1p63)])
        try expectRoundTrip(Box(x: UInt64.max), ["x": "18446744073709551615"])
        try expectRoundTrip(Box(x: Int128.min), ["x": .double(-0x1p127)])
        try expectRoundTrip(Box(x: Int128(Int64.min) - 1), ["x": "-9223372036854775809"])
        try expectRoundTrip(Box(x: UInt128.max))
        try expectRoundTrip(Box(x: UInt128(3)), ["x": 3])
        try expectRoundTrip(Box(x: [UInt.max, 1]))
    }

    @Test(
        arguments: [
            ("0", 0), ("-5", -5), ("9223372036854775807", .int(.max)), ("19.99", 19.99),
            ("-0.1", -0.1), ("100000000000000000000", .double(1e20)),
            ("9223372036854775809", "9223372036854775809"),
            ("0.12345678901234567890123456789", "0.12345678901234567890123456789"),
        ] as [(String, Value)])
    func `decimals come back exactly`(_ digits: String, _ value: Value) throws {
        let decimal = try #require(Decimal(string: digits))
        try expectRoundTrip(Box(x: decimal), ["x": value])
        let nan = try Document(encoding: Box(x: Decimal.nan))
        #expect(nan["x"] == .double(.nan))
        #expect(try nan.decode(Box<Decimal>.self).x.isNaN)
    }

    @Test func `what came as JSON decodes too`() throws {
        let text = """
            {"date": "2001-01-01T00:00:00.5Z", "data": "AAE=", "whole": 3.0, "double": 3, "float": 0.1}
            """
        struct Record: Decodable {
            var date: Date
            var data: Data
            var whole: Int
            var double: Double
            var float: Float
        }
        let record = try Document(json: text).decode(Record.self)
        #expect(record.date == Date(timeIntervalSinceReferenceDate: 0.5))
        #expect(record.data == Data([0, 1]))
        #expect(record.whole == 3 && record.double == 3 && record.float == 0.1)
    }
}
