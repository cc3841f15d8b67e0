// What a store takes, in bytes: what `getStorageInfo` returns, and how it is put together.
//
// The bytes of files are the backend's to say; those of collections are counted as they were put, before any compression, and the
// store's own collections (changes, order of access) are in the sums alone.

/// How much space a store takes, and what for.
public struct StorageInfo: Sendable, Hashable {
    /// One collection's data, in bytes as they were written.
    public struct CollectionUsage: Sendable, Hashable {
        /// How many records there are.
        public internal(set) var recordCount: Int
        /// The bytes of keys and records.
        public internal(set) var recordBytes: Int64
        /// The bytes of index entries.
        public internal(set) var indexBytes: Int64
    }
    /// The sum of the sizes of all the store's files; of a store in memory, of what it holds.
    public internal(set) var usedBytes: Int64
    /// Up to the size limit or the device's free space, whichever is less.
    public internal(set) var availableBytes: Int64
    /// The application's collections, by name.
    public internal(set) var collectionUsage: [String: CollectionUsage]
    /// About how much of the files is of no use any more. `compact` gives it back, and more where it compresses.
    public internal(set) var reclaimableBytes: Int64
    /// Of `usedBytes`, the files of records, which are the log.
    public internal(set) var logBytes: Int64
    /// Of `usedBytes`, the files of keys and indexes.
    public internal(set) var treeBytes: Int64
    /// How many changes aren't marked synchronized.
    public internal(set) var pendingChanges: Int
    /// The limit of the options.
    public internal(set) var sizeLimit: Int64?
    /// For how long the oldest snapshot has been held; nil: none is.
    public internal(set) var oldestSnapshotAge: Duration?
    /// What only snapshots that are held keep from being given back.
    public internal(set) var bytesPinnedBySnapshots: Int64
    /// How much of the records is sealed with the new data key, from 0 to 1, after `rotateKey` with `reencrypt`; nil: all are, and no other key
    /// is left.
    public internal(set) var resealedFraction: Double?
}

extension StoreCore {
    /// What the store takes now.
    func storageInfo() throws -> StorageInfo {
        do {
            let space = try backend.space()
            let view = try view()
            var usage: [String: StorageInfo.CollectionUsage] = [:]
            var pending = 0
            for collection in schema.collections {
                let bytes = try StorageAdapter.mapping(collection) {
                    try view.adapter.reader.bytes(of: collection.id)
                }
                usage[collection.name] = StorageInfo.CollectionUsage(
                    recordCount: try view.count(collection), recordBytes: bytes.recordBytes,
                    indexBytes: bytes.indexBytes)
                pending += try pendingCount(collection, in: view)
            }
            var available = max(0, space.availableBytes)
            if let limit = options.sizeLimit {
                available = min(available, max(0, limit - max(0, space.usedBytes)))
            }
            return StorageInfo(
                usedBytes: space.usedBytes, availableBytes: available, collectionUsage: usage,
                reclaimableBytes: space.reclaimableBytes, logBytes: space.logBytes,
                treeBytes: space.treeBytes, pendingChanges: pending, sizeLimit: options.sizeLimit,
                oldestSnapshotAge: snapshots.oldestAge,
                bytesPinnedBySnapshots: space.pinnedBytes, resealedFraction: resealedFraction)
        } catch {
            throw ErrorMapping.publicError(error)
        }
    }
}
