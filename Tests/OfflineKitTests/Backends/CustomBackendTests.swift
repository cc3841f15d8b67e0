import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

/// What the store does with a backend that has one writer, and with one that fails.
@Suite struct CustomBackendTests {
    private let backend = ControlledBackend()

    private func open() async throws -> OfflineStore {
        try await OfflineStore.open(
            StorageOptions(
                databaseName: "test", storageBackend: .custom(backend),
                storageSchema: TestStore.schema))
    }

    @Test func `batches of a backend with one writer are given out one at a time`() async throws {
        let store = try await open()
        try await withThrowingTaskGroup { group in
            for number in 0..<30 as Range<Int64> {
                let collection = ["users", "orders", "order_items"][Int(number % 3)]
                group.addTask {
                    try await store.create(collection, ["id": .int(number)])
                    try await store.transaction([collection]) { tx in
                        await Task.yield()
                        try await tx.update(collection, ["id": .int(number), "n": 1])
                    }
                    try await store.transaction([], reading: [collection]) { tx in
                        let found = try await tx.get(collection, .int(number))
                        #expect(found?["n"] == 1)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(backend.control.withLock { $0.openBatchesMax } == 1)
        #expect(backend.control.withLock { $0.openBatches } == 0)
        try await store.close()
    }

    @Test func `a backend that fails in the middle of a statement ends the transaction`()
        async throws
    {
        let store = try await open()
        let transaction = try await store.beginTransaction(["users"])
        try await transaction.create("users", ["id": "a"])
        backend.control.withLock { $0.insertionsLeft = 1 }
        let error = await expectError(.storageUnavailable) {
            try await transaction.create("users", ["id": "b"])
        }
        #expect(error?.message.contains("the disk is on fire") == true)
        #expect(error?.collection == "users")
        backend.control.withLock { $0.insertionsLeft = nil }
        await expectError(.transactionClosed) { try await transaction.create("users", [:]) }
        await expectError(.transactionClosed) { try await transaction.commit() }
        try await transaction.rollback()
        #expect(try await store.count("users") == 0)
        backend.control.withLock { $0.insertionsLeft = 1 }
        await expectError(.storageUnavailable) { try await store.create("users", ["id": "b"]) }
        backend.control.withLock { $0.insertionsLeft = nil }
        try await store.create("users", ["id": "b"])
        #expect(try await store.verify().isSound)
        #expect(backend.control.withLock { $0.openBatches } == 0)
        try await store.close()
    }

    @Test func `a closure that swallows such a failure is rolled back nevertheless`() async throws {
        let store = try await open()
        await expectError(.transactionClosed) {
            try await store.transaction(["users"]) { tx in
                try await tx.create("users", ["id": "a"])
                backend.control.withLock { $0.insertionsLeft = 1 }
                _ = try? await tx.create("users", ["id": "b"])
            }
        }
        backend.control.withLock { $0.insertionsLeft = nil }
        #expect(try await store.count("users") == 0)
        try await store.close()
    }

    @Test func `a commit that fails leaves nothing and frees the collections`() async throws {
        let store = try await open()
        backend.control.withLock { $0.failsCommits = true }
        await expectError(.storageUnavailable) { try await store.create("users", ["id": "a"]) }
        let transaction = try await store.beginTransaction(["users"])
        try await transaction.create("users", ["id": "a"])
        await expectError(.storageUnavailable) { try await transaction.commit() }
        await expectError(.transactionClosed) { try await transaction.commit() }
        try await transaction.rollback()
        backend.control.withLock { $0.failsCommits = false }
        #expect(try await store.count("users") == 0)
        try await store.create("users", ["id": "a"])
        #expect(backend.control.withLock { $0.openBatches } == 0)
        try await store.close()
    }
}
