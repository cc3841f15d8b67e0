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
}
