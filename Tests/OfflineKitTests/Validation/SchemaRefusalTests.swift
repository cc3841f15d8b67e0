// Schemas that are refused: each message names the place, and what is wrong there.
import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite("Refused schemas") struct SchemaRefusalTests {
    static let refused: [(schema: String, place: String, named: String)] = [
        (#"{"minimun": 1}"#, "#/minimun", "no such keyword"),
        (
            #"{"properties": {"a": {"patternProperties": {}}}}"#,
            "#/properties/a/patternProperties", "no such keyword"
        ),
        (#"{"unevaluatedProperties": false}"#, "#/unevaluatedProperties", "no such keyword"),
        (#"{"$defs": {"unused": {"contains": {}}}}"#, "#/$defs/unused/contains", "no such keyword"),
        (#"{"then": {"dependentRequired": {}}}"#, "#/then/dependentRequired", "no such keyword"),
        (##"{"$dynamicRef": "#a"}"##, "#/$dynamicRef", "no such keyword"),
        (#"{"type": "text"}"#, "#/type", "string, array, object"),
        (#"{"type": 1}"#, "#/type", "must be a type"),
        (#"{"type": []}"#, "#/type", "must be a type"),
        (#"{"type": ["string", "string"]}"#, "#/type", "twice"),
        (#"{"type": [1]}"#, "#/type", "isn't known"),
        (#"{"enum": 1}"#, "#/enum", "must be an array"),
        (#"{"minimum": "1"}"#, "#/minimum", "must be a number"),
        (#"{"exclusiveMaximum": true}"#, "#/exclusiveMaximum", "must be a number"),
        (#"{"multipleOf": 0}"#, "#/multipleOf", "above 0"),
        (#"{"multipleOf": -1.5}"#, "#/multipleOf", "above 0"),
        (#"{"minLength": -1}"#, "#/minLength", "must be an integer"),
        (#"{"maxItems": 1.5}"#, "#/maxItems", "must be an integer"),
        (#"{"minProperties": "1"}"#, "#/minProperties", "must be an integer"),
        (#"{"pattern": "("}"#, "#/pattern", "character 2"),
        (#"{"pattern": 1}"#, "#/pattern", "must be a string"),
        (#"{"pattern": "(?=a)"}"#, "#/pattern", "lookaround"),
        (#"{"pattern": "(a)\\1"}"#, "#/pattern", "backreferences"),
        (#"{"pattern": "a\\Z"}"#, "#/pattern", "no escape"),
        (#"{"pattern": "(?i)a"}"#, "#/pattern", "no group"),
        (#"{"pattern": "\\ud83d"}"#, "#/pattern", "no scalar"),
        (#"{"pattern": "[z-a]"}"#, "#/pattern", "above its last"),
        (#"{"uniqueItems": 1}"#, "#/uniqueItems", "true or false"),
        (#"{"required": "a"}"#, "#/required", "array of names"),
        (#"{"required": ["a", 1]}"#, "#/required", "array of names"),
        (#"{"required": ["a", "a"]}"#, "#/required", "twice"),
        (#"{"properties": []}"#, "#/properties", "must be an object"),
        (#"{"properties": {"a": 1}}"#, "#/properties/a", "must be a schema"),
        (#"{"additionalProperties": 1}"#, "#/additionalProperties", "must be a schema"),
        (#"{"items": [{}]}"#, "#/items", "must be a schema"),
        (#"{"prefixItems": []}"#, "#/prefixItems", "one at least"),
        (#"{"allOf": {}}"#, "#/allOf", "array of schemas"),
        (#"{"anyOf": []}"#, "#/anyOf", "one at least"),
        (#"{"oneOf": [null]}"#, "#/oneOf/0", "must be a schema"),
        (#"{"not": null}"#, "#/not", "must be a schema"),
        (#"{"if": {"if": {"x": 1}}}"#, "#/if/if/x", "no such keyword"),
        (#"{"$defs": [1]}"#, "#/$defs", "must be an object"),
        (##"{"$ref": "#/$defs/a"}"##, "#/$ref", "there is no schema"),
        (##"{"$ref": "#a"}"##, "#/$ref", "there is no schema"),
        (##"{"const": {"type": "string"}, "$ref": "#/const"}"##, "#/$ref", "there is no schema"),
        (##"{"$ref": "#/%zz"}"##, "#/$ref", "there is no schema"),
        (#"{"$ref": 1}"#, "#/$ref", "must be a string"),
        (#"{"$ref": "https://example.com/a.json"}"#, "#/$ref", "nothing is fetched"),
        (
            #"{"$ref": "https://json-schema.org/draft/2020-12/schema"}"#, "#/$ref",
            "nothing is fetched"
        ),
        (##"{"$ref": "#"}"##, "validation", "refers to itself"),
        (
            ##"{"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}"##,
            "#/$defs/a", "refers to itself"
        ),
        (
            ##"{"properties": {"a": {"if": {"$ref": "#/properties/a"}}}}"##, "#/properties/a",
            "refers to itself"
        ),
        (##"{"$id": "a#b"}"##, "#/$id", "fragment"), (#"{"$id": 1}"#, "#/$id", "must be a string"),
        (#"{"$defs": {"a": {"$id": "x"}, "b": {"$id": "x"}}}"#, "#/$defs/b/$id", "already"),
        (#"{"$anchor": "1a"}"#, "#/$anchor", "must be a name"),
        (#"{"$anchor": "a", "items": {"$anchor": "a"}}"#, "#/items/$anchor", "already"),
        (#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#, "#/$schema", "2020-12"),
        (#"{"title": 1}"#, "#/title", "must be a string"),
        (#"{"examples": 1}"#, "#/examples", "must be an array"),
        (#"{"deprecated": "yes"}"#, "#/deprecated", "true or false"),
        (#"{"contentSchema": 1}"#, "#/contentSchema", "must be an object"),
    ]

    @Test(arguments: refused)
    func `what is no schema that is known is refused by place and name`(
        schema: String, place: String, named: String
    ) async throws {
        let error = #expect(throws: OfflineError.self) { try SchemaCheck(json: schema) }
        #expect(error?.code == .invalidOptions)
        let message = error?.message ?? ""
        #expect(message.contains(place) && message.contains(named), "\(message)")
    }

    @Test func `an option of a store is refused with the collection's name`() async throws {
        let schema = [CollectionSchema(name: "users", validation: ["typo": 1])]
        let error = await expectError(.invalidOptions) {
            try await OfflineStore(try TestStore().options(schema)).initialize()
        }
        #expect(error?.message.hasPrefix("collection \"users\": validation at #/typo") == true)
        #expect(error?.collection == "users")
    }

    @Test func `a schema that is too large, too deep or too entangled is refused`() throws {
        func message(_ schema: Value) -> String {
            let error = #expect(throws: OfflineError.self) { try SchemaProgram(compiling: schema) }
            #expect(error?.code == .invalidOptions)
            return error?.message ?? ""
        }
        let large = Value.object(["title": .string(String(repeating: "x", count: 1 << 18))])
        #expect(message(large).contains("bytes"))
        var deep: Value = true
        for _ in 0..<10_000 { deep = ["not": deep] }
        #expect(message(deep).contains("deeper"))
        var chain: Value = true
        for _ in 0..<40 { chain = ["not": chain] }
        #expect(message(chain).contains("ask about one value"))
        var definitions: Document = ["d0": true]
        for index in 1...1_000 {
            definitions["d\(index)"] = ["$ref": .string("#/$defs/d\(index - 1)")]
        }
        #expect(message(["$defs": .object(definitions)]).contains("ask about one value"))
        let patterns = (0...256).map { Value.object(["pattern": .string("\($0)")]) }
        #expect(message(["items": ["allOf": .array(patterns)]]).contains("256 patterns"))
    }
}
