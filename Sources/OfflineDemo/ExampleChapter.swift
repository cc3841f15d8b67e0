// Fifth chapter: the documentation's own examples, run beside the real data on a store of their own.
internal import Foundation
internal import OfflineKit

struct ExampleChapter {
    let folder: URL

    func run() async throws {
        Console.section("The documentation's examples")
        let store = try await SeedExamples.setUp(in: folder, passphrase: "correct horse")
        try await sealed(store)
        try await records(store)
        try await batches(store)
        try await queries(store)
        try await transactions(store)
        try await changes(store)
        try await store.close()
        try await migrations()
    }

    private func sealed(_ store: OfflineStore) async throws {
        let number = "078-05-1120"
        let user: Document = ["id": "user1", "name": "Hilda", "ssn": .string(number)]
        try await store.create("users", user)
        let found = try await store.query("users", Query(filters: ["ssn": .string(number)]))
        try Check.equal("the user with the number", found, [user])
        try await store.flush()
        let database = folder.appending(path: "my_app_db.offline")
        let names = try FileManager.default.contentsOfDirectory(atPath: database.path())
        try Check.holds("there are files", !names.isEmpty)
        for name in names {
            let bytes = try Data(contentsOf: database.appending(path: name))
            try Check.equal(
                "the number in \(name)", bytes.range(of: Data(number.utf8)), nil)
        }
        try await store.delete("users", "user1")
        Console.line(
            "encryption:                   a number was found by its value, and is in none of the files"
        )
    }

    private func records(_ store: OfflineStore) async throws {
        try await SeedExamples.crud(store)
        try Check.equal("users after create, update, delete", try await store.count("users"), 0)
        Console.line("create, get, update, delete:  user123 came, became admin, and went")
    }

    private func batches(_ store: OfflineStore) async throws {
        try await SeedExamples.batches(store)
        try Check.equal("users after the batches", try await store.count("users"), 0)
        Console.line(
            "batches:                      three users came, changed and went, each time together")
    }

    private func queries(_ store: OfflineStore) async throws {
        try await store.createBatch(
            "users",
            [
                [
                    "id": "user123", "name": "Ada", "role": "admin", "age": 36,
                    "created_at": "2024-05-01", "email": "ada@example.com",
                ],
                [
                    "id": "user456", "name": "Grace", "role": "editor", "age": 45,
                    "created_at": "2022-01-01", "email": "grace@example.com",
                ],
                ["id": "user789", "name": "Kay", "role": "viewer", "age": 17],
            ])
        try await store.create(
            "orders",
            ["id": "order456", "user_id": "user123", "status": "pending", "date": "2024-06-01"])
        try await store.create(
            "order_items", ["id": "i1", "order_id": "order456", "product": "lens"])
        let results = try await SeedExamples.querying(store)
        try Check.equal("the examples' results", results.map(\.count), [1, 1, 1, 2, 1])
        let order = results[2].first
        try Check.equal("the included user", order?["user"]?["name"]?.stringValue, "Ada")
        try Check.equal("the included items", order?["items"]?.arrayValue?.count, 1)
        Console.line(
            "queries:                      an order of Ada's, found with her and its one item")
        try await relationships(store)
        try await store.deleteBatch("users", ["user123", "user456", "user789"])
        try await store.delete("orders", "order456")
    }

    private func relationships(_ store: OfflineStore) async throws {
        let (user, order) = try await SeedExamples.relationships(store)
        try Check.equal("Ada's orders", user?["orders"]?.arrayValue?.count, 1)
        try Check.equal("the order's user", order?["user"]?["name"]?.stringValue, "Ada")
        Console.line(
            "relationships:                Ada with her orders, the order with her and its items")
    }

    private func transactions(_ store: OfflineStore) async throws {
        try await SeedExamples.transactions(store)
        try Check.equal("the user after the transactions", try await store.count("users"), 1)
        let order = try await store.get("orders", "order456")
        try Check.equal("the order after the transactions", order, nil)
        Console.line(
            "transactions:                 user and order created together, the order deleted")
    }

    private func changes(_ store: OfflineStore) async throws {
        let (changes, userChanges) = try await SeedExamples.changes(store)
        let left = try await store.getChanges()
        let user = userChanges.first { $0.key == "user123" }
        try Check.equal("the change of the new user", user?.operation, .create)
        try Check.equal("pending changes after marking them", left.count, 0)
        Console.line(
            "change tracking:              \(changes.count) changes to send, \(userChanges.count) of users; none once marked"
        )
    }

    /// On a store of its own, that version 1 of the application made without encryption.
    private func migrations() async throws {
        let own = folder.appending(path: "migrations")
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
        let first = try await OfflineStore.open(
            StorageOptions(
                databaseName: "my_app_db", directory: own, storageSchema: SeedExamples.schema))
        try await first.create("users", ["id": "user123", "email": "ada@example.com"])
        try await first.close()
        let store = try await SeedExamples.migrated(in: own)
        let user = try await store.get("users", "user123")
        let theme = user?["preferences"]?["theme"]?.stringValue
        try Check.equal("the user's theme after the migration", theme, "light")
        try await store.close()
        Console.line("migrations:                   version 2 gave every user preferences")
    }
}
