// Tracking, the writing side: what one statement's changes do to stamps and change entries, in the statement's own commit.
//
// What is known of a record, and what a change by the application makes of it:
//
//     record   entry           means                          an update             a delete
//     none     none            never was, or forgotten        (create) pending      -
//     none     settled stone   deleted, and that is known     (create) pending      -
//     none     pending stone   deleted, to be synchronized    (create) pending      -
//     local    none            pending, never synchronized    stays so              exposed: pending stone; else settled
//     local    base            pending, an older version is   stays so              pending stone with the base
//                              synchronized
//     local    synchronized*   synchronized                   pending, with base    pending stone with the record as base
//     applied  none            synchronized                   pending, with base    pending stone with the record as base
//     no stamp none            written without tracking:      pending, with base    pending stone with the record as base
//                              taken for synchronized
//
//     * with the number of the record's stamp
//
// So a pending change is a create where there is a record and no base, an update where there are both, a delete where there is
// no record. A create over a pending stone takes over its base, or else its first number.
//
// A delete of a record that was never synchronized leaves nothing to synchronize, unless its creation was exposed: was given out by
// `getChanges`, and so may be on its way to the server (ExposedChanges).
//
// In a collection that doesn't track (any more), a change to a record with a pending change is tracked all the same; any other
// one forgets what is known of the record.
internal import OfflineBytes
import OfflineDocuments

/// What writing needs to know besides what is written.
struct ChangeContext: Sendable {
    let exposed: ExposedChanges
    /// So many settled tombstones a collection are kept for feeds.
    let tombstonesMax: Int
    /// Milliseconds since 1970.
    let now: @Sendable () -> UInt64

    init(
        exposed: ExposedChanges, tombstonesMax: Int = 10_000,
        now: @escaping @Sendable () -> UInt64
    ) {
        self.exposed = exposed
        self.tombstonesMax = tombstonesMax
        self.now = now
    }
}

/// The changes of one statement in one collection. All it reads is in the batch.
struct ChangeTracker {
    private let collection: CollectionState
    private let trees: ChangeTrees
    private let scope: BatchScope
    private let batch: any BackendBatch
    private(set) var entries: ChangeEntryWriter
    private var tracks: Bool { collection.tracksChanges }
    private var time: UInt64?

    /// Nil where the collection never tracked changes.
    init?(_ collection: CollectionState, _ batch: any BackendBatch, _ scope: BatchScope) throws {
        guard let trees = collection.changes else { return nil }
        self.collection = collection
        self.trees = trees
        self.scope = scope
        self.batch = batch
        entries = try ChangeEntryWriter(collection, trees, batch)
    }

    /// Notes that a record is created; what it is stamped with.
    mutating func create(_ key: [UInt8]) throws -> RecordStamp? {
        let known = try entries.entry(of: key)
        var tombstone: Tombstone?
        if case .tombstone(let stone) = known, stone.isPending { tombstone = stone }
        guard tracks || tombstone != nil else {
            entries.remove(key, known)
            return nil
        }
        var stamp = try nextStamp()
        stamp.isCreation = true
        if let base = tombstone?.base {
            entries.set(.base(base), of: key, instead: known)
        } else {
            stamp.firstNumber = tombstone?.firstNumber
            entries.remove(key, known)
        }
        return stamp
    }

    /// Notes that a record is changed; what it is stamped with. `record` is the old one, without its stamp.
    mutating func update(
        _ key: [UInt8], from old: RecordStamp?, _ record: UnsafeRawBufferPointer
    ) throws -> RecordStamp? {
        let known = try entries.entry(of: key)
        let pending = Self.pendingStamp(old, known)
        guard tracks || pending != nil else {
            entries.remove(key, known)
            return nil
        }
        var stamp = try nextStamp()
        if let pending {
            if known?.base == nil { stamp.firstNumber = pending.firstNumber ?? pending.number }
        } else {
            entries.set(.base(try unsafe base(key, record)), of: key, instead: known)
        }
        return stamp
    }

    /// Notes that a record is deleted. `record` is the old one, without its stamp.
    mutating func remove(
        _ key: [UInt8], from old: RecordStamp?, _ record: UnsafeRawBufferPointer
    ) throws {
        let known = try entries.entry(of: key)
        let pending = Self.pendingStamp(old, known)
        guard tracks || pending != nil else { return entries.remove(key, known) }
        let stamp = try nextStamp()
        var tombstone = Tombstone(number: stamp.number, time: stamp.time, isPending: true)
        if let pending {
            tombstone.base = known?.base
            if tombstone.base == nil {
                let first = pending.firstNumber ?? pending.number
                tombstone.firstNumber = first
                tombstone.isPending = scope.isExposed(first, key, of: collection)
            }
        } else {
            tombstone.base = try unsafe base(key, record)
        }
        entries.set(.tombstone(tombstone), of: key, instead: known)
    }

    /// The stamp of a record whose change is pending; nil where it is synchronized.
    static func pendingStamp(_ stamp: RecordStamp?, _ known: ChangeEntry?) -> RecordStamp? {
        guard let stamp, stamp.isLocal else { return nil }
        if case .synchronized(let number) = known, number == stamp.number { return nil }
        return stamp
    }

    private func base(_ key: [UInt8], _ record: UnsafeRawBufferPointer) throws -> ChangeBase {
        let sequence = try StorageAdapter.mapping(collection, key) {
            try batch.sequence(of: collection.id, key: key)
        }
        return ChangeBase(sequence: sequence ?? 0, record: unsafe Array(record))
    }

    private mutating func nextStamp() throws -> RecordStamp {
        let time = self.time ?? scope.changes.now()
        self.time = time
        return RecordStamp(
            number: try collection.changeNumbers.next(after: batch, trees, collection), time: time,
            isLocal: true)
    }
}

/// Gives out the numbers of a collection's changes. They ascend; some may be skipped. The collection is written by one batch at a
/// time, which asks.
final class ChangeNumbers: Sendable {
    private let last = Protected<UInt64?>(nil)

    /// The next number.
    func next(
        after reader: any BackendReader, _ trees: ChangeTrees, _ collection: CollectionState
    ) throws -> UInt64 {
        if let number = last.withLock({ last -> UInt64? in
            last = last.map { $0 &+ 1 }
            return last
        }) {
            return number
        }
        let greatest = try Self.greatest(in: reader, trees, collection)
        return last.withLock { last in
            last = greatest &+ 1
            return greatest &+ 1
        }
    }

    /// The greatest number in any of the trees.
    private static func greatest(
        in reader: any BackendReader, _ trees: ChangeTrees, _ collection: CollectionState
    ) throws -> UInt64 {
        let classes: [(TreeID, UInt8)] = [
            (trees.latest, ChangeTrees.Class.local.rawValue),
            (trees.latest, ChangeTrees.Class.applied.rawValue),
            (trees.entriesInOrder, ChangeTrees.EntryClass.pendingTombstone.rawValue),
            (trees.entriesInOrder, ChangeTrees.EntryClass.settledTombstone.rawValue),
        ]
        var greatest: UInt64 = 0
        var key: [UInt8] = []
        for (tree, kind) in classes {
            try StorageAdapter.mapping(collection) {
                let cursor = try reader.cursor(
                    tree, in: ChangeTrees.range(kind), descending: true)
                guard try cursor.next() else { return }
                cursor.copyKey(into: &key)
                greatest = max(greatest, try ChangeTrees.parts(of: key).number)
            }
        }
        return greatest
    }
}
