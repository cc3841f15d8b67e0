// A collection's dictionary of names as an object that is built once and not at every read,
// together with what is compiled against it: the index paths, and the names of the schema that records must fulfil.
//
// Only committed names may enter a collection's cache, because the ids of a transaction that is
// rolled back are given out again; what a transaction adds stays in its own BatchNames until its
// commit.
internal import OfflineBytes

/// A dictionary, and a collection's index paths and schema bound to it.
final class BoundNames: Sendable {
    let dictionary: NameDictionary
    /// Derives a record's index entries.
    let indexKeys: IndexKeys
    /// The names of the collection's schema, if it has one.
    let schema: BoundSchema?

    init(_ dictionary: NameDictionary, of collection: CollectionState) {
        self.dictionary = dictionary
        indexKeys = IndexKeys(collection, dictionary)
        schema = collection.validation.map { BoundSchema($0.program, in: dictionary) }
    }

    /// The names that `reader` has.
    convenience init(of collection: CollectionState, in reader: any BackendReader) {
        self.init(NameDictionary(reader.names(of: collection.id)), of: collection)
    }
}

/// The newest committed names of a collection that anyone has seen. Since dictionaries only grow,
/// records and snapshots of any earlier time are read with them too.
final class NameCache: Sendable {
    private let latest = Protected<BoundNames?>(nil)

    /// The names of `collection` as `reader`, which sees what is committed, has them or newer.
    func names(of collection: CollectionState, in reader: any BackendReader) -> BoundNames {
        let count = reader.nameCount(of: collection.id)
        if let known = latest.withLock({ $0 }), known.dictionary.count >= count { return known }
        return offer(BoundNames(of: collection, in: reader))
    }

    /// Keeps these committed names if they are newer; returns the newest.
    @discardableResult
    func offer(_ names: BoundNames) -> BoundNames {
        latest.withLock { latest in
            if let latest, latest.dictionary.count >= names.dictionary.count { return latest }
            latest = names
            return names
        }
    }

    /// What is cached, if it has exactly so many names.
    func exactly(_ count: Int) -> BoundNames? {
        latest.withLock { $0?.dictionary.count == count ? $0 : nil }
    }
}

/// The names of the collections of one batch, with those that it has added.
final class BatchNames: Sendable {
    private let own = Protected<[CollectionID: BoundNames]>([:])

    /// The names of `collection` as `batch` has them.
    func names(of collection: CollectionState, in batch: any BackendReader) -> BoundNames {
        if let known = own.withLock({ $0[collection.id] }) { return known }
        let count = batch.nameCount(of: collection.id)
        let names =
            collection.committedNames.exactly(count) ?? BoundNames(of: collection, in: batch)
        own.withLock { $0[collection.id] = names }
        return names
    }

    /// The batch has added names.
    func replace(_ names: BoundNames, of collection: CollectionState) {
        own.withLock { $0[collection.id] = names }
    }

    /// The batch is committed: its names are everybody's.
    func publish(_ collections: [CollectionState]) {
        let own = own.withLock { $0 }
        for collection in collections {
            if let names = own[collection.id] { collection.committedNames.offer(names) }
        }
    }
}
