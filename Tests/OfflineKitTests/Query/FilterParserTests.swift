// Every mistake in a filter is named, with path and operator, before any data is touched.
import Foundation
import Testing

@testable import OfflineKit

struct FilterParserTests {
    /// A wrong filter, and what its message must name.
    struct Mistake: CustomTestStringConvertible, Sendable {
        var filter: Document
        var names: [String]
        var testDescription: String { filter.json() }
    }

    static let mistakes: [Mistake] = [
        Mistake(filter: ["age": ["$near": 1]], names: ["unknown", "$near", "age"]),
        Mistake(filter: ["age": ["$gt": 1, "$near": 1]], names: ["unknown", "$near", "age"]),
        Mistake(filter: ["$near": 1], names: ["unknown", "$near"]),
        Mistake(filter: ["$where": "1"], names: ["unknown", "$where"]),
        Mistake(filter: ["$gt": 1], names: ["$gt", "where a path should be"]),
        Mistake(filter: ["age": ["$and": [["a": 1]]]], names: ["$and", "age"]),
        Mistake(filter: ["age": ["$gt": 1, "low": 2]], names: ["age", "$gt", "low"]),
        Mistake(filter: ["age": ["low": 2, "$gt": 1]], names: ["age", "$gt", "low"]),
        Mistake(filter: ["age": ["$in": 1]], names: ["age", "$in", "array"]),
        Mistake(filter: ["age": ["$nin": ["a": 1]]], names: ["age", "$nin", "array"]),
        Mistake(filter: ["age": ["$exists": 1]], names: ["age", "$exists", "true or false"]),
        Mistake(filter: ["age": ["$not": 1]], names: ["age", "$not", "operators"]),
        Mistake(filter: ["age": ["$not": [:]]], names: ["age", "$not", "operators"]),
        Mistake(filter: ["age": ["$not": ["low": 1]]], names: ["age", "$not", "operators"]),
        Mistake(filter: ["age": ["$not": ["$gt": 1, "low": 1]]], names: ["age", "$gt", "low"]),
        Mistake(filter: ["age": ["$not": ["$near": 1]]], names: ["unknown", "$near", "age"]),
        Mistake(filter: ["$not": ["age": 1]], names: ["$not"]),
        Mistake(filter: ["$and": []], names: ["$and", "non-empty"]),
        Mistake(filter: ["$or": []], names: ["$or", "non-empty"]),
        Mistake(filter: ["$nor": []], names: ["$nor", "non-empty"]),
        Mistake(filter: ["$and": ["a": 1]], names: ["$and", "array"]),
        Mistake(filter: ["$or": [1]], names: ["$or", "filters"]),
        Mistake(filter: ["$or": [["a": 1], ["b": ["$near": 1]]]], names: ["$near", "b"]),
        Mistake(filter: ["": 1], names: ["\"\""]),
        Mistake(filter: ["a..b": 1], names: ["a..b"]),
        Mistake(filter: ["a.": ["$gt": 1]], names: ["a."]),
        Mistake(filter: ["at": ["$gt": ["$date": "yesterday"]]], names: ["at", "$gt", "$date"]),
        Mistake(filter: ["at": ["$date": 5]], names: ["at", "$eq", "$date"]),
        Mistake(filter: ["at": ["$in": [["$date": "x"]]]], names: ["at", "$in", "$date"]),
        Mistake(filter: ["raw": ["$data": "?"]], names: ["raw", "$data"]),
        Mistake(filter: ["raw": ["a": ["$data": "?"]]], names: ["raw", "$data"]),
    ]

    @Test(arguments: mistakes)
    func `a mistake is an invalid query that names path and operator`(_ mistake: Mistake) throws {
        let error = try #require(throws: OfflineError.self) {
            try FilterParser.parse(Filter(mistake.filter))
        }
        #expect(error.code == .invalidQuery)
        for name in mistake.names {
            #expect(error.message.contains(name), "\(error.message)")
        }
    }

    /// Wrong operands of one operator, by what the message must say that it takes.
    static let wrongOperands: [(operators: Document, names: [String])] = [
        (["$between": 1], ["$between", "two values"]),
        (["$between": [1]], ["$between", "two values"]),
        (["$between": [1, 2, 3]], ["$between", "two values"]),
        (["$between": [1, ["$date": "x"]]], ["$between", "$date"]),
        (["$type": 2], ["$type", "2 is none"]),
        (["$type": "text"], ["$type", "\"text\" is none"]),
        (["$type": ["int", "long"]], ["$type", "\"long\" is none"]),
        (["$type": []], ["$type", "non-empty"]),
        (["$regex": 1], ["$regex", "a string"]),
        (["$regex": ["$regex": "a"]], ["$regex", "a string"]),
        (["$regex": "("], ["$regex", "\")\" is missing"]),
        (["$regex": "a", "$options": 1], ["$options", "a string"]),
        (["$regex": "a", "$options": "ig"], ["$regex", "\"g\" is none"]),
        (["$options": "i"], ["$options", "beside a $regex"]),
        (["$startsWith": 1], ["$startsWith", "a string"]),
        (["$endsWith": .null], ["$endsWith", "a string"]),
        (["$contains": ["$data": "?"]], ["$contains", "$data"]),
        (["$all": 1], ["$all", "an array"]),
        (["$all": [["$date": "x"]]], ["$all", "$date"]),
        (["$in": [1, ["$gt": 5]]], ["$in", "$gt in it is an operator"]),
        (["$nin": [["$near": 1, "b": 2]]], ["$nin", "$near"]),
        (["$in": [["$elemMatch": ["b": 1]]]], ["$in", "$elemMatch"]),
        (["$all": [["$regex": "a"]]], ["$all", "$regex"]),
        (["$all": [["$elemMatch": ["$gt": 1], "b": 1]]], ["$all", "$elemMatch"]),
        (["$all": [["$elemMatch": 1]]], ["$elemMatch", "a filter"]),
        (["$elemMatch": 1], ["$elemMatch", "a filter"]),
        (["$elemMatch": [["a": 1]]], ["$elemMatch", "a filter"]),
        (["$elemMatch": ["$date": "2024-05-01T12:00:00Z"]], ["$elemMatch", "a filter"]),
        (["$elemMatch": ["$gt": 1, "b": 2]], ["$gt", "\"b\""]),
        (["$elemMatch": ["$gt": 1, "$or": [["b": 2]]]], ["$or", "can't stand"]),
        (["$elemMatch": ["b": ["$near": 1]]], ["unknown", "$near", "\"b\""]),
        (["$elemMatch": ["$text": ["$search": "a"]]], ["$text", "at the top"]),
        (["$elemMatch": ["a..b": 1]], ["a..b"]),
        (["$size": -1], ["$size", "whole number"]), (["$size": 1.5], ["$size", "whole number"]),
        (["$size": "1"], ["$size", "whole number"]),
        (["$size": .double(.nan)], ["$size", "whole number"]),
        (["$mod": 4], ["$mod", "two numbers"]), (["$mod": [4]], ["$mod", "two numbers"]),
        (["$mod": [4, 1, 2]], ["$mod", "two numbers"]),
        (["$mod": [4, "1"]], ["$mod", "two numbers"]),
        (["$mod": [.double(.infinity), 1]], ["$mod", "two numbers"]),
        (["$mod": [4, .double(.nan)]], ["$mod", "two numbers"]),
        (["$mod": [0, 1]], ["$mod", "is 0"]), (["$mod": [0.9, 0]], ["$mod", "is 0"]),
        (["$text": ["$search": "a"]], ["$text", "at the top"]),
        (["$not": ["$regex": "["]], ["$regex", "\"]\" is missing"]),
        (["$not": "a"], ["$not", "operators"]),
    ]

    @Test func `a wrong operand is an invalid query that names path and operator`() throws {
        for (operators, names) in Self.wrongOperands {
            let error = try #require(throws: OfflineError.self) {
                try FilterParser.parse(["age": .object(operators)])
            }
            #expect(error.code == .invalidQuery)
            for name in names + ["age"] {
                #expect(error.message.contains(name), "\(operators.json()): \(error.message)")
            }
        }
    }

    @Test func `text search stands at the top of a query's filter, and nowhere else`() throws {
        let text: Filter = ["$text": ["$search": "two words"], "a": 1]
        let parsed = try FilterParser.parseQuery(text)
        #expect(parsed.text == TextSearch(search: "two words"))
        #expect(parsed.condition == (try FilterParser.parse(["a": 1])))
        #expect(try FilterParser.parseQuery(["a": 1]).text == nil)
        let wrong: [Filter] = [
            ["$text": "words"], ["$text": [:]], ["$text": ["$search": 1]],
            ["$text": ["$search": "a", "$language": "de"]],
            ["$and": [["$text": ["$search": "a"]]]], ["$or": [["$text": ["$search": "a"]]]],
        ]
        for filter in wrong {
            let error = try #require(throws: OfflineError.self) {
                try FilterParser.parseQuery(filter)
            }
            #expect(error.code == .invalidQuery && error.message.contains("$text"))
        }
        #expect(throws: OfflineError.self) { try FilterParser.parse(text) }
    }

    @Test func `nesting is bounded, whatever nests`() throws {
        var combined: Filter = ["a": 1]
        var negated: Value = ["$gt": 1]
        var operand: Value = 1
        var element: Value = ["$gt": 1]
        var filtered: Value = ["$elemMatch": ["b": 1]]
        for _ in 0..<200 {
            element = ["$elemMatch": element]
            filtered = ["$elemMatch": ["b": filtered]]
            combined = !combined
            negated = ["$not": negated]
            operand = [operand]
        }
        for filter in [
            combined, ["a": negated], ["a": element], ["a": filtered], ["a": operand],
            ["a": ["$in": [operand]]],
        ] {
            let error = try #require(throws: OfflineError.self) { try FilterParser.parse(filter) }
            #expect(error.code == .invalidQuery && error.message.contains("deeper"))
        }
    }

    @Test func `a long chain of one operator doesn't nest`() throws {
        var all: Filter = .all
        var any: Filter = ["a": 0]
        for number in 1...500 {
            all = all && Field("a") > number
            any = any || Field("a") == number
        }
        _ = try FilterParser.parse(all)
        _ = try FilterParser.parse(any)
    }
}

struct FilterBuilderTests {
    @Test func `an expression is the filter that one would write`() {
        let written: Filter = [
            "$and": [
                ["age": ["$gte": 18]], ["role": ["$in": ["admin", "editor"]]],
                ["name": ["$ne": "x"]],
            ]
        ]
        let built =
            Field("age") >= 18 && Field("role").isIn(["admin", "editor"]) && Field("name") != "x"
        #expect(built == written)
        let either: Filter = ["$or": [["a": ["$lt": 1]], ["a": ["$lte": 2.5]], ["a": ["$gt": 3]]]]
        #expect((Field("a") < 1 || Field("a") <= 2.5 || Field("a") > 3) == either)
        #expect(Field("a").exists() == ["a": ["$exists": true]])
        #expect(Field("a").exists(false) == ["a": ["$exists": false]])
        #expect(Field("a").isNull == ["a": ["$eq": .null]])
        #expect((!Field("a").isNull) == ["$nor": [["a": ["$eq": .null]]]])
        #expect((Field("a") == .null) == Field("a").isNull)
    }

    @Test func `each operator has its expression`() throws {
        let a = Field("a")
        let pairs: [(built: Filter, written: Filter)] = [
            (a.contains("x"), ["a": ["$contains": "x"]]), (a.contains(1), ["a": ["$contains": 1]]),
            (a.hasPrefix("x"), ["a": ["$startsWith": "x"]]),
            (a.hasSuffix("x"), ["a": ["$endsWith": "x"]]),
            (a.matches("^x"), ["a": ["$regex": "^x"]]),
            (a.matches("^x", options: "im"), ["a": ["$regex": "^x", "$options": "im"]]),
            (a.isNotIn([1, 2]), ["a": ["$nin": [1, 2]]]),
            (a.isBetween(1, 2.5), ["a": ["$between": [1, 2.5]]]),
            (a.hasType("int", "null"), ["a": ["$type": ["int", "null"]]]),
            (a.containsAll(["x", "y"]), ["a": ["$all": ["x", "y"]]]),
            (a.hasCount(3), ["a": ["$size": 3]]),
            (
                a.hasElement(Field("b") > 1 && Field("c") == 2),
                ["a": ["$elemMatch": ["$and": [["b": ["$gt": 1]], ["c": ["$eq": 2]]]]]]
            ),
        ]
        for (built, written) in pairs {
            #expect(built == written)
            _ = try FilterParser.parse(built)
        }
    }

    @Test func `a search stays at the top when filters are combined`() throws {
        let text: Filter = ["$text": ["$search": "words"], "b": 2]
        let expected: Filter = [
            "$text": ["$search": "words"], "$and": [["a": ["$gt": 1]], ["b": 2]],
        ]
        #expect((Field("a") > 1 && text) == expected)
        #expect(try FilterParser.parseQuery(text && Field("a") > 1).text?.search == "words")
        let alone: Filter = ["$text": ["$search": "words"]]
        let both = try FilterParser.parseQuery(alone && Field("a") > 1)
        #expect(both.condition == (try FilterParser.parse(Field("a") > 1)))
        #expect(throws: OfflineError.self) { try FilterParser.parseQuery(text && text) }
    }

    @Test func `all is neutral in and, and absorbs or`() throws {
        let filter: Filter = ["a": 1]
        #expect((Filter.all && filter) == filter)
        #expect((filter && .all) == filter)
        #expect((.all || filter) == ["$or": [[:], ["a": 1]]])
    }

    @Test func `a path that comes twice in a literal keeps both conditions`() {
        let filter: Filter = ["a": ["$gt": 1], "a": ["$lt": 5]]
        #expect(filter == ["$and": [["a": ["$gt": 1]], ["a": ["$lt": 5]]]])
    }

    @Test func `an object as an operand is compared, not read as operators`() {
        #expect((Field("a") == ["$gt": 1] as Value) == ["a": ["$eq": ["$gt": 1]]])
    }
}

struct QueryJSONTests {
    @Test func `the form of the requirements is read`() throws {
        let json = """
            {"filters": {"age": {"$gt": 25}, "at": {"$lt": {"$date": "2024-05-01T12:00:00Z"}}},
             "sort": [{"field": "name", "direction": "asc"}, {"field": "age", "direction": "desc"},
                      {"field": "id"}],
             "limit": 10, "offset": 20, "include": ["orders"], "select": ["name", "age"],
             "collation": "case-insensitive"}
            """
        let query = try Query(json: Data(json.utf8))
        let expected = Query(
            filters: ["age": ["$gt": 25], "at": ["$lt": ["$date": "2024-05-01T12:00:00Z"]]],
            sort: [.ascending("name"), .descending("age"), .ascending("id")], limit: 10, offset: 20,
            include: ["orders"], select: ["name", "age"], collation: .caseInsensitive)
        #expect(query == expected)
        #expect(try Query(json: Data("{}".utf8)) == Query())
        let nulls =
            #"{"filters": null, "sort": null, "limit": null, "offset": null, "select": null}"#
        #expect(try Query(json: Data(nulls.utf8)) == Query())
    }

    @Test(
        arguments: [
            (#"{"filter": {}}"#, "filter"), (#"{"filters": []}"#, "filters"),
            (#"{"sort": "name"}"#, "sort"), (#"{"sort": ["name"]}"#, "sort"),
            (#"{"sort": [{"field": "name", "direction": "up"}]}"#, "name"),
            (#"{"sort": [{"field": "name", "order": "asc"}]}"#, "order"),
            (#"{"limit": "10"}"#, "limit"), (#"{"limit": 1.5}"#, "limit"),
            (#"{"offset": true}"#, "offset"), (#"{"include": "orders"}"#, "include"),
            (#"{"include": [{"name": "orders"}]}"#, "include"), (#"{"select": [1]}"#, "select"),
            (#"{"collation": "german"}"#, "collation"),
        ])
    func `a wrong member is named`(_ json: String, _ name: String) throws {
        let error = try #require(throws: OfflineError.self) {
            try Query(json: Data(json.utf8))
        }
        #expect(error.code == .invalidQuery && error.message.contains(name), "\(error)")
    }

    @Test func `what is no JSON object is invalid JSON`() throws {
        for text in ["", "[]", "{", "{\"limit\": 1,}"] {
            let error = try #require(throws: OfflineError.self) {
                try Query(json: Data(text.utf8))
            }
            #expect(error.code == .invalidJSON)
        }
    }
}

struct CheckedQueryTests {
    @Test func `a negative limit or offset is an invalid query`() throws {
        for query in [Query(limit: -1), Query(offset: -1), Query(limit: .min, offset: .min)] {
            let error = try #require(throws: OfflineError.self) { try CheckedQuery(query) }
            #expect(error.code == .invalidQuery && error.message.contains("negative"))
        }
    }

    @Test func `the greatest limit and offset don't overflow`() throws {
        #expect(try CheckedQuery(Query(limit: .max, offset: .max)).recordsNeeded == .max)
        #expect(try CheckedQuery(Query(limit: 5, offset: 7)).recordsNeeded == 12)
        #expect(try CheckedQuery(Query(offset: 7)).recordsNeeded == nil)
    }

    @Test func `a path that is none is an invalid query, wherever it stands`() throws {
        for query in [Query(sort: [.ascending("")]), Query(select: ["a..b"])] {
            let error = try #require(throws: OfflineError.self) { try CheckedQuery(query) }
            #expect(error.code == .invalidQuery)
        }
    }
}
