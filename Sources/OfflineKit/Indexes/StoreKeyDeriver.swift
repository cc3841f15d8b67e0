// What a backend asks for the index entries of a record: at recovery, and when an index is built in
// bulk.
internal import OfflineBytes

/// The store's `KeyDeriver`: definitions and dictionaries as the backend has told them so far.
final class StoreKeyDeriver: KeyDeriver {
    private enum Loaded {
        case records(CollectionState, BoundNames)
        case changes
        case access(AccessOrder)
        /// Has no index trees.
        case store
    }
    private let loaded = Protected<[CollectionID: Loaded]>([:])

    func load(_ collection: StoredCollection) throws {
        let kind: Loaded
        switch try StoredKind(collection.definition) {
        case .records(let definition):
            let state = try definition.state(id: collection.id)
            kind = .records(state, BoundNames(NameDictionary(collection.names), of: state))
        case .changes: kind = .changes
        case .access(_, let order): kind = .access(order)
        case .store: kind = .store
        }
        loaded.withLock { $0[collection.id] = kind }
    }

    func extendDictionary(of collection: CollectionID, with names: [String]) throws {
        try loaded.withLock { loaded in
            guard let known = loaded[collection] else { throw Self.unknown(collection) }
            guard case .records(let state, let old) = known else { return }
            loaded[collection] = .records(
                state, BoundNames(old.dictionary.appending(names), of: state))
        }
    }

    func deriveKeys(
        of collection: CollectionID, key: RawSpan, record: RawSpan, into keys: inout DerivedKeys
    ) throws {
        switch loaded.withLock({ $0[collection] }) {
        case .records(_, let names):
            try unsafe record.withUnsafeBytes { bytes in
                try unsafe StorageAdapter.read(bytes, names.dictionary) { view in
                    unsafe names.indexKeys.append(view, key: key, to: &keys)
                }
                try unsafe RecordStamp(of: bytes)?.append(key: key, to: &keys)
            }
        case .changes:
            try unsafe record.withUnsafeBytes { bytes in
                try unsafe ChangeEntry(bytes).append(key: key, to: &keys)
            }
        case .access(let order):
            try unsafe record.withUnsafeBytes { bytes in
                try unsafe AccessEntry(bytes).append(order, key: key, to: &keys)
            }
        case .store: break
        case nil: throw Self.unknown(collection)
        }
    }

    private static func unknown(_ collection: CollectionID) -> OfflineError {
        OfflineError(
            .corrupted, "there are records of collection \(collection.value), which is not defined")
    }
}
