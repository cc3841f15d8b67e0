// The one read path: everything that is read, by a get, a query or an include, on a store, a
// snapshot or inside a transaction, is read through a ReadView.
//
// A view of a snapshot never changes. A view of a transaction shows what its batch has written so
// far, and only the collections that the transaction named.
internal import OfflineBytes

/// A state of the store to read in, with its schema and what of it may be read.
struct ReadView: Sendable {
    let adapter: StorageAdapter
    let schema: SchemaState
    /// Nil for a view of everything that is committed.
    private let batch: BatchScope?
    /// Where reads are noted; nil: they don't matter.
    private let reads: ReadCounts?
    /// Whose view it is; nil: that of who may do everything.
    let access: SessionAccess?
    /// Keeps the keys that what it shows is sealed with. A transaction's own state needs that no more than its collections' locks.
    private let keys: KeyUse?

    /// A view of what is committed.
    init(
        snapshot: any BackendReader, schema: SchemaState, reads: ReadCounts? = nil,
        access: SessionAccess? = nil, keys: KeyUse? = nil
    ) {
        self.access = access
        self.keys = keys
        adapter = StorageAdapter(snapshot)
        self.schema = schema
        self.reads = reads
        batch = nil
    }

    /// A view of a transaction's own state.
    init(
        batch: any BackendReader, schema: SchemaState, scope: BatchScope,
        access: SessionAccess? = nil
    ) {
        self.access = access
        keys = nil
        adapter = StorageAdapter(batch)
        self.schema = schema
        self.batch = scope
        reads = nil
    }

    /// The same view of another state.
    private init(_ view: ReadView, of reader: any BackendReader) {
        adapter = StorageAdapter(reader)
        schema = view.schema
        batch = view.batch
        reads = nil
        access = view.access
        keys = view.keys
    }

    /// A view as if there were only the records that the session sees; of the collection those in which it sees all of the paths.
    func ofVisible(
        _ collection: CollectionState, showing paths: [FieldPath]
    ) throws -> ReadView {
        ReadView(self, of: try VisibleReader(self, collection, showing: paths))
    }

    /// Notes that the record was given to a caller, where the collection's policy asks for that.
    @inline(__always)
    func noteRead(_ collection: CollectionState, key: [UInt8]) {
        if collection.countsReads { reads?.note(collection.id, key) }
    }

    /// The same, of all these records.
    func noteReads(_ documents: [Document], of collection: CollectionState) {
        guard let reads, collection.countsReads else { return }
        for document in documents {
            if let key = try? RecordKeys.existing(in: document, of: collection) {
                reads.note(collection.id, key)
            }
        }
    }

    /// The collection; `.unknownCollection` where there is none, `.transactionScope` where the
    /// transaction doesn't name it.
    func collection(_ name: String) throws(OfflineError) -> CollectionState {
        let collection = try schema.collection(name)
        if let batch { try batch.checkReading(collection) }
        return collection
    }

    /// The names of the collection's records, and the index paths bound to them.
    func names(of collection: CollectionState) -> BoundNames {
        if let batch { return batch.names.names(of: collection, in: adapter.reader) }
        return collection.committedNames.names(of: collection, in: adapter.reader)
    }

    // MARK: Records

    /// The record with this encoded key, as a document that owns its bytes; nil where there is
    /// none.
    func document(_ collection: CollectionState, key: [UInt8]) throws -> Document? {
        let names = names(of: collection).dictionary
        return try adapter.document(of: collection, key: key, names: names)
    }

    /// Calls `body` with the record, read in place; nil where there is none. Nothing of the record
    /// may outlive `body`.
    func withRecord<Result>(
        _ collection: CollectionState, key: [UInt8], _ body: (RecordView) throws -> Result
    ) throws -> Result? {
        try unsafe adapter.withRecord(
            of: collection, key: key, names: names(of: collection).dictionary, body)
    }

    /// The collection's records whose encoded keys are in the range, in key order.
    func records(
        _ collection: CollectionState, in range: KeyRange = .all, descending: Bool = false
    ) throws -> StorageCursor {
        try adapter.cursor(
            StorageAdapter.records(of: collection), of: collection, in: range,
            descending: descending, names: names(of: collection).dictionary)
    }

    /// How many records there are in the range of encoded keys.
    func count(_ collection: CollectionState, in range: KeyRange = .all) throws -> Int {
        try adapter.count(StorageAdapter.records(of: collection), of: collection, in: range)
    }

    // MARK: Index entries

    /// The index's entries in the range, by default all but the array markers; IndexKeys says what
    /// they are made of.
    func entries(
        _ collection: CollectionState, _ index: IndexState,
        in range: KeyRange = IndexKeys.entries, descending: Bool = false
    ) throws -> StorageCursor {
        try adapter.cursor(
            StorageAdapter.entries(of: index, collection), of: collection, in: range,
            descending: descending, names: .empty)
    }

    /// How many entries of the index are in the range.
    func count(
        _ collection: CollectionState, _ index: IndexState, in range: KeyRange = IndexKeys.entries
    ) throws -> Int {
        try adapter.count(
            StorageAdapter.entries(of: index, collection), of: collection, in: range)
    }

    /// In how many records the path is array-bearing: leads to an array, or steps through one.
    /// Exact.
    func arrayBearingCount(
        _ collection: CollectionState, _ index: IndexState, path ordinal: Int
    ) throws -> Int {
        try count(collection, index, in: IndexKeys.markers(ofPath: ordinal))
    }
}
