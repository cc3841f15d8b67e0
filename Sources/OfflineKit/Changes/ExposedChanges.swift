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
        /// Listings that go on, by their numbers, ascending.
        var listings: [UInt64] = []
        var nextListing: UInt64 = 0
        /// Notes that end once all listings that began before are over, which are those below the number.
        var ended: [(note: Note, before: UInt64)] = []
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
            state.ended += notes.map { ($0, state.nextListing) }
            Self.forgetEnded(&state)
        }
    }

    private static func forgetEnded(_ state: inout State) {
        let first = state.listings.first ?? .max
        // Ascending in `before`.
        let count = state.ended.firstIndex { $0.before > first } ?? state.ended.count
        for (note, _) in state.ended.prefix(count) {
            let count = state.collections[note.collection]?.vanishing[note.key] ?? 0
            state.collections[note.collection]?.vanishing[note.key] = count > 1 ? count - 1 : nil
        }
        state.ended.removeFirst(count)
    }

    // MARK: Listings

    /// Runs a listing: from before its snapshot is taken until what it gives out is settled. `vanishing`: so many records
    /// vanish, at most, in transactions that its state doesn't show yet.
    func listing<Result>(_ body: (_ vanishing: Int) throws -> Result) rethrows -> Result {
        let (number, vanishing) = state.withLock { state -> (UInt64, Int) in
            state.nextListing += 1
            state.listings.append(state.nextListing - 1)
            return (
                state.nextListing - 1,
                state.collections.values.reduce(0) { $0 + $1.vanishing.count }
            )
        }
        defer {
            state.withLock { state in
                state.listings.removeAll { $0 == number }
                Self.forgetEnded(&state)
            }
        }
        return try body(vanishing)
    }

    /// A pending change that may be given out.
    struct Candidate {
        var collection: CollectionID
        var key: [UInt8]
        var number: UInt64
        var isCreation: Bool
    }

    /// Settles what a listing gives out: the first `limit` of these, but for creations of records that vanish; their positions, and what
    /// must be stored before the listing returns.
    func expose(
        _ candidates: [Candidate], limit: Int
    ) -> (given: [Int], through: [CollectionID: UInt64]) {
        state.withLock { state in
            var given: [Int] = []
            var through: [CollectionID: UInt64] = [:]
            for (index, candidate) in candidates.enumerated() where given.count < limit {
                let known = state.collections[candidate.collection] ?? Collection()
                if candidate.isCreation {
                    if known.vanishing[candidate.key] != nil { continue }
                    let greatest = max(known.through, candidate.number)
                    state.collections[candidate.collection, default: known].through = greatest
                    // Also what another listing has given out and not stored yet.
                    if candidate.number > known.stored {
                        through[candidate.collection] = greatest
                    }
                }
                given.append(index)
            }
            return (given, through)
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
