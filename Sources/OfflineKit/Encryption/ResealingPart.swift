// One part of sealing a collection's fields anew: as much as one batch changes.
//
// A part walks the records, or the change entries, from a key on, and writes those again in which a sensitive field isn't sealed with
// the newest key: with an older one, or not at all, because the field became sensitive only now. Nothing else of a record changes, and
// whoever follows changes sees none: its stamp stays, with the sequence that the record had, and so do its uses.
//
// The batch has the collection for itself. So nothing is passed over: what another writer has sealed with an older key is committed
// before, and what comes later is sealed with the newest one.
internal import OfflineBytes
import OfflineDocuments

/// Where a walk over a collection goes on.
enum ResealingPlace: Sendable {
    /// The records from this key on, then the change entries.
    case records(from: [UInt8])
    case entries(from: [UInt8])
}

/// Writes what isn't sealed with the newest key again, in one batch of one collection.
struct ResealingPart {
    /// So many records or bytes a batch are looked at, so that who waits for the collection doesn't wait long.
    private static let recordsMax = 256
    private static let bytesMax = 1 << 20

    private let collection: CollectionState
    private let sealing: CollectionSealing
    private let batch: any BackendBatch
    private let scope: BatchScope
    private var names: BoundNames
    private var encoder: SealingEncoder
    private var removed = DerivedKeys()
    private var added = DerivedKeys()
    /// How many records and entries were looked at and aren't left out.
    private(set) var seen = 0
    /// Whether the batch has nothing to commit.
    private(set) var isEmpty = true
    /// Something doesn't open, is damaged, or doesn't fit when it is sealed. It stays as it is.
    private(set) var isIncomplete = false

    /// Nil where the collection has no sensitive fields.
    init?(_ collection: CollectionState, _ open: OpenBatch) {
        guard let sealing = collection.sealing else { return nil }
        self.collection = collection
        self.sealing = sealing
        batch = open.batch
        scope = open.scope
        names = scope.names.names(of: collection, in: batch)
        encoder = SealingEncoder(collection, names.dictionary)
    }

    /// Does the part that begins at `place`; where the next one does, nil at the end. If this throws the batch is of no use.
    mutating func run(from place: ResealingPlace) throws -> ResealingPlace? {
        switch place {
        case .records(let key):
            let next = try walk(TreeID(collection.id), from: key) { try $0.resealRecord($1, $2) }
            try apply()
            return next.map { .records(from: $0) }
                ?? (collection.changes == nil ? nil : .entries(from: []))
        case .entries(let key):
            guard let trees = collection.changes else { return nil }
            let next = try walk(trees.entries, from: key) { try $0.resealEntry($1, $2, trees) }
            try apply()
            return next.map { .entries(from: $0) }
        }
    }

    /// Calls `body` with keys and what is stored there; the key to go on from. All is read before anything is changed. What can't be read is
    /// stepped over, and is the end where nothing leads on from it.
    private mutating func walk(
        _ tree: TreeID, from key: [UInt8],
        _ body: (inout ResealingPart, _ key: [UInt8], _ stored: [UInt8]) throws -> Void
    ) throws -> [UInt8]? {
        var found: [(key: [UInt8], stored: [UInt8])] = []
        var next: [UInt8]?
        let range = KeyRange(lower: key, upper: nil)
        let cursor = try unlessDamaged { try $0.batch.cursor(tree, in: range, descending: false) }
        guard let cursor else { return nil }
        var current: [UInt8] = []
        var (count, bytes) = (0, 0)
        while try unlessDamaged({ _ in try cursor.next() }) == true {
            cursor.copyKey(into: &current)
            if count == Self.recordsMax || bytes >= Self.bytesMax {
                next = current
                break
            }
            count += 1
            let stored = try unlessDamaged { _ in
                var stored: [UInt8] = []
                try cursor.withRecord { stored.append($0) }
                return stored
            }
            guard let stored else { continue }
            bytes += stored.count
            found.append((current, stored))
        }
        for (key, stored) in found {
            if try unlessDamaged({ try body(&$0, key, stored) }) != nil { seen += 1 }
        }
        return next
    }

    /// What `body` returns; nil where it meets what has to stay as it is.
    private mutating func unlessDamaged<Result>(
        _ body: (inout ResealingPart) throws -> Result
    ) throws -> Result? {
        do {
            return try StorageAdapter.mapping(collection) { try body(&self) }
        } catch let error as OfflineError
            where [.decryptionFailed, .corrupted, .invalidDocument].contains(error.code)
        {
            isIncomplete = true
            return nil
        }
    }

    private mutating func resealRecord(_ key: [UInt8], _ stored: [UInt8]) throws {
        let found = try unsafe stored.withUnsafeBytes { try unsafe RecordStamp(of: $0) }
        guard let record = try resealed(stored, key) else { return }
        var stamp = found
        if found != nil, found?.sequence == nil {
            stamp?.sequence = try sequence(of: key, in: collection.id)
        }
        let new = stamp?.encoded(before: record) ?? record
        let before = try entries(of: stored, key)
        let after = try entries(of: new, key)
        try StorageAdapter.put(new, key: key, of: collection, in: batch)
        removed.append(entriesOf: before, notIn: after)
        added.append(entriesOf: after, notIn: before)
        isEmpty = false
    }

    private mutating func resealEntry(
        _ key: [UInt8], _ stored: [UInt8], _ trees: ChangeTrees
    ) throws {
        let entry = try unsafe stored.withUnsafeBytes { try unsafe ChangeEntry($0) }
        guard let base = entry.base else { return }
        guard let record = try resealed(base.record, key) else { return }
        let new = ChangeBase(sequence: base.sequence, record: record)
        let changed: ChangeEntry
        if case .tombstone(var tombstone) = entry {
            tombstone.base = new
            tombstone.sequence =
                try tombstone.sequence ?? sequence(of: key, in: trees.collection)
            changed = .tombstone(tombstone)
        } else {
            changed = .base(new)
        }
        try StorageAdapter.mapping(collection, key) {
            _ = try batch.put(trees.collection, key: key, record: changed.encoded)
        }
        isEmpty = false
    }

    /// The record with its fields sealed with the newest key; nil where they are.
    private mutating func resealed(_ stored: [UInt8], _ key: [UInt8]) throws -> [UInt8]? {
        // Asked for each record: who locks the store doesn't wait for the part to end.
        let ring = try sealing.vault.ring()
        let names = names.dictionary
        let record = try unsafe stored.withUnsafeBytes { bytes in
            try unsafe StorageAdapter.read(bytes, names) { record in
                try unsafe encoder.reseal(record, key: key, ring)
            }
        }
        guard let record else { return nil }
        if encoder.dictionary !== names {
            self.names = BoundNames(encoder.dictionary, of: collection)
        }
        return record
    }

    private func sequence(of key: [UInt8], in id: CollectionID) throws -> UInt64? {
        try StorageAdapter.mapping(collection, key) { try batch.sequence(of: id, key: key) }
    }

    /// A record's index entries, but for its stamp's, which stays.
    private func entries(of stored: [UInt8], _ key: [UInt8]) throws -> DerivedKeys {
        var keys = DerivedKeys()
        try unsafe stored.withUnsafeBytes { bytes in
            try unsafe StorageAdapter.read(bytes, names.dictionary) { record in
                unsafe names.indexKeys.append(record, key: key.span.bytes, to: &keys)
            }
        }
        return keys
    }

    /// Brings names and indexes to what the records are now.
    private mutating func apply() throws {
        if isEmpty { return }
        if !encoder.newNames.isEmpty {
            try StorageAdapter.extendNames(encoder.newNames, of: collection, in: batch)
            scope.names.replace(names, of: collection)
        }
        removed.sort()
        added.sort()
        try StorageAdapter.remove(removed, of: collection, in: batch)
        try StorageAdapter.insert(added, of: collection, in: batch)
    }
}
