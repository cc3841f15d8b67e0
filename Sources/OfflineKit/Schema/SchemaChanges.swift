// What differs between the stored schema and the wanted one.
//
// - A collection that is stored and not wanted stays as it is. No wanted collection at all:
//   everything as stored.
// - A new collection gets the next number. A stored one whose key path changes would need a
//   migration: `.invalidOptions`.
// - An index that is in both as it is keeps its tree; any other is built anew under a new number,
//   one that is gone is dropped.
// - Indexes of another derivation version (StoredDefinition) are all built anew.

/// The steps from a stored schema to a wanted one.
struct SchemaChanges {
    /// What `StorageBackend.define` is to be called with.
    private(set) var changes: [StoredCollection] = []
    /// All collections as they are after the changes.
    private(set) var result: [(id: CollectionID, definition: StoredDefinition)] = []

    /// Compares. The wanted collections are checked here against the rules and against what is
    /// stored.
    init(stored: [StoredCollection], wanted: [CollectionSchema]) throws {
        let definitions = try stored.map { ($0, try StoredDefinition($0.definition)) }
        try SchemaValidation.check(wanted, stored: definitions.map(\.1.schema.name))
        var rest = wanted
        for (collection, definition) in definitions {
            let position = rest.firstIndex { $0.name == definition.schema.name }
            let schema = position.map { rest.remove(at: $0) } ?? definition.schema
            try Self.checkKeyPaths(definition.schema, schema)
            append(collection, definition, definition.changed(to: schema))
        }
        var nextID = (stored.map(\.id.value).max() ?? 0)
        for schema in rest {
            guard nextID < .max else {
                throw OfflineError(.corrupted, "the numbers of collections are used up")
            }
            nextID += 1
            let new = StoredCollection(
                id: CollectionID(nextID), definition: [], indexes: [], names: [])
            append(new, nil, StoredDefinition(schema))
        }
    }

    private mutating func append(
        _ stored: StoredCollection, _ old: StoredDefinition?, _ new: StoredDefinition
    ) {
        result.append((stored.id, new))
        if old == new { return }
        changes.append(
            StoredCollection(
                id: stored.id, definition: new.bytes, indexes: new.indexNumbers.sorted(),
                names: stored.names))
    }

    private static func checkKeyPaths(
        _ stored: CollectionSchema, _ wanted: CollectionSchema
    ) throws(OfflineError) {
        if stored.keyPaths == wanted.keyPaths { return }
        throw OfflineError(
            .invalidOptions,
            "collection \"\(stored.name)\": keyPath is stored as "
                + "\(stored.keyPaths.joined(separator: ", ")) and can't become "
                + "\(wanted.keyPaths.joined(separator: ", ")) without a migration",
            collection: stored.name)
    }
}
