// An application's migrations, as it hands them to a store.

/// The migrations of an application.
///
/// ```swift
/// StorageOptions(
///     databaseName: "my_app_db", version: 2, storageSchema: schema,
///     migrationManager: MigrationManager([AddUserPreferences()]))
/// ```
///
/// A store that was made by an earlier version has what lies between its version and the options' run when it opens, in order, each in a
/// transaction of its own. Where one throws, or the process dies, the store stays at the version of the last one that was finished, and
/// the next opening goes on from there. After the last one the options' schema is applied: indexes are built, and where the records break
/// a unique one, the error names them; the store has the options' version by then, and opens with a schema that its records keep.
///
/// A collection whose `keyPath` differs from what is stored needs a migration, which sees to it that every record has a value
/// there; it may change nothing where all have one. When the last migration that is due is done, the records move to their new keys in the
/// same transaction. (The field of the old key must stay in them till then. What refers to records by their old keys is the migration's
/// to change. To a server, the old record is deleted and there is a new one.)
///
/// While migrations run the store isn't open: no session, live query or eviction is at work.
public struct MigrationManager: Sendable {
    /// The steps, as given.
    public let migrations: [any Migration]
    private let progress: @Sendable (MigrationProgress) -> Void

    /// `progress` hears of each migration's start and end, and of records done in between.
    ///
    /// The migrations' versions adjoin, up to the options' version or beyond it; a gap, or a version that is there twice, is
    /// `.invalidOptions` when it is used. Those beyond the options' version don't run yet. Those that lead to versions which no store
    /// has to come from any more may be left out.
    public init(
        _ migrations: [any Migration], progress: (@Sendable (MigrationProgress) -> Void)? = nil
    ) {
        self.migrations = migrations
        self.progress = progress ?? { _ in }
    }

    /// Runs what is due over a snapshot and reports what would change; nothing is kept.
    ///
    /// The migrations really run, over what is stored, with their changes in memory. Nothing is written to disk, and a writer beside it
    /// isn't disturbed, where the backend can be read beside one. `progress` hears nothing. A store that isn't there yet has nothing due.
    ///
    /// Throws what opening the store for reading throws, and `.invalidOptions`; a migration that fails is in the report.
    public func rehearse(_ options: StorageOptions) async throws -> MigrationReport {
        try await StoreOpening(options, clock: SystemStoreClock()).rehearse(self)
    }

    /// Migrates an existing store down to `version` with the `down` steps, newest first.
    ///
    /// Each is a transaction, and where one throws the store stays at the version before it, as on the way up; one that has no way down is
    /// `.migrationFailed`. Where the options' version is `version`, their schema is what the store has then, key paths too; else collections
    /// stay as they are stored. No other opening may have the store meanwhile.
    ///
    /// Throws `.versionTooNew` where the store's version is above that of all the migrations, `.invalidOptions` where it is below `version`,
    /// and `.storageUnavailable` where there is no store.
    public func migrateDown(_ options: StorageOptions, to version: Int) async throws {
        try await StoreOpening(options, clock: SystemStoreClock()).migrateDown(self, to: version)
    }

    /// Tells `progress` of a run.
    var observer: MigrationObserver { MigrationObserver(progress: progress) }
}
