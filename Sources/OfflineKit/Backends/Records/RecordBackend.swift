// The simpler contract for storage: a store of records, without trees, snapshots or batches. RecordStorage makes the
// rest of it.

/// Any store of records: a key-value database, a service, a folder of files.
///
/// Records and keys are bytes that the store makes; they come back as they were given. A collection is a name of lower-case
/// letters, digits and `_`; it comes to be with its first record. Keys are different from each other within a collection, have
/// 1 to 1,600 bytes, and need no order. A record has up to about 16 MiB.
///
/// ```swift
/// final class MyStorage: RecordBackend {
///     func create(_ collection: String, key: [UInt8], record: [UInt8]) async throws {
///         try await database.insert(collection, key, record)
///     }
///     // … and the other requirements
/// }
/// let options = StorageOptions(
///     databaseName: "app", storageBackend: .custom(MyStorage(), acceptingPartialCommits: true))
/// ```
///
/// The store reads every record once, when it opens, and answers from memory from then on: queries, indexes, transactions and
/// snapshots work as on any backend, and all data must fit in memory. Each commit is written through before it returns, one
/// call at a time, in order. What a call stores is to be durable when it returns, as far as the application asks for that.
///
/// A transaction of several records is several calls, and a crash in between leaves some of them. Conform to
/// `AtomicRecordBackend` too where changes can be made together; otherwise a store opens only with `acceptingPartialCommits`.
/// Whatever throws makes the commit fail: one whose first call failed has left nothing, and after any other failure the store
/// is read-only until it is opened again.
///
/// Nothing keeps two processes from writing at once: that is for the implementation to refuse in `initialize`. All calls come
/// one after another, on any thread.
public protocol RecordBackend: AnyObject, Sendable {
    /// Opens or creates the storage. Called again after `close` where another store is opened on the same object.
    func initialize(_ configuration: RecordBackendConfiguration) async throws
    /// Stores a record that isn't there.
    func create(_ collection: String, key: [UInt8], record: [UInt8]) async throws
    /// The record; nil where there is none.
    func get(_ collection: String, key: [UInt8]) async throws -> [UInt8]?
    /// Replaces a record that is there.
    func update(_ collection: String, key: [UInt8], record: [UInt8]) async throws
    /// Removes a record that is there.
    func delete(_ collection: String, key: [UInt8]) async throws
    /// Calls `visit` with every record of the collection, in any order. What `visit` throws is passed on.
    func scan(
        _ collection: String, _ visit: (_ key: [UInt8], _ record: [UInt8]) throws -> Void
    ) async throws
    /// Lets go. Nothing is called afterwards but `initialize`.
    func close() async throws
}

/// A store of records that makes several changes together or not at all, also over a crash.
///
/// One change is the same as several: `create`, `update` and `delete` are there, and call `apply`.
public protocol AtomicRecordBackend: RecordBackend {
    /// Makes all changes, in order, or throws and makes none.
    func apply(_ changes: [RecordBackendChange]) async throws
}

extension AtomicRecordBackend {
    /// Stores a record that isn't there: a single change.
    public func create(_ collection: String, key: [UInt8], record: [UInt8]) async throws {
        try await apply([.create(collection: collection, key: key, record: record)])
    }

    /// Replaces a record that is there: a single change.
    public func update(_ collection: String, key: [UInt8], record: [UInt8]) async throws {
        try await apply([.update(collection: collection, key: key, record: record)])
    }

    /// Removes a record that is there: a single change.
    public func delete(_ collection: String, key: [UInt8]) async throws {
        try await apply([.delete(collection: collection, key: key)])
    }
}

/// One change of a record.
public enum RecordBackendChange: Hashable, Sendable {
    /// A record that isn't there is stored.
    case create(collection: String, key: [UInt8], record: [UInt8])
    /// A record that is there is replaced.
    case update(collection: String, key: [UInt8], record: [UInt8])
    /// A record that is there is removed.
    case delete(collection: String, key: [UInt8])
}

/// What a record backend is opened with.
public struct RecordBackendConfiguration: Hashable, Sendable {
    /// The folder that the database's files belong in, if it has any; it may not exist yet.
    public var path: String
    /// Nothing will be written, and nothing may be.
    public var isReadOnly: Bool
    /// Puts the parts together.
    public init(path: String, isReadOnly: Bool = false) {
        self.path = path
        self.isReadOnly = isReadOnly
    }
}

extension StorageBackendOption {
    /// An implementation of your own of the simpler contract.
    ///
    /// `acceptingPartialCommits`: a crash in the middle of a commit may leave some of its records. Opening a store throws
    /// `.invalidOptions` where that is false and the backend is no `AtomicRecordBackend`, and where `sizeLimit` is set.
    public static func custom(
        _ backend: any RecordBackend, acceptingPartialCommits: Bool = false
    ) -> StorageBackendOption {
        .custom(RecordStorage(backend, acceptingPartialCommits: acceptingPartialCommits))
    }
}
