// The one type that knows both what the store keeps and what a backend has: it maps each kind of
// data to trees, and nobody else reads or changes what is in a tree. Reading goes through it in
// ReadView, writing in RecordWriter.
//
//     kind of data   tree                          key                     value
//     record         the collection's primary (0)  the encoded record key  the encoded record, behind a
//                                                                          stamp where changes are tracked
//     index entry    the index's number            Indexes/IndexKeys       none
//     array marker   the index's number            Indexes/IndexKeys       none
//     changes        see Changes/ChangeTrees
//     field names    the collection's dictionary
//     definition     the collection's definition                           Schema/StoredDefinition
//
// Bytes that come from a backend are validated here before anything reads in them, and what a
// backend throws leaves as an OfflineError with the collection's name.
internal import OfflineBytes

/// Reads the store's data in a backend's reader.
struct StorageAdapter: Sendable {
    let reader: any BackendReader

    init(_ reader: any BackendReader) { self.reader = reader }

    /// Where a collection's records are.
    static func records(of collection: CollectionState) -> TreeID { TreeID(collection.id) }

    /// Where an index's entries and markers are.
    static func entries(of index: IndexState, _ collection: CollectionState) -> TreeID {
        TreeID(collection.id, index.number)
    }

    // MARK: Records

    /// Calls `body` with the record, read in place; nil where there is none. Sensitive fields are opened unless the store is
    /// locked, or `opening` is false.
    func withRecord<Result>(
        of collection: CollectionState, key: [UInt8], names: NameDictionary,
        opening: Bool = true, _ body: (RecordView) throws -> Result
    ) throws -> Result? {
        var result: Result?
        try Self.mapping(collection, key) {
            _ = try reader.withRecord(collection.id, key: key) { span in
                result = try unsafe Self.read(span, names) { record in
                    guard opening, let sealing = collection.sealing else {
                        return try unsafe body(record)
                    }
                    return try sealing.withOpener(key) { try unsafe $0.withOpened(record, body) }
                }
            }
        }
        return result
    }

    /// Calls `body` with the stamp of the record and the bytes behind it, validated; nil where there is none.
    func withStored<Result>(
        of collection: CollectionState, key: [UInt8], names: NameDictionary,
        _ body: (RecordStamp?, UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result? {
        var result: Result?
        try Self.mapping(collection, key) {
            _ = try reader.withRecord(collection.id, key: key) { span in
                result = try unsafe span.withUnsafeBytes { stored in
                    try unsafe body(RecordStamp(of: stored), Self.record(in: stored, names))
                }
            }
        }
        return result
    }

    /// The record, as a document that owns its bytes; nil where there is none. `.locked` where something in it is sealed and
    /// the store is locked.
    func document(
        of collection: CollectionState, key: [UInt8], names: NameDictionary
    ) throws -> Document? {
        var document: Document?
        try Self.mapping(collection, key) {
            _ = try reader.withRecord(collection.id, key: key) { span in
                document = try unsafe Self.read(span, names) { record in
                    try unsafe collection.sealing?.document(opening: record, key: key)
                        ?? Document(copying: record)
                }
            }
        }
        return document
    }

    func hasRecord(of collection: CollectionState, key: [UInt8]) throws -> Bool {
        try Self.mapping(collection, key) {
            try reader.contains(Self.records(of: collection), key: key)
        }
    }

    // MARK: Trees

    func count(_ tree: TreeID, of collection: CollectionState, in range: KeyRange) throws -> Int {
        try Self.mapping(collection) { try reader.count(tree, in: range) }
    }

    func firstKey(
        _ tree: TreeID, of collection: CollectionState, from key: RawSpan,
        into buffer: inout [UInt8]
    ) throws -> Bool {
        do {
            return try reader.firstKey(tree, from: key, into: &buffer)
        } catch {
            throw ErrorMapping.publicError(error, collection: collection.name)
        }
    }

    func contains(_ tree: TreeID, of collection: CollectionState, key: [UInt8]) throws -> Bool {
        try Self.mapping(collection) { try reader.contains(tree, key: key) }
    }

    func cursor(
        _ tree: TreeID, of collection: CollectionState, in range: KeyRange, descending: Bool,
        names: NameDictionary
    ) throws -> StorageCursor {
        try Self.mapping(collection) {
            StorageCursor(
                try reader.cursor(tree, in: range, descending: descending), collection, names)
        }
    }

    // MARK: Bytes from a backend

    /// Validates a stored record and calls `body` with it.
    @inline(__always)
    static func read<Result>(
        _ span: RawSpan, _ names: NameDictionary, _ body: (RecordView) throws -> Result
    ) throws -> Result {
        try unsafe span.withUnsafeBytes { try unsafe read($0, names, body) }
    }

    @inline(__always)
    static func read<Result>(
        _ stored: UnsafeRawBufferPointer, _ names: NameDictionary,
        _ body: (RecordView) throws -> Result
    ) throws -> Result {
        try unsafe body(RecordView(record(in: stored, names), names: names))
    }

    /// The bytes behind the stamp, validated.
    @inline(__always)
    private static func record(
        in stored: UnsafeRawBufferPointer, _ names: NameDictionary
    ) throws -> UnsafeRawBufferPointer {
        let start = try unsafe RecordStamp.length(in: stored)
        let record = unsafe UnsafeRawBufferPointer(rebasing: stored[start...])
        try unsafe RecordValidator.validate(record, nameCount: names.count)
        return unsafe record
    }

    /// Runs `body` and gives what it throws its place.
    @inline(__always)
    static func mapping<Result>(
        _ collection: CollectionState, _ key: [UInt8]? = nil, _ body: () throws -> Result
    ) throws -> Result {
        do {
            return try body()
        } catch {
            throw ErrorMapping.publicError(
                error, collection: collection.name,
                key: key.flatMap { try? KeyDecoder.value($0) })
        }
    }
}

/// Walks one of a collection's trees. For one thread at a time.
struct StorageCursor {
    private let cursor: any BackendCursor
    private let collection: CollectionState
    private let names: NameDictionary
    /// Nil where no field is sensitive.
    private let opener: FieldOpener?

    init(_ cursor: any BackendCursor, _ collection: CollectionState, _ names: NameDictionary) {
        self.cursor = cursor
        self.collection = collection
        self.names = names
        opener = collection.sealing.map { FieldOpener($0) }
    }

    /// Moves to the next entry in the cursor's direction; false at the end.
    func next() throws -> Bool {
        try StorageAdapter.mapping(collection) { try cursor.next() }
    }

    /// Passes over `count` entries.
    func skip(_ count: Int) throws {
        try StorageAdapter.mapping(collection) { try cursor.skip(count) }
    }

    /// Moves on to the first entry at or after `key`; false at the end.
    func seek(_ key: [UInt8]) throws -> Bool {
        try StorageAdapter.mapping(collection) { try cursor.seek(key) }
    }

    /// Replaces `buffer` by the current entry's key, keeping its memory.
    func copyKey(into buffer: inout [UInt8]) { cursor.copyKey(into: &buffer) }

    /// Calls `body` with the current record, read in place, its sensitive fields opened unless the store is locked; for trees of records
    /// only.
    func withRecord(_ body: (RecordView) throws -> Void) throws {
        guard let opener else { return try unsafe withSealed(body) }
        cursor.copyKey(into: &opener.key)
        try unsafe withSealed { try unsafe opener.withOpened($0, body) }
    }

    /// The same, with what is sealed as it is.
    func withSealed(_ body: (RecordView) throws -> Void) throws {
        try StorageAdapter.mapping(collection) {
            try cursor.withRecord { span in try unsafe StorageAdapter.read(span, names, body) }
        }
    }
}
