import Testing

@testable import OfflineDocuments

/// `select`, merges and differences.
struct SelectionAndMergeTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let paths: [String]
        let record: Document
        let selected: Document

        var testDescription: String { "\(paths) of \(record)" }
    }

    static let rows: [Row] = [
        Row(paths: ["a"], record: ["b": 1, "a": 2], selected: ["a": 2]),
        Row(paths: ["a", "b"], record: ["b": 1, "c": 3, "a": 2], selected: ["b": 1, "a": 2]),
        Row(paths: [], record: ["a": 1], selected: [:]),
        Row(paths: ["x"], record: ["a": 1], selected: [:]),
        Row(paths: ["a"], record: ["a": .null], selected: ["a": .null]),
        Row(paths: ["addr.city"], record: ["addr": [:]], selected: ["addr": [:]]),
        Row(paths: ["addr.city"], record: ["addr": ["zip": 1]], selected: ["addr": [:]]),
        Row(paths: ["addr.city"], record: ["addr": .null], selected: [:]),
        Row(paths: ["addr.city"], record: ["addr": "x"], selected: [:]),
        Row(
            paths: ["addr.city"], record: ["addr": ["zip": 1, "city": "Ulm"], "b": 1],
            selected: ["addr": ["city": "Ulm"]]),
        Row(
            paths: ["a.b", "a.d"], record: ["a": ["d": 1, "c": 2, "b": 3]],
            selected: ["a": ["d": 1, "b": 3]]),
        Row(paths: ["a.b", "a"], record: ["a": ["c": 1]], selected: ["a": ["c": 1]]),
        Row(paths: ["a", "a.b"], record: ["a": ["c": 1]], selected: ["a": ["c": 1]]),
        Row(
            paths: ["a.b"], record: ["a": [["b": 1, "c": 2], ["c": 3], 4, [["b": 5]], .null]],
            selected: ["a": [["b": 1], [:]]]),
        Row(paths: ["a.b"], record: ["a": .array([])], selected: ["a": .array([])]),
        Row(paths: ["a.1"], record: ["a": ["x", "y", "z"]], selected: ["a": ["y"]]),
        Row(paths: ["a.2", "a.0"], record: ["a": ["x", "y", "z"]], selected: ["a": ["x", "z"]]),
        Row(paths: ["a.5"], record: ["a": [1, ["5": 2, "b": 3]]], selected: ["a": [["5": 2]]]),
        Row(
            paths: ["a.0.x", "a.y"], record: ["a": [["x": 1, "y": 2, "z": 3], ["x": 4, "y": 5]]],
            selected: ["a": [["x": 1, "y": 2], ["y": 5]]]),
        Row(
            paths: ["a.0", "a.y"], record: ["a": [["x": 1, "y": 2], ["x": 4, "y": 5]]],
            selected: ["a": [["x": 1, "y": 2], ["y": 5]]]),
        Row(
            paths: ["a.0.b"], record: ["a": [["b": 1, "c": 2], ["b": 3]]],
            selected: ["a": [["b": 1]]]),
        Row(paths: ["a.0"], record: ["a": ["0": 1, "1": 2]], selected: ["a": ["0": 1]]),
    ]

    @Test(arguments: rows)
    func `selects`(row: Row) throws {
        let selection = FieldSelection(try row.paths.map { try FieldPath($0) })
        #expect(selection.select(from: row.record).isIdentical(to: row.selected))
        let stored = try TestRecord(row.record).document
        #expect(selection.select(from: stored).isIdentical(to: row.selected))
    }

    @Test
    func `a merge replaces in place, adds behind, and stores null`() throws {
        let fields: Document = ["b": .null, "d": 4, "a": 10]
        for document in [
            ["a": 1, "b": 2, "c": 3], try TestRecord(["a": 1, "b": 2, "c": 3]).document,
        ] {
            let merged = DocumentMerge.merge(fields, into: document)
            #expect(merged.isIdentical(to: ["a": 10, "b": .null, "c": 3, "d": 4]))
        }
    }

    @Test
    func `changed fields are those set, added and removed`() throws {
        let old: Document = ["a": 1, "b": [1, 2], "c": "x", "d": .null, "e": 5]
        let new: Document = ["f": 1, "e": 5.0, "c": "y", "b": [1, 2], "d": 0]
        let names = ["f", "c", "d", "a"]
        #expect(DocumentMerge.changedFields(from: old, to: new) == names)
        let stored = try TestRecord(old).document
        #expect(DocumentMerge.changedFields(from: stored, to: new) == names)
        #expect(DocumentMerge.changedFields(from: old, to: stored).isEmpty)
        // A field with null is not a missing field.
        #expect(DocumentMerge.changedFields(from: ["a": .null], to: [:]) == ["a"])
    }
}
