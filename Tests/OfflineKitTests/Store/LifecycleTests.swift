import Foundation
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct LifecycleTests {
    @Test func `before initialize and after close everything is notOpen`() async throws {
        let place = try TestStore()
        let store = OfflineStore(place.options())
        await expectError(.notOpen) { _ = try await store.get("users", "a") }
        await expectError(.notOpen) { try await store.create("users", [:]) }
        try await store.initialize()
        try await store.initialize()
        try await store.create("users", ["id": "a"])
        let snapshot = try await store.snapshot()
        try await store.close()
        try await store.close()
        await expectError(.notOpen) { _ = try await store.query("users") }
        await expectError(.notOpen) { _ = try await store.count("users") }
        await expectError(.notOpen) { try await store.update("users", ["id": "a"]) }
        await expectError(.notOpen) { try await store.upsert("users", ["id": "a"]) }
        await expectError(.notOpen) { _ = try await store.delete("users", "a") }
        await expectError(.notOpen) { try await store.createBatch("users", []) }
        await expectError(.notOpen) { _ = try await store.beginTransaction(["users"]) }
        await expectError(.notOpen) { try await store.transaction(["users"]) { _ in } }
        await expectError(.notOpen) { _ = try await store.snapshot() }
        await expectError(.notOpen) { try await store.flush() }
        await expectError(.notOpen) { _ = try await store.verify() }
        await expectError(.notOpen) { try await store.refresh() }
        #expect(try await snapshot.get("users", "a") != nil, "a snapshot outlives its store")
    }

    @Test func `a closed store can be initialized again`() async throws {
        let place = try TestStore()
        let store = try await place.open()
        try await store.create("users", ["id": "a"])
        try await store.close()
        try await store.initialize()
        #expect(try await store.count("users") == 1)
        try await store.close()
    }

    @Test func `close rolls back begun transactions and waits for closures`() async throws {
        let store = try await TestStore().open()
        let transaction = try await store.beginTransaction(["users"])
        try await transaction.create("users", ["id": "lost"])
        let (entered, didEnter) = AsyncStream<Void>.makeStream()
        let (leave, mayLeave) = AsyncStream<Void>.makeStream()
        let closure = Task {
            try await store.transaction(["orders"]) { tx in
                didEnter.yield()
                for await _ in leave { break }
                try await tx.create("orders", ["id": "kept"])
            }
        }
        for await _ in entered { break }
        let isClosed = Protected(false)
        let closing = Task {
            try await store.close()
            isClosed.withLock { $0 = true }
        }
        while !transaction.isEnded { await Task.yield() }
        await expectError(.notOpen) { try await transaction.commit() }
        await expectError(.notOpen) { try await store.create("users", ["id": "b"]) }
        #expect(!isClosed.withLock { $0 })
        mayLeave.yield()
        try await closure.value
        try await closing.value
        try await store.initialize()
        #expect(try await store.count("users") == 0)
        #expect(try await store.query("orders") == [["id": "kept"]])
        try await store.close()
    }

    @Test func `many tasks may open, write and close at once`() async throws {
        let store = OfflineStore(try TestStore().options())
        try await withThrowingTaskGroup { group in
            for number in 0..<40 as Range<Int64> {
                group.addTask {
                    try await store.initialize()
                    do {
                        try await store.create("users", ["id": .int(number)])
                    } catch let error as OfflineError where error.code == .notOpen {}
                    if number % 10 == 9 { try await store.close() }
                }
            }
            try await group.waitForAll()
        }
        try await store.initialize()
        #expect(try await store.verify().isSound)
        try await store.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `a read-only store reads and refuses writes`(backend: TestBackend) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        let writer = try await place.open()
        try await writer.create("users", ["id": "a"])
        try await writer.close()
        let store = try await place.open { $0.isReadOnly = true }
        #expect(try await store.count("users") == 1)
        await expectError(.readOnly) { try await store.create("users", ["id": "b"]) }
        await expectError(.readOnly) { _ = try await store.beginTransaction(["users"]) }
        try await store.transaction([], reading: ["users"]) { tx in
            let count = try await tx.count("users")
            #expect(count == 1)
        }
        try await store.refresh()
        #expect(try await store.count("users") == 1)
        try await store.close()
    }
}
