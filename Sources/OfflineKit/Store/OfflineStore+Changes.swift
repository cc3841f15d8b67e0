// The store's change tracking, as callers see it.
extension OfflineStore {
    /// Changes not yet marked synchronized, oldest first, one a record (the latest).
    ///
    /// A record that was created, changed and deleted without its creation ever having been given out here isn't among them. What
    /// is given out stays pending until `markSynchronized`, also over a crash.
    ///
    /// On a read-only store it shows what is pending, and notes nothing as given out: who sends changes to a server takes them from the
    /// store that writes.
    ///
    /// `after`: only changes with greater sequences; `limit`: the first so many, at least 0. Throws `.unknownCollection`. Costs
    /// O(log² n) a change, however many records are synchronized.
    ///
    /// ```swift
    /// let changes = try await store.getChanges(limit: 200)
    /// try await server.push(changes)
    /// try await store.markSynchronized(changes)
    /// ```
    public func getChanges(
        _ collection: String? = nil, after sequence: UInt64? = nil, limit: Int? = nil
    ) async throws -> [Change] {
        try await core().pendingChanges(collection, after: sequence ?? 0, limit: limit)
    }

    /// How many changes of the collection aren't marked synchronized. O(log n).
    package func pendingCount(_ collection: String) async throws -> Int {
        let core = try core()
        return try core.pendingCount(core.schema.collection(collection), in: core.view())
    }

    /// Notes that the server has these changes. A record changed again since stays pending; what the server has is its change's base
    /// then.
    ///
    /// Marking a change twice, or one that isn't pending, does nothing. Throws `.unknownCollection`; `.locked` where such a base has a
    /// sensitive field, which is to be sealed.
    public func markSynchronized(_ changes: [Change]) async throws {
        try await core().markSynchronized(changes)
    }

    /// With `since`, first the latest change of each record changed after it, then committed changes as they happen; without, just
    /// these. Oldest first, those of synchronizations too (they have an `origin`).
    ///
    /// Keep the sequence of the last change that was dealt with, and resume after it, also when the store was closed meanwhile. A
    /// consumer that is slower than the writers never holds them up: where it falls behind, it gets the latest change of each
    /// record instead of all of them. Changes to collections that don't track any aren't told.
    ///
    /// Throws `.changesExpired` where `since` is below what is retained (deletes are kept for a while: the newest 10,000 a
    /// collection) or above what there is; `.unknownCollection`; `.invalidQuery` for a collection that doesn't track changes; all
    /// with the first change asked for. Ends when the store closes or the task is cancelled.
    ///
    /// ```swift
    /// for try await change in store.changeFeed(["notes"], since: seen) {
    ///     try await index(change)
    ///     seen = change.sequence
    /// }
    /// ```
    public func changeFeed(
        _ collections: [String]? = nil, since sequence: UInt64? = nil
    ) -> AsyncThrowingStream<Change, any Error> {
        let feed = Result {
            let core = try core()
            return ChangeFeedHandle(
                try ChangeFeed(core, core.tracked(collections), since: sequence))
        }
        return AsyncThrowingStream { try await feed.get().feed.next() }
    }
}
