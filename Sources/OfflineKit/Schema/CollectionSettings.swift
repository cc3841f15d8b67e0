// What may change of a collection while the store is open: a policy that is set at run time changes what is tracked and where it is
// kept when records are used. It changes only while nobody has the collection (CollectionLocks), so whoever has it sees
// one state; readers look at what they need once.

/// A collection's settings.
struct CollectionSettings: Sendable {
    /// Where its changes are; nil where it never tracked any.
    var changes: ChangeTrees?
    /// Whether new changes are tracked.
    var tracksChanges = false
    /// Its own policy, or that of the store.
    var policy = EvictionPolicy.none
    /// Where it is kept when its records were used.
    var access: AccessTrees?

    /// Those of all collections that hold an application's records. `.corrupted` where the store's own collections contradict each other.
    static func all(
        _ stored: [(id: CollectionID, kind: StoredKind)], strategy: EvictionPolicy
    ) throws -> [CollectionID: CollectionSettings] {
        var changes: [CollectionID: ChangeTrees] = [:]
        var access: [CollectionID: AccessTrees?] = [:]
        for (id, kind) in stored {
            switch kind {
            case .changes(let owner, let from):
                let known = ChangeTrees(collection: id, owner: owner, firstSequence: from)
                guard changes.updateValue(known, forKey: owner) == nil else {
                    throw OfflineError(.corrupted, "two collections have the changes of one")
                }
            case .access(let owner, let order):
                let trees =
                    order == .none ? nil : AccessTrees(collection: id, order: order)
                guard access.updateValue(trees, forKey: owner) == nil else {
                    throw OfflineError(.corrupted, "two collections have the uses of one")
                }
            case .records, .store: break
            }
        }
        var result: [CollectionID: CollectionSettings] = [:]
        for case (let id, .records(let definition)) in stored {
            let trees = changes.removeValue(forKey: id)
            result[id] = CollectionSettings(
                changes: trees, tracksChanges: definition.schema.isTracking && trees != nil,
                policy: definition.policy ?? strategy,
                access: access.removeValue(forKey: id) ?? nil)
        }
        guard changes.isEmpty, access.isEmpty, stored.count(where: { $0.kind == .store }) <= 1
        else {
            throw OfflineError(
                .corrupted, "the store's own collections are none that it could have made")
        }
        return result
    }
}
