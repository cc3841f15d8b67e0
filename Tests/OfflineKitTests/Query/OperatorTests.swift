// Each operator beyond comparison, sentence by sentence of the query language, of the compiled predicate and of the naive
// evaluator.
import Foundation
import Testing

@testable import OfflineKit

struct OperatorTests {
    private static let nan = Value.double(.nan)
    private static let instant = Value.date(Date(timeIntervalSinceReferenceDate: 5))
    private static let data = Value.data(Data([1]))

    // MARK: Ranges, types, remainders

    static let values: [FilterExample] = [
        FilterExample(
            filter: ["a": ["$between": [2, 4]]],
            matching: [["a": 2], ["a": 3.5], ["a": 4.0], ["a": [1, 3]]],
            others: [["a": 1], ["a": 4.1], ["a": "3"], [:], ["a": .null], ["a": nan], ["a": [[3]]]]),
        // One value must be within both: an array with one below and one above has none.
        FilterExample(filter: ["a": ["$between": [2, 4]]], others: [["a": [1, 5]]]),
        FilterExample(
            filter: ["a": ["$between": ["a", "b"]]], matching: [["a": "a"], ["a": "az"]],
            others: [["a": "ba"], ["a": "B"], ["a": 1]]),
        FilterExample(
            filter: ["a": ["$between": [[1], [2]]]], matching: [["a": [1, 9]], ["a": [[2]]]],
            others: [["a": 1], ["a": [2, 0]]]),
        FilterExample(
            filter: ["a": ["$between": [.null, .null]]], matching: [["a": .null], [:]],
            others: [["a": 1]]),
        FilterExample(filter: ["a": ["$between": [.null, 5]]], others: [["a": .null], ["a": 1]]),
        FilterExample(filter: ["a": ["$between": [nan, 5]]], others: [["a": nan], ["a": 1]]),
        FilterExample(filter: ["a": ["$between": [nan, nan]]], matching: [["a": nan]]),
        FilterExample(filter: ["a": ["$between": [4, 2]]], others: [["a": 3]]),
        FilterExample(filter: ["a": ["$between": [1, "b"]]], others: [["a": 2], ["a": "a"]]),
        FilterExample(
            filter: ["a": ["$type": "null"]], matching: [["a": .null], ["a": [.null]]],
            others: [[:], ["a": 1]]),
        FilterExample(
            filter: ["a": ["$type": "bool"]], matching: [["a": true], ["a": [1, false]]],
            others: [["a": 1], [:]]),
        FilterExample(
            filter: ["a": ["$type": "int"]], matching: [["a": 1]],
            others: [["a": 1.0], ["a": "1"]]),
        FilterExample(
            filter: ["a": ["$type": "double"]], matching: [["a": 1.0], ["a": nan]],
            others: [["a": 1]]),
        FilterExample(
            filter: ["a": ["$type": "number"]], matching: [["a": 1.5], ["a": 1]],
            others: [["a": "1"], ["a": true]]),
        FilterExample(
            filter: ["a": ["$type": "string"]], matching: [["a": ""], ["a": ["x"]]],
            others: [["a": [["x"]]], ["a": data]]),
        FilterExample(
            filter: ["a": ["$type": "data"]], matching: [["a": data]], others: [["a": ""]]),
        FilterExample(
            filter: ["a": ["$type": "date"]], matching: [["a": instant]], others: [["a": 5]]),
        FilterExample(
            filter: ["a": ["$type": "object"]], matching: [["a": [:]], ["a": [["x": 1]]]],
            others: [["a": []], ["a": 1]]),
        FilterExample(
            filter: ["a": ["$type": "array"]], matching: [["a": []], ["a": [1]], ["a": [[]]]],
            others: [["a": [:]], [:]]),
        // What was reached by position is one value.
        FilterExample(
            filter: ["a.0": ["$type": "array"]], matching: [["a": [[1]]]], others: [["a": [1]]]),
        FilterExample(
            filter: ["a": ["$type": ["int", "null"]]], matching: [["a": 1], ["a": .null]],
            others: [["a": 1.0], [:]]),
        FilterExample(
            filter: ["a": ["$not": ["$type": "int"]]], matching: [[:], ["a": "x"]],
            others: [["a": 1], ["a": ["x", 1]]]),
        FilterExample(
            filter: ["a": ["$mod": [10, 5]]],
            matching: [["a": 5], ["a": 35.5], ["a": 15.9], ["a": [1, 25]]],
            others: [["a": 4.9], ["a": "5"], [:], ["a": nan], ["a": .double(.infinity)]]),
        FilterExample(
            filter: ["a": ["$mod": [3, -2]]], matching: [["a": -5]], others: [["a": 5], ["a": 1]]),
        FilterExample(filter: ["a": ["$mod": [-3, 2]]], matching: [["a": 5]], others: [["a": -5]]),
        FilterExample(
            filter: ["a": ["$mod": [10.9, 5.9]]], matching: [["a": 5]], others: [["a": 6]]),
        FilterExample(
            filter: ["a": ["$mod": [-1, 0]]], matching: [["a": .int(.min)], ["a": .int(.max)]]),
        FilterExample(
            filter: ["a": ["$mod": [1_000, 616]]], matching: [["a": .double(0x1p64)]],
            others: [["a": .double(0x1p65)], ["a": .double(-0x1p64)]]),
        FilterExample(
            filter: ["a": ["$mod": [.int(.min), 0]]],
            matching: [["a": .double(-0x1p63)], ["a": .double(0x1p100)], ["a": 0]],
            others: [["a": 1]]),
        FilterExample(
            filter: ["a": ["$mod": [.int(.max), 1]]],
            matching: [["a": .double(0x1p63)], ["a": .double(0x1p126)]],
            others: [["a": .int(.max)]]),
    ]

    @Test(arguments: values)
    func `between, type and mod ask single values`(_ example: FilterExample) throws {
        try example.check()
    }

    @Test func `remainders are exact for any double`() throws {
        // 2^1023 divided by 1,000 leaves 608 (computed with integers of any size).
        #expect(
            try PredicateTests.matches(["a": ["$mod": [1_000, 608]]], ["a": .double(0x1p1023)]))
        let negative: Document = ["a": .double(-0x1p1023)]
        #expect(try PredicateTests.matches(["a": ["$mod": [1_000, -608]]], negative))
    }

    // MARK: Strings

    static let strings: [FilterExample] = [
        FilterExample(
            filter: ["a": ["$startsWith": "ab"]],
            matching: [["a": "ab"], ["a": "abc"], ["a": ["x", "abc"]]],
            others: [["a": "a"], ["a": "xab"], ["a": "Ab"], [:], ["a": 1], ["a": [["ab"]]]]),
        FilterExample(
            filter: ["a": ["$startsWith": ""]], matching: [["a": ""], ["a": "x"]],
            others: [["a": data], [:]]),
        FilterExample(
            filter: ["a": ["$startsWith": "e"]], matching: [["a": "e\u{301}"]],
            others: [["a": "é"]]),
        FilterExample(
            filter: ["a": ["$endsWith": "ab"]], matching: [["a": "ab"], ["a": "xab"]],
            others: [["a": "b"], ["a": "abx"], ["a": "aB"]]),
        FilterExample(
            filter: ["a": ["$endsWith": "\u{301}"]], matching: [["a": "e\u{301}"]],
            others: [["a": "é"]]),
        FilterExample(
            filter: ["a": ["$contains": "b"]],
            matching: [
                ["a": "b"], ["a": "abc"], ["a": ["x", "b"]],
            ],
            others: [["a": "B"], ["a": ""], ["a": ["abc", 1]], ["a": [["b"]]], [:]]),
        FilterExample(
            filter: ["a.x": ["$contains": "b"]],
            matching: [["a": [["x": "abc"]]], ["a": [["x": ["b"]]]]],
            others: [["a": [["x": ["abc"]]]]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["$contains": "b"]]], matching: [["a": ["abc", 1]]],
            others: [["a": "abc"]]),
        FilterExample(filter: ["a": ["$contains": ""]], matching: [["a": ""], ["a": "x"]]),
        FilterExample(
            filter: ["a": ["$contains": 1]], matching: [["a": [2, 1.0]]],
            others: [["a": 1], ["a": "1"], ["a": [[1]]], ["a": []]]),
        FilterExample(
            filter: ["a": ["$contains": [1]]], matching: [["a": [[1], 2]]], others: [["a": [1]]]),
        FilterExample(
            filter: ["a": ["$contains": .null]], matching: [["a": [.null]]],
            others: [[:], ["a": .null]]),
        FilterExample(
            filter: ["a.0": ["$contains": "b"]], matching: [["a": [["b"]]], ["a": ["xb"]]],
            others: [["a": [["xb"]]]]),
        FilterExample(
            filter: ["a": ["$regex": "^a"]], matching: [["a": "ab"], ["a": [1, "a"]]],
            others: [["a": "ba"], ["a": 1], [:], ["a": [["a"]]]]),
        FilterExample(
            filter: ["a": ["$regex": "^a", "$options": "i"]], matching: [["a": "AB"]],
            others: [["a": "BA"]]),
        FilterExample(
            filter: ["a": ["$options": "m", "$regex": "b$"]], matching: [["a": "b\na"]]),
        FilterExample(filter: ["a": ["$regex": "b$"]], others: [["a": "b\na"]]),
        FilterExample(
            filter: ["a": ["$not": ["$regex": "^a", "$options": "i"]]],
            matching: [["a": "b"], [:], ["a": 1]], others: [["a": "A"], ["a": ["b", "a"]]]),
        FilterExample(
            filter: ["a": ["$regex": "^a", "$ne": "a"]], matching: [["a": "ab"]],
            others: [["a": "a"]]),
    ]

    @Test(arguments: strings)
    func `prefix, suffix, substring and pattern ask strings`(_ example: FilterExample) throws {
        try example.check()
    }

    // MARK: Arrays

    static let arrays: [FilterExample] = [
        FilterExample(
            filter: ["a": ["$all": [1, 2]]], matching: [["a": [2, 3, 1.0]]],
            others: [["a": [1]], ["a": 1], [:], ["a": []]]),
        FilterExample(
            filter: ["a": ["$all": [1]]], matching: [["a": 1], ["a": [1]]], others: [["a": [[1]]]]),
        FilterExample(filter: ["a": ["$all": []]], others: [["a": 1], ["a": []], [:]]),
        FilterExample(
            filter: ["a": ["$all": [[1, 2]]]], matching: [["a": [1, 2]], ["a": [[1, 2], 3]]],
            others: [["a": [2, 1]]]),
        FilterExample(filter: ["a": ["$all": [.null]]], matching: [[:], ["a": [1, .null]]]),
        FilterExample(
            filter: ["a": ["$all": [["$elemMatch": ["x": 1]], ["$elemMatch": ["x": 2, "y": 1]]]]],
            matching: [["a": [["x": 1], ["x": 2, "y": 1]]]],
            others: [["a": [["x": 1], ["x": 2]]], ["a": ["x": 1]]]),
        FilterExample(
            filter: ["a.x": ["$all": [1, 2]]], matching: [["a": [["x": 1], ["x": 2]]]],
            others: [["a": [["x": 1]]]]),
        FilterExample(
            filter: ["a": ["$size": 2]], matching: [["a": [1, 2]], ["a": [[], []]]],
            others: [["a": [1]], ["a": [[1, 2]]], ["a": "ab"], ["a": ["x": 1, "y": 2]], [:]]),
        FilterExample(
            filter: ["a": ["$size": 0]], matching: [["a": []]], others: [[:], ["a": [[]]]]),
        FilterExample(filter: ["a": ["$size": 1.0]], matching: [["a": [5]]]),
        FilterExample(
            filter: ["a.0": ["$size": 2]], matching: [["a": [[1, 2]]]], others: [["a": [1, 2]]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["x": 1, "y": 2]]],
            matching: [["a": [["x": 1, "y": 2]]], ["a": [5, ["x": [1, 3], "y": 2]]]],
            others: [
                ["a": [["x": 1], ["y": 2]]], ["a": ["x": 1, "y": 2]], ["a": [[["x": 1, "y": 2]]]],
                [:],
            ]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["$gt": 1, "$lt": 5]]], matching: [["a": [0, 3]]],
            others: [["a": [0, 9]], ["a": 3], ["a": [[3]]]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["$ne": 1]]], matching: [["a": [1, 2]]],
            others: [["a": [1, 1]], ["a": []], ["a": 2]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["$not": ["$gt": 1]]]], matching: [["a": [5, "x"]]],
            others: [["a": [5, 6]]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["$in": [1, .null]]]], matching: [["a": [.null]]],
            others: [["a": []], [:]]),
        FilterExample(
            filter: ["a": ["$elemMatch": [:]]], matching: [["a": [1, [:]]]],
            others: [["a": [1]], ["a": [[]]]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["x": .null]]], matching: [["a": [["y": 1]]]],
            others: [["a": [1]], ["a": []]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["$or": [["x": 1], ["y": 1]]]]],
            matching: [["a": [["y": 1]]]], others: [["a": [["x": 2]]]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["x": ["$elemMatch": ["$gt": 1, "$lt": 5]]]]],
            matching: [["a": [["x": [0, 3]]]]], others: [["a": [["x": [0, 9]]]]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["$elemMatch": ["$gt": 1]]]], matching: [["a": [[0, 3]]]],
            others: [["a": [3]], ["a": [[0]]]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["$size": 2]]], matching: [["a": [[1, 2]]]],
            others: [["a": [1, 2]]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["$regex": "^a", "$options": "i"]]],
            matching: [["a": ["A"]]], others: [["a": "A"], ["a": ["b"]]]),
        FilterExample(
            filter: ["a": ["$not": ["$elemMatch": ["$gt": 1]]]], matching: [["a": [1]], [:]],
            others: [["a": [2]]]),
        FilterExample(
            filter: ["a.x": ["$elemMatch": ["$gt": 1, "$lt": 5]]],
            matching: [["a": [["x": [0]], ["x": [3]]]]], others: [["a": [["x": 3]]]]),
        FilterExample(
            filter: ["a.0": ["$elemMatch": ["$gt": 1]]], matching: [["a": [[2]]]],
            others: [["a": [2]]]),
    ]

    @Test(arguments: arrays)
    func `all, size, elemMatch ask arrays, and never the arrays inside of them`(
        _ example: FilterExample
    ) throws { try example.check() }

    // MARK: Case

    static let folded: [FilterExample] = [
        FilterExample(
            filter: ["a": "Straße"],
            matching: [["a": "STRASSE"], ["a": "straẞe"], ["a": [1, "sTRASSE"]]],
            others: [["a": "Strase"], ["a": "Stras\u{301}se"]]),
        FilterExample(
            filter: ["a": ["$ne": "A"]], matching: [["a": "b"], [:]], others: [["a": "a"]]),
        FilterExample(
            filter: ["a": ["$in": ["B", "a", 1]]], matching: [["a": "A"], ["a": "b"], ["a": 1]],
            others: [["a": "c"]]),
        FilterExample(
            filter: ["a": ["x": "A", "Y": ["É"]]], matching: [["a": ["Y": ["é"], "x": "a"]]],
            others: [["a": ["y": ["é"], "x": "a"]]]),
        FilterExample(
            filter: ["a": ["A", "B"]], matching: [["a": ["a", "b"]], ["a": [["a", "B"]]]],
            others: [["a": ["b", "a"]]]),
        FilterExample(
            filter: ["a": ["$gt": "B"]], matching: [["a": "c"], ["a": "C"], ["a": "bB"]],
            others: [["a": "b"], ["a": "a"], ["a": "A"]]),
        FilterExample(filter: ["a": ["$gte": "B"]], matching: [["a": "b"]], others: [["a": "a"]]),
        FilterExample(
            filter: ["a": ["$between": ["A", "B"]]],
            matching: [["a": "a"], ["a": "Az"], ["a": "b"]],
            others: [["a": "BA"], ["a": 1]]),
        FilterExample(
            filter: ["a": ["$startsWith": "SS"]], matching: [["a": "ßa"], ["a": "ssA"]],
            others: [["a": "sa"]]),
        FilterExample(
            filter: ["a": ["$endsWith": "Σ"]], matching: [["a": "aς"], ["a": "σ"]],
            others: [["a": "ςa"]]),
        FilterExample(
            filter: ["a": ["$contains": "É"]], matching: [["a": "xéx"], ["a": ["É"]]],
            others: [["a": "e"]]),
        FilterExample(
            filter: ["a": ["$contains": ["A"]]], matching: [["a": [["a"]]]],
            others: [["a": ["a"]]]),
        FilterExample(
            filter: ["a": ["$all": ["A", "B"]]], matching: [["a": ["b", "a"]]],
            others: [["a": ["a"]]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["x": "A"]]], matching: [["a": [["x": "a"]]]],
            others: [["a": [["X": "a"]]]]),
        FilterExample(
            filter: ["a": ["$elemMatch": ["$gt": "A", "$lt": "C"]]], matching: [["a": ["b"]]],
            others: [["a": ["c", "a"]]]),
        FilterExample(
            filter: ["a": ["$regex": "^ß"]], matching: [["a": "SSa"], ["a": "ẞ"]],
            others: [["a": "sa"]]),
        FilterExample(filter: ["a": ["$regex": "ss"]], matching: [["a": "Straße"]]),
        FilterExample(
            filter: ["a": ["$regex": "^A"]], matching: [["a": "ab"]], others: [["a": "ba"]]),
        FilterExample(filter: ["a": 1], matching: [["a": 1.0]], others: [["a": "1"]]),
    ]

    @Test(arguments: folded)
    func `where case is ignored, folded strings are asked, also in arrays and objects`(
        _ example: FilterExample
    ) throws { try example.check(collation: .caseInsensitive) }
}
