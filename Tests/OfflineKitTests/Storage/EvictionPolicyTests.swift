// Where a policy comes from, what it means for tracking, and that it is remembered.
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct EvictionPolicyTests {
    private typealias Eviction = EvictionTests

    @Test(arguments: TestBackend.allCases)
    func `a policy set at run time is remembered`(backend: TestBackend) async throws {
        let place = try TestStore(backend)
        var store = try await place.open(Eviction.schema(nil))
        try await Eviction.create(store, 1...5)
        try await store.markSynchronized(store.getChanges())
        try await store.setEvictionPolicy("c", .lru(maxRecords: 4))
        #expect(try await Eviction.keys(store) == [2, 3, 4, 5])
        _ = try await store.get("c", 2)
        try await store.close()
        for schema in [Eviction.schema(nil), []] {
            store = try await place.open(schema)
            try await store.create("c", ["n": 3, "id": .int(schema.isEmpty ? 7 : 6)])
            #expect(try await store.getChanges() == [])
            let expected: [Int64] = schema.isEmpty ? [2, 5, 6, 7] : [2, 4, 5, 6]
            #expect(try await Eviction.keys(store) == expected)
            #expect(try await store.verify().problems == [])
            try await store.close()
        }
        // The schema's own is another one now.
        store = try await place.open(Eviction.schema(.fifo(maxRecords: 2)))
        #expect(try await Eviction.keys(store) == [6, 7])
        #expect(try await store.verify().problems == [])
        try await store.close()
        store = try await place.open(Eviction.schema(nil))
        try await Eviction.create(store, 8...20)
        #expect(try await Eviction.keys(store).count == 15)
        #expect(try await store.getChanges().count == 13)
        #expect(try await store.verify().problems == [])
        try await store.close()
        place.remove()
    }

    @Test(arguments: TestBackend.allCases)
    func `what is pending when a policy is set stays, later writes aren't tracked`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Eviction.schema(nil)) { store in
            try await Eviction.create(store, 1...3)
            try await store.setEvictionPolicy("c", .fifo(maxRecords: 1))
            try await Eviction.create(store, 4...6)
            #expect(try await Eviction.keys(store) == [1, 2, 3])
            let changes = try await store.getChanges()
            #expect(changes.map(\.key) == [1, 2, 3])
            try await store.markSynchronized(changes)
            #expect(try await Eviction.keys(store) == [3])
            try await store.setEvictionPolicy("c", .none)
            try await Eviction.create(store, 7...9)
            #expect(try await store.getChanges().map(\.key) == [7, 8, 9])
            #expect(try await Eviction.keys(store) == [3, 7, 8, 9])
            #expect(try await store.evict() == 0)
        }
    }

    @Test func `another order of the same records is built from the entries`() async throws {
        try await TestStore.with(.log, Eviction.schema(.fifo(maxRecords: 10))) { store in
            try await Eviction.create(store, 1...4)
            _ = try await store.get("c", 1)
            _ = try await store.get("c", 1)
            _ = try await store.get("c", 2)
            try await store.setEvictionPolicy("c", .lru(maxRecords: 10))
            #expect(try await store.verify().problems == [])
            for key in [1, 1, 2] as [Int64] { _ = try await store.get("c", key) }
            try await store.setEvictionPolicy("c", .lru(maxRecords: 3))
            #expect(try await Eviction.keys(store) == [1, 2, 4])
            try await store.setEvictionPolicy("c", .lfu(maxRecords: 2))
            #expect(try await Eviction.keys(store) == [1, 2])
        }
    }

    @Test func `a new record under an old key begins anew`() async throws {
        try await TestStore.with(.log, Eviction.schema(.lfu(maxRecords: 10))) { store in
            for round in 0..<2 {
                try await Eviction.create(store, 1...3)
                for _ in 0..<5 { _ = try await store.get("c", 1) }
                try store.core().mergeReads()
                if round == 0 {
                    try await store.delete("c", 1)
                } else {
                    try await store.clear(["c"])
                }
                try await store.setEvictionPolicy("c", .fifo(maxRecords: 10))
                try await Eviction.create(store, 1...1)
                try await store.setEvictionPolicy("c", .lfu(maxRecords: 10))
                if round == 0 { try await store.clear(["c"]) }
            }
            try await Eviction.create(store, 2...3)
            for key in [2, 3] as [Int64] { _ = try await store.get("c", key) }
            try await store.setEvictionPolicy("c", .lfu(maxRecords: 2))
            #expect(try await Eviction.keys(store) == [2, 3])
        }
    }

    @Test func `no policy of its own means the store's, none means none`() async throws {
        let place = try TestStore(.memory)
        let schema = [
            CollectionSchema(name: "c"),
            CollectionSchema(name: "d", evictionPolicy: EvictionPolicy.none),
        ]
        let store = try await place.open(schema) { $0.evictionStrategy = .fifo(maxRecords: 2) }
        try await Eviction.create(store, 1...5)
        try await store.createBatch("d", (1...5).map { ["id": .int($0)] })
        #expect(try await store.getChanges("d").count == 5)
        try await store.markSynchronized(store.getChanges())
        #expect(try await Eviction.keys(store) == [4, 5])
        #expect(try await store.count("d") == 5)
        try await store.close()
    }

    @Test func `policies that keep nothing are refused`() async throws {
        let policies: [EvictionPolicy] = [
            .lru(maxRecords: 0), .fifo(maxRecords: -1), .maxSize(bytes: 0), .maxAge(.zero),
        ]
        for policy in policies {
            await expectError(.invalidOptions) {
                _ = try await TestStore(.memory).open(Eviction.schema(policy))
            }
            await expectError(.invalidOptions) {
                _ = try await TestStore(.memory).open { $0.evictionStrategy = policy }
            }
            try await TestStore.with(.memory, Eviction.schema(nil)) { store in
                await expectError(.invalidOptions) {
                    try await store.setEvictionPolicy("c", policy)
                }
                await expectError(.unknownCollection) {
                    try await store.setEvictionPolicy("x", .lru)
                }
            }
        }
    }

    @Test func `a policy's document gives the policy`() throws {
        let policies: [EvictionPolicy] = [
            .none, .lru, .lfu, .fifo, .lru(maxRecords: 5), .lfu(maxRecords: 6),
            .fifo(maxRecords: 7), .maxAge(days: 7), .maxAge(.nanoseconds(1_500_000)),
            .maxSize(bytes: 5_000_000_000),
        ]
        for policy in policies { #expect(try EvictionPolicy(policy.document) == policy) }
        #expect(EvictionPolicy.maxAge(.nanoseconds(1)) == .maxAge(.milliseconds(1)))
    }
}
