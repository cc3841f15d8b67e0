import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

/// What the model doesn't reach: listings beside open transactions, errors, and how much is read.
struct PendingChangeTests {
    private static let schema = [
        CollectionSchema(name: "a"), CollectionSchema(name: "cache", tracksChanges: false),
    ]

    @Test(arguments: TestBackend.withParallelWriters)
    func `a record that vanishes in an open transaction isn't given out`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await store.create("a", ["id": "vanishes"])
            try await store.create("a", ["id": "stays"])
            let transaction = try await store.beginTransaction(["a"])
            try await transaction.delete("a", "vanishes")
            // Its creation would be sent, and its deletion never.
            let listed = try await store.getChanges()
            #expect(listed.map(\.key) == ["stays"])
            try await transaction.commit()
            let after = try await store.getChanges()
            #expect(after.map(\.key) == ["stays"])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `a record that was to vanish is given out after a rollback`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await store.create("a", ["id": "x"])
            let transaction = try await store.beginTransaction(["a"])
            try await transaction.delete("a", "x")
            try await transaction.rollback()
            let listed = try await store.getChanges()
            #expect(listed.map(\.operation) == [.create])
            try await store.delete("a", "x")
            let deleted = try await store.getChanges()
            #expect(deleted.map(\.operation) == [.delete])
        }
    }

    @Test(arguments: TestBackend.withParallelWriters)
    func `a creation that was given out before the deletion's transaction is deleted there`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await store.create("a", ["id": "x"])
            let transaction = try await store.beginTransaction(["a"])
            let listed = try await store.getChanges()
            #expect(listed.map(\.key) == ["x"])
            try await transaction.delete("a", "x")
            try await transaction.commit()
            let deleted = try await store.getChanges()
            #expect(deleted.map(\.operation) == [.delete])
        }
    }

    @Test(arguments: TestBackend.withParallelWriters)
    func `a page is full though the oldest records vanish`(backend: TestBackend) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            for number in 0..<20 { try await store.create("a", ["id": .int(Int64(number))]) }
            let transaction = try await store.beginTransaction(["a"])
            for number in 0..<12 { try await transaction.delete("a", .int(Int64(number))) }
            let page = try await store.getChanges(limit: 5)
            #expect(page.map(\.key) == [12, 13, 14, 15, 16])
            try await transaction.rollback()
            // What wasn't given out may still vanish.
            try await store.delete("a", .int(17))
            try await store.delete("a", .int(16))
            let after = try await store.getChanges(after: page.last?.sequence)
            #expect(after.map(\.operation) == [.create, .create, .delete])
            #expect(after.map(\.key) == [18, 19, 16])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `what reached the server after its deletion here is deleted there`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await store.create("a", ["id": "r", "n": 1])
            try await store.markSynchronized(try await store.getChanges())
            try await store.delete("a", "r")
            let deletion = try await store.getChanges()
            try await store.create("a", ["id": "r", "n": 2])
            // A push that overlaps with the one before.
            let again = try await store.getChanges(after: deletion.last?.sequence)
            #expect(again.map(\.operation) == [.update])
            try await store.markSynchronized(deletion)
            try await store.delete("a", "r")
            try await store.markSynchronized(again)
            let last = try await store.getChanges()
            #expect(last.map(\.operation) == [.delete])
            #expect(last.first?.base == ["id": "r", "n": 2])
        }
    }

    @Test func `what may have been deleted isn't given out before that is decided`() async throws {
        let system = SimulatedFileSystem()
        let store = try await SimulatedStore.open(system, Self.schema) {
            $0.preparesLogFiles = false
        }
        try await store.create("a", ["id": "vanishes"])
        try await store.create("a", ["id": "stays"])
        let transaction = try await store.beginTransaction(["a"])
        try await transaction.delete("a", "vanishes")
        let listed = try await store.getChanges()
        #expect(listed.map(\.key) == ["stays"])
        system.inject(
            Fault(
                [.sync], path: ".log", error: SystemErrorNumber.inputOutput, effect: .dropsPending))
        await expectError(.outcomeUnknown) { try await transaction.commit() }
        system.removeFaults()
        let again = try await store.getChanges()
        #expect(again.map(\.key) == ["stays"])
        try await store.close()
    }

    @Test func `an origin that a replay would refuse isn't written`() async throws {
        let system = SimulatedFileSystem()
        let store = try await SimulatedStore.open(system, Self.schema)
        let change = RemoteChange(key: "x", document: ["id": "x"])
        for origin in ["", String(repeating: "o", count: 65)] {
            await expectError(.invalidOptions) {
                _ = try await store.applyRemote("a", [change], origin: origin)
            }
        }
        let longest = String(repeating: "o", count: 64)
        _ = try await store.applyRemote("a", [change], origin: longest)
        let again = try await SimulatedStore.open(system.killed(), Self.schema)
        var feed = again.changeFeed(since: 0).makeAsyncIterator()
        let origin = try await feed.next()?.origin
        #expect(origin == longest)
        try await again.close()
        try await store.close()
    }

    @Test func `what was given out is durable before getChanges returns`() async throws {
        let system = SimulatedFileSystem()
        func open(_ system: SimulatedFileSystem) async throws -> OfflineStore {
            try await SimulatedStore.open(system, Self.schema, durability: .relaxed)
        }
        let store = try await open(system)
        try await store.create("a", ["id": "x"])
        let listed = try await store.getChanges()
        #expect(listed.map(\.operation) == [.create])
        // The power goes: nothing but what was synced is left.
        let again = try await open(system.crashedKeepingNothing())
        let found = try await again.getChanges()
        #expect(found == listed)
        try await again.delete("a", "x")
        let deleted = try await again.getChanges()
        #expect(deleted.map(\.operation) == [.delete])
        try await again.close()
        try await store.close()
    }

    @Test func `pushing and marking beside writers loses no change`() async throws {
        try await TestStore.with(.log, Self.schema) { store in
            let server = Protected<[Value: Document]>([:])
            try await withThrowingTaskGroup { group in
                for writer in 0..<3 {
                    group.addTask {
                        var random = SeededGenerator(seed: UInt64(writer))
                        for number in 0..<150 as Range<Int64> {
                            let key = Value.string("k\(random.below(10))")
                            if random.chance(1, in: 3) {
                                try await store.delete("a", key)
                            } else {
                                try await store.upsert("a", ["id": key, "n": .int(number)])
                            }
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<60 { try await Self.push(store, server) }
                }
                try await group.waitForAll()
            }
            // Each push takes 7 of 10 records at most.
            for _ in 0..<2 { try await Self.push(store, server) }
            let left = try await store.getChanges()
            #expect(left == [])
            let records = try await store.query("a")
            let expected = Dictionary(uniqueKeysWithValues: records.map { ($0["id"] ?? .null, $0) })
            #expect(server.withLock { $0 } == expected)
        }
    }

    /// Sends what is pending to a server that checks that it makes sense there.
    private static func push(
        _ store: OfflineStore, _ server: Protected<[Value: Document]>
    ) async throws {
        let changes = try await store.getChanges(limit: 7)
        for change in changes {
            server.withLock { records in
                let known = records[change.key]
                // The base is what the server has; a deleted creation may come as one that it never saw.
                #expect(change.base == known || change.operation == .delete)
                records[change.key] = change.document
            }
        }
        try await store.markSynchronized(changes)
    }

    @Test func `few pending changes among many synchronized ones are found without reading these`()
        async throws
    {
        let fixture = try await QueryFixture([CollectionSchema(name: "c")])
        let schema = try SchemaState(stored: fixture.backend.snapshot())
        let collection = try schema.collection("c")
        try await fixture.transaction(["c"]) { writer, _ in
            let documents = (0..<3_000).map { number -> Document in ["id": .int(number)] }
            _ = try writer.create(documents, in: collection)
        }
        func pending(_ reader: any BackendReader) throws -> [Change] {
            try ChangeReader(ReadView(snapshot: reader, schema: schema))
                .pending(in: [collection], after: 0, limit: .max).map(\.change)
        }
        let all = try pending(fixture.backend.snapshot())
        #expect(all.count == 3_000)
        let unmarked: Set<Int> = [0, 1, 700, 1_500, 1_501, 2_999]
        let batch = try fixture.backend.begin(
            [collection.id, try #require(collection.changes?.collection)], reading: [])
        let scope = BatchScope(
            writing: [collection], reading: [],
            changes: ChangeContext(exposed: ExposedChanges([:])) { 0 })
        var marks = try SynchronizationMarks(collection, batch, scope)
        try marks?.mark(all.enumerated().filter { !unmarked.contains($0.offset) }.map(\.element))
        try await batch.commit(appended: {}, committed: { _ in })
        let counting = CountingReader(try fixture.backend.snapshot())
        let left = try pending(counting)
        #expect(left.map(\.key) == unmarked.sorted().map { .int(Int64($0)) })
        #expect(counting.counts.steps < 600, "\(counting.counts)")
        let view = ReadView(snapshot: counting, schema: schema)
        let count = try ChangeSource.pendingCount(
            try #require(collection.changes), in: view.adapter.reader)
        #expect(count == 6)
    }

    @Test func `wrong arguments are errors and mark nothing`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.create("a", ["id": "x"])
            await expectError(.unknownCollection) { _ = try await store.getChanges("nothing") }
            await expectError(.invalidQuery) { _ = try await store.getChanges(limit: -1) }
            let none = try await store.getChanges("cache")
            #expect(none == [])
            let zero = try await store.getChanges(limit: 0)
            #expect(zero == [])
            let stranger = Change(
                sequence: 1, collection: "nothing", key: "x", operation: .create, document: nil,
                timestamp: Date())
            let changes = try await store.getChanges()
            await expectError(.unknownCollection) {
                try await store.markSynchronized(changes + [stranger])
            }
            let left = try await store.getChanges()
            #expect(left == changes)
            try await store.markSynchronized([])
            try await store.transaction(["a"]) { _ in
                await expectError(.transactionScope) { _ = try await store.getChanges() }
            }
        }
    }

    @Test func `malformed stamps and entries are refused`() {
        let stamp = RecordStamp(
            number: 300, time: 1_700_000_000_000, isLocal: true, isCreation: true,
            firstNumber: 7, origin: 1, sequence: 500
        ).encoded(before: [1, 2, 3])
        let tombstone = ChangeEntry.tombstone(
            Tombstone(
                number: 300, time: 5, isPending: true, firstNumber: 2, origin: 3, sequence: 4,
                base: ChangeBase(sequence: 9, record: [1, 0x20]))
        ).encoded
        #expect(stamp.count == 3 + Int(stamp[1]))
        for bytes in [stamp, tombstone] {
            for length in 0..<bytes.count {
                for change in [0, 1, 0x0F, 0x10, 0x80, 0xFF] as [UInt8] {
                    var damaged = Array(bytes.prefix(length + 1))
                    damaged[length] ^= change
                    // Whatever comes of it, nothing beyond the bytes is read.
                    unsafe damaged.withUnsafeBytes { bytes in
                        _ = try? unsafe RecordStamp(of: bytes)
                        _ = try? unsafe ChangeEntry(bytes)
                    }
                }
            }
        }
        let wrong: [[UInt8]] = [
            [0x80], [0x80, 3, 1], [0x80, 200, 1, 1], [0x90, 4, 1, 1], [0xA0, 4, 1, 1],
            [0xC0, 4, 1, 1], [0x84, 4, 1, 1],
            [0x80, 5, 1, 1, 1],
        ]
        for bytes in wrong {
            #expect(throws: OfflineError.self, "\(bytes)") {
                try unsafe bytes.withUnsafeBytes { _ = try unsafe RecordStamp(of: $0) }
            }
        }
        for bytes in [[], [0], [5, 1], [0x11, 1], [1], [1, 1, 1], [3, 1], [0x23, 1, 1]] as [[UInt8]]
        {
            #expect(throws: OfflineError.self, "\(bytes)") {
                try unsafe bytes.withUnsafeBytes { _ = try unsafe ChangeEntry($0) }
            }
        }
    }
}
