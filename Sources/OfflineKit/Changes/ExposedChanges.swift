// Which changes `getChanges` has given out: a record whose creation was given out may be on its way to the server, so its
// deletion must follow; one whose creation nobody has seen may vanish without a trace.
//
// The difficulty is that a transaction decides that a record vanishes while it is open, and a listing may read a state before
// its commit. So each knows of the other:
// - A transaction that lets a record vanish notes it here until its commit is seen by every new snapshot, or it is rolled back.
// - A listing leaves out the records that vanish in transactions which its state doesn't show. It begins before it takes its
//   snapshot, and notes of transactions that end meanwhile are kept until it ends too.
// - A listing says what it gives out before it returns; what is deleted later finds it here.
//
// Durable before a listing returns: `through` is also a record of the store's own (StoreRecords); what is here is never less.
internal import OfflineBytes

/// What was given out, and what vanishes in open transactions. One a store.
final class ExposedChanges: Sendable {
    private struct Collection {
        /// The greatest number of a creation that was given out, and the one that is stored.
        var through: UInt64 = 0
        var stored: UInt64 = 0
        /// Records that vanish in transactions that aren't seen yet, and in how many.
        var vanishing: [[UInt8]: Int] = [:]
    }
    private struct State {
        var collections: [CollectionID: Collection] = [:]
        var listings = 0
        /// Notes that end with the last listing.
        var ended: [Note] = []
    }
    /// A record that vanishes.
    struct Note: Sendable {
        let collection: CollectionID
        let key: [UInt8]
    }
    private let state = Protected(State())

    /// What is stored.
    init(_ stored: [CollectionID: UInt64]) {
        state.withLock { state in
            for (id, through) in stored {
                state.collections[id] = Collection(through: through, stored: through)
            }
        }
    }

    /// The greatest number of a creation in the collection that was given out.
    func through(_ collection: CollectionID) -> UInt64 {
        state.withLock { $0.collections[collection]?.through ?? 0 }
    }

    // MARK: Transactions

    /// Whether the creation with this number was given out; if it wasn't, the record vanishes, which is noted until `end`.
    func isExposed(_ number: UInt64, _ note: Note) -> Bool {
        state.withLock { state in
            if number <= state.collections[note.collection]?.through ?? 0 { return true }
            state.collections[note.collection, default: Collection()]
                .vanishing[note.key, default: 0] += 1
            return false
        }
    }

    /// The transaction with these notes is over: rolled back, or seen by every new snapshot.
    func end(_ notes: [Note]) {
        if notes.isEmpty { return }
        state.withLock { state in
            state.ended += notes
            Self.forgetEnded(&state)
        }
    }

    private static func forgetEnded(_ state: inout State) {
        if state.listings > 0 { return }
        for note in state.ended {
            let count = state.collections[note.collection]?.vanishing[note.key] ?? 0
            state.collections[note.collection]?.vanishing[note.key] = count > 1 ? count - 1 : nil
        }
        state.ended = []
    }

    // MARK: Listings

    /// Runs a listing: from before its snapshot is taken until what it gives out is settled.
    func listing<Result>(_ body: () throws -> Result) rethrows -> Result {
        state.withLock { $0.listings += 1 }
        defer {
            state.withLock { state in
                state.listings -= 1
                Self.forgetEnded(&state)
            }
        }
        return try body()
    }

    /// Settles what a listing gives out of a collection: of these creations those whose records don't vanish; and what
    /// must be stored before it returns, if anything.
    func expose(
        _ creations: [(number: UInt64, key: [UInt8])], of collection: CollectionID
    ) -> (given: [Bool], through: UInt64?) {
        state.withLock { state in
            let known = state.collections[collection] ?? Collection()
            let given = creations.map { known.vanishing[$0.key] == nil }
            let through = zip(creations, given).filter(\.1).map(\.0.number).max() ?? 0
            state.collections[collection, default: known].through = max(through, known.through)
            return (given, through > known.stored ? through : nil)
        }
    }

    /// What `expose` returned is durable.
    func stored(_ through: UInt64, of collection: CollectionID) {
        state.withLock { state in
            let known = state.collections[collection]?.stored ?? 0
            state.collections[collection]?.stored = max(known, through)
        }
    }
}
