// The writing half of StorageAdapter: the only calls of BackendBatch's changes.
internal import OfflineBytes

extension StorageAdapter {
    /// Inserts or replaces a record; the put's place in its commit.
    @discardableResult
    static func put(
        _ record: [UInt8], key: [UInt8], of collection: CollectionState,
        in batch: any BackendBatch
    ) throws -> UInt64 {
        try mapping(collection, key) {
            try batch.put(collection.id, key: key, record: record)
        }
    }

    /// Removes a record that is there.
    static func remove(
        key: [UInt8], of collection: CollectionState, in batch: any BackendBatch
    ) throws {
        try mapping(collection, key) { try batch.remove(collection.id, key: key) }
    }

    /// Adds all these index entries, tree by tree.
    static func insert(
        _ entries: DerivedKeys, of collection: CollectionState, in batch: any BackendBatch
    ) throws {
        try mapping(collection) {
            let bytes = unsafe entries.bytes.span.bytes
            for entry in entries.entries {
                try batch.insert(
                    TreeID(collection.id, entry.index), key: bytes.extracting(entry.range))
            }
        }
    }

    /// Removes all these index entries, tree by tree.
    static func remove(
        _ entries: DerivedKeys, of collection: CollectionState, in batch: any BackendBatch
    ) throws {
        try mapping(collection) {
            let bytes = unsafe entries.bytes.span.bytes
            for entry in entries.entries {
                try batch.remove(
                    TreeID(collection.id, entry.index), key: bytes.extracting(entry.range))
            }
        }
    }

    /// Appends names to the collection's dictionary.
    static func extendNames(
        _ names: [String], of collection: CollectionState, in batch: any BackendBatch
    ) throws {
        try mapping(collection) { try batch.extendNames(of: collection.id, with: names) }
    }

    /// Removes all records and whatever is kept of their changes; the place in the commit of the horizon that tells feeds so, where
    /// there may be any.
    static func clear(
        _ collection: CollectionState, in batch: any BackendBatch
    ) throws -> UInt64? {
        try mapping(collection) {
            try batch.clear(collection.id)
            if let access = collection.access { try batch.clear(access.collection) }
            guard let trees = collection.changes else { return nil }
            try batch.clear(trees.collection)
            return try batch.put(
                trees.collection, key: ChangeTrees.horizonKey,
                record: ChangeEntry.horizon(sequence: 0).encoded)
        }
    }
}
