// What one commit did to the store's records, for whoever wants to know once it is committed: live queries and feeds.
//
// Invariants: a record is there once, as the commit left it; one that was neither there before nor is after isn't. What it
// holds is bounded (BatchChanges): a commit that is too large says only which collections it changed, and who needs the
// records reads them again.

/// One record that a commit changed.
struct ChangedRecord: Sendable {
    /// The encoded key.
    let key: [UInt8]
    /// The record's bytes as they are stored; nil: it was deleted.
    let record: [UInt8]?
    /// Whether it was there before the commit.
    let existed: Bool
    /// The place in its commit of the put that made it so; of a deletion, of its tombstone's.
    let number: UInt64
    /// A deletion's, where the collection tracks changes.
    var tombstone: Tombstone?

    /// How many bytes of key and records it holds.
    var byteCount: Int {
        key.count + (record?.count ?? 0) + (tombstone?.base?.record.count ?? 0)
    }
}

/// What a commit changed in one collection.
struct CommittedChanges: Sendable {
    /// The names that the records are written with.
    let names: BoundNames
    /// Nil: too many to be kept.
    let records: [ChangedRecord]?
    /// The collection was emptied, before these changes; nil: it wasn't.
    var clearing: Clearing?

    /// That a collection was emptied.
    struct Clearing: Sendable {
        /// The place in its commit of the horizon that says so; nil where changes were never tracked.
        let place: UInt64?
        /// Milliseconds since 1970.
        let time: UInt64
    }
}

/// One commit.
struct Commit: Sendable {
    /// The numbers of its operations in the store; those of all commits adjoin.
    let sequences: Range<UInt64>
    let collections: [CollectionID: CommittedChanges]

    /// Keeps the keys that its records are sealed with.
    private let keys: KeyUse?

    /// How many bytes of keys and records it holds.
    let byteCount: Int

    init(
        sequences: Range<UInt64>, collections: [CollectionID: CommittedChanges],
        keys: KeyUse? = nil
    ) {
        self.keys = keys
        self.sequences = sequences
        self.collections = collections
        byteCount = collections.values.reduce(0) { sum, changes in
            (changes.records ?? []).reduce(sum) { $0 + $1.byteCount }
        }
    }
}
