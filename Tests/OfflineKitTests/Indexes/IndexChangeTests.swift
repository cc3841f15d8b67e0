// Indexes of every kind, added to, changed and removed from stores that have records: each opening ends with exactly the
// entries that the records give.
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct IndexChangeTests {
    private static let kinds: [IndexSchema] = [
        IndexSchema(name: "i", keyPath: "a"),
        IndexSchema(name: "i", keyPath: "a", multiEntry: true),
        IndexSchema(name: "i", keyPath: "a", collation: .caseInsensitive),
        IndexSchema(name: "i", keyPath: "a", multiEntry: true, collation: .caseInsensitive),
        IndexSchema(name: "i", keyPaths: ["a", "b"], where: ["c": ["$gte": 1]]),
        IndexSchema(name: "i", keyPaths: ["a", "b"], where: ["c": ["$gte": 2]]),
        .fullText(name: "i", keyPaths: ["a", "b.x"]), .fullText(name: "i", keyPaths: ["b.x"]),
    ]

    /// All of the collection's index trees are what the documents give, by a derivation over plain values.
    private func check(_ options: StorageOptions, _ context: Comment) async throws {
        let core = try await StoreOpening(options, clock: SystemStoreClock()).open()
        let view = try core.view()
        let collection = try view.collection("c")
        let documents = try view.query("c", Query())
        for index in collection.indexes {
            let cursor = try view.entries(collection, index, in: .all)
            var found: [[UInt8]] = []
            while try cursor.next() {
                var entry: [UInt8] = []
                cursor.copyKey(into: &entry)
                found.append(entry)
            }
            let expected = documents.flatMap { document in
                NaiveIndex.entries(
                    document, key: KeyEncoder.key(document["id"] ?? .null), index.schema)
            }.sorted { $0.lexicographicallyPrecedes($1) }
            #expect(found == expected, context)
        }
        #expect(try await core.verify().problems == [], context)
        try await core.close()
    }

    @Test(arguments: TestBackend.allCases, 1...3 as ClosedRange<UInt64>)
    func `whatever indexes are wanted, they are there`(backend: TestBackend, seed: UInt64)
        async throws
    {
        var generator = QueryGenerator(seed: seed)
        let place = try TestStore(backend)
        defer { place.remove() }
        var records = generator.records(60, keyPaths: ["id"])
        for step in 0..<10 {
            var indexes: [IndexSchema] = []
            for kind in Self.kinds where generator.random.chance(40) && indexes.count < 4 {
                if kind.kind == .fullText, indexes.contains(where: { $0.kind == .fullText }) {
                    continue
                }
                var kind = kind
                // Names stay while what they name changes.
                kind.name = "i\(indexes.count)"
                indexes.append(kind)
            }
            let options = place.options([CollectionSchema(name: "c", indexes: indexes)])
            let context: Comment = "seed \(seed), step \(step): \(indexes)"
            // What opening has built; then what writes have kept.
            try await check(options, context)
            let store = try await OfflineStore.open(options)
            for record in records.prefix(6) { try await store.upsert("c", record) }
            records.removeFirst(6)
            if let first = try await store.query("c", Query(limit: 1)).first?["id"] {
                try await store.delete("c", first)
            }
            #expect(try await store.verify().problems == [], context)
            try await store.close()
            try await check(options, context)
        }
    }
}
