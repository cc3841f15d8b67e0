import Foundation
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct IndexKeysTests {
    /// The entries of one record in an index on these paths.
    private func entries(_ document: Document, _ paths: [String]) throws -> [[UInt8]] {
        let collection = try CollectionState(
            id: CollectionID(1),
            schema: CollectionSchema(
                name: "c", indexes: [IndexSchema(name: "i", keyPaths: paths)]),
            indexNumbers: [1])
        var encoder = RecordEncoder(dictionary: .empty)
        let record = try encoder.encode(document)
        let names = BoundNames(encoder.dictionary, of: collection)
        var keys = DerivedKeys()
        let key: [UInt8] = [0xAA]
        unsafe record.withUnsafeBytes { bytes in
            unsafe names.indexKeys.append(
                RecordView(bytes, names: names.dictionary), key: key.span.bytes, to: &keys)
        }
        return keys.entries.map { Array(keys.key($0)) }
    }

    private func entry(_ values: Value...) -> [UInt8] {
        values.flatMap { KeyEncoder.key($0) } + [0xAA]
    }

    @Test func `an entry is the values one after another and the key`() throws {
        #expect(try entries(["a": 1, "b": "x"], ["a"]) == [entry(1)])
        #expect(try entries(["a": 1, "b": "x"], ["b", "a"]) == [entry("x", 1)])
        #expect(try entries(["a": ["b": ["c": 2]]], ["a.b.c"]) == [entry(2)])
        #expect(try entries(["a": ["b": 2]], ["a"]) == [entry(["b": 2])])
    }

    @Test func `what is missing is null`() throws {
        for document: Document in [[:], ["a": .null], ["a": 5], ["a": ["c": 1]], ["a": "b"]] {
            #expect(try entries(document, ["a.b"]) == [entry(.null)])
        }
        #expect(try entries(["b": 1], ["a", "b"]) == [entry(.null, 1)])
    }

    @Test func `an array is one value, and has a marker before the entry`() throws {
        #expect(try entries(["a": [1, 2]], ["a"]) == [[0, 0, 0xAA], entry([1, 2])])
        #expect(try entries(["a": []], ["a"]) == [[0, 0, 0xAA], entry([])])
        #expect(
            try entries(["a": [1], "b": 2, "c": [3]], ["a", "b", "c"])
                == [[0, 0, 0xAA], [0, 2, 0xAA], entry([1], 2, [3])])
    }

    @Test func `a path through an array has a marker and null, but through a position its value`()
        throws
    {
        #expect(try entries(["a": [["b": 1]]], ["a.b"]) == [[0, 0, 0xAA], entry(.null)])
        #expect(try entries(["a": []], ["a.b"]) == [[0, 0, 0xAA], entry(.null)])
        #expect(try entries(["a": ["x", "y"]], ["a.1"]) == [entry("y")])
        #expect(try entries(["a": ["x", "y"]], ["a.2"]) == [[0, 0, 0xAA], entry(.null)])
        #expect(try entries(["a": [["b": 7]]], ["a.0.b"]) == [entry(7)])
        #expect(try entries(["a": [[1, 2]]], ["a.0"]) == [[0, 0, 0xAA], entry([1, 2])])
        #expect(try entries(["a": ["0": 5]], ["a.0"]) == [entry(5)])
    }

    @Test func `long values are cut, and the key follows whole`() throws {
        let long = String(repeating: "y", count: 700)
        let found = try entries(["a": .string(long), "b": 1], ["a", "b"])
        #expect(found.count == 1)
        #expect(found[0].count == 514)
        #expect(found[0].last == 0xAA)
        let parts = try IndexKeys.parts(of: found[0], valueCount: 2)
        #expect(parts.isCut)
        #expect(parts.keyLength == 513)
    }

    @Test func `parts tell where the record's key begins, and refuse other bytes`() throws {
        let parts = try IndexKeys.parts(of: entry("x", 1), valueCount: 2)
        #expect(!parts.isCut)
        #expect(parts.keyLength == entry("x", 1).count - 1)
        #expect(throws: OfflineError.self) { try IndexKeys.parts(of: [0x30, 0x41], valueCount: 1) }
    }

    @Test func `a name that the dictionary doesn't have is found inline`() throws {
        let name = String(repeating: "n", count: 100)
        #expect(try entries([name: 3], [name]) == [entry(3)])
    }
}
