import OfflineBytes
import Testing

@testable import OfflineDocuments

/// What paths find, as tables; each row on values and on encoded bytes.
struct PathWalkTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let path: String
        let record: Document
        /// What is found, nil for what is missing, in order.
        let found: [Value?]
        var areElements = false
        var crossesArray = false

        var testDescription: String { "\(path) of \(record)" }
    }

    static let rows: [Row] = [
        // Names in objects.
        Row(path: "a", record: ["a": 1], found: [1]),
        Row(path: "a", record: ["a": .null], found: [.null]),
        Row(path: "a", record: ["b": 1], found: [nil]),
        Row(path: "a", record: [:], found: [nil]),
        Row(path: "a", record: ["a": [1, [2]]], found: [[1, [2]]]),
        Row(path: "a.b", record: ["a": ["b": ["c": 1]]], found: [["c": 1]]),
        Row(path: "a.b.c", record: ["a": ["b": ["c": 1]]], found: [1]),
        Row(path: "a.0", record: ["a": ["0": 1]], found: [1]),
        Row(path: "0", record: ["0": 1], found: [1]),
        // {"a.b": null} matches these.
        Row(path: "a.b", record: [:], found: [nil]),
        Row(path: "a.b", record: ["a": .null], found: [nil]),
        Row(path: "a.b", record: ["a": 5], found: [nil]),
        Row(path: "a.b", record: ["a": "b"], found: [nil]),
        Row(path: "a.b", record: ["a": [:]], found: [nil]),
        Row(path: "a.b", record: ["a": ["c": 1]], found: [nil]),
        Row(path: "a.b", record: ["a": ["b": .null]], found: [.null]),
        Row(
            path: "a.b", record: ["a": [["b": 1], ["c": 1]]], found: [1, nil], crossesArray: true),
        Row(
            path: "a.b", record: ["a": [["b": 1], ["b": .null]]], found: [1, .null],
            crossesArray: true),
        // And not these.
        Row(path: "a.b", record: ["a": .array([])], found: [], crossesArray: true),
        Row(path: "a.b", record: ["a": [1, "b", .null]], found: [], crossesArray: true),
        // Names through arrays: into each object, not into inner arrays.
        Row(
            path: "a.b", record: ["a": [["b": 1], 2, ["b": [3]]]], found: [1, [3]],
            crossesArray: true),
        Row(path: "a.b", record: ["a": [[["b": 1]]]], found: [], crossesArray: true),
        Row(
            path: "a.b.c", record: ["a": [["b": [["c": 1], ["c": 2]]], ["b": ["c": 3]]]],
            found: [1, 2, 3], crossesArray: true),
        Row(path: "a.b.c", record: ["a": [["b": 1]]], found: [nil], crossesArray: true),
        // Positions: one value, not its elements; a position that exists counts alone.
        Row(path: "a.0", record: ["a": [5, 6]], found: [5], areElements: true),
        Row(path: "a.1", record: ["a": [5, [6, 7]]], found: [[6, 7]], areElements: true),
        Row(
            path: "a.0", record: ["a": [["0": 1], ["0": 2]]], found: [["0": 1]], areElements: true),
        Row(path: "a.0.b", record: ["a": [["b": 1], ["b": 2]]], found: [1]),
        Row(path: "a.0.b", record: ["a": [["c": 1], ["b": 2]]], found: [nil]),
        Row(path: "a.0.b", record: ["a": [7]], found: [nil]),
        Row(path: "a.0.1", record: ["a": [[1, 2]]], found: [2], areElements: true),
        Row(
            path: "a.0.b", record: ["a": [[["b": 1], ["b": 2]]]], found: [1, 2],
            crossesArray: true),
        Row(
            path: "a.b.0", record: ["a": [["b": [5, 6]], ["b": [7]]]], found: [5, 7],
            areElements: true, crossesArray: true),
        // A position that doesn't exist is a name in the objects.
        Row(path: "a.2", record: ["a": [5, 6]], found: [], crossesArray: true),
        Row(path: "a.0", record: ["a": .array([])], found: [], crossesArray: true),
        Row(
            path: "a.2", record: ["a": [["2": 1], ["x": 1]]], found: [1, nil], crossesArray: true),
        // No positions: a leading zero, a sign, more than an Int.
        Row(path: "a.00", record: ["a": [5]], found: [], crossesArray: true),
        Row(path: "a.+0", record: ["a": [5]], found: [], crossesArray: true),
        Row(path: "a.99999999999999999999", record: ["a": [5]], found: [], crossesArray: true),
    ]

    @Test(arguments: rows)
    func `finds`(row: Row) throws {
        let path = try FieldPath(row.path)
        var found: [Value?] = []
        let crossed = row.record.visit(path) { value, isElement in
            found.append(value)
            #expect(isElement == row.areElements)
            return true
        }
        #expect(found == row.found)
        #expect(crossed == row.crossesArray)
    }

    @Test(arguments: rows)
    func `finds in encoded bytes`(row: Row) throws {
        let record = try TestRecord(row.record)
        let path = try FieldPath(row.path).compiled(in: record.names)
        var found: [Value?] = []
        let crossed = unsafe record.withRoot { root in
            unsafe root.visit(path) { value, isElement in
                unsafe found.append(value.map { unsafe $0.value(record.names) })
                #expect(isElement == row.areElements)
                return true
            }
        }
        #expect(found == row.found)
        #expect(crossed == row.crossesArray)
    }

    @Test
    func `a visit ends when it is told to`() throws {
        let record: Document = ["a": [["b": 1], ["b": 2], ["b": 3]]]
        var found: [Value?] = []
        record.visit(try FieldPath("a.b")) { value, _ in
            found.append(value)
            return found.count < 2
        }
        #expect(found == [1, 2])
    }

    @Test
    func `random paths find the same in values and in encoded bytes`() throws {
        var random = SeededGenerator(seed: 31)
        func value(_ depth: Int) -> Value {
            switch random.below(depth > 0 ? 6 : 2) {
            case 0: .int(Int64(random.below(3)))
            case 1: .null
            case 2, 3: .array((0..<random.below(4)).map { _ in value(depth - 1) })
            default: .object(document(depth - 1))
            }
        }
        func document(_ depth: Int) -> Document {
            Document(
                fields: (0..<random.below(4)).map { _ in
                    (random.pick(["a", "b", "0", "1"]), value(depth))
                })
        }
        for step in 0..<2000 {
            let record = try TestRecord(document(4))
            let text = (0...random.below(4)).map { _ in random.pick(["a", "b", "0", "1"]) }
                .joined(separator: ".")
            let path = try FieldPath(text)
            var expected: [String] = []
            record.document.built.visit(path) { value, isElement in
                expected.append("\(value?.json() ?? "-") \(isElement)")
                return true
            }
            var found: [String] = []
            unsafe record.withRoot { root in
                _ = unsafe root.visit(path.compiled(in: record.names)) { value, isElement in
                    let json = unsafe value.map { unsafe $0.value(record.names).json() } ?? "-"
                    found.append("\(json) \(isElement)")
                    return true
                }
            }
            #expect(found == expected, "step \(step): \(text) of \(record.document)")
        }
    }

    @Test(arguments: [
        "", ".", "a.", ".a", "a..b", "a" + String(repeating: ".a", count: 100),
        "a" + String(repeating: ".a", count: 1_000_000),
    ])
    func `a path with an empty name, or over 100 of them, is refused`(text: String) throws {
        let error = #expect(throws: OfflineError.self) { _ = try FieldPath(text) }
        #expect(error?.code == .invalidQuery)
        let other = #expect(throws: OfflineError.self) {
            _ = try FieldPath(text, code: .invalidOptions)
        }
        #expect(other?.code == .invalidOptions)
        #expect(try FieldPath("a" + String(repeating: ".a", count: 99)).components.count == 100)
        var document: Document = ["a": 1]
        #expect(document.value(at: text) == nil)
        document.set(2, at: text)
        #expect(document == ["a": 1])
    }

    @Test
    func `paths are equal by their bytes`() throws {
        #expect(try FieldPath("é") != FieldPath("e\u{301}"))
        #expect(try FieldPath("a.b") == FieldPath("a.b"))
        #expect(try FieldPath("a").isTopLevel)
        #expect(try !FieldPath("a.b").isTopLevel)
    }
}
