// What a store takes, and how it is made to take less, as callers see it.

extension OfflineStore {
    /// How much space the store takes, and what for. O(log n) a collection; no writer is waited for.
    ///
    /// ```swift
    /// let usage = try await store.getStorageInfo()
    /// print("\(usage.usedBytes) bytes, \(usage.collectionUsage["users"]?.recordCount ?? 0) users")
    /// ```
    public func getStorageInfo() async throws -> StorageInfo {
        try core().storageInfo()
    }

    /// Empties collections on this device, in one step however many records they have.
    ///
    /// Like eviction it is no change to be synchronized: the server keeps what it has, and changes that were still pending are
    /// dropped. Live queries see the records go, and feeds get one change, `clear`; a feed that resumes from before it, or has
    /// fallen behind it, ends with `.changesExpired`. No delete rules run: what refers to the records goes on doing so. To delete
    /// records everywhere use `deleteBatch`.
    ///
    /// Throws `.unknownCollection`. The space comes back with compaction, in the background or by `compact`.
    public func clear(_ collections: [String]) async throws {
        try await core().clear(collections)
    }

    /// Gives back all space that can be given back, now. Reading and writing go on meanwhile.
    ///
    /// What a snapshot sees can't be given back while it is held. Throws `.readOnly` on a store that was opened for reading only.
    public func compact() async throws {
        try await core().compact()
    }
}
