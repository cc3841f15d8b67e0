// All that the store needs from storage: ordered trees of byte keys, atomic batches, snapshots.
// Everything above (queries, indexes, transactions, relationships) is written once, on these
// protocols. What each kind of data becomes in them is StorageAdapter's to say, and nobody else's.
//
// The model. A collection has a primary tree, from a record's key to the record's bytes, and any
// number of index trees, which hold keys only. A key is at most 1,600 bytes and is compared as
// memcmp does; a record is at most 16 MiB + 64 KiB. A collection also has a dictionary: an
// append-only list of names. Its definition is an opaque text of the store's.
//
// Sequences. Every put of a record has one: they are the store's, begin at 1, ascend in the order of
// commits, and within a commit in the order of its puts, and are never used again. A commit takes a
// range of them (other operations may take some too), which begins where that of the commit before
// it ended.
//
// Rules for an implementation:
// - A reader never changes: neither by commits, nor by maintenance, nor while its cursors are
//   moved.
// - A batch is all or nothing, also over a crash, and is not seen by any reader before it is
//   committed.
// - Batches are given out for disjoint sets of collections only (the store sees to it: a collection
//   that one batch writes no other open batch writes or reads); where `allowsParallelWriters` is
//   false, one at a time.
// - A batch and a cursor are used by one thread at a time; a reader by any number.
// - Where a backend derives index entries again at recovery, it asks the `KeyDeriver` that it was
//   opened with.
// - Errors are OfflineErrors: `.databaseLocked` where another writer has the store, `.corrupted` with the file's name for
//   damage, `.quotaExceeded` for the backend's own limit and `.storageFull` for the device's, `.outcomeUnknown` where a
//   commit may or may not be there after a failure, `.readOnly` from then on. Any other error becomes
//   `.storageUnavailable`. No error's text has a key or a record in it.
// - What is `async` may take long, and waits on threads of the backend's own; all else returns soon.

internal import OfflineBytes

/// A collection's number: its own for life, never 0.
public struct CollectionID: Hashable, Sendable, Comparable {
    /// The number.
    public let value: UInt32
    /// Wraps a number.
    public init(_ value: UInt32) { self.value = value }
    /// By number.
    public static func < (a: CollectionID, b: CollectionID) -> Bool { a.value < b.value }
}

/// One ordered tree: a collection's primary tree (index 0) or one of its index trees.
public struct TreeID: Hashable, Sendable {
    /// The collection.
    public let collection: CollectionID
    /// 0: the primary tree; else the index's number within the collection.
    public let index: UInt32
    /// The tree `index` of `collection`.
    public init(_ collection: CollectionID, _ index: UInt32 = 0) {
        self.collection = collection
        self.index = index
    }
}

/// A range of keys in memcmp order: `lower` included, `upper` excluded; nil is unbounded.
public struct KeyRange: Hashable, Sendable {
    /// The first key that may be in it.
    public var lower: [UInt8]?
    /// The first key beyond it.
    public var upper: [UInt8]?
    /// Every key.
    public static var all: KeyRange { KeyRange(lower: nil, upper: nil) }
    /// The keys from `lower` up to, not including, `upper`.
    public init(lower: [UInt8]?, upper: [UInt8]?) {
        self.lower = lower
        self.upper = upper
    }
}

/// What a backend keeps about a collection besides its trees.
public struct StoredCollection: Sendable {
    /// Its number.
    public var id: CollectionID
    /// The store's own description of it, opaque to the backend.
    public var definition: [UInt8]
    /// Its index trees' numbers.
    public var indexes: [UInt32]
    /// Its dictionary.
    public var names: [String]
    /// Puts the parts together.
    public init(id: CollectionID, definition: [UInt8], indexes: [UInt32], names: [String]) {
        self.id = id
        self.definition = definition
        self.indexes = indexes
        self.names = names
    }
}

/// Index entries of one record: for each, its tree and its key; in one buffer, so that deriving
/// allocates nothing per key.
public struct DerivedKeys: Sendable {
    /// One entry: the index tree's number and where its key lies in `bytes`.
    public struct Entry: Sendable {
        /// The index tree.
        public var index: UInt32
        /// The key's place in `bytes`.
        public var range: Range<Int>
    }
    /// All keys, one after another.
    public private(set) var bytes: [UInt8] = []
    /// The entries, ascending by tree, then by key.
    public internal(set) var entries: [Entry] = []
    /// No entries.
    public init() {}

    /// Forgets all entries and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }

    /// Takes the last entry back.
    public mutating func removeLast() {
        guard let last = entries.popLast() else { return }
        bytes.removeSubrange(last.range.lowerBound...)
    }

    /// Appends an entry whose key `build` appends to the buffer.
    public mutating func append(index: UInt32, _ build: (inout [UInt8]) throws -> Void) rethrows {
        let start = bytes.count
        try build(&bytes)
        entries.append(Entry(index: index, range: start..<bytes.count))
    }
}

/// Derives index entries from a record; handed to a backend when it opens.
///
/// A pure function of the record's bytes and the collection's definition and dictionary.
public protocol KeyDeriver: AnyObject, Sendable {
    /// Called for each stored collection before any of its records is derived, and again when its
    /// definition changes.
    func load(_ collection: StoredCollection) throws
    /// Names that a replayed commit appended to the collection's dictionary.
    func extendDictionary(of collection: CollectionID, with names: [String]) throws
    /// Appends the record's entries in every index tree. Throws `.corrupted` for bytes that are no
    /// record.
    func deriveKeys(
        of collection: CollectionID, key: RawSpan, record: RawSpan, into keys: inout DerivedKeys
    ) throws
}

/// What a backend is opened with.
public struct BackendConfiguration: Sendable {
    /// The folder that is, or will be, the database's own.
    public var path: String
    /// Nothing may be written: `begin` and `define` aren't called, and throw if they are.
    public var isReadOnly: Bool
    /// When a commit is on stable storage.
    public var durability: Durability
    /// Bytes on disk; nil: unlimited.
    public var sizeLimit: Int64?
    /// Space is given back in the background where it pays; else only on `compact`.
    public var compactsByItself: Bool
    /// Derives index entries.
    public var deriver: any KeyDeriver

    /// Puts the parts together.
    public init(
        path: String, isReadOnly: Bool = false, durability: Durability = .full,
        sizeLimit: Int64? = nil, compactsByItself: Bool = true, deriver: any KeyDeriver
    ) {
        self.path = path
        self.isReadOnly = isReadOnly
        self.durability = durability
        self.sizeLimit = sizeLimit
        self.compactsByItself = compactsByItself
        self.deriver = deriver
    }
}

/// How many bytes a collection's data has.
public struct CollectionBytes: Hashable, Sendable {
    /// Keys and records of the primary tree, in bytes as they were put.
    public var recordBytes: Int64
    /// Keys of all index trees, in bytes as they were inserted.
    public var indexBytes: Int64
    /// Puts the parts together.
    public init(recordBytes: Int64 = 0, indexBytes: Int64 = 0) {
        self.recordBytes = recordBytes
        self.indexBytes = indexBytes
    }
}

/// What a backend takes, in bytes.
public struct BackendSpace: Hashable, Sendable {
    /// The sum of the sizes of all its files; where it has none, of what it holds.
    public var usedBytes: Int64
    /// Of these, files of logs.
    public var logBytes: Int64
    /// Of these, files of trees, or of everything where one file has it all.
    public var treeBytes: Int64
    /// About how much `compact` gives back.
    public var reclaimableBytes: Int64
    /// What only readers that are still held keep from being given back.
    public var pinnedBytes: Int64
    /// What the device has room for besides; `Int64.max` in memory.
    public var availableBytes: Int64
    /// Puts the parts together.
    public init(
        usedBytes: Int64 = 0, logBytes: Int64 = 0, treeBytes: Int64 = 0,
        reclaimableBytes: Int64 = 0, pinnedBytes: Int64 = 0, availableBytes: Int64 = .max
    ) {
        self.usedBytes = usedBytes
        self.logBytes = logBytes
        self.treeBytes = treeBytes
        self.reclaimableBytes = reclaimableBytes
        self.pinnedBytes = pinnedBytes
        self.availableBytes = availableBytes
    }
}

/// Where a store keeps its data: ordered trees of byte keys, atomic batches, snapshots.
///
/// For stores of records without trees and snapshots there is `RecordBackend`. <doc:WritingAStorageBackend> has a guide;
/// `BackendConformance` in the product `OfflineTesting` is the suite to pass.
public protocol StorageBackend: AnyObject, Sendable {
    /// Whether batches on disjoint collections may be open at once. Where it is false, the store begins a batch only after
    /// the one before has called `appended` or was rolled back. Never changes.
    var allowsParallelWriters: Bool { get }
    /// Opens the database at `configuration.path`, or creates it; calls `deriver.load` for each collection before it derives
    /// anything. Called once before all else, and again after `close`.
    ///
    /// Throws `.invalidOptions`, naming the option, for what the backend can't do; `.databaseLocked` where another process or
    /// object writes the database, at once; `.storageUnavailable` where there is nothing to read; `.unsupportedFormat` for
    /// data of a newer release. Whatever it throws, nothing is open afterwards.
    func initialize(_ configuration: BackendConfiguration) async throws
    /// Makes everything durable and lets go, also after a failure. Idempotent. Readers that are still held go on where that is
    /// possible, and else throw; all calls but `initialize` throw `.notOpen`.
    func close() async throws
    /// Everything that was committed before the call is on stable storage when this returns.
    func flush() async throws
    /// The committed state now: every commit whose `committed` was called, and none in part. Never waits for a writer. Called
    /// for each read, so it should cost microseconds.
    func snapshot() throws -> any BackendReader
    /// A batch that writes `collections` and may also read those in `reading`, on top of the latest
    /// commit to all of them, be it durable yet or not. With no collections to write it only reads.
    ///
    /// Throws `.readOnly` on a read-only backend where there is something to write.
    func begin(_ collections: [CollectionID], reading: [CollectionID]) throws -> any BackendBatch
    /// Adds and changes collections and index trees in one atomic step: collections in `changes`
    /// are created or get the new definition; index trees that are new are built in bulk from the
    /// records there are, those absent are dropped.
    /// `validate` is called with a reader of the new state before anything is kept; if it throws (a
    /// new unique index that the records break), everything stays as it was, and `deriver.load` is
    /// called again with the old definitions. A collection that isn't in `changes` stays as it is.
    /// The caller sees to it that no batch is open.
    func define(
        _ changes: [StoredCollection], version: UInt64,
        validate: (_ reader: any BackendReader, _ newTrees: [TreeID]) throws -> Void
    ) async throws
    /// Reads everything and checks all that can be checked below the level of documents. Damage is in the result, not thrown.
    /// Runs beside readers and writers.
    func verify() async throws -> BackendVerification
    /// On a read-only backend beside a writer: new snapshots are of the newest committed state from here on, and
    /// `deriver.load` is called for what is stored there. Until then, all are of one state. Elsewhere it does nothing.
    func refresh() async throws
    /// Bytes that commits which only add data may still take before the size limit; nil without a limit. Below 0 where
    /// more is in use already. Cheap: asked at every commit.
    var room: Int64? { get }
    /// What it takes now. Never waits for a writer.
    func space() throws -> BackendSpace
    /// Gives back all space that can be given back. Readers and batches that are held meanwhile go on with what they see.
    func compact() async throws
}

extension StorageBackend {
    /// Not told.
    public var room: Int64? { nil }
}

/// A backend whose compaction may return with something left to do.
protocol RestTellingBackend: StorageBackend {
    /// The same as `compact`; false where files may still have what was replaced or removed before: without room for a copy, say, or
    /// because somebody is reading.
    func compactTellingRest() async throws -> Bool
}

extension StorageBackend {
    /// Compacts; whether nothing is left in the files of what was replaced or removed before.
    func compactToTheLast() async throws -> Bool {
        if let backend = self as? any RestTellingBackend {
            return try await backend.compactTellingRest()
        }
        try await compact()
        return true
    }
}

/// What `StorageBackend.verify` found.
public struct BackendVerification: Sendable {
    /// One sentence each: what and where.
    public var problems: [String] = []
    /// Records whose checksum was checked.
    public var recordsChecked = 0
    /// Bytes read and checked.
    public var bytesChecked: Int64 = 0
    /// Nothing checked yet.
    public init() {}
}

/// A state of all trees that doesn't change (a snapshot), or that only its own batch changes.
public protocol BackendReader: AnyObject, Sendable {
    /// The application's schema version that the last `define` stored; 0 in a new store.
    var storedVersion: UInt64 { get }
    /// Every commit is in this state, wholly, if its sequences are below this one, and else is not. Of a batch: of the state
    /// that there was when it began.
    var nextSequence: UInt64 { get }
    /// The same state in a reader that may be kept for long: a backend bounds there what that
    /// costs.
    func kept() -> any BackendReader
    /// All collections as of this reader.
    func collections() -> [StoredCollection]
    /// The dictionary of a collection as of this reader.
    func names(of collection: CollectionID) -> [String]
    /// How many names there are; cheap, to see whether a cached dictionary is still good.
    func nameCount(of collection: CollectionID) -> Int
    /// Calls `body` once with the record's bytes, which are valid during the call; false, without a call, where there is no
    /// such key or collection. What `body` throws is passed on. `body` may read in the same reader.
    func withRecord(
        _ collection: CollectionID, key: [UInt8], _ body: (RawSpan) throws -> Void
    ) throws -> Bool
    /// The sequence of the put that made the record; nil where there is no such key, and in a batch also for
    /// a record that it has put itself.
    func sequence(of collection: CollectionID, key: [UInt8]) throws -> UInt64?
    /// Whether the tree has exactly this key; false where there is no such tree.
    func contains(_ tree: TreeID, key: [UInt8]) throws -> Bool
    /// Replaces `buffer` by the first key at or after `key`, keeping its memory; false, and
    /// `buffer` is of no use, where there is none. (What a cursor's first step would give, without
    /// making a cursor: uniqueness is checked with it at every write.)
    func firstKey(_ tree: TreeID, from key: RawSpan, into buffer: inout [UInt8]) throws -> Bool
    /// How many keys are in the range. O(log n) where the backend can.
    func count(_ tree: TreeID, in range: KeyRange) throws -> Int
    /// How many bytes the collection's data has; zeros where there is no such collection. O(1) or close to it where the
    /// backend can.
    func bytes(of collection: CollectionID) throws -> CollectionBytes
    /// A cursor before the first entry of the range, or behind the last if `descending`. A tree that doesn't exist is empty,
    /// and so is a range whose lower bound isn't below the upper. The cursor keeps what it needs of the reader.
    func cursor(_ tree: TreeID, in range: KeyRange, descending: Bool) throws -> any BackendCursor
}

extension BackendReader {
    /// The reader itself.
    public func kept() -> any BackendReader { self }
}

/// Walks a range of one tree. For one thread at a time.
public protocol BackendCursor: AnyObject {
    /// Moves to the next entry in the cursor's direction; false at the end, however often it is called there.
    func next() throws -> Bool
    /// Passes over `count` entries, as `next` called so many times would. O(log n) where the
    /// backend can.
    func skip(_ count: Int) throws
    /// Moves on by at least one entry, to the first one at or after `key`, as `next` called often enough would; false at
    /// the end. For ascending cursors only. O(log n) where the backend can.
    func seek(_ key: [UInt8]) throws -> Bool
    /// Replaces `buffer` by the current entry's key, keeping its memory. For use after a `next` or `seek` that gave true.
    func copyKey(into buffer: inout [UInt8])
    /// Calls `body` with the current record's bytes, which are valid during the call; primary trees only.
    func withRecord(_ body: (RawSpan) throws -> Void) throws
}

extension BackendCursor {
    /// Steps through all that is before `key`.
    public func seek(_ key: [UInt8]) throws -> Bool {
        var current: [UInt8] = []
        while try next() {
            copyKey(into: &current)
            if ByteOrder.compare(current, key) >= 0 { return true }
        }
        return false
    }
}

extension BackendBatch {
    /// Nothing is kept back.
    public func useReserve() {}
}

/// An atomic batch, which can itself be read: its own collections as it has changed them, those it
/// reads as they were at its begin. A cursor of a batch is of no use after the next change to its
/// tree.
public protocol BackendBatch: BackendReader {
    /// Inserts or replaces a record. The caller inserts and removes index entries to match. Returns the put's place in the
    /// commit: its sequence is the first one of the commit plus this.
    @discardableResult
    func put(_ collection: CollectionID, key: [UInt8], record: [UInt8]) throws -> UInt64
    /// Removes a record that is there; where there is none, nothing happens.
    func remove(_ collection: CollectionID, key: [UInt8]) throws
    /// Adds an index entry; one that is there already stays.
    func insert(_ tree: TreeID, key: RawSpan) throws
    /// Removes an index entry; where there is none, nothing happens.
    func remove(_ tree: TreeID, key: RawSpan) throws
    /// Removes all records and index entries of a collection, in one step however many there are; its definition and
    /// dictionary stay, and what the batch puts later is kept.
    func clear(_ collection: CollectionID) throws
    /// Appends names to a collection's dictionary.
    func extendNames(of collection: CollectionID, with names: [String]) throws
    /// Says that the batch frees space in the end: a backend with a size limit keeps a part of it back for such ones.
    func useReserve()
    /// All or nothing; returns once the durability asked for is reached. The batch can't be used
    /// afterwards.
    ///
    /// Calls `appended` once, as soon as the next batch on the same collections may begin, which
    /// may be before this one is durable, so that several of them share a sync; where it throws
    /// before that, never. A batch that changed nothing returns once all that it may have read is
    /// as durable as asked for.
    ///
    /// Calls `committed` once, with the sequences of the commit, as soon as it is as durable as asked for and every new
    /// snapshot shows it: on any thread, and before it returns. It isn't called where this throws, or where the batch changed nothing.
    func commit(
        appended: () -> Void, committed: @escaping @Sendable (_ sequences: Range<UInt64>) -> Void
    ) async throws
    /// Drops everything. Idempotent, also after commit.
    func rollback()
}
