// The tiny reader, part 9: FORMAT.md's "Changes".

/// The trees of changes.
enum TinyChanges {
    static let latest: UInt32 = 4_294_967_295
    static let inOrder: UInt32 = 1

    /// The numbers of each collection's trees, by all definitions.
    static func trees(_ definitions: [UInt32: TinyDefinition]) throws -> [UInt32: [UInt32]] {
        var trees: [UInt32: [UInt32]] = [:]
        var owners: Set<UInt32> = []
        var used: Set<UInt32> = []
        var storeCount = 0
        for (number, definition) in definitions {
            switch definition.kind {
            case .records: trees[number] = [0] + definition.indexes.map(\.number).sorted()
            case .changes(let owner, _):
                trees[number] = [0, inOrder]
                guard definitions[owner]?.kind == .records, owners.insert(owner).inserted else {
                    throw TinyDamage("changes of what has none, or has them twice")
                }
            case .access(let owner, let tree):
                trees[number] = [0] + (tree.map { [$0] } ?? [])
                guard definitions[owner]?.kind == .records, used.insert(owner).inserted else {
                    throw TinyDamage("uses of what has none, or has them twice")
                }
            case .store:
                trees[number] = [0]
                storeCount += 1
            }
        }
        for owner in owners { trees[owner, default: []].append(latest) }
        let isTracking = definitions.values.contains { $0.tracksChanges }
        guard storeCount <= 1, !isTracking || storeCount == 1 else {
            throw TinyDamage("the store's own records aren't in one collection")
        }
        return trees
    }

    /// A key in a tree of changes.
    static func order(_ kind: UInt8, _ number: UInt64, _ key: [UInt8]) -> [UInt8] {
        [kind] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } + key
    }
}

/// The latest change of a record that is there.
struct TinyStamp: Equatable {
    var isLocal: Bool
    var isCreation: Bool
    var number: UInt64
    var time: UInt64
    var firstNumber: UInt64?
    var origin: UInt64?
    var sequence: UInt64?

    /// What a put has of a record: its stamp, if there is one, and the record.
    static func split(_ payload: [UInt8]) throws -> (stamp: TinyStamp?, record: [UInt8]) {
        guard payload.first ?? 0 >= 0x80 else { return (nil, payload) }
        let length = payload.count > 1 ? Int(payload[1]) : 0
        guard length >= 2, length <= payload.count else { throw TinyDamage("a stamp is cut off") }
        return (try TinyStamp(Array(payload[..<length])), Array(payload[length...]))
    }

    private init(_ bytes: [UInt8]) throws {
        var cursor = try TinyCursor(bytes)
        let flags = try cursor.u8()
        guard flags & 0x60 == 0 else { throw TinyDamage("a stamp has unknown flags") }
        _ = try cursor.u8()
        isLocal = flags & 1 != 0
        isCreation = flags & 2 != 0
        number = try cursor.varint()
        time = try cursor.varint()
        firstNumber = flags & 4 == 0 ? nil : try cursor.varint()
        origin = flags & 8 == 0 ? nil : try cursor.varint()
        sequence = flags & 16 == 0 ? nil : try cursor.varint()
        try cursor.expectEnd()
    }

    func order(_ key: [UInt8]) -> [UInt8] { TinyChanges.order(isLocal ? 1 : 2, number, key) }
}

/// What is known of a record's changes.
enum TinyChangeEntry: Equatable {
    struct Base: Equatable {
        var sequence: UInt64
        var record: [UInt8]
    }
    struct Tombstone: Equatable {
        var isPending: Bool
        var number: UInt64
        var time: UInt64
        var firstNumber: UInt64?
        var origin: UInt64?
        var sequence: UInt64?
        var base: Base?
    }
    case synchronized(number: UInt64)
    case base(Base)
    case tombstone(Tombstone)
    case horizon(sequence: UInt64)

    init(_ bytes: [UInt8]) throws {
        var cursor = try TinyCursor(bytes)
        func base() throws -> Base {
            Base(sequence: try cursor.varint(), record: try cursor.take(cursor.end - cursor.offset))
        }
        let head = try cursor.u8()
        switch head {
        case 1: self = .synchronized(number: try cursor.varint())
        case 2: self = .base(try base())
        case 4: self = .horizon(sequence: try cursor.varint())
        case _ where head & 0x0F == 3:
            var tombstone = Tombstone(
                isPending: head & 0x10 != 0, number: try cursor.varint(), time: try cursor.varint())
            if head & 0x20 != 0 { tombstone.firstNumber = try cursor.varint() }
            if head & 0x40 != 0 { tombstone.origin = try cursor.varint() }
            if head & 0x80 != 0 { tombstone.sequence = try cursor.varint() }
            if !cursor.isAtEnd { tombstone.base = try base() }
            self = .tombstone(tombstone)
        default: throw TinyDamage("a change entry of an unknown kind")
        }
        try cursor.expectEnd()
    }

    /// The entry's key in the tree of entries in order, if it has one.
    func order(_ key: [UInt8]) -> [UInt8]? {
        switch self {
        case .synchronized(let number): TinyChanges.order(1, number, key)
        case .tombstone(let tombstone):
            TinyChanges.order(tombstone.isPending ? 2 : 3, tombstone.number, key)
        case .base, .horizon: nil
        }
    }

    var base: Base? {
        switch self {
        case .base(let base): base
        case .tombstone(let tombstone): tombstone.base
        case .synchronized, .horizon: nil
        }
    }
}

/// A change that a server has yet to hear of.
struct TinyPendingChange: Equatable {
    enum Operation { case create, update, delete }
    var operation: Operation
    var sequence: UInt64
    var key: [UInt8]
    var time: UInt64
    /// Empty for a delete.
    var fields: [TinyField] = []
    var base: [TinyField]?
}

extension TinyReader {
    /// "What is pending" of a collection, by sequence.
    func pendingChanges(_ collection: UInt32) throws -> [TinyPendingChange] {
        let owned = collections.first {
            guard case .changes(let owner, _) = $0.value.definition.kind else { return false }
            return owner == collection
        }
        guard let changes = owned?.key else { return [] }
        let names = collections[collection]?.names ?? []
        var entries: [[UInt8]: (entry: TinyChangeEntry, sequence: UInt64)] = [:]
        for key in keys(changes) {
            guard let (payload, sequence) = try stored(changes, key: key) else { continue }
            entries[key] = (try TinyChangeEntry(payload), sequence)
        }
        var pending: [TinyPendingChange] = []
        for key in keys(collection) {
            guard let (payload, sequence) = try stored(collection, key: key) else { continue }
            let entry = entries.removeValue(forKey: key)?.entry
            let change = try Self.change(payload, entry, key, sequence, names)
            pending += change.map { [$0] } ?? []
        }
        for (key, (entry, sequence)) in entries {
            switch entry {
            case .tombstone(let tombstone) where tombstone.isPending:
                pending.append(
                    TinyPendingChange(
                        operation: .delete, sequence: tombstone.sequence ?? sequence, key: key,
                        time: tombstone.time,
                        base: try tombstone.base.map {
                            try TinyRecord.fields($0.record, names: names)
                        }))
            case .tombstone: continue
            case .horizon where key == [0]: continue
            default: throw TinyDamage("an entry of a record that isn't there")
            }
        }
        return pending.sorted { $0.sequence < $1.sequence }
    }

    /// What is pending of a record that is there, if anything.
    private static func change(
        _ payload: [UInt8], _ entry: TinyChangeEntry?, _ key: [UInt8], _ sequence: UInt64,
        _ names: [String]
    ) throws -> TinyPendingChange? {
        let (stamp, record) = try TinyStamp.split(payload)
        guard let stamp, stamp.isLocal else {
            if entry != nil { throw TinyDamage("an entry of a record without a local change") }
            return nil
        }
        let base: TinyChangeEntry.Base?
        switch entry {
        case .synchronized(stamp.number): return nil
        case nil: base = nil
        case .base(let known): base = known
        default: throw TinyDamage("an entry doesn't fit its record")
        }
        return TinyPendingChange(
            operation: base == nil ? .create : .update, sequence: stamp.sequence ?? sequence,
            key: key,
            time: stamp.time, fields: try TinyRecord.fields(record, names: names),
            base: try base.map { try TinyRecord.fields($0.record, names: names) })
    }
}
