// What is sealed anew after a rotation: everything, and nobody who follows changes sees any of it.
import Foundation
import OfflineBytes
import OfflineDocuments
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Sealing anew") struct ResealingTests {
    private static let new = KeyEnvelopeTests.key(2)

    @Test(arguments: TestBackend.allCases)
    func `everything is sealed with the new key, and no change is to be seen`(
        _ backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        var store = try await Rotation.open(place)
        try await store.createBatch("users", (1...360).map { Rotation.record($0) })
        // Every kind of change entry: marked, with a base, deleted with a base, deleted and never synchronized.
        let given = try await store.getChanges()
        try await store.markSynchronized(Array(given.prefix(200)))
        for id in 1...40 {
            try await store.update("users", Rotation.record(id, "new"), mode: .replace)
        }
        try await store.deleteBatch("users", Array(41...60))
        try await store.deleteBatch("users", Array(350...360))
        let sequence = try await store.getChanges(limit: 100).last?.sequence ?? 0
        let changes = try await store.getChanges()
        let records = try await store.query("users")
        var feed = store.changeFeed(["users"], since: sequence).makeAsyncIterator()
        var before: [Change] = []
        while before.last?.sequence != changes.last?.sequence {
            before.append(try #require(try await feed.next()))
        }
        let entries = try Self.uses(store)

        try await store.rotateKey(to: Self.new, reencrypt: true)
        try await Rotation.settle(store)
        try await Rotation.expectOnly(2, in: store)
        let after = try await store.getChanges()
        #expect(after == changes)
        let rest = try await store.getChanges("users", after: sequence)
        #expect(rest == changes.filter { $0.sequence > sequence })
        let recordsAfter = try await store.query("users")
        #expect(recordsAfter == records)
        #expect(try Self.uses(store) == entries)
        // A feed that resumes, and one that goes on: the next thing they hear of is a real change.
        var resumed = store.changeFeed(["users"], since: sequence).makeAsyncIterator()
        for change in before {
            let next = try await resumed.next()
            #expect(next == change)
        }
        try await store.create("users", Rotation.record(700))
        #expect(try await feed.next()?.key == 700)
        #expect(try await resumed.next()?.key == 700)

        // What was given out before is known by its sequence still.
        try await store.markSynchronized(changes)
        let left = try await store.getChanges()
        #expect(left.map(\.key) == [700])
        try await store.close()
        if backend == .memory { return }
        await expectError(.wrongKey) { _ = try await Rotation.open(place) }
        store = try await Rotation.open(place, Self.new)
        let opened = try await store.query("users", Query(filters: ["id": ["$lt": 700]]))
        #expect(opened == records)
        try await Rotation.expectOnly(2, in: store)
        try await store.close()
    }

    /// When records were used, as it is stored.
    private static func uses(_ store: OfflineStore) throws -> [[UInt8]] {
        let reader = try store.core().backend.snapshot()
        var result: [[UInt8]] = []
        for stored in reader.collections() {
            guard case .access = try StoredKind(stored.definition) else { continue }
            let cursor = try reader.cursor(TreeID(stored.id), in: .all, descending: false)
            while try cursor.next() {
                var bytes: [UInt8] = []
                cursor.copyKey(into: &bytes)
                try cursor.withRecord { bytes.append($0) }
                result.append(bytes)
            }
        }
        return result
    }

    @Test func `live queries show nothing, and uses stay as they were`() async throws {
        let place = try TestStore(.log)
        defer { place.remove() }
        var schema = Rotation.schema
        schema.evictionPolicy = .lru(maxRecords: 500)
        let wanted = schema
        let store = try await Rotation.open(place) { $0.storageSchema = [wanted] }
        try await store.createBatch("users", (1...300).map { Rotation.record($0) })
        let uses = try Self.uses(store)
        #expect(!uses.isEmpty)
        var results = store.observe("users").makeAsyncIterator()
        #expect(try await results.next()?.count == 300)
        try await store.rotateKey(to: Self.new, reencrypt: true)
        try await Rotation.settle(store)
        try await Rotation.expectOnly(2, in: store)
        #expect(try Self.uses(store) == uses)
        try await store.create("users", Rotation.record(400))
        // The next result is the one with the new record.
        #expect(try await results.next()?.count == 301)
        try await store.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `values are unique while some are sealed with the old key`(
        _ backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        let store = try await Rotation.open(place)
        try await store.createBatch("users", (1...30).map { Rotation.record($0) })
        // Nothing is sealed anew before it ends.
        let writing = try await store.beginTransaction(["users"])
        try await store.rotateKey(to: Self.new, reencrypt: true)
        func refuses(_ change: (inout Document) -> Void, _ other: Value) async {
            var document = Rotation.record(100)
            change(&document)
            let wanted = document
            let error = await expectError(.uniqueViolation, "\(wanted)") {
                try await writing.create("users", wanted)
            }
            #expect(error?.key == other)
        }
        await refuses({ $0["ssn"] = "ssn 7" }, 7)
        await refuses(
            {
                $0["office"] = 0; $0["badge"] = 3
            }, 3)
        // The same values, in the record that has them.
        try await writing.update("users", Rotation.record(7, "other"), mode: .replace)
        try await writing.update("users", ["id": 8, "name": "n"], mode: .merge)
        await refuses({ $0["ssn"] = "ssn 7" }, 7)
        await refuses({ $0["ssn"] = "ssn 8" }, 8)
        // Values that change places, one of them sealed anew already.
        var (first, second) = (Rotation.record(7), Rotation.record(9))
        (first["ssn"], second["ssn"]) = (second["ssn"], first["ssn"])
        try await writing.updateBatch("users", [first, second], mode: .replace)
        await refuses({ $0["ssn"] = "ssn 9" }, 7)
        await refuses({ $0["ssn"] = "ssn 7" }, 9)
        // A value that nobody has any more.
        try await writing.delete("users", 10)
        var next = Rotation.record(100)
        next["ssn"] = "ssn 10"
        try await writing.create("users", next)
        // A transaction over the next rotation, and a statement with the same value twice.
        try await store.rotateKey(to: Self.new, reencrypt: true)
        await refuses(
            {
                $0["id"] = 101; $0["ssn"] = "ssn 10"; $0["badge"] = 99
            }, 100)
        await expectError(.uniqueViolation) {
            var (one, two) = (Rotation.record(200), Rotation.record(201))
            one["ssn"] = "s"
            two["ssn"] = "s"
            try await writing.createBatch("users", [one, two])
        }
        try await writing.commit()
        try await Rotation.settle(store)
        try await Rotation.expectOnly(3, in: store)
        let count = try await store.count("users", .all)
        #expect(count == 30)
        await expectError(.uniqueViolation) {
            var document = Rotation.record(300)
            document["ssn"] = "ssn 10"
            try await store.create("users", document)
        }
        try await store.close()
    }

    @Test func `a value behind the cut of an entry counts with every key`() async throws {
        let place = try TestStore(.memory)
        var schema = Rotation.schema
        schema.indexes = [IndexSchema(name: "long", keyPaths: ["text", "ssn"], unique: true)]
        let wanted = schema
        let store = try await Rotation.open(place) { $0.storageSchema = [wanted] }
        let long = String(repeating: "x", count: 600)
        try await store.create("users", ["id": 1, "text": .string(long), "ssn": "a"])
        let writing = try await store.beginTransaction(["users"])
        try await store.rotateKey(to: Self.new, reencrypt: true)
        try await writing.create("users", ["id": 2, "text": .string(long), "ssn": "b"])
        let error = await expectError(.uniqueViolation) {
            try await writing.create("users", ["id": 3, "text": .string(long), "ssn": "a"])
        }
        #expect(error?.key == 1)
        await store.lock()
        // Of a sealed value that stays nobody can tell whether another record has it.
        await expectError(.locked) {
            try await writing.update("users", ["id": 2, "text": "y"], mode: .merge)
        }
        try await writing.rollback()
        try await store.close()
    }

    @Test func `locking stops it, and unlocking goes on`() async throws {
        let place = try TestStore(.log)
        defer { place.remove() }
        let store = try await Rotation.open(place)
        try await store.createBatch("users", (1...1_000).map { Rotation.record($0) })
        let core = try store.core()
        let parts = Rotation.count(partsOf: core, at: 3) { $0.vault?.lock() }
        try await store.rotateKey(to: Self.new, reencrypt: true)
        try await Rotation.settle(store)
        #expect(parts.withLock { $0 } == 3)
        let found = try Rotation.sealed(store).counts
        #expect(found.count == 2, "\(found)")
        let fraction = try await store.getStorageInfo().resealedFraction ?? -1
        #expect(fraction > 0.2 && fraction < 0.8)
        try await store.unlock()
        try await Rotation.settle(store)
        try await Rotation.expectOnly(2, in: store)
        try await store.close()
    }

    @Test(arguments: TestBackend.allCases)
    func `closing stops it, and the next opening goes on`(_ backend: TestBackend) async throws {
        // The keys of a store in memory go with it.
        if backend == .memory { return }
        let place = try TestStore(backend)
        defer { place.remove() }
        var store = try await Rotation.open(place)
        try await store.createBatch("users", (1...600).map { Rotation.record($0) })
        let core = try store.core()
        let parts = Rotation.count(partsOf: core, at: 2) { $0.resealing.close() }
        try await store.rotateKey(to: Self.new, reencrypt: true)
        await core.resealing.queue.settled()
        try await store.close()
        #expect(parts.withLock { $0 } == 2)
        store = try await Rotation.open(place, Self.new)
        try await Rotation.settle(store)
        try await Rotation.expectOnly(2, in: store)
        let records = try await store.query("users")
        #expect(records == (1...600).map { Rotation.record($0) })
        try await store.close()
    }

    @Test func `the old key stays for as long as a snapshot from before is held`() async throws {
        let place = try TestStore(.log)
        defer { place.remove() }
        let store = try await Rotation.open(place)
        try await store.createBatch("users", (1...20).map { Rotation.record($0) })
        let snapshot = try await store.snapshot()
        var stream = store.stream("users", Query()).makeAsyncIterator()
        let first = try await stream.next()
        try await store.rotateKey(to: Self.new, reencrypt: true)
        try await Rotation.settle(store, held: true)
        #expect(try Rotation.keys(store) == [1, 2])
        #expect(try Rotation.sealed(store).counts.keys.sorted() == [2])
        #expect(try await store.getStorageInfo().resealedFraction == 1)
        await store.lock()
        try await store.unlock()
        let seen = try await snapshot.query("users")
        #expect(seen == (1...20).map { Rotation.record($0) })
        snapshot.close()
        try await Rotation.settle(store, held: true)
        #expect(try Rotation.keys(store) == [1, 2])
        var rest = [try #require(first)]
        while let next = try await stream.next() { rest.append(next) }
        #expect(rest == (1...20).map { Rotation.record($0) })
        try await Rotation.settle(store)
        try await Rotation.expectOnly(2, in: store)
        try await store.close()
    }

    @Test func `a value that doesn't open stays as it is, and the old key with it`() async throws {
        let place = try TestStore(.memory)
        let store = try await Rotation.open(place)
        try await store.createBatch("users", (1...3).map { Rotation.record($0) })
        let core = try store.core()
        let collection = try core.schema.collection("users")
        // The second record's sealed bytes stand where the third's were.
        let batch = try core.backend.begin([collection.id], reading: [])
        let (second, third) = (KeyEncoder.key(2), KeyEncoder.key(3))
        var moved: [UInt8] = []
        _ = try batch.withRecord(collection.id, key: second) { moved.append($0) }
        try batch.put(collection.id, key: third, record: moved)
        try await batch.commit(appended: {}) { _ in }
        try await store.rotateKey(to: Self.new, reencrypt: true)
        try await Rotation.settle(store)
        #expect(try Rotation.keys(store) == [1, 2])
        await expectError(.decryptionFailed) { _ = try await store.get("users", 3) }
        let others = try await store.query("users", Query(filters: ["id": ["$lt": 3]], limit: 2))
        #expect(others == (1...2).map { Rotation.record($0) })
        #expect(try Rotation.sealed(store).counts == [1: 3, 2: 6])
        try await store.close()
    }

    @Test func `a damaged record is stepped over, and holds up no other collection`() async throws {
        let files = SimulatedFileSystem()
        var options = Rotation.options(
            StorageOptions(
                databaseName: "store", directory: URL(filePath: "/"),
                storageBackend: .custom(DiskBackend.log.make(files))))
        options.storageSchema.append(CollectionSchema(name: "others", sensitiveFields: ["ssn"]))
        let store = try await OfflineStore.open(options)
        for id in 1...3 {
            var record = Rotation.record(id)
            if id == 2 { record["mark"] = "damage me" }
            try await store.create("users", record)
            try await store.create("others", ["id": .int(Int64(id)), "ssn": "same"])
        }
        try await store.flush()
        let place = try #require(try Rotation.place(of: "damage me", in: files))
        try files.flipBit(place.bit, of: place.path)
        try await store.rotateKey(to: Self.new, reencrypt: true)
        try await Rotation.settle(store)
        #expect(try Rotation.keys(store) == [1, 2])
        let fraction = try #require(try await store.getStorageInfo().resealedFraction)
        #expect(fraction > 0.5 && fraction < 1)
        try files.flipBit(place.bit, of: place.path)
        #expect(try Rotation.sealed(store).counts == [1: 3, 2: 9])
        try await store.close()
    }

    @Test func `what a mark leaves to be synchronized is sealed`() async throws {
        let place = try TestStore(.memory)
        let store = try await Rotation.open(place)
        try await store.create("users", Rotation.record(1))
        let given = try await store.getChanges()
        try await store.update("users", Rotation.record(1, "new"), mode: .replace)
        try await store.markSynchronized(given)
        let pending = try await store.getChanges()
        #expect(pending.first?.base == Rotation.record(1))
        let found = try Rotation.sealed(store)
        #expect(found.plain == 0)
        #expect(found.counts == [1: 6])
        try await store.close()
    }

    @Test func `a store near its limit makes room for what is sealed anew`() async throws {
        let place = try TestStore(.log)
        defer { place.remove() }
        let store = try await Rotation.open(place) {
            $0.sizeLimit = 1 << 20
            $0.autoCompaction = false
        }
        let records = (1...900).map { Rotation.record($0) }
        for start in stride(from: 0, to: records.count, by: 100) {
            try await store.createBatch("users", Array(records[start..<start + 100]))
        }
        try await store.compact()
        let needed = try await store.getStorageInfo().usedBytes
        #expect(needed > 1 << 19)
        try await store.rotateKey(to: Self.new, reencrypt: true)
        // What is replaced isn't given back before it has to be.
        try await Rotation.settle(store)
        try await Rotation.expectOnly(2, in: store)
        let kept = try await store.query("users")
        #expect(kept == records)
        let used = try await store.getStorageInfo().usedBytes
        #expect(used <= 1 << 20)
        try await store.close()
    }
}
