// What records give in each kind of index: by examples, and random ones against a derivation over plain values.
import Foundation
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct IndexKindTests {
    static let key: [UInt8] = [0xAA]

    /// The entries of one record in an index.
    static func entries(_ record: Document, _ index: IndexSchema) throws -> [[UInt8]] {
        let collection = try CollectionState(
            id: CollectionID(1), schema: CollectionSchema(name: "c", indexes: [index]),
            indexNumbers: [1])
        var encoder = RecordEncoder(dictionary: .empty)
        let bytes = try encoder.encode(record)
        let names = BoundNames(encoder.dictionary, of: collection)
        var keys = DerivedKeys()
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe names.indexKeys.append(
                RecordView(bytes, names: names.dictionary), key: Self.key.span.bytes, to: &keys)
        }
        return keys.entries.map { Array(keys.key($0)) }
    }

    /// An entry of these values.
    private static func entry(_ values: Value...) -> [UInt8] {
        values.flatMap(KeyEncoder.key) + key
    }
    private static let marker: [UInt8] = [0, 0] + key

    private static func folded(multiEntry: Bool = false) -> IndexSchema {
        IndexSchema(name: "i", keyPath: "a", multiEntry: multiEntry, collation: .caseInsensitive)
    }

    struct Example: Sendable {
        var record: Document
        var entries: [[UInt8]]
    }

    static let caseInsensitive: [Example] = [
        Example(record: ["a": "Straße"], entries: [entry("strasse", "Straße")]),
        Example(record: ["a": "x"], entries: [entry("x", "x")]),
        Example(record: [:], entries: [entry(.null, .null)]),
        Example(record: ["a": 5], entries: [entry(5, 5)]),
        Example(record: ["a": ["B": "C"]], entries: [entry(["B": "c"], ["B": "C"])]),
        Example(record: ["a": ["X", "y"]], entries: [marker, entry(["x", "y"], ["X", "y"])]),
    ]

    @Test(arguments: caseInsensitive)
    func `a case-insensitive entry is the folded value and the value`(example: Example) throws {
        #expect(try Self.entries(example.record, Self.folded()) == example.entries)
    }

    static let multiEntry: [Example] = [
        Example(
            record: ["a": ["b", "a", "b", 1, 1.0]],
            entries: [marker, entry(1), entry("a"), entry("b")]),
        Example(record: ["a": "b"], entries: [entry("b")]),
        Example(record: [:], entries: [entry(.null)]),
        Example(record: ["a": .null], entries: [entry(.null)]),
        Example(record: ["a": []], entries: [marker]),
        Example(record: ["a": [.null, []]], entries: [marker, entry(.null), entry([])]),
        Example(record: ["a": [[1, 2], 1]], entries: [marker, entry(1), entry([1, 2])]),
        Example(record: ["a": ["x": [1]]], entries: [entry(["x": [1]])]),
    ]

    @Test(arguments: multiEntry)
    func `a multi-entry index has an entry for each element`(example: Example) throws {
        let index = IndexSchema(name: "i", keyPath: "a", multiEntry: true)
        #expect(try Self.entries(example.record, index) == example.entries)
    }

    static let nested: [Example] = [
        Example(
            record: ["a": [["b": 2], ["b": [3, 1]], [:], 5]],
            entries: [marker, entry(.null), entry(1), entry(2), entry(3)]),
        Example(record: ["a": [1, 2]], entries: [marker]),
        Example(record: ["a": []], entries: [marker]),
        Example(record: ["a": 1], entries: [entry(.null)]),
        Example(record: ["a": ["b": [1]]], entries: [marker, entry(1)]),
    ]

    @Test(arguments: nested)
    func `a multi-entry index steps through arrays as conditions do`(example: Example) throws {
        let index = IndexSchema(name: "i", keyPath: "a.b", multiEntry: true)
        #expect(try Self.entries(example.record, index) == example.entries)
    }

    @Test func `an element that is named by its position is one value`() throws {
        let index = IndexSchema(name: "i", keyPath: "a.0", multiEntry: true)
        #expect(
            try Self.entries(["a": [["x", "y"]]], index) == [Self.marker, Self.entry(["x", "y"])])
        #expect(try Self.entries(["a": ["x", "y"]], index) == [Self.entry("x")])
    }

    @Test func `elements that fold to the same have one entry, of the least`() throws {
        #expect(
            try Self.entries(["a": ["b", "B", "a", "ß", "SS"]], Self.folded(multiEntry: true)) == [
                Self.marker, Self.entry("a", "a"), Self.entry("b", "B"), Self.entry("ss", "SS"),
            ])
    }

    @Test func `a partial index has the records that match and no others`() throws {
        var index = IndexSchema(name: "i", keyPath: "a", where: ["on": true, "n": ["$gte": 3]])
        #expect(try Self.entries(["a": 1, "on": true, "n": 3], index) == [Self.entry(1)])
        #expect(try Self.entries(["on": true, "n": 4], index) == [Self.entry(.null)])
        for record: Document in [
            ["a": 1], ["a": 1, "on": true, "n": 2], ["a": [1], "on": false, "n": 3],
        ] {
            #expect(try Self.entries(record, index) == [], "\(record)")
        }
        index.isMultiEntry = true
        #expect(
            try Self.entries(["a": [2, 1], "on": [false, true], "n": 3], index)
                == [Self.marker, Self.entry(1), Self.entry(2)])
        #expect(try Self.entries(["a": [2, 1], "on": [false], "n": 3], index) == [])
    }

    private static func word(_ word: String, _ count: UInt8, _ length: UInt8) -> [UInt8] {
        KeyEncoder.key(.string(word)) + key + [count, length]
    }

    @Test func `a full-text index has the distinct words with their counts`() throws {
        let index = IndexSchema.fullText(name: "i", keyPaths: ["title", "tags", "notes.text"])
        #expect(
            try Self.entries(
                [
                    "title": "The CAT, the dog", "tags": ["Cat", 5, ["inner"]],
                    "notes": [["text": "x"], ["text": ["y", "the"]], "z"],
                ], index) == [
                    Self.word("cat", 2, 5), Self.word("dog", 1, 5), Self.word("the", 3, 5),
                    Self.word("x", 1, 5), Self.word("y", 1, 5),
                ])
        for record: Document in [[:], ["title": 5], ["title": "-- ..."], ["title": ["a": "b"]]] {
            #expect(try Self.entries(record, index) == [], "\(record)")
        }
        let many = String(repeating: "w ", count: 300)
        #expect(try Self.entries(["title": .string(many)], index) == [Self.word("w", 255, 1)])
    }

    @Test func `length classes ascend, and their least lengths are of their class`() {
        var last = 0
        for count in Array(0..<5_000) + stride(from: 5_000, to: 2_000_000, by: 997) {
            let found = TextIndex.lengthClass(count)
            let least = TextIndex.length(ofClass: found)
            #expect(found == NaiveIndex.lengthClass(count), "\(count)")
            #expect(last...(count < 5_000 ? last + 1 : 255) ~= Int(found), "\(count)")
            #expect(least <= count && count - least <= count / 8, "\(count)")
            #expect(TextIndex.lengthClass(least) == found, "\(count)")
            last = Int(found)
        }
        #expect(TextIndex.length(ofClass: TextIndex.lengthClass(.max)) > 1 << 30)
    }

    @Test func `long values are cut in every kind, and neighbours behind the cut are one entry`()
        throws
    {
        let long = String(repeating: "Y", count: 600)
        let cut = [0x30] + Array(repeating: UInt8(ascii: "Y"), count: 511) + [0] + Self.key
        let folded = [0x30] + Array(repeating: UInt8(ascii: "y"), count: 511) + [0] + Self.key
        #expect(
            try Self.entries(
                ["a": [.string(long + "1"), .string(long + "2")]],
                IndexSchema(name: "i", keyPath: "a", multiEntry: true)) == [Self.marker, cut])
        #expect(try Self.entries(["a": .string(long)], Self.folded()) == [folded])
        #expect(
            try Self.entries(
                ["a": [.string(long), .string(long.lowercased())]], Self.folded(multiEntry: true))
                == [Self.marker, folded])
        // The folded value is whole, the value behind it is cut: still one entry for what folds to the same.
        let middle = String(repeating: "Z", count: 300)
        let found = try Self.entries(
            ["a": [.string(middle), .string(middle.lowercased())]], Self.folded(multiEntry: true))
        let whole = KeyEncoder.foldedKey(.string(middle)) + KeyEncoder.key(.string(middle))
        #expect(found == [Self.marker, Array(whole.prefix(512)) + [0] + Self.key])
        let words = IndexSchema.fullText(name: "i", keyPaths: ["a"])
        #expect(
            try Self.entries(["a": .string(long)], words)
                == [Self.word(String(repeating: "y", count: 128), 1, 1)])
    }

    /// Every kind, on paths that step through objects and arrays.
    static let kinds: [IndexSchema] =
        ["a", "a.x", "b.x", "a.0", "a.x.y"].flatMap { path in
            [false, true].flatMap { isMultiEntry in
                [Collation.binary, .caseInsensitive].map {
                    IndexSchema(
                        name: "i", keyPath: path, multiEntry: isMultiEntry, collation: $0,
                        where: path == "a" ? ["c": ["$gte": 1]] : nil)
                }
            }
        } + [
            IndexSchema(name: "i", keyPaths: ["a", "b.x", "c"], where: ["b": ["$exists": true]]),
            .fullText(name: "i", keyPaths: ["a", "b.x", "c"]),
            .fullText(name: "i", keyPaths: ["a.0"]),
        ]

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `random records give what a derivation over plain values gives`(seed: UInt64) throws {
        var generator = QueryGenerator(seed: seed)
        let collection = try CollectionState(
            id: CollectionID(1),
            schema: CollectionSchema(
                name: "c",
                indexes: Self.kinds.enumerated().map { number, index in
                    var index = index
                    index.name = "i\(number)"
                    return index
                }), indexNumbers: Self.kinds.indices.map { UInt32($0) + 1 })
        for (step, record) in generator.records(300, keyPaths: ["id"]).enumerated() {
            var encoder = RecordEncoder(dictionary: .empty)
            let bytes = try encoder.encode(record)
            let names = BoundNames(encoder.dictionary, of: collection)
            var keys = DerivedKeys()
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe names.indexKeys.append(
                    RecordView(bytes, names: names.dictionary), key: Self.key.span.bytes, to: &keys)
            }
            #expect(zip(keys.entries, keys.entries.dropFirst()).allSatisfy { $0.index <= $1.index })
            for (number, index) in Self.kinds.enumerated() {
                let found = keys.entries.filter { $0.index == number + 1 }.map {
                    Array(keys.key($0))
                }
                let expected = NaiveIndex.entries(record, key: Self.key, index)
                #expect(found == expected, "seed \(seed), step \(step), \(index): \(record)")
            }
        }
    }
}
