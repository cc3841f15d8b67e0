// Which collections a delete may reach by its rules. A transaction locks them all when it begins, so that no rule ever has to wait
// for a lock in the middle, which might never come.

/// The collections that deletes in some collections reach, besides these.
struct DeleteScope {
    /// Records may be deleted or changed there.
    private(set) var written: [CollectionState] = []
    /// Whether there are records decides there. May overlap with the others.
    private(set) var read: [CollectionState] = []

    init(of collections: [CollectionState], in schema: SchemaState) throws(OfflineError) {
        var deleted = collections
        var next = 0
        while next < deleted.count {
            for relationship in deleted[next].schema.relationships {
                guard relationship.onDelete != .none else { continue }
                let other = try schema.collection(relationship.collection)
                switch relationship.onDelete {
                case .none: break
                case .restrict: Self.add(other, to: &read)
                case .nullify where relationship.isOwnKey: break
                case .nullify: Self.add(other, to: &written)
                case .cascade:
                    Self.add(other, to: &written)
                    Self.add(other, to: &deleted)
                }
            }
            next += 1
        }
        written.removeAll { other in collections.contains { $0 === other } }
    }

    private static func add(_ collection: CollectionState, to list: inout [CollectionState]) {
        if !list.contains(where: { $0 === collection }) { list.append(collection) }
    }
}

extension CollectionState {
    /// Whether deleting a record may do, or need, more than that.
    var hasDeleteRules: Bool { schema.relationships.contains { $0.onDelete != .none } }
}
