// Steps from one version of an application's data to the next.

/// One step that changes stored records when the application's schema version goes up.
public protocol Migration: Sendable {
    /// The version it leads to.
    var version: Int { get }
    /// What progress reports call it.
    var name: String { get }
    /// Changes the records from the version before to `version`.
    func up(_ store: any StoreWriter) async throws
    /// Takes `up` back.
    func down(_ store: any StoreWriter) async throws
}

extension Migration {
    /// The type's name.
    public var name: String { String(describing: Self.self) }
    /// Refuses: a step is one-way unless it says how to go back.
    public func down(_ store: any StoreWriter) async throws {
        throw OfflineError(
            .migrationFailed, "migration \(name) to version \(version) has no way down")
    }
}

/// The migrations of an application.
public struct MigrationManager: Sendable {
    /// The steps, as given.
    public let migrations: [any Migration]
    package let progress: (@Sendable (MigrationProgress) -> Void)?

    /// `progress` hears of each migration's start and end, and of records done in between.
    public init(
        _ migrations: [any Migration], progress: (@Sendable (MigrationProgress) -> Void)? = nil
    ) {
        self.migrations = migrations
        self.progress = progress
    }
}

/// How far a migration is.
public struct MigrationProgress: Sendable, Hashable {
    /// The migration's name.
    public let name: String
    /// The version it leads to.
    public let version: Int
    /// Records changed so far.
    public let recordsChanged: Int
    /// The step is done and committed.
    public let isFinished: Bool

    package init(name: String, version: Int, recordsChanged: Int, isFinished: Bool) {
        self.name = name
        self.version = version
        self.recordsChanged = recordsChanged
        self.isFinished = isFinished
    }
}
