import OfflineBytes
import Testing

@testable import OfflineKit

struct CollectionLocksTests {
    private let clock = ManualClock()
    private let locks: CollectionLocks

    init() { locks = CollectionLocks(Deadlines(clock)) }

    private func request(
        _ exclusive: [UInt32], _ shared: [UInt32] = [], _ label: String = "somebody"
    ) -> LockRequest {
        LockRequest(
            exclusive: exclusive.map(CollectionID.init), shared: shared.map(CollectionID.init)
        ) { label }
    }

    /// Starts a task that acquires, notes it and releases on request; returns once it waits or has
    /// acquired.
    private func start(
        _ request: LockRequest, _ log: Protected<[String]>, _ name: String
    ) async -> Task<LockHold, any Error> {
        let before = locks.requestCount
        let task = Task {
            let hold = try await locks.acquire(request, timeout: nil)
            log.withLock { $0.append(name) }
            return hold
        }
        while locks.requestCount == before { await Task.yield() }
        return task
    }

    @Test func `disjoint collections and shared reading don't wait`() async throws {
        let one = try await locks.acquire(request([1], [9]), timeout: nil)
        let two = try await locks.acquire(request([2], [9]), timeout: nil)
        let three = try await locks.acquire(request([], [9]), timeout: nil)
        for hold in [one, two, three] { locks.release(hold) }
        #expect(locks.requestCount == 0)
    }

    @Test func `requests on one collection are granted in the order of arrival`() async throws {
        let log = Protected<[String]>([])
        let first = try await locks.acquire(request([1]), timeout: nil)
        let a = await start(request([1, 2]), log, "a")
        let b = await start(request([2]), log, "b")
        let c = await start(request([1]), log, "c")
        #expect(log.withLock { $0 } == [], "b must not overtake a, which waits for 1 and has 2")
        locks.release(first)
        locks.release(try await a.value)
        locks.release(try await b.value)
        locks.release(try await c.value)
        #expect(log.withLock { $0.first } == "a")
        #expect(log.withLock { Set($0) } == ["a", "b", "c"])
        #expect(locks.requestCount == 0)
    }

    @Test func `a writer isn't starved by readers that keep coming`() async throws {
        let log = Protected<[String]>([])
        let reader = try await locks.acquire(request([], [1]), timeout: nil)
        let writer = await start(request([1]), log, "writer")
        let late = await start(request([], [1]), log, "late reader")
        #expect(log.withLock { $0 } == [])
        locks.release(reader)
        let hold = try await writer.value
        #expect(log.withLock { $0 } == ["writer"])
        locks.release(hold)
        locks.release(try await late.value)
    }

    @Test func `a wait times out naming the holder, and leaves the way free`() async throws {
        let holder = try await locks.acquire(request([1], [], "the import"), timeout: nil)
        let waiting = Task { [locks, request = request([1, 2])] in
            try await locks.acquire(request, timeout: .seconds(5))
        }
        while locks.requestCount == 1 || clock.pendingCount == 0 { await Task.yield() }
        let log = Protected<[String]>([])
        let behind = await start(request([2]), log, "behind")
        clock.advance(by: .seconds(5))
        let error = await expectError(.transactionTimeout) { _ = try await waiting.value }
        #expect(error?.message.contains("the import") == true)
        locks.release(try await behind.value)
        locks.release(holder)
        #expect(locks.requestCount == 0)
    }

    @Test func `a cancelled wait throws and leaves the way free`() async throws {
        let holder = try await locks.acquire(request([1]), timeout: nil)
        let log = Protected<[String]>([])
        let waiting = await start(request([1, 2]), log, "cancelled")
        let behind = await start(request([2]), log, "behind")
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        locks.release(try await behind.value)
        #expect(log.withLock { $0 } == ["behind"])
        locks.release(holder)
        locks.release(holder)
        #expect(locks.requestCount == 0)
    }

    @Test func `many tasks on overlapping collections never share one and all finish`() async throws
    {
        let users = Protected<[UInt32: Int]>([:])
        let clashes = Protected(0)
        let locks = self.locks
        await withTaskGroup { group in
            for seed in 0..<32 as Range<UInt64> {
                group.addTask {
                    var random = SeededGenerator(seed: seed)
                    for _ in 0..<40 {
                        let wanted = Array(
                            Set((0..<3).map { _ in UInt32(random.below(5)) }).map(CollectionID.init)
                        )
                        let request = LockRequest(exclusive: wanted, shared: []) { "" }
                        guard let hold = try? await locks.acquire(request, timeout: nil) else {
                            continue
                        }
                        for id in wanted {
                            let count = users.withLock { users in
                                users[id.value, default: 0] += 1
                                return users[id.value] ?? 0
                            }
                            if count != 1 { clashes.withLock { $0 += 1 } }
                        }
                        await Task.yield()
                        users.withLock { users in
                            for id in wanted { users[id.value, default: 0] -= 1 }
                        }
                        locks.release(hold)
                    }
                }
            }
        }
        #expect(clashes.withLock { $0 } == 0)
        #expect(locks.requestCount == 0)
    }
}
