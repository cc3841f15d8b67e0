// Marks: the server has a change. The record isn't written again; what is known of it is a change entry.
//
// - The record is as it was then: it is synchronized.
// - It has changed since: what the server has now is the base of the change that is pending. (If the server was told of
//   a delete and the record is there again, there is no base any more.)
// - The record was deleted since, and that wasn't pending, because nobody knew that the server had it: now it is.
// - A mark of a change that isn't newer than the base, or of one that isn't pending, says nothing new.
internal import OfflineBytes
import OfflineDocuments

/// Marks changes of one collection in a batch.
struct SynchronizationMarks {
    private let collection: CollectionState
    private let trees: ChangeTrees
    private let batch: any BackendBatch
    private let scope: BatchScope
    private let adapter: StorageAdapter
    private var entries: ChangeEntryWriter
    private var encoder: SealingEncoder
    private var access: AccessWriter?

    /// Nil where the collection never tracked changes.
    init?(_ collection: CollectionState, _ batch: any BackendBatch, _ scope: BatchScope) throws {
        guard let trees = collection.changes else { return nil }
        self.collection = collection
        self.trees = trees
        self.batch = batch
        self.scope = scope
        adapter = StorageAdapter(batch)
        entries = try ChangeEntryWriter(collection, trees, batch)
        access = AccessWriter(collection, batch, scope)
        encoder = SealingEncoder(
            collection, scope.names.names(of: collection, in: batch).dictionary)
    }

    /// Marks all of them. Of several changes of one record the newest counts.
    mutating func mark(_ changes: [Change]) throws {
        var newest: [[UInt8]: Change] = [:]
        for change in changes {
            let key = try RecordKeys.encoded(change.key, of: collection)
            if change.sequence > newest[key]?.sequence ?? 0 { newest[key] = change }
        }
        for (key, change) in newest.sorted(by: { $0.value.sequence < $1.value.sequence }) {
            try mark(key, change)
        }
        if !encoder.newNames.isEmpty {
            try StorageAdapter.extendNames(encoder.newNames, of: collection, in: batch)
            scope.names.replace(BoundNames(encoder.dictionary, of: collection), of: collection)
        }
        try entries.apply(tombstonesMax: scope.changes.tombstonesMax)
    }

    private mutating func mark(_ key: [UInt8], _ change: Change) throws {
        let known = try entries.entry(of: key)
        let stamp = try unsafe adapter.withStored(
            of: collection, key: key, names: encoder.dictionary
        ) { stamp, _ in stamp }
        switch (stamp, known) {
        case (.some(let stamp), _):
            guard let stamp = ChangeTracker.pendingStamp(stamp, known) else { return }
            try mark(key, change, pending: stamp, known)
        case (nil, .tombstone(let tombstone)) where tombstone.isPending:
            try mark(key, change, pending: tombstone)
        case (nil, .tombstone(let tombstone)) where tombstone.origin == nil:
            try mark(key, change, settled: tombstone)
        default: return
        }
    }

    /// The record is there, with a pending change.
    private mutating func mark(
        _ key: [UInt8], _ change: Change, pending stamp: RecordStamp, _ known: ChangeEntry?
    ) throws {
        guard let sequence = try stamp.sequence ?? sequence(of: key, in: collection.id) else {
            return
        }
        if change.sequence == sequence {
            entries.set(.synchronized(number: stamp.number), of: key, instead: known)
            try access?.marked(key)
        } else if change.sequence < sequence, change.sequence > known?.base?.sequence ?? 0 {
            if let base = try base(change, key) {
                entries.set(.base(base), of: key, instead: known)
            } else {
                entries.remove(key, known)
            }
        }
    }

    /// The record was deleted, and that is pending.
    private mutating func mark(
        _ key: [UInt8], _ change: Change, pending tombstone: Tombstone
    ) throws {
        guard let sequence = try tombstone.sequence ?? sequence(of: key, in: trees.collection)
        else { return }
        var marked = tombstone
        marked.sequence = sequence
        if change.sequence == sequence {
            marked.isPending = false
            marked.firstNumber = nil
            marked.base = nil
        } else if change.sequence < sequence, change.sequence > tombstone.base?.sequence ?? 0 {
            marked.base = try base(change, key)
        } else {
            return
        }
        entries.set(.tombstone(marked), of: key, instead: .tombstone(tombstone))
    }

    /// The record was deleted, and nothing was to be sent of it; but the server was given an older version meanwhile.
    private mutating func mark(
        _ key: [UInt8], _ change: Change, settled tombstone: Tombstone
    ) throws {
        guard let sequence = try tombstone.sequence ?? sequence(of: key, in: trees.collection),
            change.sequence < sequence, let base = try base(change, key)
        else { return }
        var marked = tombstone
        marked.sequence = sequence
        marked.isPending = true
        marked.base = base
        entries.set(.tombstone(marked), of: key, instead: .tombstone(tombstone))
    }

    private func sequence(of key: [UInt8], in id: CollectionID) throws -> UInt64? {
        try StorageAdapter.mapping(collection, key) { try batch.sequence(of: id, key: key) }
    }

    /// The version that the caller was given, sealed as records are.
    private mutating func base(_ change: Change, _ key: [UInt8]) throws -> ChangeBase? {
        guard let document = change.document?.withoutIncludes else { return nil }
        return ChangeBase(
            sequence: change.sequence, record: try encoder.encode(document, key: key).record)
    }
}
