// What a backend asks for the index entries of a record: at recovery, and when an index is built in
// bulk.
internal import OfflineBytes

/// The store's `KeyDeriver`: definitions and dictionaries as the backend has told them so far.
final class StoreKeyDeriver: KeyDeriver {
    private struct Loaded {
        let collection: CollectionState
        var names: BoundNames
    }
    private let loaded = Protected<[CollectionID: Loaded]>([:])

    func load(_ collection: StoredCollection) throws {
        let state = try StoredDefinition(collection.definition).state(id: collection.id)
        let names = BoundNames(NameDictionary(collection.names), of: state)
        loaded.withLock { $0[collection.id] = Loaded(collection: state, names: names) }
    }

    func extendDictionary(of collection: CollectionID, with names: [String]) throws {
        try loaded.withLock { loaded in
            guard let known = loaded[collection] else { throw Self.unknown(collection) }
            loaded[collection]?.names = BoundNames(
                known.names.dictionary.appending(names), of: known.collection)
        }
    }

    func deriveKeys(
        of collection: CollectionID, key: RawSpan, record: RawSpan, into keys: inout DerivedKeys
    ) throws {
        guard let names = loaded.withLock({ $0[collection]?.names }) else {
            throw Self.unknown(collection)
        }
        try unsafe StorageAdapter.read(record, names.dictionary) { view in
            unsafe names.indexKeys.append(view, key: key, to: &keys)
        }
    }

    private static func unknown(_ collection: CollectionID) -> OfflineError {
        OfflineError(
            .corrupted, "there are records of collection \(collection.value), which is not defined")
    }
}
