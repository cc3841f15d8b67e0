// Every keyword with values that it allows and values that it doesn't, and which path and which rule are told of those.
import Foundation
import Testing

@testable import OfflineKit

@Suite("Schema keywords") struct SchemaKeywordTests {
    /// A schema, values that are valid, and values that aren't, each with the path and the rule that are told.
    struct Row: Sendable, CustomTestStringConvertible {
        let schema: String
        let valid: [String]
        let invalid: [(json: String, told: String)]
        var testDescription: String { schema }

        init(_ schema: String, _ valid: [String], _ invalid: [(String, String)]) {
            (self.schema, self.valid, self.invalid) = (schema, valid, invalid)
        }
    }

    static let values: [Row] = [
        Row(
            #"{"type": "integer"}"#, ["1", "-0", "1.0", "1e300"],
            [("1.5", " /type"), (#""1""#, " /type")]),
        Row(#"{"type": "number"}"#, ["1", "1.5"], [("true", " /type"), ("null", " /type")]),
        Row(#"{"type": "string"}"#, [#""""#], [("1", " /type"), ("[]", " /type")]),
        Row(
            #"{"type": "boolean"}"#, ["true", "false"], [("0", " /type"), (#""true""#, " /type")]),
        Row(#"{"type": "null"}"#, ["null"], [("0", " /type"), ("false", " /type")]),
        Row(
            #"{"type": ["array", "object"]}"#, ["[]", "{}"], [("null", " /type"), ("1", " /type")]),
        Row(#"{"type": ["integer", "string"]}"#, ["1", #""a""#], [("1.5", " /type")]),
        Row(
            #"{"const": {"a": [1, {"b": 2, "c": 3}]}}"#, [#"{"a": [1.0, {"c": 3, "b": 2}]}"#],
            [
                (#"{"a": [1, {"b": 2}]}"#, " /const"),
                (#"{"a": [1, {"b": 2, "c": 3}], "d": 1}"#, " /const"),
            ]),
        Row(#"{"const": false}"#, ["false"], [("0", " /const"), ("null", " /const")]),
        Row(#"{"const": 0}"#, ["0", "0.0", "-0.0"], [("false", " /const"), (#""""#, " /const")]),
        Row(#"{"const": null}"#, ["null"], [("0", " /const")]),
        Row(
            #"{"enum": [3, "b", null, [], {"x": 1}, 1, "a"]}"#,
            ["1", "1.0", "3", #""a""#, #""b""#, "null", "[]", #"{"x": 1.0}"#],
            [
                ("2", " /enum"), (#""c""#, " /enum"), ("false", " /enum"), ("[[]]", " /enum"),
                ("{}", " /enum"),
            ]),
        Row(#"{"enum": []}"#, [], [("1", " /enum")]),
        Row(
            #"{"minimum": 2}"#, ["2", "2.0", "3", #""a""#],
            [("1", " /minimum"), ("1.999", " /minimum")]),
        Row(
            #"{"exclusiveMinimum": 2}"#, ["2.001", "null"],
            [("2", " /exclusiveMinimum"), ("2.0", " /exclusiveMinimum")]),
        Row(
            #"{"maximum": 2.5}"#, ["2", "2.5", "{}"], [("3", " /maximum"), ("2.51", " /maximum")]),
        Row(
            #"{"exclusiveMaximum": 2.5}"#, ["2"],
            [("2.5", " /exclusiveMaximum"), ("3", " /exclusiveMaximum")]),
        // Beyond what a double can tell apart.
        Row(
            #"{"minimum": 9007199254740993}"#, ["9007199254740993"],
            [("9007199254740992", " /minimum"), ("9007199254740992.0", " /minimum")]),
        Row(
            #"{"maximum": 9007199254740992.0}"#, ["9007199254740992"],
            [("9007199254740993", " /maximum")]),
        Row(
            #"{"multipleOf": 3}"#, ["0", "-9", "9.0", #""1""#],
            [("10", " /multipleOf"), ("9.5", " /multipleOf")]),
        Row(
            #"{"multipleOf": 0.01}"#, ["19.99", "0.07", "-4.35", "12", "1e300"],
            [("19.999", " /multipleOf"), ("1e-3", " /multipleOf")]),
        Row(
            #"{"multipleOf": 1e-8}"#, ["12391239123", "0.00000003"],
            [("0.000000035", " /multipleOf")]),
        Row(
            #"{"multipleOf": 1e300}"#, ["0", "3e300", "1e308"],
            [("1", " /multipleOf"), ("1e299", " /multipleOf")]),
        Row(#"{"multipleOf": 0.123456789}"#, ["0.246913578"], [("1e308", " /multipleOf")]),
        Row(
            #"{"multipleOf": 9007199254740993}"#, ["9007199254740993"],
            [("9007199254740992", " /multipleOf")]),
        Row(
            #"{"minLength": 2}"#, [#""ab""#, #""😀é""#, "1"],
            [(#""a""#, " /minLength"), (#""😀""#, " /minLength")]),
        Row(
            #"{"maxLength": 2.0}"#, [#""ab""#, #""😀😀""#, "[1, 2, 3]"],
            [(#""abc""#, " /maxLength"), (#""e\u0301e""#, " /maxLength")]),
        Row(#"{"maxLength": 1e30, "minLength": 0}"#, [#""abc""#], []),
        Row(#"{"minItems": 1}"#, ["[0]", "{}"], [("[]", " /minItems")]),
        Row(#"{"maxItems": 1}"#, ["[]", "[0]"], [("[0, 0]", " /maxItems")]),
        Row(#"{"minProperties": 1}"#, [#"{"a": null}"#, "[]"], [("{}", " /minProperties")]),
        Row(#"{"maxProperties": 1}"#, ["{}"], [(#"{"a": 1, "b": 1}"#, " /maxProperties")]),
        Row(
            #"{"uniqueItems": true}"#,
            ["[]", "[1, true, 0, false]", #"[1, "1"]"#, #"[[1], [2]]"#, "{}"],
            [
                ("[1, 1.0]", " /uniqueItems"),
                (#"[{"a": 1, "b": 2}, {"b": 2, "a": 1.0}]"#, " /uniqueItems"),
                ("[1, 2, 3, 4, 5, 6, 7, 8, 9, 3.0]", " /uniqueItems"),
                ("[[0], [false], [0.0]]", " /uniqueItems"),
            ]),
        Row(#"{"uniqueItems": false}"#, ["[1, 1]"], []),
    ]

    static let patterns: [Row] = [
        Row(
            #"{"pattern": "^[0-9]{3}$"}"#, [#""123""#, "1"],
            [(#""1234""#, " /pattern"), (#""123\n""#, " /pattern")]),
        Row(#"{"pattern": "b"}"#, [#""abc""#], [(#""ac""#, " /pattern")]),
        Row(
            #"{"pattern": "^.$"}"#, [#""a""#, #""😀""#],
            [(#""\u2028""#, " /pattern"), (#""\r""#, " /pattern")]),
        Row(
            #"{"pattern": "^\\s\\S$"}"#, [#""\u00a0x""#, #""\ufeff☕""#], [(#""x ""#, " /pattern")]),
        Row(
            #"{"pattern": "^\\d\\w$"}"#, [#""0_""#],
            [(#""০a""#, " /pattern"), (#""0é""#, " /pattern")]),
        Row(
            #"{"pattern": "^\\p{Lu}\\p{Lowercase_Letter}+$"}"#, [#""Éa""#],
            [(#""éa""#, " /pattern")]),
        Row(
            #"{"pattern": "^\\cA\\x42\\u0043\\u{1F600}\\ud83d\\ude00$"}"#, [#""\u0001BC😀😀""#],
            [(#""ABC😀😀""#, " /pattern")]),
        Row(#"{"pattern": "^[^]$"}"#, [#""\n""#], [(#""ab""#, " /pattern")]),
        Row(#"{"pattern": "[]"}"#, [], [(#""]""#, " /pattern")]),
    ]

    static let containers: [Row] = [
        Row(
            #"{"required": ["a", "b"]}"#, [#"{"a": 1, "b": null}"#, "[]"],
            [(#"{"a": 1}"#, "b /required"), ("{}", "a /required")]),
        Row(
            #"{"properties": {"a": {"type": "string"}, "b": {"properties": {"c": {"minimum": 1}}}}}"#,
            ["{}", #"{"a": "x", "z": 1}"#, #"{"b": {"c": 1}}"#, #"{"b": 1}"#, "1"],
            [
                (#"{"a": 1}"#, "a /properties/a/type"),
                (#"{"z": 1, "b": {"c": 0}}"#, "b.c /properties/b/properties/c/minimum"),
            ]),
        Row(
            #"{"properties": {"a": false, "b": true}}"#, [#"{"b": 1}"#],
            [(#"{"a": null}"#, "a /properties/a")]),
        Row(
            #"{"properties": {"$ref": {"type": "string"}}}"#, [#"{"$ref": "a"}"#],
            [(#"{"$ref": 1}"#, "$ref /properties/$ref/type")]),
        Row(
            #"{"properties": {"a/b~c": {"const": 1}}}"#, [#"{"a/b~c": 1}"#],
            [(#"{"a/b~c": 2}"#, "a/b~c /properties/a~1b~0c/const")]),
        Row(
            #"{"properties": {"a": {}, "b": {}}, "additionalProperties": false}"#,
            ["{}", #"{"b": 1, "a": 1}"#],
            [(#"{"a": 1, "c": 1, "d": 1}"#, "c /additionalProperties")]),
        Row(
            #"{"additionalProperties": {"type": "integer"}}"#, ["{}", #"{"a": 1}"#],
            [(#"{"a": 1, "b": "c"}"#, "b /additionalProperties/type")]),
        Row(
            #"{"additionalProperties": {"minLength": 2}, "properties": {"a": {"type": "integer"}}}"#,
            [#"{"a": 1, "b": "cc"}"#],
            [
                (#"{"a": 1, "b": "c"}"#, "b /additionalProperties/minLength"),
                (#"{"a": "a", "b": "c"}"#, "a /properties/a/type"),
            ]),
        Row(
            #"{"allOf": [{"additionalProperties": false, "properties": {"a": {}}}], "properties": {"b": {}}}"#,
            [#"{"a": 1}"#],
            [(#"{"b": 1}"#, "b /allOf/0/additionalProperties")]),
        Row(
            #"{"items": {"type": "integer"}}"#, ["[]", "[1, 2]", "{}"],
            [(#"[1, "a"]"#, "1 /items/type")]),
        Row(
            #"{"prefixItems": [{"const": 1}, {"const": 2}]}"#, ["[]", "[1]", "[1, 2, 3]"],
            [("[1, 3]", "1 /prefixItems/1/const")]),
        Row(#"{"prefixItems": [{}], "items": false}"#, ["[]", "[1]"], [("[1, 2]", "1 /items")]),
        Row(
            #"{"items": {"items": {"maximum": 1}}}"#, ["[[1], []]"],
            [("[[1], [0, 2]]", "1.1 /items/items/maximum")]),
    ]

    static let combinations: [Row] = [
        Row(
            #"{"allOf": [{"type": "integer"}, {"minimum": 2}]}"#, ["2"],
            [("1", " /allOf/1/minimum"), ("2.5", " /allOf/0/type")]),
        Row(
            #"{"anyOf": [{"type": "integer"}, {"minimum": 2}]}"#, ["1", "2.5", #""a""#],
            [("1.5", " /anyOf")]),
        Row(
            #"{"properties": {"a": {"anyOf": [{"const": 1}, {"properties": {"b": {"const": 1}}, "required": ["b"]}]}}}"#,
            [#"{"a": 1}"#, #"{"a": {"b": 1}}"#], [(#"{"a": {"b": 2}}"#, "a /properties/a/anyOf")]),
        Row(
            #"{"oneOf": [{"type": "integer"}, {"minimum": 2}]}"#, ["1", "2.5"],
            [("3", " /oneOf"), ("1.5", " /oneOf")]),
        Row(#"{"not": {"type": "integer"}}"#, ["1.5", "null"], [("1", " /not")]),
        Row(#"{"not": {"not": {"minimum": 1}}}"#, ["1", "null"], [("0", " /not")]),
        Row(
            #"{"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}"#,
            [#"{"a": 1, "b": 1}"#, #"{"c": 1}"#],
            [(#"{"a": 1, "c": 1}"#, "b /then/required"), (#"{"b": 1}"#, "c /else/required")]),
        Row(#"{"if": {"required": ["a"]}, "then": false}"#, ["{}"], [(#"{"a": 1}"#, " /then")]),
        Row(#"{"then": {"const": 1}, "else": {"const": 2}}"#, ["3"], []),
        Row(#"{"if": {"const": 1}}"#, ["1", "2"], []),
        Row(
            #"{"minimum": 2, "type": "integer", "not": {"const": 5}}"#, ["2"],
            [("1.5", " /type"), ("1", " /minimum"), ("5", " /not")]),
        Row("true", ["1"], []), Row("{}", ["1"], []), Row("false", [], [("1", " ")]),
    ]

    static let references: [Row] = [
        Row(
            ##"{"$defs": {"a": {"type": "integer"}}, "properties": {"b": {"$ref": "#/$defs/a", "minimum": 1}}}"##,
            [#"{"b": 1}"#],
            [(#"{"b": "x"}"#, "b /$defs/a/type"), (#"{"b": 0}"#, "b /properties/b/minimum")]),
        Row(
            ##"{"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": false}"##,
            [#"{"next": {"next": {}}}"#],
            [
                (#"{"next": {"next": {"x": 1}}}"#, "next.next.x /additionalProperties"),
                (#"{"next": 1}"#, "next /type"),
            ]),
        Row(
            ##"{"$ref": "#/$defs/tree", "$defs": {"tree": {"properties": {"children": {"items": {"$ref": "#/$defs/tree"}}, "value": {"type": "number"}}}}}"##,
            [#"{"value": 1, "children": [{"value": 2}, {"children": [{"value": 3}]}]}"#],
            [
                (
                    #"{"children": [{"value": 2}, {"children": [{"value": "x"}]}]}"#,
                    "children.1.children.0.value /$defs/tree/properties/value/type"
                )
            ]),
        Row(
            ##"{"$defs": {"a": {"$anchor": "int", "type": "integer"}}, "items": {"$ref": "#int"}}"##,
            ["[1]"], [("[null]", "0 /$defs/a/type")]),
        Row(
            ##"{"$defs": {"a/b~c%": {"const": 1}}, "$ref": "#/$defs/a~1b~0c%25"}"##, ["1"],
            [("2", " /$defs/a~1b~0c%/const")]),
        Row(
            ##"{"properties": {"a": {"const": 1}, "b": {"$ref": "#/properties/a"}}}"##,
            [#"{"b": 1}"#], [(#"{"b": 2}"#, "b /properties/a/const")]),
        Row(
            #"{"$id": "https://a.example/x/root.json", "$defs": {"n": {"$id": "../y/n.json", "$anchor": "here", "const": 1}}, "allOf": [{"$ref": "https://a.example/y/n.json"}, {"$ref": "/y/n.json#here"}, {"$ref": "root.json#/$defs/n"}]}"#,
            ["1"], [("2", " /$defs/n/const")]),
        Row(
            #"{"$id": "urn:example:a", "$defs": {"n": {"const": 1}}, "$ref": "urn:example:a#/$defs/n"}"#,
            ["1"], [("2", " /$defs/n/const")]),
        Row(##"{"anyOf": [{"const": 1}, {"$ref": "#/anyOf/0"}]}"##, ["1"], [("2", " /anyOf")]),
    ]

    static let annotations: [Row] = [
        Row(
            #"{"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": "c", "title": "t", "description": "d", "default": 5, "examples": [1], "deprecated": true, "readOnly": true, "writeOnly": false, "format": "email", "contentEncoding": "base64", "contentMediaType": "a/b", "contentSchema": {"type": "string"}, "type": "string"}"#,
            [#""no mail""#], [("1", " /type")])
    ]

    private func check(_ row: Row) throws {
        let schema = try SchemaCheck(json: row.schema)
        for json in row.valid {
            let verdict = try schema.verdict(json)
            #expect(verdict == "valid", "\(json)")
        }
        for (json, told) in row.invalid {
            let verdict = try schema.verdict(json)
            #expect(verdict == told, "\(json)")
        }
    }

    @Test(arguments: values) func `a rule about one value holds as it should`(_ row: Row) throws {
        try check(row)
    }
    @Test(arguments: patterns) func `a pattern is JavaScript's`(_ row: Row) throws {
        try check(row)
    }
    @Test(arguments: containers) func `a rule about fields or elements holds`(_ row: Row) throws {
        try check(row)
    }
    @Test(arguments: combinations) func `schemas are combined`(_ row: Row) throws {
        try check(row)
    }
    @Test(arguments: references) func `a reference leads where it says`(_ row: Row) throws {
        try check(row)
    }
    @Test(arguments: annotations) func `an annotation asks nothing`(_ row: Row) throws {
        try check(row)
    }

    @Test func `what JSON doesn't have is of types of its own`() throws {
        let date = Value.date(Date(timeIntervalSinceReferenceDate: 0))
        let data = Value.data(Data([1]))
        func fails(_ schema: Value, _ value: Value) throws -> Bool {
            try SchemaCheck(schema).failure(of: value) != nil
        }
        for (name, values) in [
            ("date", [date]), ("data", [data]), ("string", ["x"]), ("number", [1, 1.5]),
            ("integer", [1, 1.0]),
        ] as [(String, [Value])] {
            for value in [date, data, "x", 1, 1.5, 1.0, .null, .double(.nan)] as [Value] {
                let isOfType =
                    values.contains(value) || name == "number" && value.doubleValue != nil
                let failed = try fails(["type": .string(name)], value)
                #expect(failed != isOfType, "\(name): \(value)")
            }
        }
        #expect(try !fails(["const": date], date))
        #expect(try fails(["const": date], .date(Date(timeIntervalSinceReferenceDate: 1))))
        #expect(try !fails(["minLength": 99, "maxLength": 0, "minimum": 9], date))
        // No bound holds of what is no number, and it is a multiple of nothing.
        let bounds: [Document] = [
            ["minimum": 0], ["maximum": 0], ["minimum": 0.5], ["maximum": 0.5], ["multipleOf": 1],
        ]
        for bound in bounds { #expect(try fails(.object(bound), .double(.nan)), "\(bound)") }
        #expect(try !fails(["minimum": 0], .double(.infinity)))
        #expect(try fails(["multipleOf": 0.5], .double(.infinity)))
        #expect(try fails(["type": "integer"], .double(.infinity)))
    }
}
