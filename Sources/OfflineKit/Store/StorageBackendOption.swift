// Which storage a store is opened on.

/// Where a store keeps its data.
public struct StorageBackendOption: Sendable {
    /// The choices.
    package enum Choice: Sendable {
        case log
        case sqlite
        case file
        case memory
        case custom(any StorageBackend)
    }
    package let choice: Choice

    private init(choice: Choice) { self.choice = choice }

    /// The log-structured engine: large, indexed, asynchronous, crash-safe.
    public static var log: StorageBackendOption { StorageBackendOption(choice: .log) }
    /// SQLite: one database that the `sqlite3` shell can read. One transaction writes at a time: while one is open, other
    /// writes wait, and so does `getChanges`. Opening throws `.invalidOptions` where the package's trait `SQLite` is off.
    public static var sqlite: StorageBackendOption { StorageBackendOption(choice: .sqlite) }
    /// One small file, 5 MB at most, rewritten atomically: the fallback.
    public static var file: StorageBackendOption { StorageBackendOption(choice: .file) }
    /// Nothing outlives the store; for tests and previews.
    public static var memory: StorageBackendOption { StorageBackendOption(choice: .memory) }
    /// An implementation of your own. `OfflineTesting` has a suite that it must pass.
    public static func custom(_ backend: any StorageBackend) -> StorageBackendOption {
        StorageBackendOption(choice: .custom(backend))
    }

    /// "log" or "indexeddb", "sqlite" or "websql", "file" or "localstorage", "memory".
    ///
    /// Throws `.invalidOptions` for any other name.
    public init(named name: String) throws {
        switch name {
        case "log", "indexeddb": self = .log
        case "sqlite", "websql": self = .sqlite
        case "file", "localstorage": self = .file
        case "memory": self = .memory
        default:
            throw OfflineError(
                .invalidOptions,
                "storage_backend \"\(name)\": it may be log (indexeddb), sqlite (websql), "
                    + "file (localstorage) or memory")
        }
    }
}
