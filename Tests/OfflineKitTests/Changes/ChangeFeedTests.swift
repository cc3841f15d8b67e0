import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

/// Feeds: every commit to who keeps up, the latest change of each record to who doesn't, nothing twice and nothing left
/// out.
struct ChangeFeedTests {
    private static let schema = [
        CollectionSchema(name: "a"), CollectionSchema(name: "b"),
        CollectionSchema(name: "cache", tracksChanges: false),
    ]

    private typealias Iterator = AsyncThrowingStream<Change, any Error>.Iterator

    private func text(_ change: Change?) -> String {
        guard let change else { return "end" }
        let n = change.document?["n"]?.intValue.map { " \($0)" } ?? ""
        return "\(change.operation) \(change.collection) \(change.key.stringValue ?? "")\(n)"
    }

    /// The next changes in words.
    private func take(_ count: Int, _ iterator: inout Iterator) async throws -> [String] {
        var result: [String] = []
        for _ in 0..<count { result.append(text(try await iterator.next(isolation: #isolation))) }
        return result
    }

    @Test(arguments: TestBackend.allCases)
    func `each committed change comes once, in order`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await store.create("a", ["id": "old", "n": 0])
            var feed = store.changeFeed().makeAsyncIterator()
            try await store.create("a", ["id": "x", "n": 1])
            try await store.update("a", ["id": "x", "n": 2])
            try await store.transaction(["a", "b"]) { transaction in
                try await transaction.upsert("b", ["id": "y", "n": 3])
                try await transaction.upsert("a", ["id": "old", "n": 4])
                try await transaction.upsert("b", ["id": "y", "n": 5])
                try await transaction.create("b", ["id": "gone"])
                try await transaction.delete("b", "gone")
            }
            try await store.create("cache", ["id": "never"])
            try await store.delete("a", "x")
            let seen = try await take(5, &feed)
            #expect(
                seen == [
                    "create a x 1", "update a x 2", "update a old 4", "create b y 5", "delete a x",
                ])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `a feed says of a change what getChanges says`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await store.create("a", ["id": "x", "n": 1, "m": 1])
            try await store.markSynchronized(try await store.getChanges())
            var feed = store.changeFeed(["a"]).makeAsyncIterator()
            try await store.update("a", ["id": "x", "n": 2, "m": 1])
            let live = try await feed.next()
            let pending = try await store.getChanges()
            #expect(pending.first == live)
            #expect(live?.changedFields == ["n"])
            #expect(live?.base == ["id": "x", "n": 1, "m": 1])
            try await store.delete("a", "x")
            let deleted = try await feed.next()
            let pendingDelete = try await store.getChanges()
            #expect(pendingDelete.first == deleted)
            #expect(deleted?.base == ["id": "x", "n": 1, "m": 1])
            var resumed = store.changeFeed(["a"], since: 0).makeAsyncIterator()
            let again = try await resumed.next()
            #expect(again == deleted)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `a resumed feed gives the latest change of each record, then goes on`(
        backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        var store = try await place.open(Self.schema)
        for number in 0..<300 as Range<Int64> {
            try await store.create("a", ["id": .string("k\(number % 150)x\(number)"), "n": 0])
        }
        try await store.create("a", ["id": "x", "n": 1])
        let seen = try #require(try await store.getChanges("a").last?.sequence)
        try await store.update("a", ["id": "x", "n": 2])
        try await store.create("b", ["id": "y", "n": 3])
        try await store.update("a", ["id": "x", "n": 4])
        try await store.delete("b", "y")
        try await store.close()
        store = try await place.open(Self.schema)
        var feed = store.changeFeed(since: seen).makeAsyncIterator()
        let past = try await take(2, &feed)
        #expect(past == ["update a x 4", "delete b y"])
        try await store.create("b", ["id": "z", "n": 6])
        let next = try await take(1, &feed)
        #expect(next == ["create b z 6"])
        var all = store.changeFeed(["a"], since: 0).makeAsyncIterator()
        var count = 0
        while let change = try await all.next(), change.key != "x" { count += 1 }
        #expect(count == 300)
        try await store.close()
        let end = try await feed.next()
        #expect(end == nil)
    }

    @Test func `a consumer that falls behind gets the latest change of each record`() async throws {
        try await TestStore.with(.log, Self.schema) { store in
            var feed = store.changeFeed(["a"]).makeAsyncIterator()
            for number in 0..<1_200 as Range<Int64> {
                try await store.upsert("a", ["id": .string("k\(number % 3)"), "n": .int(number)])
            }
            try await store.core().hub.settled()
            let seen = try await take(3, &feed)
            #expect(seen == ["update a k0 1197", "update a k1 1198", "update a k2 1199"])
            try await store.upsert("a", ["id": "k0", "n": 0])
            let next = try await take(1, &feed)
            #expect(next == ["update a k0 0"])
        }
    }

    @Test func `a transaction that is too large to be kept is read from the store`() async throws {
        try await TestStore.with(.log, Self.schema) { store in
            var feed = store.changeFeed().makeAsyncIterator()
            let text = Value.string(String(repeating: "t", count: 2_000))
            try await store.createBatch(
                "a", (0..<900).map { ["id": .string("k\($0)"), "text": text] })
            try await store.create("b", ["id": "y", "n": 1])
            for number in 0..<900 {
                let change = try await feed.next()
                #expect(change?.key == .string("k\(number)"))
            }
            let last = try await take(1, &feed)
            #expect(last == ["create b y 1"])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `a feed from before what is retained has expired`(backend: TestBackend) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        var store = try await place.open(Self.schema, tombstonesMax: 5)
        for number in 0..<20 {
            try await store.create("a", ["id": .string("k\(number)")])
            try await store.delete("a", .string("k\(number)"))
        }
        let expired = store.changeFeed(["a"], since: 3)
        await expectError(.changesExpired) { for try await _ in expired {} }
        // Other collections aren't concerned.
        try await store.create("b", ["id": "y", "n": 1])
        var other = store.changeFeed(["b"], since: 3).makeAsyncIterator()
        let seen = try await take(1, &other)
        #expect(seen == ["create b y 1"])
        let ahead = store.changeFeed(["b"], since: 1_000_000)
        await expectError(.changesExpired) { for try await _ in ahead {} }
        try await store.close()
        // What happened while changes weren't tracked isn't there.
        var untracked = Self.schema
        untracked[1].tracksChanges = false
        store = try await place.open(untracked)
        let leftOut = store.changeFeed(["b"])
        await expectError(.invalidQuery) { for try await _ in leftOut {} }
        let before = try await store.snapshotSequence()
        try await store.upsert("b", ["id": "y", "n": 2])
        try await store.close()
        store = try await place.open(Self.schema)
        for since in [before, try await store.snapshotSequence()] {
            let lost = store.changeFeed(["b"], since: since)
            await expectError(.changesExpired) { for try await _ in lost {} }
        }
        try await store.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `what is retained never reaches further back again`(backend: TestBackend) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        let store = try await place.open(Self.schema, tombstonesMax: 5)
        try await store.create("a", ["id": "early"])
        try await store.markSynchronized(try await store.getChanges())
        try await store.delete("a", "early")
        let early = try await store.getChanges()
        let between = try await store.snapshotSequence()
        for number in 0..<20 {
            try await store.create("a", ["id": .string("k\(number)")])
            try await store.delete("a", .string("k\(number)"))
        }
        // Settled last, it is the oldest all the same, and is dropped first.
        try await store.markSynchronized(early)
        try await store.create("a", ["id": "k"])
        try await store.delete("a", "k")
        let feed = store.changeFeed(["a"], since: between)
        await expectError(.changesExpired) { for try await _ in feed {} }
        try await store.close()
    }

    @Test func `a feed that threw is over`() async throws {
        let place = try TestStore(.memory)
        defer { place.remove() }
        let store = try await place.open(Self.schema, tombstonesMax: 1)
        for _ in 0..<5 {
            try await store.create("a", ["id": "x"])
            try await store.delete("a", "x")
            try await store.create("a", ["id": "y"])
            try await store.delete("a", "y")
        }
        var feed = store.changeFeed(["a"], since: 1).makeAsyncIterator()
        do {
            _ = try await feed.next()
            Issue.record("it should have expired")
        } catch let error as OfflineError {
            #expect(error.code == .changesExpired)
        }
        #expect(try !store.core().hub.isObserved)
        try await store.create("a", ["id": "z"])
        let next = try await feed.next()
        #expect(next == nil)
        try await store.close()
    }

    @Test func `a position is durable before it is given out`() async throws {
        let system = SimulatedFileSystem()
        func open(_ system: SimulatedFileSystem) async throws -> OfflineStore {
            try await SimulatedStore.open(system, Self.schema, durability: .relaxed)
        }
        let store = try await open(system)
        var feed = store.changeFeed().makeAsyncIterator()
        try await store.create("a", ["id": "x", "n": 1])
        let seen = try #require(try await feed.next()?.sequence)
        let again = try await open(system.crashedKeepingNothing())
        try await again.create("a", ["id": "y", "n": 2])
        var resumed = again.changeFeed(since: seen).makeAsyncIterator()
        let next = try await take(1, &resumed)
        #expect(next == ["create a y 2"])
        try await again.close()
        try await store.close()
    }

    @Test func `wrong names and closed stores are errors with the first change asked for`()
        async throws
    {
        let place = try TestStore(.memory)
        defer { place.remove() }
        let store = try await place.open(Self.schema)
        let unknown = store.changeFeed(["nothing"])
        await expectError(.unknownCollection) { for try await _ in unknown {} }
        let untracked = store.changeFeed(["cache"])
        await expectError(.invalidQuery) { for try await _ in untracked {} }
        try await store.close()
        let closed = store.changeFeed()
        await expectError(.notOpen) { for try await _ in closed {} }
    }

    @Test func `a cancelled consumer's feed ends, and a dropped one is forgotten`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let hub = try store.core().hub
            let task = Task {
                var count = 0
                for try await _ in store.changeFeed() { count += 1 }
                return count
            }
            while !hub.isObserved { await Task.yield() }
            task.cancel()
            let count = try await task.value
            #expect(count == 0)
            #expect(!hub.isObserved)
            var feed: AsyncThrowingStream<Change, any Error>? = store.changeFeed()
            #expect(hub.isObserved)
            _ = feed
            feed = nil
            #expect(!hub.isObserved)
        }
    }

    @Test func `changes of a synchronization come with their origin and aren't pending`()
        async throws
    {
        try await TestStore.with(.log, Self.schema) { store in
            var feed = store.changeFeed().makeAsyncIterator()
            try await store.create("a", ["id": "mine", "n": 1])
            let conflicts = try await store.applyRemote(
                "a",
                [
                    RemoteChange(key: "theirs", document: ["id": "theirs", "n": 2]),
                    RemoteChange(key: "mine", document: ["id": "mine", "n": 3]),
                    RemoteChange(key: "nobody's", document: nil),
                ], origin: "server")
            #expect(conflicts == ["mine"])
            _ = try await store.applyRemote(
                "a", [RemoteChange(key: "theirs", document: nil)], origin: "server")
            var origins: [String?] = []
            for _ in 0..<3 { origins.append(try await feed.next()?.origin) }
            #expect(origins == [nil, "server", "server"])
            let pending = try await store.getChanges()
            #expect(pending.map(\.key) == ["mine"])
        }
    }
}

extension OfflineStore {
    /// The sequence of the newest commit's last operation.
    fileprivate func snapshotSequence() async throws -> UInt64 {
        try core().view().adapter.reader.nextSequence - 1
    }
}
