import Testing

@testable import OfflineDocuments

/// Reading and setting one place in a document.
struct DocumentPathTests {
    static let document: Document = [
        "name": "Ada", "address": ["city": "London", "lines": ["x", "y"]], "tags": ["a", ["b"]],
        "0": "zero", "a.b": "dotted", "items": [["n": 1], ["n": 2]],
    ]

    @Test(
        arguments: [
            ("name", "Ada"), ("address.city", "London"), ("address.lines.1", "y"), ("tags.0", "a"),
            ("tags.1.0", "b"), ("0", "zero"), ("items.1.n", 2), ("none", nil), ("name.x", nil),
            ("address.none", nil), ("tags.2", nil), ("tags.x", nil), ("items.n", nil), ("", nil),
            ("address.", nil), ("a.b", nil), ("tags.-1", nil), ("tags.01", nil),
        ] as [(String, Value?)])
    func `a path reads`(path: String, value: Value?) throws {
        #expect(Self.document.value(at: path) == value)
        #expect(try TestRecord(Self.document).document.value(at: path) == value)
    }

    struct Change: CustomTestStringConvertible, Sendable {
        let path: String
        let value: Value?
        let before: Document
        let after: Document

        var testDescription: String { "\(path) = \(value?.json() ?? "nil") in \(before)" }
    }

    static let changes: [Change] = [
        Change(path: "a", value: 1, before: [:], after: ["a": 1]),
        Change(path: "a", value: 1, before: ["a": 2, "b": 3], after: ["a": 1, "b": 3]),
        Change(path: "a", value: nil, before: ["a": 2, "b": 3], after: ["b": 3]),
        Change(path: "a", value: .null, before: ["a": 2], after: ["a": .null]),
        Change(path: "a.b.c", value: 1, before: [:], after: ["a": ["b": ["c": 1]]]),
        Change(path: "a.b", value: 1, before: ["a": ["c": 2]], after: ["a": ["c": 2, "b": 1]]),
        Change(path: "a.b", value: 1, before: ["a": 5], after: ["a": ["b": 1]]),
        Change(path: "a.b", value: 1, before: ["a": .null], after: ["a": ["b": 1]]),
        Change(path: "a.b", value: nil, before: ["a": ["b": 1]], after: ["a": [:]]),
        Change(path: "a.b", value: nil, before: ["a": 5], after: ["a": 5]),
        Change(path: "a.b", value: nil, before: [:], after: [:]),
        Change(path: "a.1", value: 9, before: ["a": [1, 2]], after: ["a": [1, 9]]),
        Change(path: "a.2", value: 9, before: ["a": [1, 2]], after: ["a": [1, 2, 9]]),
        Change(path: "a.3", value: 9, before: ["a": [1, 2]], after: ["a": [1, 2]]),
        Change(path: "a.x", value: 9, before: ["a": [1, 2]], after: ["a": [1, 2]]),
        Change(path: "a.0", value: nil, before: ["a": [1, 2]], after: ["a": [2]]),
        Change(path: "a.2", value: nil, before: ["a": [1, 2]], after: ["a": [1, 2]]),
        Change(path: "a.0.b", value: 9, before: ["a": [["b": 1]]], after: ["a": [["b": 9]]]),
        Change(path: "a.1.b", value: 9, before: ["a": [1]], after: ["a": [1, ["b": 9]]]),
        Change(path: "a..b", value: 9, before: ["a": 1], after: ["a": 1]),
        Change(path: "", value: 9, before: ["a": 1], after: ["a": 1]),
    ]

    @Test(arguments: changes)
    func `a path sets`(change: Change) throws {
        var document = change.before
        document.set(change.value, at: change.path)
        #expect(document.isIdentical(to: change.after))
        var stored = try TestRecord(change.before).document
        stored.set(change.value, at: change.path)
        #expect(stored.isIdentical(to: change.after))
    }
}
