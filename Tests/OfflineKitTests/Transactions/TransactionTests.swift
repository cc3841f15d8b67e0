import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct TransactionTests {
    private struct Refused: Error {}

    @Test(arguments: TestBackend.allCases)
    func `both forms commit`(backend: TestBackend) async throws {
        try await TestStore.with(backend) { store in
            let transaction = try await store.beginTransaction(["users", "orders"])
            do {
                try await transaction.create(
                    "users", ["id": "user123", "name": "John Doe", "email": "john@example.com"])
                try await transaction.create(
                    "orders", ["id": "order456", "user_id": "user123", "total": 99.99])
                #expect(try await store.count("users") == 0)
                try await transaction.commit()
            } catch {
                try await transaction.rollback()
                throw error
            }
            #expect(try await store.get("orders", "order456")?["total"] == 99.99)
            let deleted = try await store.transaction(["users", "orders"]) { tx in
                try await tx.delete("orders", "order456")
            }
            #expect(deleted)
            #expect(try await store.count("orders") == 0)
        }
    }

    @Test func `a rolled-back transaction leaves nothing, and its collections are free`()
        async throws
    {
        try await TestStore.with { store in
            let transaction = try await store.beginTransaction(["users"])
            try await transaction.create("users", ["id": "a", "new_name": 1])
            try await transaction.rollback()
            try await transaction.rollback()
            #expect(try await store.count("users") == 0)
            try await store.create("users", ["id": "a", "other_name": 2])
            #expect(try await store.get("users", "a") == ["id": "a", "other_name": 2])
            await expectError(.transactionClosed) { try await transaction.commit() }
            await expectError(.transactionClosed) { try await transaction.create("users", [:]) }
            await expectError(.transactionClosed) { _ = try await transaction.count("users") }
        }
    }

    @Test func `a committed transaction is closed, and a rollback does nothing`() async throws {
        try await TestStore.with { store in
            let transaction = try await store.beginTransaction(["users"])
            try await transaction.create("users", ["id": "a"])
            try await transaction.commit()
            await expectError(.transactionClosed) { try await transaction.commit() }
            await expectError(.transactionClosed) { _ = try await transaction.get("users", "a") }
            try await transaction.rollback()
            #expect(try await store.count("users") == 1)
        }
    }

    @Test func `a closure that throws rolls back and its error comes out`() async throws {
        try await TestStore.with { store in
            await #expect(throws: Refused.self) {
                try await store.transaction(["users"]) { tx in
                    try await tx.create("users", ["id": "a"])
                    throw Refused()
                }
            }
            let count = try await store.count("users")
            #expect(count == 0)
        }
    }

    @Test func `an operation that fails has no effect and the transaction goes on`() async throws {
        try await TestStore.with { store in
            try await store.create("users", ["id": "x", "email": "e"])
            try await store.transaction(["users"]) { tx in
                try await tx.create("users", ["id": "a"])
                await expectError(.alreadyExists) {
                    try await tx.createBatch("users", [["id": "b", "fresh": 1], ["id": "x"]])
                }
                await expectError(.uniqueViolation) {
                    try await tx.create("users", ["id": "c", "email": "e"])
                }
                await expectError(.notFound) { try await tx.update("users", ["id": "zz"]) }
                #expect(try await tx.count("users") == 2)
                try await tx.create("users", ["id": "d", "later": 5])
            }
            #expect(try await store.query("users").map { $0["id"] } == ["a", "d", "x"])
            #expect(try await store.get("users", "d") == ["id": "d", "later": 5])
        }
    }

    @Test func `a transaction sees its own writes in every way of reading`() async throws {
        try await TestStore.with { store in
            try await store.create("users", ["id": "old", "name": "N"])
            try await store.transaction(["users"]) { tx in
                try await tx.create("users", ["id": "new", "name": "M", "added": true])
                try await tx.update("users", ["id": "old", "name": "O"])
                #expect(try await tx.get("users", "new")?["added"] == true)
                #expect(try await tx.count("users") == 2)
                #expect(try await tx.query("users").map { $0["name"] } == ["M", "O"])
                try await tx.delete("users", "old")
                #expect(try await tx.get("users", "old") == nil)
                #expect(try await store.get("users", "old")?["name"] == "N")
            }
            #expect(try await store.count("users") == 1)
        }
    }

    @Test func `collections outside the scope and writes to reading ones are refused`() async throws
    {
        try await TestStore.with { store in
            try await store.create("orders", ["id": 1])
            try await store.transaction(["users"], reading: ["orders"]) { tx in
                #expect(try await tx.count("orders") == 1)
                await expectError(.transactionScope) { try await tx.create("orders", ["id": 2]) }
                await expectError(.transactionScope) { _ = try await tx.get("order_items", "a") }
                await expectError(.transactionScope) { try await tx.create("order_items", [:]) }
                await expectError(.unknownCollection) { try await tx.create("nothing", [:]) }
                try await tx.create("users", ["id": "u"])
            }
            #expect(try await store.count("users") == 1)
            await expectError(.transactionScope) { try await store.transaction([]) { _ in } }
            await expectError(.unknownCollection) {
                _ = try await store.beginTransaction(["users", "nothing"])
            }
        }
    }

    @Test func `the store refuses writes inside its own closure, and reads what is committed`()
        async throws
    {
        try await TestStore.with { store in
            try await store.transaction(["users"]) { tx in
                try await tx.create("users", ["id": "a"])
                await expectError(.transactionScope) {
                    try await store.create("users", ["id": "b"])
                }
                await expectError(.transactionScope) { try await store.create("orders", [:]) }
                await expectError(.transactionScope) {
                    _ = try await store.beginTransaction(["orders"])
                }
                await expectError(.transactionScope) {
                    try await store.transaction(["users"]) { _ in }
                }
                await expectError(.transactionScope) { try await store.close() }
                #expect(try await store.count("users") == 0)
                async let child = expectError(.transactionScope) {
                    try await store.delete("users", "a")
                }
                _ = await child
            }
            #expect(try await store.count("users") == 1)
            try await store.create("users", ["id": "b"])
        }
    }

    @Test func `a task that was started inside a closure may write once that is over`() async throws
    {
        try await TestStore.with { store in
            let (stream, continuation) = AsyncStream<Void>.makeStream()
            let task = try await store.transaction(["users"]) { _ in
                Task {
                    for await _ in stream { break }
                    try await store.create("users", ["id": "later"])
                }
            }
            continuation.yield()
            try await task.value
            #expect(try await store.count("users") == 1)
        }
    }

    @Test func `another store may be written inside a closure`() async throws {
        try await TestStore.with { one in
            try await TestStore.with { two in
                try await one.transaction(["users"]) { tx in
                    try await tx.create("users", ["id": 1])
                    try await two.transaction(["users"]) { other in
                        try await other.create("users", ["id": 2])
                        await expectError(.transactionScope) { try await one.create("users", [:]) }
                    }
                    try await two.create("users", ["id": 3])
                }
                #expect(try await two.count("users") == 2)
            }
            #expect(try await one.count("users") == 1)
        }
    }

    @Test func `a cancelled closure is rolled back`() async throws {
        try await TestStore.with { store in
            let task = Task {
                try await store.transaction(["users"]) { tx in
                    try await tx.create("users", ["id": "a"])
                    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                }
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await store.count("users") == 0)
            try await store.create("users", ["id": "a"])
        }
    }

    @Test func `an idle transaction is rolled back, one in use is not`() async throws {
        let clock = ManualClock()
        try await TestStore.with(clock: clock) { store in
            let transaction = try await store.beginTransaction(["users"])
            for number in 0..<4 {
                clock.advance(by: .seconds(20))
                try await transaction.create("users", ["id": .int(Int64(number))])
            }
            clock.advance(by: .seconds(29))
            #expect(try await transaction.count("users") == 4)
            clock.advance(by: .seconds(31))
            await expectError(.transactionTimeout) { _ = try await transaction.count("users") }
            await expectError(.transactionTimeout) { try await transaction.commit() }
            try await transaction.rollback()
            #expect(try await store.count("users") == 0)
            try await store.create("users", ["id": "free again"])
            await expectError(.transactionTimeout) {
                try await store.transaction(["users"]) { tx in
                    try await tx.create("users", ["id": "x"])
                    clock.advance(by: .seconds(40))
                }
            }
            #expect(try await store.count("users") == 1)
        }
    }

    @Test func `who waits too long is told who has the collection`() async throws {
        let clock = ManualClock()
        try await TestStore.with(clock: clock) { store in
            let holder = try await store.beginTransaction(["users", "orders"])
            let started = clock.pendingCount
            let waiting = Task { try await store.create("users", ["id": "a"]) }
            // The waiter's deadline needs a wake of its own only after the transaction's; so its
            // arrival is seen by time.
            while store.waitingCount < 2 { await Task.yield() }
            for _ in 0..<3 {
                clock.advance(by: .seconds(15))
                if (try? await holder.count("users")) == nil { break }
            }
            let error = await expectError(.transactionTimeout) { _ = try await waiting.value }
            #expect(error?.message.contains("a transaction on users, orders") == true)
            #expect(started >= 1)
            try await holder.rollback()
        }
    }

    @Test func `a dropped transaction is rolled back and frees its collections`() async throws {
        try await TestStore.with { store in
            do {
                let transaction = try await store.beginTransaction(["users"])
                try await transaction.create("users", ["id": "a"])
            }
            try await store.create("users", ["id": "b"])
            #expect(try await store.query("users") == [["id": "b"]])
        }
    }

    @Test func `concurrent calls on one transaction run one after another`() async throws {
        try await TestStore.with { store in
            try await store.transaction(["users"]) { tx in
                try await withThrowingTaskGroup { group in
                    for number in 0..<50 as Range<Int64> {
                        group.addTask {
                            try await tx.create("users", ["id": .int(number), "f\(number)": 1])
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(try await store.count("users") == 50)
        }
    }

    @Test func `increments by many tasks are not lost`() async throws {
        try await TestStore.with { store in
            try await store.create("users", ["id": "n", "count": 0])
            try await withThrowingTaskGroup { group in
                for _ in 0..<20 {
                    group.addTask {
                        for _ in 0..<10 {
                            try await store.transaction(["users"]) { tx in
                                let old = try await tx.get("users", "n")?["count"]?.intValue ?? 0
                                try await tx.update(
                                    "users", ["id": "n", "count": .int(Int64(old + 1))])
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.get("users", "n")?["count"] == 200)
        }
    }

    @Test func `a reader of two collections sees both sides of a transfer or none`() async throws {
        try await TestStore.with { store in
            try await store.create("users", ["id": "x", "n": 100])
            try await store.create("orders", ["id": "y", "n": 0])
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for _ in 0..<60 {
                        try await store.transaction(["users", "orders"]) { tx in
                            let a = try await tx.get("users", "x")?["n"]?.intValue ?? 0
                            let b = try await tx.get("orders", "y")?["n"]?.intValue ?? 0
                            try await tx.update("users", ["id": "x", "n": .int(Int64(a - 1))])
                            try await tx.update("orders", ["id": "y", "n": .int(Int64(b + 1))])
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<60 {
                        let snapshot = try await store.snapshot()
                        let a = try await snapshot.get("users", "x")?["n"]?.intValue ?? 0
                        let b = try await snapshot.get("orders", "y")?["n"]?.intValue ?? 0
                        #expect(a + b == 100)
                        try await store.transaction([], reading: ["users", "orders"]) { tx in
                            let a = try await tx.get("users", "x")?["n"]?.intValue ?? 0
                            let b = try await tx.get("orders", "y")?["n"]?.intValue ?? 0
                            #expect(a + b == 100)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a closure may end its transaction itself`() async throws {
        try await TestStore.with { store in
            let result = try await store.transaction(["users"]) { tx in
                try await tx.create("users", ["id": "a"])
                try await tx.rollback()
                return 7
            }
            #expect(result == 7)
            try await store.transaction(["users"]) { tx in
                try await tx.create("users", ["id": "b"])
                try await tx.commit()
            }
            #expect(try await store.query("users") == [["id": "b"]])
        }
    }
}
