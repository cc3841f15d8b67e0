// Keeps a collection's access entries in step with its records, in the very batch that changes these.
internal import OfflineBytes
import OfflineDocuments

/// Writes access entries of one collection in a batch.
struct AccessWriter {
    private let collection: CollectionState
    private let trees: AccessTrees
    private let batch: any BackendBatch
    /// Milliseconds since 1970.
    private let now: UInt64
    private var before = DerivedKeys()
    private var after = DerivedKeys()

    /// Nil where the collection's policy needs none.
    init?(_ collection: CollectionState, _ batch: any BackendBatch, _ scope: BatchScope) {
        guard let trees = collection.access else { return nil }
        self.collection = collection
        self.trees = trees
        self.batch = batch
        now = scope.changes.now()
    }

    /// A record was put.
    mutating func wrote(_ key: [UInt8], isPending: Bool) throws {
        let tick = try nextTick()
        try change(key) { [now] old in
            AccessEntry(
                isPending: isPending, created: old?.created ?? tick, written: now, used: tick,
                count: (old?.count ?? 0).incremented())
        }
    }

    /// A record was removed.
    mutating func removed(_ key: [UInt8]) throws {
        try change(key) { _ in nil }
    }

    /// A record's change is synchronized.
    mutating func marked(_ key: [UInt8]) throws {
        try change(key) { old in
            var entry = old
            entry?.isPending = false
            return entry
        }
    }

    /// A record turned out to have a change that isn't synchronized.
    mutating func isPending(_ key: [UInt8]) throws {
        try change(key) { old in
            var entry = old
            entry?.isPending = true
            return entry
        }
    }

    /// A record was read `count` times, the last time at `tick`.
    mutating func read(_ key: [UInt8], count: UInt64, tick: UInt64) throws {
        try change(key) { old in
            var entry = old
            entry?.used = max(old?.used ?? 0, tick)
            entry?.count = (old?.count ?? 0).incremented(by: count)
            return entry
        }
    }

    /// A record that was there before the policy has no entry yet.
    mutating func fill(_ key: [UInt8], _ stamp: RecordStamp?, isPending: Bool) throws {
        let tick = (stamp?.time ?? 0).multipliedReportingOverflow(by: 1_000)
        let known = tick.overflow ? 0 : tick.partialValue
        try change(key) { [now] old in
            old
                ?? AccessEntry(
                    isPending: isPending, created: known, written: min(stamp?.time ?? now, now),
                    used: known, count: 1)
        }
    }

    private func nextTick() throws -> UInt64 {
        try collection.accessTicks.next(now) {
            try StorageAdapter.greatestTick(trees, collection, in: batch)
        }
    }

    /// Replaces a record's entry by what `body` makes of it, and touches the tree where its key differs.
    private mutating func change(
        _ key: [UInt8], _ body: (AccessEntry?) -> AccessEntry?
    ) throws {
        let old = try StorageAdapter.accessEntry(of: key, trees, collection, in: batch)
        let new = body(old)
        if old == new { return }
        before.removeAll()
        after.removeAll()
        unsafe old?.append(trees.order, key: key.span.bytes, to: &before)
        unsafe new?.append(trees.order, key: key.span.bytes, to: &after)
        try StorageAdapter.mapping(collection, key) {
            if before.bytes != after.bytes {
                if !before.entries.isEmpty {
                    try unsafe batch.remove(trees.inOrder, key: before.bytes.span.bytes)
                }
                if !after.entries.isEmpty {
                    try unsafe batch.insert(trees.inOrder, key: after.bytes.span.bytes)
                }
            }
            if let new {
                try batch.put(trees.collection, key: key, record: new.encoded)
            } else {
                try batch.remove(trees.collection, key: key)
            }
        }
    }
}

extension UInt64 {
    /// The sum, or the greatest number where it is greater.
    fileprivate func incremented(by other: UInt64 = 1) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
