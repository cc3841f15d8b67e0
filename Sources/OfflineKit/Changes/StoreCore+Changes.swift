// What a store does with pending changes: lists them, and takes note of those that are synchronized.
internal import OfflineBytes
import OfflineDocuments

extension StoreCore {
    /// The changes that aren't synchronized, oldest first.
    func pendingChanges(
        _ name: String?, after sequence: UInt64, limit: Int?
    ) async throws -> [Change] {
        try OwnTransaction.checkNotInside(self)
        if let limit, limit < 0 {
            throw OfflineError(.invalidQuery, "the limit of changes is \(limit); it is at least 0")
        }
        let collections = try name.map { [try schema.collection($0)] } ?? schema.collections
        let (given, through) = try list(collections, after: sequence, limit: limit ?? .max)
        try await storeExposed(through)
        if !given.isEmpty { try await makeDurable() }
        return given
    }

    /// The first changes, but for creations of records that vanish in transactions that aren't seen yet; and what is to be stored
    /// before they are given out.
    private func list(
        _ collections: [CollectionState], after sequence: UInt64, limit: Int
    ) throws -> (given: [Change], through: [CollectionID: UInt64]) {
        var more = 0
        while true {
            let (given, through, isShort) = try changes.exposed.listing { vanishing in
                // As many more as may be left out.
                let count = limit.addingReportingOverflow(vanishing + more)
                let countMax = count.overflow ? Int.max : count.partialValue
                let listed = try ChangeReader(view()).pending(
                    in: collections, after: sequence, limit: countMax)
                let (given, through) = changes.exposed.expose(
                    listed.map { one in
                        ExposedChanges.Candidate(
                            collection: one.collection.id, key: one.key, number: one.number,
                            isCreation: one.change.operation == .create)
                    }, limit: limit)
                return (
                    given.map { listed[$0].change }, through,
                    isShort: given.count < limit && listed.count == countMax
                )
            }
            if !isShort { return (given, through) }
            // Records began to vanish meanwhile: the page isn't full though there is more.
            more = more * 2 + 64
        }
    }

    /// How many changes of a collection aren't synchronized. O(log n).
    func pendingCount(_ collection: CollectionState, in view: ReadView) throws -> Int {
        guard let trees = collection.changes else { return 0 }
        return try StorageAdapter.mapping(collection) {
            try ChangeSource.pendingCount(trees, in: view.adapter.reader)
        }
    }

    /// Notes that the server has these changes.
    func markSynchronized(_ changes: [Change]) async throws {
        var byCollection: [String: [Change]] = [:]
        for change in changes where change.operation != .clear {
            byCollection[change.collection, default: []].append(change)
        }
        guard !byCollection.isEmpty else { return }
        let collections = try byCollection.keys.sorted().map { try schema.collection($0) }
        let open = try await begin(
            writing: collections, reading: [], deletes: false, as: "marking changes")
        do {
            for collection in collections {
                var marks = try SynchronizationMarks(collection, open.batch, open.scope)
                try marks?.mark(byCollection[collection.name] ?? [])
            }
        } catch {
            rollback(open)
            throw error
        }
        try await commit(open)
    }
}
