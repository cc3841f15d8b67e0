// What filters mean, sentence by sentence of the query language. Each row is asked of the compiled predicate on encoded
// bytes, and of the naive evaluator, so that a mistake in either shows.
import Foundation
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

/// A filter with records that match it and records that don't.
struct FilterExample: CustomTestStringConvertible, Sendable {
    var filter: Document
    var matching: [Document] = []
    var others: [Document] = []
    var testDescription: String { filter.json() }

    /// Asks the predicate and the naive evaluator.
    func check(collation: Collation = .binary) throws {
        for (records, expected) in [(matching, true), (others, false)] {
            for record in records {
                let found = try PredicateTests.matches(filter, record, collation: collation)
                #expect(found == expected, "\(record)")
                let naive = NaiveQuery.matches(record, filter, collation)
                #expect(naive == expected, "naive: \(record)")
            }
        }
    }
}

struct PredicateTests {
    static func matches(
        _ filter: Document, _ document: Document, collation: Collation = .binary
    ) throws -> Bool {
        var encoder = RecordEncoder(dictionary: NameDictionary(["zero", "b", "a"]))
        let bytes = try encoder.encode(document)
        let names = encoder.dictionary
        let predicate = Predicate(
            try FilterParser.parse(Filter(filter)), in: names, collation: collation)
        var scratch = PredicateScratch()
        return withExtendedLifetime(names) {
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe predicate.matches(RecordView(bytes, names: names), &scratch)
            }
        }
    }

    private func check(_ example: FilterExample) throws { try example.check() }

    static let nan = Value.double(.nan)
    static let instant = Value.date(Date(timeIntervalSinceReferenceDate: 5))

    // MARK: Equality

    static let equality: [FilterExample] = [
        FilterExample(
            filter: ["a": 1], matching: [["a": 1], ["a": 1.0], ["a": [3, 1]]],
            others: [["a": 2], ["a": "1"], ["a": true], [:], ["a": .null], ["a": [[1]]]]),
        FilterExample(
            filter: ["a": ["$eq": .int((1 << 53) + 1)]], matching: [["a": .int((1 << 53) + 1)]],
            others: [["a": .double(0x1p53)], ["a": .int(1 << 53)]]),
        FilterExample(filter: ["a": 0], matching: [["a": -0.0], ["a": 0.0]]),
        FilterExample(
            filter: ["a": nan], matching: [["a": nan], ["a": [1, nan]]], others: [["a": 1]]),
        FilterExample(
            filter: ["a": "é"], matching: [["a": "é"]], others: [["a": "e\u{301}"], ["a": "É"]]),
        FilterExample(
            filter: ["a": .null], matching: [["a": .null], [:], ["a": [1, .null]]],
            others: [["a": 0], ["a": []], ["a": false], ["a": [:]]]),
        FilterExample(
            filter: ["a": true], matching: [["a": true]], others: [["a": 1], ["a": false]]),
        FilterExample(filter: ["a": instant], matching: [["a": instant]], others: [["a": 5]]),
        FilterExample(
            filter: ["a": ["x": 1, "y": 2]],
            matching: [["a": ["y": 2.0, "x": 1]], ["a": [["x": 1, "y": 2]]]],
            others: [["a": ["x": 1]], ["a": ["x": 1, "y": 2, "z": 3]]]),
        FilterExample(filter: ["a": [:]], matching: [["a": [:]]], others: [["a": []], [:]]),
        FilterExample(
            filter: ["a": [1, 2]], matching: [["a": [1, 2]], ["a": [[1, 2], 3]]],
            others: [["a": [2, 1]], ["a": [1, 2, 3]], ["a": 1]]),
        FilterExample(filter: ["a": []], matching: [["a": []], ["a": [[]]]], others: [["a": [1]]]),
        FilterExample(
            filter: ["a": ["$ne": 1]],
            matching: [[:], ["a": 2], ["a": "1"], ["a": [2, 3]], ["a": .null]],
            others: [["a": 1], ["a": [1, 2]]]),
        FilterExample(
            filter: ["a": ["$ne": .null]], matching: [["a": 1], ["a": []]], others: [[:]]),
        FilterExample(
            filter: ["a": ["$in": [1, "x", .null, [5]]]],
            matching: [["a": 1.0], ["a": "x"], [:], ["a": [2, 1]], ["a": [5]], ["a": [[5]]]],
            others: [["a": 2], ["a": 5], ["a": [6]]]),
        FilterExample(filter: ["a": ["$in": []]], others: [["a": 1], [:], ["a": []]]),
        FilterExample(filter: ["a": ["$nin": []]], matching: [["a": 1], [:], ["a": []]]),
        FilterExample(
            filter: ["a": ["$nin": [1, 2]]], matching: [["a": 3], [:], ["a": [3]]],
            others: [["a": 2], ["a": [3, 1]]]),
        FilterExample(filter: ["a": ["$nin": [.null]]], matching: [["a": 1]], others: [[:]]),
    ]

    @Test(arguments: equality)
    func `equality is that of the order of values, null matches missing, negation is of the whole`(
        _ example: FilterExample
    ) throws { try check(example) }

    // MARK: Comparison

    static let comparison: [FilterExample] = [
        FilterExample(
            filter: ["a": ["$gt": 5]],
            matching: [["a": 6], ["a": 5.5], ["a": [1, 9]], ["a": .double(.infinity)]],
            others: [
                ["a": 5], ["a": "6"], ["a": true], ["a": nan], [:], ["a": .null], ["a": []],
                ["a": [[9]]], ["a": instant],
            ]),
        FilterExample(
            filter: ["a": ["$lt": 5]], matching: [["a": 4], ["a": .double(-.infinity)]],
            others: [["a": 5], ["a": nan], ["a": .null], [:], ["a": "4"]]),
        FilterExample(filter: ["a": ["$gte": 5]], matching: [["a": 5.0]], others: [["a": 4.9]]),
        FilterExample(filter: ["a": ["$lte": 5]], matching: [["a": 5.0]], others: [["a": nan]]),
        FilterExample(
            filter: ["a": ["$gt": .double(0x1p53)]], matching: [["a": .int((1 << 53) + 1)]],
            others: [["a": .int(1 << 53)]]),
        FilterExample(
            filter: ["a": ["$gte": "b"]], matching: [["a": "b"], ["a": "ba"], ["a": "é"]],
            others: [["a": "a"], ["a": "B"], ["a": 9], ["a": [:]]]),
        FilterExample(
            filter: ["a": ["$gt": false]], matching: [["a": true]],
            others: [["a": false], ["a": 1], ["a": instant]]),
        FilterExample(
            filter: ["a": ["$lte": instant]], matching: [["a": instant]], others: [["a": 1]]),
        FilterExample(
            filter: ["a": ["$gte": .null]], matching: [["a": .null], [:], ["a": [.null]]],
            others: [["a": 1], ["a": []]]),
        FilterExample(
            filter: ["a": ["$lte": .null]], matching: [["a": .null], [:]], others: [["a": 1]]),
        FilterExample(filter: ["a": ["$gt": .null]], others: [["a": .null], [:], ["a": 1]]),
        FilterExample(filter: ["a": ["$lt": .null]], others: [["a": .null], [:], ["a": 1]]),
        FilterExample(
            filter: ["a": ["$gte": nan]], matching: [["a": nan], ["a": [1, nan]]],
            others: [["a": 1], ["a": .null]]),
        FilterExample(filter: ["a": ["$lte": nan]], matching: [["a": nan]], others: [["a": 1]]),
        FilterExample(filter: ["a": ["$gt": nan]], others: [["a": nan], ["a": 1]]),
        FilterExample(filter: ["a": ["$lt": nan]], others: [["a": nan], ["a": 1]]),
        FilterExample(
            filter: ["a": ["$gt": [1, 2]]],
            matching: [["a": [1, 3]], ["a": [1, 2, 0]], ["a": [0, [2]]]],
            others: [["a": [1, 2]], ["a": [1]], ["a": 5], ["a": ["x": 1]]]),
        FilterExample(
            filter: ["a": ["$lt": ["x": 5]]],
            matching: [["a": ["x": 4, "y": 1]], ["a": [:]], ["a": ["w": 9]]],
            others: [["a": ["y": 0]], ["a": 1]]),
        FilterExample(
            filter: ["a": ["$gt": 1, "$lt": 5]], matching: [["a": 3], ["a": [0, 9]]],
            others: [["a": 0], ["a": 9], ["a": [0]]]),
    ]

    @Test(arguments: comparison)
    func `comparisons hold within the operand's type, and for NaN and null only as equality`(
        _ example: FilterExample
    ) throws { try check(example) }

    // MARK: Combination, existence

    static let combination: [FilterExample] = [
        FilterExample(filter: [:], matching: [[:], ["a": 1]]),
        FilterExample(
            filter: ["a": 1, "b": 2], matching: [["a": 1, "b": 2]], others: [["a": 1], ["b": 2]]),
        FilterExample(
            filter: ["$and": [["a": 1], ["b": 2]]], matching: [["a": 1, "b": 2]],
            others: [["a": 1]]),
        FilterExample(
            filter: ["$or": [["a": 1], ["b": 2]]], matching: [["a": 1], ["b": 2]],
            others: [[:], ["a": 2, "b": 1]]),
        FilterExample(
            filter: ["$nor": [["a": 1], ["b": 2]]], matching: [[:], ["a": 2]],
            others: [["a": 1], ["b": 2]]),
        FilterExample(
            filter: [
                "$or": [["a": 1, "b": 2], ["$and": [["a": 2], ["$or": [["b": 3], ["b": 4]]]]]]
            ],
            matching: [["a": 1, "b": 2], ["a": 2, "b": 4]],
            others: [["a": 1, "b": 3], ["a": 2, "b": 2]]),
        FilterExample(filter: ["$or": [[:], ["a": 1]]], matching: [[:]]),
        FilterExample(
            filter: ["a": ["$not": ["$gt": 5]]],
            matching: [["a": 5], [:], ["a": "x"], ["a": [1, 2]], ["a": nan]],
            others: [["a": 6], ["a": [1, 6]]]),
        FilterExample(
            filter: ["a": ["$not": ["$gt": 1, "$lt": 5]]], matching: [["a": 0], ["a": 7], [:]],
            others: [["a": 3], ["a": [0, 9]]]),
        FilterExample(
            filter: ["a": ["$not": ["$not": ["$gt": 5]]]], matching: [["a": 6]], others: [["a": 5]]),
        FilterExample(
            filter: ["a": ["$exists": true]], matching: [["a": .null], ["a": []], ["a": 1]],
            others: [[:], ["b": 1]]),
        FilterExample(
            filter: ["a": ["$exists": false]], matching: [[:]], others: [["a": .null], ["a": 1]]),
        FilterExample(
            filter: ["a": ["$exists": true, "$ne": .null]], matching: [["a": 1]],
            others: [[:], ["a": .null]]),
    ]

    @Test(arguments: combination)
    func `members are anded; or, nor, not and exists are what they say`(
        _ example: FilterExample
    ) throws { try check(example) }

    // MARK: Paths

    static let paths: [FilterExample] = [
        FilterExample(
            filter: ["a.b": 1],
            matching: [["a": ["b": 1]], ["a": [["b": 2], ["b": 1]]], ["a": [["b": [1, 3]]]]],
            others: [[:], ["a": 1], ["a": ["c": 1]], ["a": [[["b": 1]]]], ["a.b": 1]]),
        FilterExample(
            filter: ["a.b": .null],
            matching: [
                [:], ["a": .null], ["a": 5], ["a": [:]], ["a": ["b": .null]],
                ["a": [["b": 1], ["c": 1]]], ["a": [["b": .null]]], ["a": [1, [:]]],
            ],
            others: [
                ["a": ["b": 1]], ["a": []], ["a": [1, 2]], ["a": [["b": 1]]], ["a": [[["c": 1]]]],
            ]),
        FilterExample(
            filter: ["a.b": ["$exists": true]],
            matching: [["a": ["b": .null]], ["a": [["c": 1], ["b": 1]]]],
            others: [[:], ["a": []], ["a": [1]], ["a": ["c": 1]]]),
        FilterExample(
            filter: ["a.b": ["$exists": false]], matching: [[:], ["a": []], ["a": [1]], ["a": 1]],
            others: [["a": ["b": 1]], ["a": [["c": 1], ["b": 1]]]]),
        FilterExample(
            filter: ["a.b": ["$ne": 1]], matching: [["a": []], ["a": [["b": 2]]], [:]],
            others: [["a": [["b": 2], ["b": 1]]]]),
        FilterExample(
            filter: ["a.0": 1], matching: [["a": [1, 2]], ["a": ["0": 1]]],
            others: [["a": [2, 1]], ["a": [[1], 2]], ["a": []], ["a": 1]]),
        FilterExample(filter: ["a.0": [1]], matching: [["a": [[1], 2]]], others: [["a": [[[1]]]]]),
        FilterExample(
            filter: ["a.1": 1], matching: [["a": [0, 1]], ["a": [["1": 1]]]],
            others: [["a": [["1": 1], 0]], ["a": [1]]]),
        FilterExample(
            filter: ["a.0.b": 1], matching: [["a": [["b": 1], ["b": 2]]]],
            others: [["a": [["b": 2], ["b": 1]]], ["a": ["b": 1]]]),
        FilterExample(
            filter: ["a.b.c": 1],
            matching: [["a": [["b": [["c": 2], ["c": 1]]]]], ["a": ["b": ["c": 1]]]],
            others: [["a": [["b": ["c": 2]]]], ["a": ["b": 1]]]),
        FilterExample(
            filter: ["zero.b": ["$gt": 1]], matching: [["zero": ["b": 2]]],
            others: [["zero": 2], ["zero": ["b": 1]]]),
    ]

    @Test(arguments: paths)
    func `paths step into objects, into the objects of an array, and to positions`(
        _ example: FilterExample
    ) throws { try check(example) }

    @Test func `date and data literals stand for their values, alone and inside others`() throws {
        let instant: Value = ["$date": "2001-01-01T00:00:05Z"]
        let bytes: Value = ["$data": "AQI="]
        let data = Value.data(Data([1, 2]))
        #expect(try Self.matches(["a": instant], ["a": Self.instant]))
        #expect(try Self.matches(["a": ["$gte": instant]], ["a": Self.instant]))
        #expect(try Self.matches(["a": ["$gt": instant]], ["a": Self.instant]) == false)
        #expect(try Self.matches(["a": ["$in": [1, bytes]]], ["a": data]))
        #expect(try Self.matches(["a": bytes], ["a": "AQI="]) == false)
        #expect(try Self.matches(["a": ["x": [bytes]]], ["a": ["x": [data]]]))
    }

    @Test func `a long list finds each of its values and no other`() throws {
        let even = (0..<200).map { Value.int(Int64(2 * $0)) }
        let mixed: [Value] = even + ["b", .null, [1], ["x": 1], true, Self.nan]
        let filter: Document = ["a": ["$in": .array(mixed.reversed())]]
        for number in 0..<400 {
            let found = try Self.matches(filter, ["a": .int(Int64(number))])
            #expect(found == (number % 2 == 0))
        }
        for value in mixed { #expect(try Self.matches(filter, ["a": value])) }
        for value in ["a", [3], ["x": 2], false] as [Value] {
            #expect(try Self.matches(filter, ["a": value]) == false)
        }
    }
}
