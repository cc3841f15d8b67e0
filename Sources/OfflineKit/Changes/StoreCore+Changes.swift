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
        let (listed, through) = try changes.exposed.listing {
            let listed = try ChangeReader(view()).pending(
                in: collections, after: sequence, limit: limit ?? .max)
            return expose(listed)
        }
        try await storeExposed(through)
        return listed.map(\.change)
    }

    /// Leaves out the creations of records that vanish in transactions that aren't seen yet; what is to be stored of the others.
    private func expose(
        _ listed: [ChangeReader.Listed]
    ) -> (listed: [ChangeReader.Listed], through: [CollectionID: UInt64]) {
        var creations: [CollectionID: [Int]] = [:]
        for (index, one) in listed.enumerated() where one.change.operation == .create {
            creations[one.collection.id, default: []].append(index)
        }
        var through: [CollectionID: UInt64] = [:]
        var leftOut: Set<Int> = []
        for (collection, indexes) in creations {
            let (given, greatest) = changes.exposed.expose(
                indexes.map { (listed[$0].number, listed[$0].key) }, of: collection)
            if let greatest { through[collection] = greatest }
            for (index, isGiven) in zip(indexes, given) where !isGiven { leftOut.insert(index) }
        }
        guard !leftOut.isEmpty else { return (listed, through) }
        return (listed.indices.filter { !leftOut.contains($0) }.map { listed[$0] }, through)
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
