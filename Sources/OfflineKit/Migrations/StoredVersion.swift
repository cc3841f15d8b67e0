// Which version a store's data has while migrations run.
//
// A version is a part of the backend's definitions, which only `define` changes. A migration's version must become real in the same
// commit as what the migration changes, so it is a record of the store's own (StoreRecords) first:
//
//     key                           value
//     "version"                     varints: the version in the definitions, the version of the data
//     "keyPaths", then the number   varint: how many; then each path, a varint length and its UTF-8 bytes. The records of that
//     of a collection (4 bytes,     collection stand under these paths, and no longer under those of its definition
//     big-endian)
//
// `settle` takes such records into the definitions and removes them. Whoever opens a store for writing does so before it defines
// anything, and after its migrations, whether they succeed or not; who only reads goes by the records.
//
// A "version" counts only while the definitions have the version that it names: one that `settle` has taken in and couldn't remove any
// more doesn't. (That version can't come back before it is removed, since `settle` comes first.) A "keyPaths" that was taken
// in says what the definition says.
internal import OfflineBytes
internal import OfflineDocuments

/// The version of the data, and the key paths that records stand under, as a reader shows them.
struct StoredVersion {
    /// The version of the data; 0: the store is new.
    let number: UInt64
    /// Of collections whose definitions have other ones still.
    let keyPaths: [CollectionID: [String]]
    /// Where the store's own records are.
    private let place: CollectionID?
    /// The keys of all records that are about this.
    private let keys: [[UInt8]]

    private static let versionKey = Array("version".utf8)
    private static let keyPathsPrefix = Array("keyPaths".utf8)

    private static func keyPathsKey(_ collection: CollectionID) -> [UInt8] {
        var key = keyPathsPrefix
        key.appendBig(collection.value)
        return key
    }

    init(_ reader: any BackendReader) throws {
        var number = reader.storedVersion
        var keyPaths: [CollectionID: [String]] = [:]
        var keys: [[UInt8]] = []
        place = try reader.collections().first { try StoredKind($0.definition) == .store }?.id
        if let place {
            let isThere = try reader.withRecord(place, key: Self.versionKey) { record in
                let (defined, data) = try Self.version(record)
                if defined == number { number = data }
            }
            if isThere { keys.append(Self.versionKey) }
            let range = KeyRange(
                lower: Self.keyPathsPrefix,
                upper: Self.keyPathsPrefix + [0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
            let cursor = try reader.cursor(TreeID(place), in: range, descending: false)
            var key: [UInt8] = []
            while try cursor.next() {
                cursor.copyKey(into: &key)
                guard key.count == Self.keyPathsPrefix.count + 4 else { continue }
                keys.append(key)
                let id = CollectionID(key.suffix(4).reduce(0) { $0 << 8 | UInt32($1) })
                try cursor.withRecord { keyPaths[id] = try Self.paths($0) }
            }
        }
        self.number = number
        self.keyPaths = keyPaths
        self.keys = keys
    }

    /// The collections with the key paths that their records stand under.
    func collections(_ reader: any BackendReader) throws -> [StoredCollection] {
        try reader.collections().map { stored in
            guard let paths = keyPaths[stored.id],
                case .records(var definition) = try StoredKind(stored.definition)
            else { return stored }
            definition.schema.keyPaths = paths
            var moved = stored
            moved.definition = StoredKind.records(definition).bytes
            return moved
        }
    }

    // MARK: Writing

    /// Says, in a batch that brings the data to `version`, that it does.
    static func put(_ version: Int, in batch: any BackendBatch, _ place: CollectionID) throws {
        let record = versionRecord(version, over: batch.storedVersion)
        try batch.put(place, key: record.key, record: record.value)
    }

    /// Says, in a batch that moves a collection's records under these paths, that it does.
    static func put(
        _ paths: [String], of collection: CollectionID, in batch: any BackendBatch,
        _ place: CollectionID
    ) throws {
        let record = keyPathsRecord(paths, of: collection)
        try batch.put(place, key: record.key, record: record.value)
    }

    static func versionRecord(
        _ version: Int, over defined: UInt64
    ) -> (key: [UInt8], value: [UInt8]) {
        var value: [UInt8] = []
        value.appendVarint(defined)
        value.appendVarint(UInt64(max(0, version)))
        return (versionKey, value)
    }

    static func keyPathsRecord(
        _ paths: [String], of collection: CollectionID
    ) -> (key: [UInt8], value: [UInt8]) {
        var value: [UInt8] = []
        value.appendVarint(UInt64(paths.count))
        for path in paths { value.appendLengthPrefixed(Array(path.utf8)) }
        return (keyPathsKey(collection), value)
    }

    /// Takes the records into the definitions, in one step, and removes them. Nobody has a batch meanwhile.
    static func settle(_ backend: any StorageBackend) async throws {
        let reader = try backend.snapshot()
        let known = try StoredVersion(reader)
        guard let place = known.place, !known.keys.isEmpty else { return }
        let stored = reader.collections()
        let changes = zip(stored, try known.collections(reader)).compactMap { old, new in
            old.definition == new.definition ? nil : new
        }
        if !changes.isEmpty || known.number != reader.storedVersion {
            try await backend.define(changes, version: known.number) { _, _ in }
        }
        let batch = try backend.begin([place], reading: [])
        do {
            // A few bytes less, without which nothing else may be defined.
            batch.useReserve()
            for key in known.keys { try batch.remove(place, key: key) }
            try await batch.commit(appended: {}, committed: { _ in })
        } catch {
            batch.rollback()
            throw error
        }
    }

    // MARK: Bytes

    private static func version(_ record: RawSpan) throws -> (defined: UInt64, data: UInt64) {
        try unsafe read(record) { reader in
            let defined = try unsafe reader.varint()
            return (defined, try unsafe reader.varint())
        }
    }

    private static func paths(_ record: RawSpan) throws -> [String] {
        try unsafe read(record) { reader in
            let count = try unsafe reader.count(atMost: IndexKeys.pathCountMax)
            guard count > 0 else { throw damaged }
            return try (0..<count).map { _ in
                let bytes = try unsafe reader.lengthPrefixedArray()
                guard let text = String(validating: bytes, as: UTF8.self),
                    (try? FieldPath(text)) != nil
                else { throw damaged }
                return text
            }
        }
    }

    private static func read<Result>(
        _ record: RawSpan, _ body: (inout ByteReader) throws -> Result
    ) throws -> Result {
        do {
            return try unsafe record.withUnsafeBytes { bytes in
                var reader = unsafe ByteReader(bytes)
                let result = try unsafe body(&reader)
                try unsafe reader.expectEnd()
                return result
            }
        } catch {
            throw damaged
        }
    }

    private static var damaged: OfflineError {
        OfflineError(.corrupted, "what the store notes of its migrations is no such note")
    }
}
