import OfflineBytes
import Testing

@testable import OfflineDocuments

/// Changed records, encoded from their old bytes.
struct SpliceTests {
    static let names = NameDictionary(["a", "b", "c", "d"])

    /// Changes a stored record, and checks it against the same change of a list.
    private func check(_ start: Document, _ changes: [(String, Value?)]) throws {
        var stored = try TestRecord(start, dictionary: Self.names).document
        var list = start
        for (name, value) in changes {
            stored[name] = value
            list[name] = value
        }
        let spliced = try TestRecord(stored, dictionary: Self.names)
        #expect(spliced.bytes == (try TestRecord(list, dictionary: Self.names).bytes))
        #expect(spliced.document.isIdentical(to: list))
    }

    @Test(arguments: ["a", "b", "c"])
    func `a value becomes longer, shorter, another kind`(name: String) throws {
        let starts: [Document] = [
            ["a": 1, "b": "text", "c": [1, 2]], ["c": 1, "a": ["x": 1], "b": 2.5],
        ]
        for start in starts {
            for value: Value in [.null, 7, 1_000_000, "", "a longer text than before", [], [:]] {
                try check(start, [(name, value)])
            }
        }
    }

    @Test
    func `several values change, fields come and go`() throws {
        let start: Document = ["b": 1, "a": "text", "d": ["x": [1, 2]]]
        try check(start, [("d", 1), ("b", "one")])
        try check(start, [("a", nil)])
        try check(start, [("c", 5)])
        try check(start, [("c", 5), ("b", nil), ("d", ["y": 1])])
        try check(start, [("new", 5), ("a", 2)])
        try check(start, [("b", nil), ("a", nil), ("d", nil)])
    }

    @Test
    func `values outgrow a narrow record, and come back into one`() throws {
        let long = Value.string(String(repeating: "x", count: 70_000))
        let start: Document = ["b": 1, "a": "text", "d": ["x": [1, 2]]]
        let large: Document = ["b": 1, "a": long, "d": ["x": [1, 2]]]
        for name in ["a", "b", "d"] {
            try check(start, [(name, long)])
            try check(large, [(name, 5)])
            try check(large, [(name, long)])
        }
        // Each alone fits, both don't.
        let half = Value.string(String(repeating: "x", count: 40_000))
        try check(start, [("a", half), ("b", half)])
    }

    @Test
    func `limits hold for what is spliced in`() throws {
        var deep = try TestRecord(["a": 1, "b": 2]).document
        deep["b"] = .object(RecordLimitTests.nested(99))
        _ = try TestRecord(deep)
        deep["b"] = .object(RecordLimitTests.nested(100))
        let error = #expect(throws: OfflineError.self) {
            _ = try TestRecord(deep, dictionary: NameDictionary(["a", "b"]))
        }
        #expect(error?.message.contains("'b.a.a.") == true)
    }
}
