// Verification finds whatever is wrong with an index of any kind: an entry too few, one too many, one that is another.
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct StoreVerifierTests {
    static let indexes: [IndexSchema] = [
        IndexSchema(name: "broken", keyPaths: ["a", "b"]),
        IndexSchema(name: "broken", keyPath: "a", unique: true),
        IndexSchema(name: "broken", keyPath: "a", multiEntry: true),
        IndexSchema(name: "broken", keyPath: "a", collation: .caseInsensitive),
        IndexSchema(name: "broken", keyPath: "a", multiEntry: true, collation: .caseInsensitive),
        IndexSchema(name: "broken", keyPath: "a", where: ["b": ["$gte": 1]]),
        .fullText(name: "broken", keyPaths: ["a", "b"]),
    ]
    private static let records: [Document] = [
        ["id": 1, "a": "One two", "b": 1], ["id": 2, "a": ["Three", "two", "TWO"], "b": 2],
        ["id": 3, "a": .string(String(repeating: "x", count: 700)), "b": 0], ["id": 4],
    ]

    /// What verification says of a store whose index was tampered with.
    private func problems(
        _ index: IndexSchema,
        _ tamper: (any BackendBatch, TreeID, _ entries: [[UInt8]]) throws -> Void
    ) async throws -> [String] {
        let schema = CollectionSchema(
            name: "c", indexes: [IndexSchema(name: "whole", keyPath: "b"), index])
        let fixture = try await QueryFixture(schema, Self.records)
        let tree = TreeID(CollectionID(1), 2)
        let cursor = try fixture.backend.snapshot().cursor(tree, in: .all, descending: false)
        var entries: [[UInt8]] = []
        while try cursor.next() {
            var entry: [UInt8] = []
            cursor.copyKey(into: &entry)
            entries.append(entry)
        }
        let batch = try fixture.backend.begin([CollectionID(1)], reading: [])
        try tamper(batch, tree, entries)
        try await batch.commit(appended: {}, committed: { _ in })
        var verifier = StoreVerifier(try fixture.view())
        try verifier.run()
        return verifier.report.problems
    }

    @Test(arguments: indexes)
    func `a sound index has no problem`(index: IndexSchema) async throws {
        let problems = try await problems(index) { _, _, entries in #expect(entries.count >= 2) }
        #expect(problems == [])
    }

    @Test(arguments: indexes)
    func `each entry is missed`(index: IndexSchema) async throws {
        var count = 1
        var position = 0
        while position < count {
            let problems = try await problems(index) { batch, tree, entries in
                count = entries.count
                let entry = entries[position]
                try unsafe batch.remove(tree, key: entry.span.bytes)
            }
            #expect(problems.count == 2, "entry \(position): \(problems)")
            #expect(problems.allSatisfy { $0.contains("\"broken\"") }, "entry \(position)")
            position += 1
        }
    }

    @Test(arguments: indexes)
    func `an entry too many is counted`(index: IndexSchema) async throws {
        let problems = try await problems(index) { batch, tree, entries in
            let stray = entries[1] + [0]
            try unsafe batch.insert(tree, key: stray.span.bytes)
        }
        #expect(problems.count == 1)
        #expect(problems.first?.contains("index \"broken\" has") == true)
    }

    @Test(arguments: indexes)
    func `an entry with another last byte is missed`(index: IndexSchema) async throws {
        let problems = try await problems(index) { batch, tree, entries in
            guard var entry = entries.last else { return }
            try unsafe batch.remove(tree, key: entry.span.bytes)
            entry[entry.count - 1] ^= 1
            try unsafe batch.insert(tree, key: entry.span.bytes)
        }
        #expect(problems.count == 1)
        #expect(problems.first?.contains("lacks an entry in index \"broken\"") == true)
    }
}
