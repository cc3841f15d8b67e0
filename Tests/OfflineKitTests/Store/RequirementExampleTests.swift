// The usage examples of the requirements for what is built, as they stand there in Swift: each must
// do what it says. They are the demo's (SeedExamples), which has the public API alone to compile against.
import Foundation
import Testing

@testable import OfflineDemo
@testable import OfflineKit

@Suite struct RequirementExampleTests {
    private func fill(_ store: OfflineStore) async throws {
        try await store.createBatch(
            "users",
            [
                [
                    "id": "user123", "name": "Zoe", "role": "admin", "age": 40,
                    "created_at": "2023-05-01", "email": "z@example.com",
                ],
                [
                    "id": "user124", "name": "Ann", "role": "admin", "age": 17,
                    "created_at": "2022-05-01", "email": "a@example.com",
                ],
                [
                    "id": "user125", "name": "Eve", "role": "editor", "age": 18,
                    "email": "e@example.com",
                ],
                ["id": "user126", "name": "Max", "role": "customer", "age": 50],
            ])
        try await store.createBatch(
            "orders",
            [
                [
                    "id": "order456", "user_id": "user123", "status": "pending",
                    "date": "2024-01-01",
                ],
                [
                    "id": "order457", "user_id": "user123", "status": "pending",
                    "date": "2024-03-01",
                ],
                ["id": "order458", "user_id": "user123", "status": "done", "date": "2024-02-01"],
                [
                    "id": "order459", "user_id": "user124", "status": "pending",
                    "date": "2024-02-01",
                ],
            ])
        try await store.createBatch(
            "order_items",
            [
                ["id": 1, "order_id": "order456", "name": "Cup"],
                ["id": 2, "order_id": "order456", "name": "Jar"],
                ["id": 3, "order_id": "order457", "name": "Pan"],
            ])
    }

    @Test func `setup and configuration`() async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        let store = try await SeedExamples.setUp(in: folder.url, passphrase: "correct horse")
        try await fill(store)
        let user: Document = ["id": "s", "ssn": "078-05-1120", "password": "p", "name": "Hilda"]
        try await store.create("users", user)
        try await store.close()
        await expectError(.wrongKey) {
            _ = try await SeedExamples.setUp(in: folder.url, passphrase: "wrong horse")
        }
        // At once, and with nothing left half open.
        let again = try await SeedExamples.setUp(in: folder.url, passphrase: "correct horse")
        let found = try await again.query("users", Query(filters: ["ssn": "078-05-1120"]))
        #expect(found == [user])
        #expect(try await again.count("users") == 5)
        #expect(try await again.verify().isSound)
        try await again.close()
    }

    @Test func `other backends, another algorithm, the same settings as JSON`() async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        let all = try await SeedExamples.variants(in: folder.url)
        #expect(all.count == 4)
        #expect(all[3].databaseName == "my_app_db")
        #expect(all[3].storageSchema.map(\.name) == ["users"])
        for (number, variant) in all.enumerated() {
            var options = variant
            options.directory = folder.url
            if options.storageSchema.isEmpty { options.storageSchema = SeedExamples.schema }
            let store = OfflineStore(options)
            if number == 2, !Sodium.hasAES {
                await expectError(.invalidOptions) { try await store.initialize() }
                continue
            }
            try await store.initialize()
            let user: Document = ["id": "u", "password": "p", "ssn": "1"]
            try await store.create("users", user)
            let got = try await store.get("users", "u")
            #expect(got == user)
            try await store.close()
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `basic operations`(backend: TestBackend) async throws {
        try await TestStore.with(backend) { store in
            try await SeedExamples.crud(store)
            let count = try await store.count("users")
            #expect(count == 0)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `querying`(backend: TestBackend) async throws {
        try await TestStore.with(backend) { store in
            try await fill(store)
            let results = try await SeedExamples.querying(store)
            let ids = results.map { $0.map { $0["id"]?.stringValue ?? "" } }
            #expect(
                ids == [
                    ["user123", "user124"], ["user123"], ["order457", "order456"],
                    ["user123", "user125"], ["user124", "user123"],
                ])
            #expect(results[2][0]["user"]?["name"] == "Zoe")
            #expect(results[2][1]["items"]?.arrayValue?.map { $0["name"] } == ["Cup", "Jar"])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `batch operations`(backend: TestBackend) async throws {
        try await TestStore.with(backend) { store in
            try await SeedExamples.batches(store)
            let count = try await store.count("users")
            #expect(count == 0)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `transactions in both forms`(backend: TestBackend) async throws {
        try await TestStore.with(backend) { store in
            try await SeedExamples.transactions(store)
            let users = try await store.query("users")
            #expect(
                users == [["id": "user123", "name": "John Doe", "email": "john@example.com"]])
            #expect(try await store.count("orders") == 0)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `change tracking`(backend: TestBackend) async throws {
        try await TestStore.with(backend) { store in
            try await SeedExamples.transactions(store)
            let (changes, userChanges) = try await SeedExamples.changes(store)
            // The order came and went before anyone saw it.
            #expect(changes.map(\.key) == ["user123"])
            #expect(changes.map(\.operation) == [.create])
            #expect(userChanges == changes)
            let left = try await store.getChanges()
            #expect(left == [])
            try await store.delete("users", "user123")
            let next = try await store.getChanges()
            #expect(next.map(\.operation) == [.delete])
            #expect(next.first?.base?["name"] == "John Doe")
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `relationships, and an update with what was included`(backend: TestBackend) async throws {
        try await TestStore.with(backend) { store in
            try await fill(store)
            let (user, order) = try await SeedExamples.relationships(store)
            #expect(user?["orders"]?.arrayValue?.count == 3)
            #expect(order?["user"]?["name"] == "Zoe")
            #expect(order?["items"]?.arrayValue?.count == 2)
            var changed = try #require(user)
            changed["age"] = 41
            try await store.update("users", changed)
            let stored = try await store.get("users", "user123")
            #expect(stored?["age"] == 41)
            #expect(stored?["orders"] == nil)
            let merged = try await store.update("users", changed, mode: .merge)
            #expect(merged["orders"] == nil)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `storage management`(backend: TestBackend) async throws {
        let names = ["temp_data", "cache", "logs"]
        let clock = ManualClock()
        let schema = names.map { CollectionSchema(name: $0) }
        try await TestStore.with(backend, schema, clock: clock) { store in
            for name in names { try await store.createBatch(name, [["id": 1], ["id": 2]]) }
            try await store.markSynchronized(store.getChanges())
            let usage = try await SeedExamples.storageManagement(store)
            #expect(
                usage.collectionUsage.mapValues(\.recordCount) == [
                    "temp_data": 2, "cache": 2, "logs": 2,
                ])
            #expect(usage.usedBytes > 0 && usage.availableBytes > 0)
            #expect(try await store.count("temp_data") == 0)
            #expect(try await store.count("logs") == 2)
            clock.advance(by: .seconds(8 * 86_400))
            try await store.evict()
            #expect(try await store.count("logs") == 0)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `typed values`(backend: TestBackend) async throws {
        try await TestStore.with(backend) { store in
            let user = try await SeedExamples.typed(store)
            #expect(user?.id == "u" && user?.name == "n")
        }
    }
}
