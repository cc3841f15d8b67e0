// A tree that can be read for as long as this is held: the tree, what keeps its nodes alive, and, for a primary tree, the
// way from its values to records.

/// One tree of a snapshot, or of a transaction, which must not change while this is used.
package struct TreeReader {
    package let tree: Tree
    private let collection: UInt32
    private let version: CollectionVersion
    private let transaction: WriteTransaction?

    /// A tree of a published state; nil where there is no such tree.
    package init?(_ version: CollectionVersion, index: UInt32) {
        guard let tree = version.tree(index) else { return nil }
        self.tree = tree
        self.version = version
        collection = version.id
        transaction = nil
    }

    init(
        tree: Tree, collection: UInt32, version: CollectionVersion, transaction: WriteTransaction?
    ) {
        self.tree = tree
        self.collection = collection
        self.version = version
        self.transaction = transaction
    }

    /// The record that a value of the primary tree stands for: in place, or in `buffer` until that is used again.
    package func record(
        _ word: UInt64, key: UnsafeRawBufferPointer, _ buffer: inout InflateBuffer
    ) throws(EngineError) -> UnsafeRawBufferPointer {
        let location = Location(word: word)
        if location.tag {
            if let transaction { return unsafe try transaction.bodyRecord(location, &buffer) }
            throw EngineError(.corrupted, "a tree points into a transaction that isn't open")
        }
        return unsafe try RecordAccess.record(
            at: location, collection: collection, key: key, in: version.files, &buffer)
    }

    /// The sequence of the put that a value of the primary tree stands for; nil for one of a transaction that isn't
    /// committed.
    package func sequence(
        _ word: UInt64, key: UnsafeRawBufferPointer
    ) throws(EngineError) -> UInt64? {
        let location = Location(word: word)
        if location.tag { return nil }
        return unsafe try RecordAccess.sequence(
            at: location, collection: collection, key: key, in: version.files)
    }
}
