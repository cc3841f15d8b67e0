import Foundation
import Testing

@testable import OfflineDocuments

/// Literals, accessors and conversions.
struct ValueTests {
    @Test
    func `literals make the kinds they look like`() {
        let name = "Ada"
        let value: Value = [
            "b": true, "i": 1, "d": 1.0, "s": "x", "t": "Hello \(name)", "a": [1, "x"], "o": [:],
        ]
        let kinds = value.objectValue?.map(\.value.kind)
        #expect(kinds == [.bool, .int, .double, .string, .string, .array, .object])
        #expect(value["t"] == "Hello Ada")
    }

    @Test
    func `accessors give their own kind only`() {
        let data = Data([1])
        let date = Date(timeIntervalSinceReferenceDate: 1)
        #expect(Value.null.isNull)
        #expect(!(0 as Value).isNull)
        #expect((true as Value).boolValue == true)
        #expect((1 as Value).boolValue == nil)
        #expect(("x" as Value).stringValue == "x")
        #expect((1 as Value).stringValue == nil)
        #expect(Value.data(data).dataValue == data)
        #expect(Value.date(date).dateValue == date)
        #expect(Value.date(date).dataValue == nil)
        #expect(Value.data(data).dateValue == nil)
        #expect(([1, 2] as Value).arrayValue == [1, 2])
        #expect((["a": 1] as Value).arrayValue == nil)
        #expect((["a": 1] as Value).objectValue == ["a": 1])
        #expect(([1] as Value).objectValue == nil)
    }

    @Test(
        arguments: [
            (7, 7), (.int(.max), Int.max), (7.0, 7), (-0.0, 0), (7.5, nil), (.double(.nan), nil),
            (.double(0x1p63), nil), (.double(-0x1p63), Int.min), ("7", nil), (true, nil),
        ] as [(Value, Int?)])
    func `intValue is an int, or a double that is one`(value: Value, int: Int?) {
        #expect(value.intValue == int)
    }

    @Test
    func `doubleValue is any number`() {
        #expect((7 as Value).doubleValue == 7)
        #expect((7.5 as Value).doubleValue == 7.5)
        #expect((true as Value).doubleValue == nil)
    }

    @Test
    func `subscripts give nil outside`() {
        let value: Value = ["list": [10, 20], "o": ["x": 1]]
        #expect(value["list"]?[1] == 20)
        #expect(value["list"]?[2] == nil)
        #expect(value["list"]?[-1] == nil)
        #expect(value["list"]?["x"] == nil)
        #expect(value["o"]?["x"] == 1)
        #expect(value["o"]?[0] == nil)
        #expect(value["none"] == nil)
    }

    @Test
    func `what converts converts exactly`() throws {
        let date = Date(timeIntervalSinceReferenceDate: 0.1)
        let uuid = try #require(UUID(uuidString: "E621E1F8-C36C-495A-93FC-0C247A3E6E5F"))
        let none: Int? = nil
        let some: Int? = 3
        let rows: [(any ValueConvertible, Value)] = [
            ("x", .string("x")), (true, .bool(true)), (5, .int(5)), (Int64.min, .int(.min)),
            (Int32.min, .int(-2_147_483_648)), (UInt32.max, .int(4_294_967_295)),
            (1.5, .double(1.5)), (Float(0.1), .double(Double(Float(0.1)))), (date, .date(date)),
            (Data([1, 2]), .data(Data([1, 2]))),
            (uuid, .string("e621e1f8-c36c-495a-93fc-0c247a3e6e5f")),
            (["a": 1] as Document, .object(["a": 1])), (none, .null), (some, .int(3)),
            ([1, 2], .array([1, 2])), (["b": 1, "a": 2], .object(["a": 2, "b": 1])),
            (Value.null, .null), ([[1], []] as [[Int]], .array([[1], .array([])])),
        ]
        for (source, value) in rows {
            #expect(source.storeValue.isIdentical(to: value), "\(source)")
        }
    }
}
