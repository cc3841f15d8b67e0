// The stamps, change entries, keys and definitions that FORMAT.md shows under "Changes" are what the code writes, and both
// readers take them back.
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

struct ChangeExampleTests {
    private static let record: [UInt8] = [1, 0x20, 1, 0, 0, 0, 2, 0, 3, 7]
    private static let key = KeyEncoder.key(7)
    /// 2026-01-01, and a minute and a half second later.
    private static let newYear: UInt64 = 1_767_225_600_000
    private static let later: UInt64 = newYear + 60_500

    private static let stamps: [String: RecordStamp] = [
        "created": RecordStamp(number: 5, time: newYear, isLocal: true, isCreation: true),
        "changed": RecordStamp(number: 6, time: later, isLocal: true, firstNumber: 5),
        "rewritten": RecordStamp(
            number: 6, time: later, isLocal: true, firstNumber: 5, sequence: 300),
        "applied": RecordStamp(number: 300, time: later, isLocal: false, origin: 0),
    ]
    private static let entries: [String: ChangeEntry] = [
        "synchronized": .synchronized(number: 5),
        "base": .base(ChangeBase(sequence: 41, record: record)),
        "deleted": .tombstone(
            Tombstone(
                number: 6, time: later, isPending: true,
                base: ChangeBase(sequence: 41, record: record))),
        "never-synchronized": .tombstone(
            Tombstone(number: 7, time: later, isPending: true, firstNumber: 5)),
        "settled": .tombstone(
            Tombstone(number: 7, time: later, isPending: false, origin: 0, sequence: 300)),
        "horizon": .horizon(sequence: 299),
    ]

    @Test func `the record of these examples is the one that the document names`() throws {
        var encoder = RecordEncoder(dictionary: NameDictionary(["id"]))
        #expect(try encoder.encode(["id": 7]) == Self.record)
    }

    @Test func `stamps are encoded as shown`() throws {
        let examples = try FormatDocument.examples("hex", "stamp")
        #expect(Set(examples.map { $0.words[1] }) == Set(Self.stamps.keys))
        for example in examples {
            let stamp = try #require(Self.stamps[example.words[1]])
            let stored = stamp.encoded(before: Self.record)
            #expect(
                example.bytes == stored,
                "line \(example.rows[0].line): the code writes \(FormatDocument.hex(stored))")
            let read = try unsafe example.bytes.withUnsafeBytes {
                try unsafe (RecordStamp(of: $0), RecordStamp.length(in: $0))
            }
            #expect(read.0 == stamp)
            #expect(read.1 == example.bytes.count - Self.record.count)
            let (tiny, record) = try TinyStamp.split(example.bytes)
            #expect(record == Self.record)
            #expect(tiny?.number == stamp.number && tiny?.time == stamp.time)
            #expect(tiny?.isLocal == stamp.isLocal && tiny?.isCreation == stamp.isCreation)
            #expect(tiny?.firstNumber == stamp.firstNumber && tiny?.origin == stamp.origin)
            #expect(tiny?.sequence == stamp.sequence)
        }
    }

    @Test func `change entries are encoded as shown`() throws {
        let examples = try FormatDocument.examples("hex", "entry")
        #expect(Set(examples.map { $0.words[1] }) == Set(Self.entries.keys))
        for example in examples {
            let entry = try #require(Self.entries[example.words[1]])
            #expect(
                example.bytes == entry.encoded,
                "line \(example.rows[0].line): the code writes \(FormatDocument.hex(entry.encoded))"
            )
            let read = try unsafe example.bytes.withUnsafeBytes { try unsafe ChangeEntry($0) }
            #expect(read == entry)
            #expect(try TinyChangeEntry(example.bytes) == TinyChangeEntry(entry))
        }
    }

    /// The keys that the examples have in the trees of changes, in the order of the rows.
    private static let ordered: [(tree: String, examples: [String])] = [
        ("latest", ["created", "applied"]),
        ("entries", ["synchronized", "deleted", "settled"]),
    ]

    @Test func `keys of the trees of changes are those shown`() throws {
        #expect(try FormatDocument.examples("bytes", "change-keys").count == Self.ordered.count)
        for (tree, names) in Self.ordered {
            let example = try #require(
                try FormatDocument.examples("bytes", "change-keys").first { $0.words[1] == tree })
            #expect(example.rows.count == names.count)
            for (row, name) in zip(example.rows, names) {
                var keys = DerivedKeys()
                let key = unsafe Self.key.span.bytes
                if tree == "latest" {
                    Self.stamps[name]?.append(key: key, to: &keys)
                } else {
                    Self.entries[name]?.append(key: key, to: &keys)
                }
                #expect(
                    row.bytes == keys.bytes,
                    "line \(row.line): the code writes \(FormatDocument.hex(keys.bytes))")
                let number = tree == "latest" ? TinyChanges.latest : TinyChanges.inOrder
                #expect(keys.entries.map(\.index) == [number])
                let (split, recordKey) = try ChangeTrees.parts(of: row.bytes)
                #expect(Array(recordKey) == Self.key)
                #expect(TinyChanges.order(row.bytes[0], split, Self.key) == row.bytes)
            }
        }
    }

    @Test func `the other entries have no keys`() throws {
        for name in ["base", "horizon"] {
            let entry = try #require(Self.entries[name])
            var keys = DerivedKeys()
            unsafe entry.append(key: Self.key.span.bytes, to: &keys)
            #expect(keys.entries.isEmpty)
            #expect(try TinyChangeEntry(entry.encoded).order(Self.key) == nil)
        }
    }

    @Test func `the definitions of the store's collections are those shown`() throws {
        let rows = try FormatDocument.examples("bytes", "definitions").flatMap(\.rows)
        let kinds: [(StoredKind, TinyDefinition.Kind)] = [
            (.changes(of: CollectionID(3), from: 17), .changes(of: 3, from: 17)),
            (.access(of: CollectionID(3), order: .used), .access(of: 3, tree: 1)),
            (.store, .store),
        ]
        #expect(rows.map(\.bytes) == kinds.map(\.0.bytes))
        for (row, (kind, tiny)) in zip(rows, kinds) {
            #expect(try StoredKind(row.bytes) == kind)
            #expect(try TinyDefinition(row.bytes).kind == tiny)
        }
    }

    @Test func `access entries and their keys are those shown`() throws {
        let entry = AccessEntry(
            isPending: false, created: 5, written: 1_760_000_000_000, used: 300, count: 2)
        let rows = try FormatDocument.examples("hex", "access-entry").flatMap(\.rows)
        #expect(rows.flatMap(\.bytes) == entry.encoded)
        let tiny = try TinyAccess(entry.encoded)
        let orders: [AccessOrder] = [.used, .frequency, .created, .written]
        let keys = try FormatDocument.examples("bytes", "access-keys").flatMap(\.rows)
        #expect(keys.count == orders.count)
        for (row, order) in zip(keys, orders) {
            var derived = DerivedKeys()
            unsafe entry.append(order, key: Self.key.span.bytes, to: &derived)
            #expect(derived.bytes == row.bytes, "\(order): \(FormatDocument.hex(derived.bytes))")
            #expect(tiny.order(Self.key, inTree: order.tree) == row.bytes)
            var pending = entry
            pending.isPending = true
            derived.removeAll()
            unsafe pending.append(order, key: Self.key.span.bytes, to: &derived)
            #expect(derived.entries.isEmpty)
        }
    }

    @Test func `the store's own records are those shown`() throws {
        let rows = try FormatDocument.examples("bytes", "own-records").flatMap(\.rows)
        var value: [UInt8] = []
        value.appendVarint(300)
        let version = StoredVersion.versionRecord(3, over: 1)
        let keyPaths = StoredVersion.keyPathsRecord(["a", "b.c"], of: CollectionID(3))
        #expect(
            rows.map(\.bytes) == [
                StoreRecords.exposedKey(CollectionID(3)), value, version.key, version.value,
                keyPaths.key, keyPaths.value,
            ])
    }
}

extension TinyChangeEntry {
    /// What the store's own reader has, in the tiny reader's terms.
    fileprivate init(_ entry: ChangeEntry) {
        func base(_ base: ChangeBase) -> Base {
            Base(sequence: base.sequence, record: base.record)
        }
        switch entry {
        case .synchronized(let number): self = .synchronized(number: number)
        case .base(let known): self = .base(base(known))
        case .horizon(let sequence): self = .horizon(sequence: sequence)
        case .tombstone(let stone):
            self = .tombstone(
                Tombstone(
                    isPending: stone.isPending, number: stone.number, time: stone.time,
                    firstNumber: stone.firstNumber, origin: stone.origin,
                    sequence: stone.sequence, base: stone.base.map(base)))
        }
    }
}
