import Foundation
import Testing

@testable import OfflineDocuments

@Suite struct ExtendedJSONTests {
    /// 2024-02-29T12:00:00Z.
    private static let noon = Date(timeIntervalSinceReferenceDate: 730_900_800)

    private func parse(_ text: String) throws -> Value { try Value(extendedJSON: Data(text.utf8)) }

    @Test(
        arguments: [
            (.date(noon), #"{"$date":"2024-02-29T12:00:00Z"}"#),
            (
                .date(Date(timeIntervalSinceReferenceDate: 0.25)),
                #"{"$date":"2001-01-01T00:00:00.25Z"}"#
            ),
            (.date(Date(timeIntervalSinceReferenceDate: .nan)), #"{"$date":"@nan"}"#),
            (
                .date(Date(timeIntervalSinceReferenceDate: Double(nan: 5, signaling: true))),
                #"{"$date":"@nan"}"#
            ),
            (.date(Date(timeIntervalSinceReferenceDate: -.infinity)), #"{"$date":"@-inf"}"#),
            (.date(Date(timeIntervalSinceReferenceDate: 1e20)), #"{"$date":"@1e+20"}"#),
            (.date(Date(timeIntervalSinceReferenceDate: -0.0)), #"{"$date":"@-0.0"}"#),
            (.data(Data([0, 1, 2])), #"{"$data":"AAEC"}"#),
            (.data(Data()), #"{"$data":""}"#),
            (.double(.nan), #"{"$double":"NaN"}"#),
            (.double(.infinity), #"{"$double":"Infinity"}"#),
            (.double(-.infinity), #"{"$double":"-Infinity"}"#),
            (.double(1), "1.0"),
            ([.date(noon)], #"[{"$date":"2024-02-29T12:00:00Z"}]"#),
            (["$date": "x"], #"{"$object":{"$date":"x"}}"#),
            (["$date": .date(noon)], #"{"$object":{"$date":{"$date":"2024-02-29T12:00:00Z"}}}"#),
            (["$object": ["$data": 1]], #"{"$object":{"$object":{"$object":{"$data":1}}}}"#),
            (["$date": "x", "a": 1], #"{"$date":"x","a":1}"#),
            (["$object": .data(Data()), "a": 1], #"{"$object":{"$data":""},"a":1}"#),
            (
                ["$object": ["a": .double(.nan)], "b": 1],
                #"{"$object":{"a":{"$double":"NaN"}},"b":1}"#
            ),
            (["$gt": 1], #"{"$gt":1}"#),
        ] as [(Value, String)])
    func `a value has this text and comes back from it`(_ value: Value, _ text: String) throws {
        #expect(value.extendedJSON() == text)
        #expect(try parse(text).isIdentical(to: value))
        #expect(try parse(value.extendedJSON(pretty: true)).isIdentical(to: value))
    }

    @Test(arguments: [
        #"{"$date": 1}"#, #"{"$date": "yesterday"}"#, #"{"$date": "@"}"#, #"{"$date": "@x"}"#,
        #"{"$date": null}"#, #"{"$data": "A"}"#, #"{"$data": "****"}"#, #"{"$data": []}"#,
        #"{"$double": 1}"#, #"{"$double": "nan"}"#, #"{"$object": 1}"#, #"{"$object": []}"#,
    ])
    func `a wrong operand is refused with its path`(_ text: String) throws {
        let error = try #require(throws: OfflineError.self) {
            try parse(#"{"a":[0,"# + text + "]}")
        }
        #expect(error.code == .invalidJSON)
        #expect(
            error.message.contains(" takes ") && error.message.hasSuffix(", at a.1"), "\(error)")
        let plain = try Value(json: Data(text.utf8))
        let operand = try #require(throws: OfflineError.self) { try ExtendedJSON.resolve(plain) }
        #expect(operand.code == .invalidQuery && operand.message.contains(" takes "), "\(operand)")
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `every value comes back exactly`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for step in 0..<4_000 {
            let value = tagged(random.value(), &random)
            let text = value.extendedJSON(pretty: random.chance(1, in: 2))
            #expect(try parse(text).isIdentical(to: value), "seed \(seed), step \(step): \(text)")
            let plain = try Value(json: Data(text.utf8))
            #expect(
                try ExtendedJSON.resolve(plain).isIdentical(to: value),
                "seed \(seed), step \(step): \(text)")
        }
    }

    /// The value with some objects around it whose names mean something.
    private func tagged(_ value: Value, _ random: inout SeededGenerator) -> Value {
        var value = value
        for _ in 0..<random.below(4) {
            var document = Document()
            document[random.pick(["$date", "$data", "$double", "$object", "a"])] = value
            if random.chance(1, in: 4) {
                document[random.pick(["$object", "b"])] = ["$date": value]
            }
            value = .object(document)
        }
        return value
    }

    @Test func `objects that only carry a value take nothing from the depth`() throws {
        var value: Value = .date(Self.noon)
        for _ in 0..<100 { value = ["$object": value] }
        #expect(try parse(value.extendedJSON()).isIdentical(to: value))
        #expect(throws: OfflineError.self) {
            try parse(String(repeating: #"{"$object":"#, count: 100_000))
        }
    }
}
