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
    static let tombstonesMax = 10_000
    let tombstonesMax: Int
    /// Milliseconds since 1970.
    let now: @Sendable () -> UInt64

    init(
        exposed: ExposedChanges, tombstonesMax: Int = Self.tombstonesMax,
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
        // What a transaction made and changed, it made.
        if let old, old.isCreation { stamp.isCreation = try sequence(key) == nil }
        if let pending {
            if known?.base == nil { stamp.firstNumber = pending.firstNumber ?? pending.number }
        } else {
            entries.set(.base(try unsafe base(key, old, record)), of: key, instead: known)
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
            tombstone.base = try unsafe base(key, old, record)
        }
        entries.set(.tombstone(tombstone), of: key, instead: known)
    }

    /// Forgets what is known of a record that is evicted; false where its change is pending, so that it may not be.
    mutating func evict(_ key: [UInt8], _ stamp: RecordStamp?) throws -> Bool {
        let known = try entries.entry(of: key)
        if Self.pendingStamp(stamp, known) != nil { return false }
        entries.remove(key, known)
        return true
    }

    /// What a synchronization's change to a record comes to.
    enum Applied {
        /// The record has a pending change, with which it conflicts.
        case conflict
        /// It isn't there, and is to be deleted.
        case nothing
        /// The change is made; a record that is put has this stamp.
        case change(stamp: RecordStamp?)
    }

    /// Notes that a synchronization puts or deletes a record. `old`: nil where it isn't there, else its stamp, if it has one.
    mutating func apply(
        _ key: [UInt8], deletes: Bool, over old: RecordStamp??, origin: UInt64
    ) throws -> Applied {
        let known = try entries.entry(of: key)
        if let old {
            if Self.pendingStamp(old, known) != nil { return .conflict }
        } else if case .tombstone(let tombstone) = known, tombstone.isPending {
            return .conflict
        }
        if deletes, old == nil { return .nothing }
        guard tracks else {
            entries.remove(key, known)
            return .change(stamp: nil)
        }
        var stamp = try nextStamp()
        stamp.isLocal = false
        stamp.isCreation = old == nil
        stamp.origin = origin
        if deletes {
            let tombstone = Tombstone(
                number: stamp.number, time: stamp.time, isPending: false, origin: origin)
            entries.set(.tombstone(tombstone), of: key, instead: known)
        } else {
            entries.remove(key, known)
        }
        return .change(stamp: stamp)
    }

    /// The number of an origin, which gets one if it has none.
    func originNumber(_ origin: String) throws -> UInt64 {
        guard origin.utf8.count <= NameDictionary.nameBytesMax, !origin.isEmpty else {
            throw OfflineError(
                .invalidOptions,
                "an origin takes 1 to \(NameDictionary.nameBytesMax) bytes, not \(origin.utf8.count)",
                collection: collection.name)
        }
        let names = batch.names(of: trees.collection)
        if let number = names.firstIndex(of: origin) { return UInt64(number) }
        try StorageAdapter.mapping(collection) {
            try batch.extendNames(of: trees.collection, with: [origin])
        }
        return UInt64(names.count)
    }

    /// The stamp of a record whose change is pending; nil where it is synchronized.
    static func pendingStamp(_ stamp: RecordStamp?, _ known: ChangeEntry?) -> RecordStamp? {
        guard let stamp, stamp.isLocal else { return nil }
        if case .synchronized(let number) = known, number == stamp.number { return nil }
        return stamp
    }

    private func base(
        _ key: [UInt8], _ stamp: RecordStamp?, _ record: UnsafeRawBufferPointer
    ) throws -> ChangeBase {
        let sequence = try stamp?.sequence ?? sequence(key)
        return ChangeBase(sequence: sequence ?? 0, record: unsafe Array(record))
    }

    /// The sequence of the record as it is in the batch; nil where the batch itself has put it.
    private func sequence(_ key: [UInt8]) throws -> UInt64? {
        try StorageAdapter.mapping(collection, key) {
            try batch.sequence(of: collection.id, key: key)
        }
    }

    /// The greatest number in any of the trees.
    private func greatestNumber() throws -> UInt64 {
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
                let cursor = try batch.cursor(
                    tree, in: ChangeTrees.range(kind), descending: true)
                guard try cursor.next() else { return }
                cursor.copyKey(into: &key)
                greatest = max(greatest, try ChangeTrees.parts(of: key).number)
            }
        }
        return greatest
    }

    private mutating func nextStamp() throws -> RecordStamp {
        let time = self.time ?? scope.changes.now()
        self.time = time
        return RecordStamp(
            number: try collection.changeNumbers.next {
                max(try greatestNumber(), scope.changes.exposed.through(collection.id))
            }, time: time, isLocal: true)
    }
}

/// Gives out the numbers of a collection's changes. They ascend, also over what was deleted or given out; some may be skipped. The
/// collection is written by one batch at a time, which asks.
final class ChangeNumbers: Sendable {
    private let last = Protected<UInt64?>(nil)

    /// The next number. `greatest` is asked once: for the greatest one that was given out and may still matter.
    func next(after greatest: () throws -> UInt64) rethrows -> UInt64 {
        func next(_ last: inout UInt64?) -> UInt64? {
            last = last.map { $0 &+ 1 }
            return last
        }
        if let number = last.withLock({ next(&$0) }) { return number }
        let greatest = try greatest()
        return last.withLock { last in
            last = last ?? greatest
            return next(&last) ?? 1
        }
    }
}
