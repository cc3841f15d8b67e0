// Steps from one version of an application's data to the next, as an application writes them.

/// One step that changes stored records when the application's schema version goes up.
///
/// ```swift
/// struct AddUserPreferences: Migration {
///     let version = 2
///     func up(_ store: any StoreWriter) async throws {
///         for try await var user in store.stream("users") where user["preferences"] == nil {
///             user["preferences"] = ["theme": "light"]
///             try await store.update("users", user)
///         }
///     }
///     func down(_ store: any StoreWriter) async throws {
///         for try await var user in store.stream("users") {
///             user["preferences"] = nil
///             try await store.update("users", user)
///         }
///     }
/// }
/// ```
///
/// What it is given is one transaction over all collections. It commits together with the version when the step returns, and
/// not at all when it throws. It sees its own changes. It may take as long as it takes, and `stream` gives it any number of records
/// in bounded memory: exactly those there were when the first was asked for, whatever the step changes meanwhile.
///
/// Collections are as they were stored: old keys, indexes and delete rules count until all steps are done; of `validation` only what
/// the options have too. Collections that are new with the options are there, still without indexes, relationships and validation. The step runs as the store itself: it reads and writes
/// sensitive fields opened, and no access policy concerns it.
///
/// What it changes in a collection that tracks changes is to be synchronized like any other change of a record; taking it back with
/// `down` is one more change.
public protocol Migration: Sendable {
    /// The version it leads to, 2 at least: a new store has the options' version at once, and runs no migration.
    var version: Int { get }
    /// What progress reports and errors call it.
    var name: String { get }
    /// Changes the records from the version before to `version`. Whatever it throws is `.migrationFailed` to who opens the store.
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
            .migrationFailed,
            "migration \(name) to version \(version) has no way down: it doesn't implement down(_:)"
        )
    }
}
