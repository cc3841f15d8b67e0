// Emptying collections: locally, in one step, with nothing to be synchronized.
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct ClearTests {
    private static let schema = [
        CollectionSchema(
            name: "notes",
            indexes: [
                IndexSchema(name: "title", keyPath: "title", unique: true),
                IndexSchema(name: "tags", keyPath: "tags", multiEntry: true),
            ],
            relationships: [
                RelationshipSchema(
                    name: "parts", collection: "parts", type: .oneToMany, foreignKey: "note",
                    onDelete: .cascade)
            ]),
        CollectionSchema(name: "parts"),
        CollectionSchema(name: "plain", tracksChanges: false),
    ]

    private func fill(_ store: OfflineStore, _ count: Int = 100) async throws {
        try await store.createBatch(
            "notes",
            (0..<count).map {
                ["id": .int(Int64($0)), "title": .string("t\($0)"), "tags": ["x", "y"]]
            })
        try await store.create("parts", ["id": 1, "note": 1])
        try await store.create("plain", ["id": 1])
    }

    @Test(arguments: TestBackend.allCases)
    func `all records go, and nothing is to be synchronized`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await fill(store)
            try await store.markSynchronized(store.getChanges("notes", limit: 50))
            try await store.delete("notes", 3)
            try await store.clear(["notes", "plain", "notes"])
            #expect(try await store.count("notes") == 0)
            #expect(try await store.count("notes", ["tags": "x"]) == 0)
            #expect(try await store.count("plain") == 0)
            #expect(try await store.getChanges("notes") == [])
            // No rules run.
            #expect(try await store.count("parts") == 1)
            // Unique values are free again.
            try await store.create("notes", ["id": 900, "title": "t1", "tags": []])
            #expect(try await store.getChanges("notes").map(\.operation) == [.create])
            let info = try await store.getStorageInfo()
            #expect(info.collectionUsage["notes"]?.recordCount == 1)
        }
    }

    @Test func `an unknown collection is refused, and none is no problem`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            try await fill(store)
            await expectError(.unknownCollection) { try await store.clear(["notes", "other"]) }
            #expect(try await store.count("notes") == 100)
            try await store.clear([])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `in a transaction it is done with all the rest or not at all`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await fill(store)
            let undone = try await store.beginTransaction(["notes"])
            try await undone.clear(["notes"])
            #expect(try await undone.count("notes") == 0)
            try await undone.rollback()
            #expect(try await store.count("notes") == 100)
            try await store.transaction(["notes", "plain"]) { transaction in
                try await transaction.create("notes", ["id": 500, "title": "gone"])
                try await transaction.clear(["notes"])
                try await transaction.create("notes", ["id": 501, "title": "t1"])
                try await transaction.create("plain", ["id": 2])
                await expectError(.transactionScope) { try await transaction.clear(["parts"]) }
            }
            #expect(try await store.query("notes").map { $0["id"] } == [501])
            #expect(try await store.getChanges("notes").map(\.key) == [501])
            #expect(try await store.count("plain") == 2)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `feeds get one clear, and can't resume from before it`(
        backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        var store = try await place.open(Self.schema)
        try await fill(store)
        let early = try await store.getChanges("notes").last?.sequence ?? 0
        var feed = store.changeFeed(["notes"]).makeAsyncIterator()
        try await store.clear(["notes"])
        try await store.create("notes", ["id": 7, "title": "new"])
        let clear = try #require(try await feed.next())
        #expect(clear.operation == .clear)
        #expect(clear.key == .null && clear.document == nil && clear.collection == "notes")
        #expect(clear.sequence > early)
        #expect(try await feed.next()?.key == 7)
        for round in 0..<2 {
            await expectError(.changesExpired) {
                var feed = store.changeFeed(["notes"], since: early).makeAsyncIterator()
                _ = try await feed.next()
            }
            var resumed = store.changeFeed(["notes"], since: clear.sequence).makeAsyncIterator()
            #expect(try await resumed.next()?.key == 7, "round \(round)")
            try await store.close()
            store = try await place.open(Self.schema)
        }
        try await store.close()
        place.remove()
    }

    @Test(arguments: TestBackend.allCases)
    func `live queries see the records go`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await fill(store, 3)
            var results = store.observe("notes").makeAsyncIterator()
            #expect(try await results.next()?.count == 3)
            try await store.transaction(["notes"]) { transaction in
                try await transaction.clear(["notes"])
                try await transaction.create("notes", ["id": 9, "title": "t9"])
            }
            #expect(try await results.next()?.map { $0["id"] } == [9])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `a late mark of what was cleared does nothing`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await fill(store, 5)
            let changes = try await store.getChanges("notes")
            try await store.clear(["notes"])
            try await store.create("notes", ["id": 1, "title": "again"])
            try await store.markSynchronized(changes)
            #expect(try await store.getChanges("notes").map(\.key) == [1])
        }
    }
}
