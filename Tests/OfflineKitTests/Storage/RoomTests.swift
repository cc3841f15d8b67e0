// Stores near and at their size limit: what is evicted, what is refused and how, and what is told.
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct RoomTests {
    private static let limit: Int64 = 2 << 20
    private static let text = Value.string(String(repeating: "0123456789", count: 100))

    /// Incompressible enough for a compactor.
    private static func document(_ number: Int) -> Document {
        var generator = SeededGenerator(seed: UInt64(number))
        let words = (0..<100).map { _ in String(generator.next(), radix: 36) }
        return ["id": .int(Int64(number)), "t": .string(words.joined(separator: " "))]
    }

    private static func open(
        _ place: TestStore, _ strategy: EvictionPolicy, tracks: Bool
    ) async throws -> OfflineStore {
        try await place.open([CollectionSchema(name: "c", tracksChanges: tracks)]) { options in
            options.sizeLimit = limit
            options.evictionStrategy = strategy
        }
    }

    @Test(arguments: [TestBackend.log, .file])
    func `near the limit the store's strategy makes room, for ever`(
        backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        let store = try await Self.open(place, .lru, tracks: false)
        let events = store.storageEvents()
        for number in 0..<4_000 {
            if number % 4 == 0 {
                let numbers = (0..<4).map { number * 10 + $0 }
                try await store.createBatch("c", numbers.map(Self.document))
            }
            if number % 100 == 0 {
                _ = try await store.get("c", 0)
                let info = try await store.getStorageInfo()
                #expect(info.usedBytes <= Self.limit)
            }
            if backend == .file, number > 600 { break }
        }
        #expect(try await store.get("c", 0) != nil)
        #expect(try await store.verify().problems == [])
        let count = try await store.count("c")
        #expect(count > 100)
        try await store.close()
        var heard: [StorageEvent] = []
        for await event in events { heard.append(event) }
        #expect(heard.contains { if case .nearLimit = $0 { true } else { false } })
        #expect(heard.contains { if case .evicted("c", _) = $0 { true } else { false } })
        #expect(!heard.contains { if case .overLimit = $0 { true } else { false } })
        place.remove()
    }

    @Test(arguments: [TestBackend.log, .file])
    func `what isn't synchronized fills the store, which says so and works on when there is room`(
        backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        let store = try await Self.open(place, .lru, tracks: true)
        let events = store.storageEvents()
        var count = 0
        var refusal: OfflineError?
        while refusal == nil, count < 100_000 {
            do {
                try await store.create("c", Self.document(count))
                count += 1
            } catch let error as OfflineError {
                refusal = error
            }
        }
        #expect(refusal?.code == .quotaExceeded)
        #expect(refusal?.message.contains("\(count) records await synchronization") == true)
        // Nothing is lost, and what frees space works.
        #expect(try await store.count("c") == count)
        #expect(try await store.getChanges(limit: 5).count == 5)
        let transaction = try await store.beginTransaction(["c"])
        await expectError(.quotaExceeded) {
            for number in 0..<1_000 {
                try await transaction.create("c", Self.document(count + 1 + number))
            }
            try await transaction.commit()
        }
        try await transaction.rollback()
        #expect(try await store.count("c") == count)
        #expect(try await store.delete("c", 0))
        try await store.markSynchronized(store.getChanges(limit: 200))
        // What may be evicted now makes room for what comes.
        for number in 0..<20 { try await store.create("c", Self.document(200_000 + number)) }
        #expect(try await store.getChanges().count >= 20)
        try await store.clear(["c"])
        try await store.compact()
        for number in 0..<20 { try await store.create("c", Self.document(300_000 + number)) }
        #expect(try await store.verify().problems == [])
        try await store.close()
        var heard: [StorageEvent] = []
        for await event in events { heard.append(event) }
        func has(_ test: (StorageEvent) -> Bool) -> Int { heard.count(where: test) }
        #expect(has { if case .overLimit = $0 { true } else { false } } > 0)
        #expect(has { $0 == .writableAgain } > 0)
        place.remove()
    }

    @Test func `room is made although its maker has a transaction on what could go`() async throws {
        let place = try TestStore(.log)
        let schema = [
            CollectionSchema(name: "c", tracksChanges: false), CollectionSchema(name: "d"),
        ]
        let store = try await place.open(schema) { options in
            options.sizeLimit = Self.limit
            options.evictionStrategy = .lru
        }
        for number in 0..<300 { try await store.create("c", Self.document(number)) }
        let holder = try await store.beginTransaction(["c"])
        var refused = false
        for number in 0..<3_000 where !refused {
            do {
                try await store.create("d", Self.document(number))
            } catch let error as OfflineError {
                #expect(error.code == .quotaExceeded)
                refused = true
            }
        }
        #expect(refused)
        try await holder.rollback()
        try await store.create("d", Self.document(5_000))
        try await store.close()
        place.remove()
    }

    @Test func `the watch tells each thing once`() async throws {
        let hub = StorageEventHub()
        let watch = SpaceWatch(limit: 1_000, hub)
        let events = hub.events()
        watch.note(room: 500)
        for room in [90, 80, 120, 95] as [Int64] { watch.note(room: room) }
        watch.note(room: 200)
        watch.note(room: 50)
        watch.refused(.quotaExceeded, room: 10)
        watch.refused(.quotaExceeded, room: 10)
        watch.succeeded(added: false)
        watch.succeeded(added: true)
        watch.succeeded(added: true)
        watch.refused(.storageFull, room: nil)
        watch.refused(.storageFull, room: nil)
        watch.refused(.corrupted, room: nil)
        watch.succeeded(added: true)
        hub.close()
        var heard: [StorageEvent] = []
        for await event in events { heard.append(event) }
        #expect(
            heard == [
                .nearLimit(usedBytes: 910, limit: 1_000), .nearLimit(usedBytes: 950, limit: 1_000),
                .overLimit(usedBytes: 990, limit: 1_000), .writableAgain, .full, .writableAgain,
            ])
        #expect(hub.listenerCount == 0)
    }

    @Test func `what gave nothing isn't tried again before something has changed`() {
        let watch = SpaceWatch(limit: 1_000, StorageEventHub())
        #expect(watch.mayTry())
        watch.tried(gained: true)
        #expect(watch.mayTry())
        watch.tried(gained: false)
        #expect(!watch.mayTry())
        watch.succeeded(added: true)
        #expect(!watch.mayTry())
        watch.succeeded(added: false)
        #expect(watch.mayTry())
        watch.tried(gained: false)
        for _ in 0..<64 { watch.succeeded(added: true) }
        #expect(watch.mayTry())
    }
}
