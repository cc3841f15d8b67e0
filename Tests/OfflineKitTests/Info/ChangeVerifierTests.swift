// Verification finds whatever is wrong with a collection's changes: stamps, change entries, their keys, and what the one says
// of the other.
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct ChangeVerifierTests {
    /// A way in below the store.
    struct Tampering {
        let batch: any BackendBatch
        let trees = ChangeTrees(
            collection: CollectionID(2), owner: CollectionID(1), firstSequence: 0)

        func entry(_ key: [UInt8]) throws -> ChangeEntry? {
            var entry: ChangeEntry?
            _ = try batch.withRecord(trees.collection, key: key) { span in
                entry = try unsafe span.withUnsafeBytes { try unsafe ChangeEntry($0) }
            }
            return entry
        }

        /// Puts an entry, and its key in the order of entries in the place of the old one's.
        func set(_ entry: ChangeEntry, of key: [UInt8]) throws {
            for old in try Self.keys(self.entry(key), key) {
                try unsafe batch.remove(trees.entriesInOrder, key: old.span.bytes)
            }
            try batch.put(trees.collection, key: key, record: entry.encoded)
            for new in Self.keys(entry, key) {
                try unsafe batch.insert(trees.entriesInOrder, key: new.span.bytes)
            }
        }

        private static func keys(_ entry: ChangeEntry?, _ key: [UInt8]) -> [[UInt8]] {
            var keys = DerivedKeys()
            unsafe entry?.append(key: key.span.bytes, to: &keys)
            return keys.entries.map { Array(keys.key($0)) }
        }

        /// What is stored of a record.
        func stored(_ key: [UInt8]) throws -> [UInt8] {
            var bytes: [UInt8] = []
            _ = try batch.withRecord(trees.owner, key: key) { span in
                bytes = unsafe span.withUnsafeBytes { unsafe Array($0) }
            }
            return bytes
        }

        /// Puts another stamp before a record, and its key in the place of the old one's.
        func set(_ change: (inout RecordStamp) -> Void, of key: [UInt8]) throws {
            let old = try stored(key)
            var stamp = try #require(
                try unsafe old.withUnsafeBytes { try unsafe RecordStamp(of: $0) })
            let length = try unsafe old.withUnsafeBytes { try unsafe RecordStamp.length(in: $0) }
            let before = Self.key(stamp, key)
            try unsafe batch.remove(trees.latest, key: before.span.bytes)
            change(&stamp)
            let after = Self.key(stamp, key)
            try unsafe batch.insert(trees.latest, key: after.span.bytes)
            try batch.put(
                trees.owner, key: key, record: stamp.encoded(before: Array(old[length...])))
        }

        private static func key(_ stamp: RecordStamp, _ key: [UInt8]) -> [UInt8] {
            var keys = DerivedKeys()
            unsafe stamp.append(key: key.span.bytes, to: &keys)
            return keys.bytes
        }

        /// The keys of a tree.
        func keys(_ tree: TreeID) throws -> [[UInt8]] {
            let cursor = try batch.cursor(tree, in: .all, descending: false)
            var keys: [[UInt8]] = []
            while try cursor.next() {
                var key: [UInt8] = []
                cursor.copyKey(into: &key)
                keys.append(key)
            }
            return keys
        }
    }

    /// Records: 1 is synchronized, 2 changed since, 3 deleted since, 4 pending, 5 deleted unnoticed, 6 applied, 7 pending too.
    private static func store() async throws -> (store: OfflineStore, backend: MemoryBackend) {
        let backend = MemoryBackend()
        var options = StorageOptions(
            databaseName: "verified", storageSchema: [CollectionSchema(name: "c")])
        options.storageBackend = .custom(backend)
        let store = try await OfflineStore.open(options)
        try await store.createBatch("c", (1...4).map { ["id": .int($0)] })
        let changes = try await store.getChanges()
        try await store.markSynchronized(changes.filter { $0.key != 4 })
        try await store.update("c", ["id": 2, "n": 1])
        _ = try await store.delete("c", 3)
        try await store.create("c", ["id": 5])
        _ = try await store.delete("c", 5)
        let remote = RemoteChange(key: 6, document: ["id": 6])
        _ = try await store.applyRemote("c", [remote], origin: "server")
        try await store.create("c", ["id": 7])
        return (store, backend)
    }

    private static func problems(
        _ tamper: (Tampering) throws -> Void
    ) async throws -> [String] {
        let (store, backend) = try await store()
        let batch = try backend.begin([CollectionID(1), CollectionID(2)], reading: [])
        try tamper(Tampering(batch: batch))
        try await batch.commit(appended: {}, committed: { _ in })
        let problems = try await store.verify().problems
        try await store.close()
        return problems
    }

    private static func key(_ number: Int64) -> [UInt8] { KeyEncoder.key(.int(number)) }

    @Test func `sound changes have no problem`() async throws {
        var states: [String] = []
        let problems = try await Self.problems { tampering in
            for number: Int64 in 1...7 {
                let entry = try tampering.entry(Self.key(number))
                states.append(entry.map { "\($0)".prefix { $0 != "(" }.description } ?? "none")
            }
        }
        #expect(problems == [])
        #expect(
            states == ["synchronized", "base", "tombstone", "none", "tombstone", "none", "none"])
    }

    @Test(arguments: [true, false])
    func `each key of a change is missed`(isOfRecords: Bool) async throws {
        var count = 1
        var position = 0
        while position < count {
            let problems = try await Self.problems { tampering in
                let trees = tampering.trees
                let tree = isOfRecords ? trees.latest : trees.entriesInOrder
                let keys = try tampering.keys(tree)
                count = keys.count
                let key = keys[position]
                try unsafe tampering.batch.remove(tree, key: key.span.bytes)
            }
            #expect(problems.count == 2, "key \(position): \(problems)")
            #expect(problems.allSatisfy { $0.contains("the order of change") }, "\(problems)")
            position += 1
        }
        #expect(count == (isOfRecords ? 5 : 3))
    }

    @Test(arguments: [true, false])
    func `a key of a change too many is counted`(isOfRecords: Bool) async throws {
        let problems = try await Self.problems { tampering in
            let trees = tampering.trees
            var key: [UInt8] = []
            let recordKey = Self.key(9)
            unsafe ChangeTrees.append(1, number: 99, key: recordKey.span.bytes, to: &key)
            try unsafe tampering.batch.insert(
                isOfRecords ? trees.latest : trees.entriesInOrder, key: key.span.bytes)
        }
        #expect(problems.count == 1, "\(problems)")
        let isCounted = problems.first?.contains(isOfRecords ? "6 entries; 5" : "4 keys; 3")
        #expect(isCounted == true, "\(problems)")
    }

    struct Damage: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let report: String
        let tamper: @Sendable (Tampering) throws -> Void

        init(
            _ name: String, _ report: String,
            _ tamper: @escaping @Sendable (Tampering) throws -> Void
        ) {
            testDescription = name
            self.report = report
            self.tamper = tamper
        }
    }

    private static let record: [UInt8] = [1, 0x20, 0, 0]

    private static let damages = [
        Damage("another synchronized number", "change 9, which isn't the record's latest") {
            try $0.set(.synchronized(number: 9), of: key(1))
        },
        Damage("a synchronized record that isn't there", "change 9, which isn't") {
            try $0.set(.synchronized(number: 9), of: key(99))
        },
        Damage("an applied change that is synchronized", "which isn't the record's latest local") {
            try $0.set(.synchronized(number: 9), of: key(6))
        },
        Damage("a base that is no record", "change entry of 2: its base is no record") {
            try $0.set(.base(ChangeBase(sequence: 1, record: [9])), of: key(2))
        },
        Damage("a tombstone's base that is no record", "change entry of 3: its base is no record") {
            guard case .tombstone(var tombstone) = try $0.entry(key(3)) else { return }
            tombstone.base?.record = [1, 0x20, 1]
            try $0.set(.tombstone(tombstone), of: key(3))
        },
        Damage("a base of a record that isn't there", "99: it has a base") {
            try $0.set(.base(ChangeBase(sequence: 1, record: record)), of: key(99))
        },
        Damage("a base of a record without a local change", "6: it has a base") {
            try $0.set(.base(ChangeBase(sequence: 1, record: record)), of: key(6))
        },
        Damage("a tombstone of a record that is there", "deleted, but the record is there") {
            try $0.set(.tombstone(Tombstone(number: 90, time: 0, isPending: true)), of: key(4))
        },
        Damage("a number twice", "4 and 99 both have change 4") {
            try $0.set(.tombstone(Tombstone(number: 4, time: 0, isPending: true)), of: key(99))
            // Its class has a later change: of the sequences only the numbers are to be wrong.
            guard case .tombstone(var tombstone) = try $0.entry(key(99)) else { return }
            tombstone.sequence = 1
            try $0.set(.tombstone(tombstone), of: key(99))
        },
        Damage("a stamp that is malformed", "record 4: ") {
            let bytes = try $0.stored(key(4))
            try $0.batch.put($0.trees.owner, key: key(4), record: Array(bytes.prefix(3)))
        },
        Damage("a stamp of change 0", "has the number 0") {
            try $0.set({ $0.number = 0 }, of: key(1))
        },
        Damage("a stamp whose origin has no name", "the origin 1 of its change has no name") {
            try $0.set({ $0.origin = 1 }, of: key(6))
        },
        Damage("a tombstone whose origin has no name", "the origin 1 of its change has no name") {
            guard case .tombstone(var tombstone) = try $0.entry(key(5)) else { return }
            tombstone.origin = 1
            try $0.set(.tombstone(tombstone), of: key(5))
        },
        Damage("an entry that is malformed", "change entry of 1: ") {
            try $0.batch.put($0.trees.collection, key: key(1), record: [7])
        },
        Damage("a horizon elsewhere", "it is the horizon, under the key of a record") {
            try $0.set(.horizon(sequence: 1), of: key(99))
        },
        Damage("an entry in the place of the horizon", "under the key of the horizon") {
            try $0.set(.synchronized(number: 9), of: ChangeTrees.horizonKey)
        },
        Damage("a record that was put again", "has a sequence that isn't above") {
            try $0.batch.put($0.trees.owner, key: key(1), record: try $0.stored(key(1)))
        },
    ]

    @Test(arguments: damages)
    func `what isn't so is found`(damage: Damage) async throws {
        let problems = try await Self.problems(damage.tamper)
        #expect(problems.contains { $0.contains(damage.report) }, "\(problems)")
    }

    @Test func `a stamp where changes were never tracked is found`() async throws {
        let schema = CollectionSchema(name: "c", tracksChanges: false)
        let fixture = try await QueryFixture(schema, [["id": 1]])
        let batch = try fixture.backend.begin([CollectionID(1)], reading: [])
        let stamp = RecordStamp(number: 1, time: 0, isLocal: true)
        var encoder = RecordEncoder(dictionary: NameDictionary(["id"]))
        let record = try encoder.encode(["id": 1])
        try batch.put(CollectionID(1), key: Self.key(1), record: stamp.encoded(before: record))
        try await batch.commit(appended: {}, committed: { _ in })
        var verifier = StoreVerifier(try fixture.view())
        try verifier.run()
        #expect(verifier.report.problems.count == 1)
        #expect(verifier.report.problems.first?.contains("the collection has none") == true)
    }
}
