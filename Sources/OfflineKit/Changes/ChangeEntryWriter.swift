// Changes to a collection's change entries that one statement, or one mark, makes: collected while it is prepared, applied with
// it. Keeps the entries' index tree in step.
internal import OfflineBytes
import OfflineDocuments

/// Reads and writes the change entries of one collection in a batch.
struct ChangeEntryWriter {
    private let collection: CollectionState
    private let trees: ChangeTrees
    private let batch: any BackendBatch
    /// Nothing is known of any record: no look-ups.
    private let isEmpty: Bool
    private var puts: [(key: [UInt8], entry: ChangeEntry)] = []
    private var removals: [[UInt8]] = []
    private var removed = DerivedKeys()
    private var added = DerivedKeys()

    init(
        _ collection: CollectionState, _ trees: ChangeTrees, _ batch: any BackendBatch
    ) throws {
        self.collection = collection
        self.trees = trees
        self.batch = batch
        var first: [UInt8] = []
        isEmpty = try StorageAdapter.mapping(collection) {
            let least: [UInt8] = []
            return try unsafe !batch.firstKey(trees.entries, from: least.span.bytes, into: &first)
        }
    }

    /// What is known of a record's changes in the batch, without what is collected here.
    func entry(of key: [UInt8]) throws -> ChangeEntry? {
        if isEmpty { return nil }
        return try StorageAdapter.changeEntry(of: key, trees, collection, in: batch)
    }

    /// Sets a record's entry. Once a record.
    mutating func set(_ entry: ChangeEntry, of key: [UInt8], instead old: ChangeEntry?) {
        unsafe old?.append(key: key.span.bytes, to: &removed)
        unsafe entry.append(key: key.span.bytes, to: &added)
        puts.append((key, entry))
    }

    /// Removes a record's entry, if it has one. Once a record.
    mutating func remove(_ key: [UInt8], _ old: ChangeEntry?) {
        guard let old else { return }
        unsafe old.append(key: key.span.bytes, to: &removed)
        removals.append(key)
    }

    /// Applies everything to the batch, and drops the oldest tombstones beyond `tombstonesMax`. The tombstones that were set, by
    /// their keys, with their puts' places in the commit.
    @discardableResult
    func apply(tombstonesMax: Int) throws -> [[UInt8]: (place: UInt64, tombstone: Tombstone)] {
        var tombstones: [[UInt8]: (place: UInt64, tombstone: Tombstone)] = [:]
        if puts.isEmpty && removals.isEmpty { return tombstones }
        try StorageAdapter.mapping(collection) {
            try update(trees.entriesInOrder, removed, with: batch.remove)
            for key in removals { try batch.remove(trees.collection, key: key) }
            for (key, entry) in puts {
                let place = try batch.put(trees.collection, key: key, record: entry.encoded)
                if case .tombstone(let tombstone) = entry { tombstones[key] = (place, tombstone) }
            }
            try update(trees.entriesInOrder, added, with: batch.insert)
            if !tombstones.isEmpty { try dropTombstones(beyond: tombstonesMax) }
        }
        return tombstones
    }

    private func update(
        _ tree: TreeID, _ keys: DerivedKeys, with change: (TreeID, RawSpan) throws -> Void
    ) throws {
        let bytes = unsafe keys.bytes.span.bytes
        for entry in keys.entries { try change(tree, bytes.extracting(entry.range)) }
    }

    /// No commit drops more: after a delete of very many the ones that follow share the work.
    private static let droppedMax = 1_000

    /// Feeds can't be resumed from before a tombstone that was dropped: the horizon says so, and never goes back. Those of this very
    /// batch, which have no sequence yet, stay until the next one.
    private func dropTombstones(beyond countMax: Int) throws {
        let range = ChangeTrees.range(ChangeTrees.EntryClass.settledTombstone.rawValue)
        let count = try batch.count(trees.entriesInOrder, in: range)
        guard count > countMax else { return }
        var dropped: [(order: [UInt8], key: [UInt8])] = []
        var horizon = try StorageAdapter.horizon(trees, collection, in: batch)
        let cursor = try batch.cursor(trees.entriesInOrder, in: range, descending: false)
        var order: [UInt8] = []
        while dropped.count < min(count - countMax, Self.droppedMax), try cursor.next() {
            cursor.copyKey(into: &order)
            let key = Array(try ChangeTrees.parts(of: order).key)
            guard
                case .tombstone(let tombstone) = try StorageAdapter.changeEntry(
                    of: key, trees, collection, in: batch),
                let sequence = try tombstone.sequence
                    ?? batch.sequence(of: trees.collection, key: key)
            else { break }
            horizon = max(horizon, sequence)
            dropped.append((order, key))
        }
        guard !dropped.isEmpty else { return }
        for (order, key) in dropped {
            try unsafe batch.remove(trees.entriesInOrder, key: order.span.bytes)
            try batch.remove(trees.collection, key: key)
        }
        try batch.put(
            trees.collection, key: ChangeTrees.horizonKey,
            record: ChangeEntry.horizon(sequence: horizon).encoded)
    }
}

extension StorageAdapter {
    /// Changes up to this sequence may be missing; 0: none are. What a batch itself has put has no sequence yet, and counts as 0.
    static func horizon(
        _ trees: ChangeTrees, _ collection: CollectionState, in reader: any BackendReader
    ) throws -> UInt64 {
        guard
            case .horizon(let sequence) = try changeEntry(
                of: ChangeTrees.horizonKey, trees, collection, in: reader)
        else { return 0 }
        if sequence > 0 { return sequence }
        return try mapping(collection) {
            try reader.sequence(of: trees.collection, key: ChangeTrees.horizonKey) ?? 0
        }
    }

    /// A record's change entry; nil where it has none.
    static func changeEntry(
        of key: [UInt8], _ trees: ChangeTrees, _ collection: CollectionState,
        in reader: any BackendReader
    ) throws -> ChangeEntry? {
        var entry: ChangeEntry?
        try mapping(collection, key) {
            _ = try reader.withRecord(trees.collection, key: key) { span in
                entry = try unsafe span.withUnsafeBytes { try unsafe ChangeEntry($0) }
            }
        }
        return entry
    }
}
