// A record's key: found in its document, or generated and put there.

/// Finds and makes the keys of one collection's records during one statement.
struct RecordKeys {
    private let collection: CollectionState
    private let adapter: StorageAdapter
    private let uuids: UUIDGenerator
    /// The greatest integer key so far; nil: not asked for yet.
    private var greatest: Int64?

    init(_ collection: CollectionState, _ adapter: StorageAdapter, _ uuids: UUIDGenerator) {
        self.collection = collection
        self.adapter = adapter
        self.uuids = uuids
    }

    /// The encoded form of a key that a caller names.
    static func encoded(_ key: Value, of collection: CollectionState) throws -> [UInt8] {
        do {
            return try KeyEncoder.recordKey(key, pathCount: collection.keyPaths.count)
        } catch {
            throw ErrorMapping.publicError(error, collection: collection.name)
        }
    }

    /// The key that the document has; nil where it has none or null.
    static func value(in document: Document, of collection: CollectionState) -> Value? {
        if let path = collection.singleKeyPath {
            return value(in: document, at: path)
        }
        let parts = collection.keyPaths.map { value(in: document, at: $0) ?? .null }
        return parts.contains { !$0.isNull } ? .array(parts) : nil
    }

    private static func value(in document: Document, at path: FieldPath) -> Value? {
        let value =
            path.components.count == 1 ? document[path.text] : document.value(at: path.text)
        return value.flatMap { $0.isNull ? nil : $0 }
    }

    /// The encoded key of a document that must have one.
    static func existing(in document: Document, of collection: CollectionState) throws -> [UInt8] {
        guard let key = value(in: document, of: collection) else {
            throw missing(collection, "")
        }
        return try encoded(key, of: collection)
    }

    /// The encoded key of a document that is to be created; where it has none, one is generated and
    /// put there.
    mutating func forCreating(_ document: inout Document) throws -> [UInt8] {
        if let key = Self.value(in: document, of: collection) {
            let encoded = try Self.encoded(key, of: collection)
            if collection.schema.autoKey == .sequence, let seen = greatest,
                let number = key.intValue, number > seen
            {
                greatest = Int64(number)
            }
            return encoded
        }
        guard let path = collection.singleKeyPath, let key = try generate() else {
            throw Self.missing(collection, ", and none is generated")
        }
        guard Self.hasRoom(for: path, in: document) else {
            throw OfflineError(
                .invalidDocument,
                "the generated key can't be put at \"\(path.text)\": something on the way is no object",
                collection: collection.name)
        }
        document.set(key, at: path.text)
        return try Self.encoded(key, of: collection)
    }

    /// Whether only objects, or nothing, or null, are on the way to the path's last name.
    private static func hasRoom(for path: FieldPath, in document: Document) -> Bool {
        var object = document
        for component in path.components.dropLast() {
            switch object[component.name] {
            case .object(let next): object = next
            case nil, .null: return true
            default: return false
            }
        }
        return true
    }

    private mutating func generate() throws -> Value? {
        switch collection.schema.autoKey {
        case .none: return nil
        case .uuidV7: return .string(uuids.next())
        case .sequence:
            let last = try greatest ?? SequenceKeys.greatest(in: collection, of: adapter)
            guard last < Int64.max else {
                throw OfflineError(
                    .invalidDocument, "the collection's sequence of keys is used up",
                    collection: collection.name)
            }
            greatest = last + 1
            return .int(last + 1)
        }
    }

    private static func missing(_ collection: CollectionState, _ more: String) -> OfflineError {
        let paths = collection.schema.keyPaths.map { "\"\($0)\"" }.joined(separator: ", ")
        return OfflineError(
            .invalidDocument, "the record has no key at \(paths)\(more)",
            collection: collection.name)
    }
}
