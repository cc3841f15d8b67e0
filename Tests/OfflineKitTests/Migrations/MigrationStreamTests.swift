// Streams inside a migration, over the very collection that it changes.
import Foundation
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite struct MigrationStreamTests {
    private static let schema = [
        CollectionSchema(name: "c", indexes: [IndexSchema(name: "n", keyPath: "n")]),
        CollectionSchema(name: "d"),
    ]

    /// Runs one migration on a store with so many records.
    private func migrate(
        _ backend: TestBackend, count: Int64 = 300, _ body: @escaping TestMigration.Body
    ) async throws -> [Document] {
        let place = try TestStore(backend)
        defer { place.remove() }
        var store = try await place.open(Self.schema)
        try await store.createBatch(
            "c", (0..<count).map { ["id": .int($0), "n": .int($0 * 7 % count)] })
        try await store.close()
        store = try await place.open(Self.schema) {
            $0.version = 2
            $0.migrationManager = MigrationManager([TestMigration(2, up: body)])
        }
        let documents = try await store.query("c")
        #expect(try await store.verify().problems == [])
        try await store.close()
        return documents
    }

    /// Each record that there was, once, whatever is changed meanwhile; `isFirst`: nothing was changed before.
    private static func isStable(
        _ store: any StoreWriter, _ query: Query = Query(), expecting expected: [Int64]
    ) async throws {
        var seen: [Int64] = []
        for try await document in store.stream("c", query) {
            let id = Int64(document["id"]?.intValue ?? -1)
            seen.append(id)
            // It leaves its place in every index, and others come, in front and behind.
            try await store.update("c", ["id": .int(id), "n": .int(id + 10_000), "done": true])
            try await store.create("c", ["id": .int(id + 100_000), "n": .int(id)])
            try await store.create("c", ["id": .int(-id - 1), "n": .int(20_000)])
        }
        #expect(seen == expected)
    }

    @Test(arguments: TestBackend.allCases)
    func `no record is seen twice or never`(backend: TestBackend) async throws {
        let documents = try await migrate(backend) { store in
            try await Self.isStable(store, expecting: Array(0..<300))
        }
        #expect(documents.count == 900)
    }

    @Test(arguments: TestBackend.allCases)
    func `nor in the order of an index that changes`(backend: TestBackend) async throws {
        _ = try await migrate(backend) { store in
            let order = (0..<300 as Range<Int64>).sorted { $0 * 7 % 300 < $1 * 7 % 300 }
            try await Self.isStable(
                store, Query(filters: ["n": ["$gte": 0]], sort: [.ascending("n")]), expecting: order
            )
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `nor where the migration has changed the collection before`(
        backend: TestBackend
    ) async throws {
        _ = try await migrate(backend) { store in
            try await store.delete("c", 5)
            try await store.create("c", ["id": 700, "n": 0])
            let expected = (0..<300 as Range<Int64>).filter { $0 != 5 } + [700]
            try await Self.isStable(store, expecting: expected)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `what is given is as the migration has changed it, without what it has removed`(
        backend: TestBackend
    ) async throws {
        let documents = try await migrate(backend) { store in
            var seen: [Int64] = []
            for try await document in store.stream("c") {
                let id = Int64(document["id"]?.intValue ?? -1)
                seen.append(id)
                #expect(document["by"] == (id % 3 == 1 ? .int(id - 1) : nil))
                if id % 3 == 0 {
                    try await store.update("c", ["id": .int(id + 1), "by": .int(id)])
                    try await store.delete("c", .int(id + 2))
                }
            }
            #expect(seen == (0..<300).filter { $0 % 3 != 2 })
        }
        #expect(documents.count == 200)
    }

    @Test(arguments: TestBackend.allCases)
    func `two streams at once, and one into another collection, are whole`(
        backend: TestBackend
    ) async throws {
        _ = try await migrate(backend, count: 130) { store in
            let (one, two) = (
                store.stream("c"), store.stream("c", Query(sort: [.descending("id")]))
            )
            var others = two.makeAsyncIterator()
            var seen: [Value] = []
            for try await document in one {
                seen.append(try await others.next()?["id"] ?? .null)
                try await store.create("d", document)
                try await store.update("c", ["id": document["id"] ?? .null, "x": 1], mode: .merge)
            }
            #expect(seen == (0..<130).reversed().map { .int($0) })
            #expect(try await others.next() == nil)
            #expect(try await store.count("d") == 130)
            #expect(try await store.query("d").allSatisfy { $0["x"] == nil })
        }
    }

    @Test func `an error in a query comes with the first document`() async throws {
        _ = try await migrate(.memory) { store in
            for (name, query) in [
                ("nothing", Query()), ("c", Query(filters: ["n": ["$wrong": 1]])),
            ] {
                var iterator = store.stream(name, query).makeAsyncIterator()
                await #expect(throws: OfflineError.self) { _ = try await iterator.next() }
            }
        }
    }
}
