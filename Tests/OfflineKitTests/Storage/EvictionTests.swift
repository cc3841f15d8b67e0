// Each policy, on each backend: which records go, which stay, and where that is done.
import Dispatch
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct EvictionTests {
    static func schema(
        _ policy: EvictionPolicy?, tracks: Bool? = nil
    ) -> [CollectionSchema] {
        [
            CollectionSchema(
                name: "c", indexes: [IndexSchema(name: "n", keyPath: "n")],
                evictionPolicy: policy, tracksChanges: tracks)
        ]
    }

    /// Creates these, each in a commit of its own.
    static func create(_ store: OfflineStore, _ keys: ClosedRange<Int64>) async throws {
        for key in keys { try await store.create("c", ["id": .int(key), "n": 1]) }
    }

    static func keys(_ store: OfflineStore) async throws -> [Int64] {
        try await settled(store)
        // Read by a transaction, which counts as no use.
        let transaction = try await store.beginTransaction([], reading: ["c"])
        let documents = try await transaction.query("c")
        try await transaction.rollback()
        return documents.compactMap { $0["id"]?.intValue.map(Int64.init) }
    }

    static func settled(_ store: OfflineStore) async throws {
        await (try store.core()).eviction.settled()
    }

    @Test(arguments: TestBackend.allCases)
    func `lru drops what was used longest ago`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema(.lru(maxRecords: 3))) { store in
            try await Self.create(store, 1...3)
            _ = try await store.get("c", 1)
            try await store.update("c", ["id": 2, "n": 2])
            try await Self.create(store, 4...4)
            #expect(try await Self.keys(store) == [1, 2, 4])
            _ = try await store.query("c", Query(filters: ["id": 1]))
            try await Self.create(store, 5...5)
            #expect(try await Self.keys(store) == [1, 4, 5])
            #expect(try await store.count("c", ["n": 1]) == 3)
            #expect(try await store.getChanges() == [])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `lfu drops what was used least often`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema(.lfu(maxRecords: 3))) { store in
            try await Self.create(store, 1...3)
            for _ in 0..<3 { _ = try await store.get("c", 1) }
            _ = try await store.get("c", 3)
            try await Self.create(store, 4...4)
            #expect(try await Self.keys(store) == [1, 3, 4])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `fifo drops what was made first, however often it is used`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema(.fifo(maxRecords: 3))) { store in
            try await Self.create(store, 1...3)
            _ = try await store.get("c", 1)
            try await store.update("c", ["id": 1, "n": 2])
            try await Self.create(store, 4...5)
            #expect(try await Self.keys(store) == [3, 4, 5])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `max-size drops what was used longest ago`(backend: TestBackend) async throws {
        let clock = ManualClock()
        try await TestStore.with(backend, Self.schema(.maxSize(bytes: 1_000)), clock: clock) {
            store in
            let text = Value.string(String(repeating: "x", count: 200))
            for key in 1...6 {
                clock.advance(by: .milliseconds(1))
                try await store.create("c", ["id": .int(Int64(key)), "t": text])
            }
            #expect(try await Self.keys(store) == [3, 4, 5, 6])
            let bytes = try await store.getStorageInfo().collectionUsage["c"]?.recordBytes
            #expect(bytes ?? 0 <= 1_000)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `max-age drops what wasn't written for long, without anyone asking`(
        backend: TestBackend
    ) async throws {
        let clock = ManualClock()
        let policy = EvictionPolicy.maxAge(.seconds(10))
        try await TestStore.with(backend, Self.schema(policy), clock: clock) { store in
            try await Self.create(store, 1...2)
            clock.advance(by: .seconds(6))
            try await Self.create(store, 3...3)
            try await store.update("c", ["id": 1, "n": 2])
            _ = try await store.get("c", 2)
            #expect(try await Self.keys(store) == [1, 2, 3])
            clock.advance(by: .seconds(4))
            #expect(try await Self.keys(store) == [1, 3])
            clock.advance(by: .seconds(5))
            #expect(try await Self.keys(store) == [1, 3])
            clock.advance(by: .seconds(1))
            #expect(try await Self.keys(store) == [])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `what isn't synchronized stays until it is`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema(.lru(maxRecords: 2), tracks: true)) {
            store in
            try await Self.create(store, 1...5)
            #expect(try await store.evict() == 0)
            #expect(try await Self.keys(store) == [1, 2, 3, 4, 5])
            let changes = try await store.getChanges()
            try await store.markSynchronized(Array(changes[2...3]))
            #expect(try await Self.keys(store) == [1, 2, 5])
            try await store.update("c", ["id": 1, "n": 2])
            try await store.markSynchronized(changes)
            // The first has changed since.
            #expect(try await Self.keys(store) == [1, 5])
            #expect(try await store.getChanges().map(\.key) == [1])
            try await store.clear(["c"])
            #expect(try await store.evict() == 0)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `live queries see records go, snapshots go on seeing them`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema(.fifo(maxRecords: 2))) { store in
            try await Self.create(store, 1...2)
            let snapshot = try await store.snapshot()
            var results = store.observe("c").makeAsyncIterator()
            #expect(try await results.next()?.count == 2)
            try await Self.create(store, 3...3)
            var last: [Value?] = []
            while last != [2, 3] { last = try await results.next()?.map { $0["id"] } ?? [2, 3] }
            #expect(last == [2, 3])
            #expect(try await snapshot.query("c").map { $0["id"] } == [1, 2])
        }
    }

    @Test func `evictions run on their queue`() async throws {
        let isOnQueue = Protected<[Bool]>([])
        try await TestStore.with(.memory, Self.schema(.fifo(maxRecords: 2))) { store in
            let eviction = try store.core().eviction
            #expect(eviction.queue.label == "offline.store.eviction")
            eviction.watch {
                dispatchPrecondition(condition: .onQueue(eviction.queue))
                isOnQueue.withLock { $0.append(true) }
            }
            try await Self.create(store, 1...4)
            #expect(try await Self.keys(store) == [3, 4])
            try await store.evict()
        }
        #expect(isOnQueue.withLock { $0.count } > 1)
    }

    @Test func `an open transaction's records stay until it ends`() async throws {
        try await TestStore.with(.memory, Self.schema(.lru(maxRecords: 1))) { store in
            try await Self.create(store, 1...1)
            let writing = try await store.beginTransaction(["c"])
            try await writing.create("c", ["id": 2])
            try await writing.create("c", ["id": 3])
            let evicted = Task { try await store.evict() }
            #expect(try await writing.count("c") == 3)
            try await writing.commit()
            _ = try await evicted.value
            #expect(try await Self.keys(store) == [3])
        }
    }

    @Test(arguments: [EvictionPolicy.maxAge(.seconds(10)), .lru(maxRecords: 3)])
    func `a clock that goes back evicts nothing early and keeps the order of use`(
        policy: EvictionPolicy
    ) async throws {
        let place = try TestStore(.log)
        let late = ManualClock()
        late.advance(by: .seconds(100_000))
        var store = try await place.open(Self.schema(policy), clock: late)
        try await Self.create(store, 1...3)
        _ = try await store.get("c", 1)
        try await store.close()
        let early = ManualClock()
        store = try await place.open(Self.schema(policy), clock: early)
        #expect(try await store.evict() == 0)
        try await Self.create(store, 4...4)
        early.advance(by: .seconds(11))
        #expect(try await Self.keys(store) == (policy.ageMax == nil ? [1, 3, 4] : [1, 2, 3]))
        try await Self.create(store, 5...5)
        #expect(try await Self.keys(store) == (policy.ageMax == nil ? [1, 4, 5] : [1, 2, 3, 5]))
        try await store.close()
        place.remove()
    }

    @Test func `events tell what was evicted, and end with the store`() async throws {
        let place = try TestStore(.memory)
        let store = try await place.open(Self.schema(.fifo(maxRecords: 2)))
        let events = store.storageEvents()
        try await Self.create(store, 1...2)
        try await store.createBatch("c", [["id": 3], ["id": 4]])
        try await Self.settled(store)
        try await store.close()
        var heard: [StorageEvent] = []
        for await event in events { heard.append(event) }
        #expect(heard == [.evicted(collection: "c", records: 2)])
        for await event in store.storageEvents() { Issue.record("\(event)") }
    }

    @Test func `more than one batch is evicted in parts`() async throws {
        try await TestStore.with(.log, Self.schema(.lru(maxRecords: 10))) { store in
            let parts = Protected(0)
            try store.core().eviction.watch { parts.withLock { $0 += 1 } }
            try await store.createBatch("c", (0..<2_000).map { ["id": .int($0)] })
            #expect(try await Self.keys(store).count == 10)
            #expect(parts.withLock { $0 } >= 2_000 / EvictionBatch.stepsMax)
        }
    }
}
