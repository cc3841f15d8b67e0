// The store's change tracking, as callers see it.
extension OfflineStore {
    /// Changes not yet marked synchronized, oldest first, one a record (the latest).
    ///
    /// A record that was created, changed and deleted without its creation ever having been given out here isn't among them. What
    /// is given out stays pending until `markSynchronized`, also over a crash.
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

    /// Notes that the server has these changes. A record changed again since stays pending; what the server has is its change's base
    /// then.
    ///
    /// Marking a change twice, or one that isn't pending, does nothing. Throws `.unknownCollection`.
    public func markSynchronized(_ changes: [Change]) async throws {
        try await core().markSynchronized(changes)
    }
}
