// What a session carries through every path of the store: what its principal may do with each collection that has a policy. It
// rides on the view that is read (ReadView) and on the writer (RecordWriter); where there is none, nothing is asked.
internal import OfflineDocuments

/// What one principal may do.
final class SessionAccess: Sendable {
    private let collections: [String: CollectionAccess]

    /// `schema`: the application's. Its filters were checked when the store was opened; a policy that can't be read
    /// grants nothing.
    init(_ principal: Principal, _ schema: [CollectionSchema]) {
        var collections: [String: CollectionAccess] = [:]
        for collection in schema {
            guard let policy = collection.accessPolicy else { continue }
            let access = try? CollectionAccess(policy, collection.name, for: principal)
            collections[collection.name] = access ?? CollectionAccess(nothingOf: collection.name)
        }
        self.collections = collections
    }

    /// Nil: the collection is open to all.
    func collection(_ name: String) -> CollectionAccess? { collections[name] }

    /// The error without a key that the session may not know: a scan meets damage in records out of reach too.
    func concealed(_ error: any Error) -> any Error {
        guard let error = error as? OfflineError,
            error.code == .corrupted || error.code == .decryptionFailed, error.key != nil
        else { return error }
        return OfflineError(error.code, error.message, collection: error.collection)
    }
}

extension ReadView {
    /// What the session may read of the collection; nil: everything. `.accessDenied` where that is nothing.
    func reading(_ collection: CollectionState) throws(OfflineError) -> OperationAccess? {
        guard let access = access?.collection(collection.name) else { return nil }
        let reading = try access.granted(.read)
        return reading.isOpen ? nil : reading
    }

    /// Asks the collection's records whether the session may read them; nil: it may read everything. `.accessDenied` as above.
    func reach(_ collection: CollectionState) throws(OfflineError) -> RecordReach? {
        guard let reading = try reading(collection) else { return nil }
        return RecordReach(reading, in: names(of: collection).dictionary)
    }

    /// Whether the session may read the record with this key, and all that is at the path in it.
    func shows(
        _ key: [UInt8], of collection: CollectionState, at path: FieldPath
    ) throws -> Bool {
        guard let access = access?.collection(collection.name) else { return true }
        guard let reading = access[.read] else { return false }
        var reach = RecordReach(reading, in: names(of: collection).dictionary)
        let hidden = try unsafe withRecord(collection, key: key) { unsafe reach.hidden(in: $0) }
        guard let hidden = hidden ?? nil else { return false }
        return !hidden.touches(path)
    }
}
