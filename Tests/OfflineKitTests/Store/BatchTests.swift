import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct BatchTests {
    @Test(arguments: TestBackend.allCases)
    func `batches create, merge and delete`(backend: TestBackend) async throws {
        try await TestStore.with(backend) { store in
            let created = try await store.createBatch(
                "users",
                [
                    ["id": "user1", "name": "Alice", "email": "alice@example.com"],
                    ["id": "user2", "name": "Bob", "email": "bob@example.com"],
                    ["id": "user3", "name": "Charlie", "email": "charlie@example.com"],
                ])
            #expect(created.map { $0["id"] } == ["user1", "user2", "user3"])
            let updated = try await store.updateBatch(
                "users",
                [
                    ["id": "user1", "role": "admin"], ["id": "user2", "role": "editor"],
                    ["id": "user3", "role": "viewer"],
                ])
            #expect(updated.map { $0["name"] } == ["Alice", "Bob", "Charlie"])
            #expect(try await store.get("users", "user2")?["role"] == "editor")
            #expect(try await store.deleteBatch("users", ["user1", "user2", "user3"]) == 3)
            #expect(try await store.count("users") == 0)
        }
    }

    @Test func `empty batches do nothing`() async throws {
        try await TestStore.with { store in
            let created = try await store.createBatch("users", [])
            #expect(created == [])
            #expect(try await store.updateBatch("users", []) == [])
            #expect(try await store.deleteBatch("users", [String]()) == 0)
        }
    }

    @Test func `a batch with one bad record changes nothing`() async throws {
        try await TestStore.with { store in
            try await store.create("users", ["id": "b", "name": "B"])
            await expectError(.alreadyExists) {
                try await store.createBatch("users", [["id": "a"], ["id": "b"], ["id": "c"]])
            }
            await expectError(.invalidDocument) {
                try await store.createBatch("users", [["id": "a"], ["id": true]])
            }
            await expectError(.notFound) {
                try await store.updateBatch("users", [["id": "b", "name": "X"], ["id": "a"]])
            }
            await expectError(.invalidDocument) {
                _ = try await store.deleteBatch("users", ["b", .double(.nan)] as [Value])
            }
            #expect(try await store.query("users") == [["id": "b", "name": "B"]])
        }
    }

    @Test func `a key twice in a batch is refused, in a delete it counts once`() async throws {
        try await TestStore.with { store in
            try await store.createBatch("orders", [["id": 1], ["id": 2]])
            let error = await expectError(.alreadyExists) {
                try await store.createBatch("orders", [["id": 5], ["id": 4], ["id": 5.0]])
            }
            #expect(error?.key == 5)
            await expectError(.invalidDocument) {
                try await store.updateBatch("orders", [["id": 1, "a": 1], ["id": 1, "b": 2]])
            }
            #expect(try await store.query("orders") == [["id": 1], ["id": 2]])
            #expect(try await store.deleteBatch("orders", [2, 2, 3]) == 1)
        }
    }

    @Test func `documents come back in the order in which they were given`() async throws {
        try await TestStore.with { store in
            let documents = [5, 3, 9, 1].map { Document(fields: [("id", .int($0))]) }
            let created = try await store.createBatch("orders", documents)
            #expect(created == documents)
        }
    }
}
