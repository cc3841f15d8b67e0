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

    /// Sets a collection's own eviction policy, and evicts by it from now on, also after the store was closed and opened again.
    ///
    /// It counts instead of the schema's, until the schema's own policy is another one than it was when this was called. Setting
    /// `.none` keeps the collection from all eviction, also by `StorageOptions.evictionStrategy`. A collection with a
    /// policy of its own other than `.none` doesn't track changes from then on, unless its schema says `tracksChanges: true`; changes that
    /// are pending stay so, and their records aren't evicted, until they are marked synchronized or cleared.
    ///
    /// Waits for all transactions that are open. Throws `.unknownCollection`; `.invalidOptions` for a policy that keeps nothing.
    ///
    /// ```swift
    /// try await store.setEvictionPolicy("logs", .maxAge(days: 7))
    /// ```
    public func setEvictionPolicy(_ collection: String, _ policy: EvictionPolicy) async throws {
        try await core().setEvictionPolicy(collection, policy)
    }

    /// Applies the eviction policies now; the number of records evicted.
    ///
    /// They are applied without that, too: in the background, after each commit that exceeds a bound, and as records grow too old.
    /// O(log n) a record.
    @discardableResult
    public func evict() async throws -> Int {
        try await core().evict()
    }

    /// What happens to the space that the store takes, from now on. Ends when the store closes; at once where it isn't open.
    ///
    /// Who takes its time over an event loses the oldest ones once there are very many. Without listeners nothing is kept.
    ///
    /// ```swift
    /// for await event in store.storageEvents() {
    ///     if case .nearLimit(let used, let limit) = event { show("\(used) of \(limit) bytes") }
    /// }
    /// ```
    public func storageEvents() -> AsyncStream<StorageEvent> {
        guard let core = try? core() else { return AsyncStream { $0.finish() } }
        return core.events.events()
    }

    /// Gives back all space that can be given back, now. Reading and writing go on meanwhile.
    ///
    /// What a snapshot sees can't be given back while it is held. Throws `.readOnly` on a store that was opened for reading only.
    public func compact() async throws {
        try await core().compact()
    }
}
