// What is hidden of a document, and what becomes of it in a write: a table.
import Testing

@testable import OfflineKit

struct HiddenFieldsTests {
    private func fields(_ paths: String...) -> HiddenFields {
        HiddenFields(paths.map { $0.split(separator: ".").map(String.init) })
    }

    private func document(_ json: String) throws -> Document { try Document(json: json) }

    /// A hidden path, a document, and what is left of it.
    static let masks: [(path: String, of: String, left: String)] = [
        ("a", #"{"a":1,"b":2}"#, #"{"b":2}"#), ("a", #"{"b":2}"#, #"{"b":2}"#),
        ("a.b", #"{"a":{"b":1,"c":2}}"#, #"{"a":{"c":2}}"#),
        ("a.b", #"{"a":{"b":1}}"#, #"{"a":{}}"#),
        ("a.b", #"{"a":1}"#, #"{"a":1}"#), ("a.b", #"{"a":null}"#, #"{"a":null}"#),
        ("a.b", #"{"a":[{"b":1},2,{"c":3}]}"#, #"{"a":[{},2,{"c":3}]}"#),
        ("a.b", #"{"a":[[{"b":1}]]}"#, #"{"a":[[{}]]}"#),
        ("a.b.c", #"{"a":[{"b":[{"c":1,"d":2}]}]}"#, #"{"a":[{"b":[{"d":2}]}]}"#),
        ("a", #"{"A":1}"#, #"{"A":1}"#),
    ]

    @Test(arguments: masks.indices) func `what is left`(index: Int) throws {
        let (path, whole, left) = Self.masks[index]
        let masked = fields(path).masked(try document(whole))
        #expect(masked.json() == left)
        let isMissing = try fields(path).areMissing(in: document(whole))
        #expect(isMissing == (whole == left))
    }

    /// A hidden path, what is stored, what is written, and what is stored then; nil: refused.
    static let writes: [(path: String, old: String, new: String, stored: String?)] = [
        ("a", #"{"a":1,"b":2}"#, #"{"b":3}"#, #"{"b":3,"a":1}"#),
        ("a", #"{"b":2}"#, #"{"b":3}"#, #"{"b":3}"#), ("a", #"{"a":1}"#, #"{"a":1}"#, nil),
        ("a", #"{"b":2}"#, #"{"a":null}"#, nil),
        ("a.b", #"{"a":{"b":1,"c":2}}"#, #"{"a":{"c":3}}"#, #"{"a":{"c":3,"b":1}}"#),
        ("a.b", #"{"a":{"b":1,"c":2}}"#, #"{"a":{}}"#, #"{"a":{"b":1}}"#),
        // Whether there is something hidden must not be told by what is refused.
        ("a.b", #"{"a":{"b":1}}"#, #"{}"#, nil), ("a.b", #"{"a":{}}"#, #"{}"#, nil),
        ("a.b", #"{"a":{"b":1}}"#, #"{"a":5}"#, nil), ("a.b", #"{"a":{}}"#, #"{"a":5}"#, nil),
        ("a.b", #"{"a":{}}"#, #"{"a":{"b":1}}"#, nil), ("a.b", #"{}"#, #"{"a":{"b":1}}"#, nil),
        ("a.b", #"{}"#, #"{"a":{"c":1}}"#, #"{"a":{"c":1}}"#),
        ("a.b", #"{"a":5}"#, #"{"a":{"c":1}}"#, #"{"a":{"c":1}}"#),
        ("a.b", #"{"a":5}"#, #"{}"#, #"{}"#),
        ("a.b", #"{"a":[{"b":1},2]}"#, #"{"a":[{},2],"c":3}"#, #"{"a":[{"b":1},2],"c":3}"#),
        ("a.b", #"{"a":[{"b":1},2]}"#, #"{"a":[2,{}]}"#, nil),
        ("a.b", #"{"a":[{},2]}"#, #"{"a":[2,{}]}"#, nil),
        ("a.b", #"{"a":[[{"b":1}]]}"#, #"{"a":[[{}]],"c":3}"#, #"{"a":[[{"b":1}]],"c":3}"#),
        ("a.b", #"{"a":[[{"b":1}]]}"#, #"{"a":[]}"#, nil),
        ("a.b", #"{"a":[[{"b":1}]]}"#, #"{"a":[[{"b":1}]]}"#, nil),
        ("a.b", #"{"a":[1,2]}"#, #"{"a":[2]}"#, #"{"a":[2]}"#),
        ("a.b", #"{"a":[1,2]}"#, #"{"a":[{"b":1}]}"#, nil),
    ]

    @Test(arguments: writes.indices) func `what stays`(index: Int) throws {
        let (path, old, new, stored) = Self.writes[index]
        let restored = try fields(path).restored(document(new), from: document(old))
        #expect(restored?.json() == stored)
    }

    @Test func `paths that touch what is hidden`() throws {
        let hidden = fields("a.b", "c")
        for path in ["a", "a.b", "a.b.x", "a.0.b", "a.0", "0.a.b", "c", "c.x", "c.3"] {
            #expect(hidden.touches(try FieldPath(path)), "\(path)")
        }
        for path in ["a.c", "b", "ab", "A", "a.c.b", "x.a.b"] {
            #expect(!hidden.touches(try FieldPath(path)), "\(path)")
        }
        #expect(hidden.covers(try FieldPath("a.0.b.x")))
        #expect(!hidden.covers(try FieldPath("a")))
    }

    @Test func `what two hide in common, and together`() {
        #expect(
            Set(fields("a", "b.c").common(with: fields("a.x", "b")).paths) == [
                ["a", "x"], ["b", "c"],
            ])
        #expect(fields("a").common(with: fields("b")).isEmpty)
        #expect(fields("a", "a.b").paths == [["a"]])
        #expect(Set(fields("a.x").union(fields("a", "b")).paths) == [["a"], ["b"]])
    }
}
