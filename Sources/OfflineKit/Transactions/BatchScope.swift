// What one transaction may read and write: the collections that it names, and those that its delete rules reach (DeleteScope).

/// A transaction's collections, and the field names that it has added to their
/// dictionaries.
final class BatchScope: Sendable {
    /// Named for writing.
    let writing: [CollectionState]
    /// Named for reading only, or asked by delete rules; not among `changed`.
    let reading: [CollectionState]
    /// Written, by whatever: the named ones, and those that delete rules change.
    let changed: [CollectionState]
    let names = BatchNames()

    init(
        writing: [CollectionState], reading: [CollectionState], byRules rules: DeleteScope? = nil
    ) {
        let changed = writing + (rules?.written ?? [])
        self.writing = writing
        self.changed = changed
        var others: [CollectionState] = []
        for collection in reading + (rules?.read ?? [])
        where !Self.contains(changed + others, collection) { others.append(collection) }
        self.reading = others
    }

    func checkReading(_ collection: CollectionState) throws(OfflineError) {
        if Self.contains(changed, collection) || Self.contains(reading, collection) { return }
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
