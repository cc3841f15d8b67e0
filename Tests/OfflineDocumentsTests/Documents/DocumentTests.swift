import OfflineBytes
import Testing

@testable import OfflineDocuments

/// A document as a list, as stored bytes and as both.
struct DocumentTests {
    @Test
    func `of two equal names the last value counts, in the first's place`() {
        let literal: Document = ["a": 1, "b": 2, "a": 3]
        #expect(literal.map(\.name) == ["a", "b"])
        #expect(literal["a"] == 3)
        // More names than are compared one by one.
        let names = (0..<40).map { "n\($0)" }
        let many = Document(fields: (names + names).enumerated().map { ($1, .int(Int64($0))) })
        #expect(many.fieldNames == names)
        #expect(many["n0"] == 40)
        #expect(many["n39"] == 79)
    }

    @Test
    func `copies don't see each other's changes`() throws {
        for original in [["a": 1, "b": 2], try TestRecord(["a": 1, "b": 2]).document] {
            var first = original
            first["a"] = 10
            var second = first
            second["a"] = 20
            second["b"] = nil
            second["c"] = 30
            #expect(original == ["a": 1, "b": 2])
            #expect(first == ["a": 10, "b": 2])
            #expect(second == ["a": 20, "c": 30])
        }
    }

    @Test
    func `equality and hash ignore order and form`() throws {
        let a: Document = ["x": 1, "y": [["p": 1, "q": 2]], "z": 2.0]
        let b: Document = ["z": 2, "y": [["q": 2.0, "p": 1]], "x": 1.0]
        let stored = try TestRecord(b).document
        var overlaid = try TestRecord(["z": 2, "y": 0, "w": 1]).document
        overlaid["y"] = b["y"]
        overlaid["w"] = nil
        overlaid["x"] = 1
        for other in [b, stored, overlaid] {
            #expect(a == other)
            #expect(other == a)
            #expect(a.hashValue == other.hashValue)
            #expect(Document.order(a, other) == 0)
        }
        #expect(Set([a, b, stored, overlaid]).count == 1)
        #expect(a != ["x": 1, "y": [["p": 1, "q": 2]]])
        #expect(a != ["x": 1, "y": [["p": 1, "q": 3]], "z": 2])
        #expect(["é": 1] as Document != ["e\u{301}": 1])
    }

    @Test(arguments: [1, 2, 3, 4])
    func `a stored document changes as a list does`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let long = String(repeating: "n", count: 70)
        let names = ["a", "b", "c", "d", "é", "e\u{301}", long] + (0..<20).map { "n\($0)" }
        var encoder = RecordEncoder(dictionary: .empty)
        for step in 0..<200 {
            let count = random.pick([0, 1, 3, 7, 25])
            let start = Document(
                fields: (0..<count).map { _ in (random.pick(names), random.value(depth: 2)) })
            var list = start
            var stored = try TestRecord(start, &encoder).document
            let few = Array(names.shuffled(using: &random).prefix(random.pick([3, 27])))
            for _ in 0..<random.below(30) {
                let name = random.pick(few)
                let value = random.chance(1, in: 3) ? nil : random.value(depth: 1)
                list[name] = value
                stored[name] = value
                let what = "seed \(seed), step \(step), \(name)"
                #expect(stored.count == list.count, "\(what)")
                #expect(stored.isEmpty == list.isEmpty, "\(what)")
                #expect(stored.fieldNames == list.fieldNames, "\(what)")
                #expect(stored == list, "\(what)")
                for name in few { #expect(stored[name] == list[name], "\(what)") }
            }
            #expect(stored.isIdentical(to: list), "seed \(seed), step \(step)")
            // The same through bytes: spliced, and from a dictionary of its own.
            let spliced = try TestRecord(stored, &encoder)
            #expect(spliced.document.isIdentical(to: list), "seed \(seed), step \(step)")
            let again = try TestRecord(list, dictionary: spliced.names)
            #expect(spliced.bytes == again.bytes, "seed \(seed), step \(step)")
            let foreign = try TestRecord(stored, dictionary: NameDictionary(["b", "a", "zz"]))
            #expect(foreign.document.isIdentical(to: list), "seed \(seed), step \(step)")
        }
    }

    @Test
    func `an unchanged stored document is encoded by copying its bytes`() throws {
        let record = try TestRecord(["a": 1, "b": ["c": [1, 2]]])
        var encoder = RecordEncoder(dictionary: record.names.appending(["z"]))
        #expect(try encoder.encode(record.document) == record.bytes)
        var changed = record.document
        changed["a"] = 2
        changed["a"] = 1
        #expect(try encoder.encode(changed) == record.bytes)
    }

    @Test
    func `a dictionary of other names with the same ids is not mistaken for the document's`() throws
    {
        // Two transactions that were rolled back and begun again: id 1 is "b" to one and "c" to the other.
        let base = NameDictionary(["a"])
        let record = try TestRecord(["a": 1, "b": 2], dictionary: base.appending(["b"]))
        let other = base.appending(["c"])
        #expect(try TestRecord(record.document, dictionary: other).document == ["a": 1, "b": 2])
        var changed = record.document
        changed["a"] = 5
        #expect(try TestRecord(changed, dictionary: other).document == ["a": 5, "b": 2])
    }

    @Test
    func `a removed field that comes back is the last`() throws {
        for document in [["a": 1, "b": 2], try TestRecord(["a": 1, "b": 2]).document] {
            var document: Document = document
            document["a"] = nil
            document["a"] = 3
            #expect(document.fieldNames == ["b", "a"])
        }
    }

    @Test
    func `an object inside a record outlives it`() throws {
        func inner() throws -> Document? {
            try TestRecord(["a": ["b": ["c": "text that is no small string"]]])
                .document["a"]?.objectValue
        }
        let document = try #require(try inner())
        #expect(document.value(at: "b.c") == "text that is no small string")
        // On its own it is a record like any other.
        #expect(try TestRecord(document).document == document)
    }

    @Test
    func `description is JSON`() {
        let document: Document = ["b": 1, "a": ["x", .null]]
        #expect(document.description == document.json())
    }
}
