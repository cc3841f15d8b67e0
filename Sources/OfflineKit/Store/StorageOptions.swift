// Everything a store is opened with. Only held here: the rules are OptionValidation's, the JSON
// form is StorageOptions+JSON's.
public import Foundation

/// How a store is opened: where, on what, and with which collections.
///
/// ```swift
/// let options = StorageOptions(
///     databaseName: "my_app_db",
///     storageSchema: [CollectionSchema(name: "users"), CollectionSchema(name: "orders")])
/// let store = try await OfflineStore.open(options)
/// ```
public struct StorageOptions: Sendable {
    /// The database's name: 1 to 100 characters, without `/`, `\` and NUL, and neither `.` nor
    /// `..`.
    public var databaseName: String
    /// The folder that holds the database's own folder; nil: the platform's application-data
    /// folder.
    public var directory: URL?
    /// The application's schema version, at least 1. A store of an older one is brought to it by `migrationManager`, one of a newer one
    /// opens for reading only: `.versionTooNew`.
    public var version: Int
    /// Where the data is kept.
    public var storageBackend: StorageBackendOption
    /// Bytes on disk, at least 1 MiB; nil: unlimited.
    public var sizeLimit: Int64?
    /// What is dropped when the size limit is reached.
    public var evictionStrategy: EvictionPolicy
    /// Which fields are sealed, and how.
    public var encryption: EncryptionOptions
    /// The collections; empty: as stored. A stored collection absent here is kept.
    public var storageSchema: [CollectionSchema]
    /// The steps from older versions; nil: none is needed.
    public var migrationManager: MigrationManager?
    /// When a commit is on stable storage.
    public var durability: Durability
    /// Nothing is written, and another process may write meanwhile.
    public var isReadOnly: Bool
    /// How long a transaction may stay open without an operation before it is rolled back, and how
    /// long one waits for another.
    public var transactionTimeout: Duration
    /// Compact in the background, paced; off: only on `compact()`.
    public var autoCompaction: Bool

    /// All settings; only the name has no default.
    public init(
        databaseName: String,
        directory: URL? = nil,
        version: Int = 1,
        storageBackend: StorageBackendOption = .log,
        sizeLimit: Int64? = nil,
        evictionStrategy: EvictionPolicy = .none,
        encryption: EncryptionOptions = .disabled,
        storageSchema: [CollectionSchema] = [],
        migrationManager: MigrationManager? = nil,
        durability: Durability = .full,
        isReadOnly: Bool = false,
        transactionTimeout: Duration = .seconds(30),
        autoCompaction: Bool = true
    ) {
        self.databaseName = databaseName
        self.directory = directory
        self.version = version
        self.storageBackend = storageBackend
        self.sizeLimit = sizeLimit
        self.evictionStrategy = evictionStrategy
        self.encryption = encryption
        self.storageSchema = storageSchema
        self.migrationManager = migrationManager
        self.durability = durability
        self.isReadOnly = isReadOnly
        self.transactionTimeout = transactionTimeout
        self.autoCompaction = autoCompaction
    }
}
