// What one transaction may read and write: the collections that it names, and those that its delete rules reach (DeleteScope).
internal import OfflineBytes

/// A transaction's collections, the field names that it has added to their dictionaries, and the records that vanish in it.
final class BatchScope: Sendable {
    /// Named for writing.
    let writing: [CollectionState]
    /// Named for reading only, or asked by delete rules; not among `written`.
    let reading: [CollectionState]
    /// Written, by whatever: the named ones, and those that delete rules change.
    let written: [CollectionState]
    let names = BatchNames()
    /// What it has changed so far.
    let changed: BatchChanges
    let changes: ChangeContext
    /// Records that it removes, of collections whose reads are noted: what was read of them is forgotten with its commit.
    private let removed = Protected<[(collection: CollectionID, key: [UInt8]?)]>([])
    private let vanishing = Protected<[ExposedChanges.Note]>([])
    /// The store's own records, where they are written too.
    private let own: CollectionID?

    init(
        writing: [CollectionState], reading: [CollectionState], byRules rules: DeleteScope? = nil,
        changes: ChangeContext, isObserved: Bool = false, own: CollectionID? = nil
    ) {
        self.own = own
        self.changes = changes
        changed = BatchChanges(isWanted: isObserved)
        let written = writing + (rules?.written ?? [])
        self.writing = writing
        self.written = written
        var others: [CollectionState] = []
        for collection in reading + (rules?.read ?? [])
        where !Self.contains(written + others, collection) { others.append(collection) }
        self.reading = others
    }

    /// The collections of the backend that a batch writes.
    var writtenIDs: [CollectionID] {
        written.map(\.id) + written.compactMap(\.changes?.collection)
            + written.compactMap(\.access?.collection) + [own].compactMap(\.self)
    }

    /// Whether the creation of a record, with this number, was given out; if it wasn't, the record vanishes in this transaction.
    func isExposed(_ number: UInt64, _ key: [UInt8], of collection: CollectionState) -> Bool {
        let note = ExposedChanges.Note(collection: collection.id, key: key)
        if changes.exposed.isExposed(number, note) { return true }
        vanishing.withLock { $0.append(note) }
        return false
    }

    /// Notes that a record, or, with nil, every record of the collection, is removed.
    func noteRemoved(_ key: [UInt8]?, of collection: CollectionState) {
        if collection.countsReads { removed.withLock { $0.append((collection.id, key)) } }
    }

    /// What was noted by that, once the transaction is committed.
    func takeRemoved() -> [(collection: CollectionID, key: [UInt8]?)] {
        removed.withLock { removed in
            defer { removed = [] }
            return removed
        }
    }

    /// What the transaction has changed, once it is committed.
    func takeChanges(of batch: any BackendReader) -> [CollectionID: CommittedChanges] {
        changed.take { id in
            written.first { $0.id == id }.map { names.names(of: $0, in: batch) }
        }
    }

    /// The transaction is rolled back, or seen by every new snapshot.
    func end() {
        changes.exposed.end(
            vanishing.withLock { notes in
                defer { notes = [] }
                return notes
            })
    }

    func checkReading(_ collection: CollectionState) throws(OfflineError) {
        if Self.contains(written, collection) || Self.contains(reading, collection) { return }
        let named = (writing + reading).map(\.name).joined(separator: ", ")
        throw OfflineError(
            .transactionScope,
            "the transaction doesn't name this collection; it names \(named)",
            collection: collection.name)
    }

    /// Whether an operation may write it that names it.
    func checkWriting(_ collection: CollectionState) throws(OfflineError) {
        if Self.contains(writing, collection) { return }
        try checkReading(collection)
        throw OfflineError(
            .transactionScope, "the transaction doesn't name this collection for writing",
            collection: collection.name)
    }

    private static func contains(
        _ collections: [CollectionState], _ collection: CollectionState
    ) -> Bool {
        collections.contains { $0.id == collection.id }
    }
}
