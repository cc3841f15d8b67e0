// What one transaction may read and write.

/// The collections that a transaction has named, and the field names that it has added to their
/// dictionaries.
final class BatchScope: Sendable {
    let writing: [CollectionState]
    let reading: [CollectionState]
    let names = BatchNames()

    init(writing: [CollectionState], reading: [CollectionState]) {
        self.writing = writing
        self.reading = reading
    }

    func checkReading(_ collection: CollectionState) throws(OfflineError) {
        if contains(writing, collection) || contains(reading, collection) { return }
        let named = (writing + reading).map(\.name).joined(separator: ", ")
        throw OfflineError(
            .transactionScope,
            "the transaction doesn't name this collection; it names \(named)",
            collection: collection.name)
    }

    func checkWriting(_ collection: CollectionState) throws(OfflineError) {
        if contains(writing, collection) { return }
        try checkReading(collection)
        throw OfflineError(
            .transactionScope, "the transaction only reads this collection",
            collection: collection.name)
    }

    private func contains(_ collections: [CollectionState], _ collection: CollectionState) -> Bool {
        collections.contains { $0.id == collection.id }
    }
}
