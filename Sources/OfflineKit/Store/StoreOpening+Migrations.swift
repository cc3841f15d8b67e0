// What an opening has to do with versions: which stores it refuses, and its migrations; and the two other things that a manager of
// migrations does with a store, which open it for no longer than that.
internal import OfflineBytes

extension StoreOpening {
    /// Takes in what migrations that were cut off have left, before anything else is written, and refuses a store of a newer version.
    func settleVersion(_ backend: any StorageBackend) async throws {
        if options.isReadOnly { return }
        try checkVersion(backend)
        try await StoredVersion.settle(backend)
    }

    /// Refuses to write to a store of a newer version. Changes nothing.
    func checkVersion(_ backend: any StorageBackend) throws {
        if options.isReadOnly { return }
        let stored = Int(clamping: try StoredVersion(backend.snapshot()).number)
        guard stored <= options.version else {
            throw OfflineError(
                .versionTooNew,
                "the store has version \(stored), written by a newer release of the application; "
                    + "the options' version is \(options.version). It opens for reading only")
        }
    }

    /// Runs the migrations that are due. A new store has the options' version at once. `observer`: the manager's own where it is nil.
    func migrate(
        _ backend: any StorageBackend, _ vault: FieldVault?, _ observer: MigrationObserver? = nil
    ) async throws {
        let stored = try storedVersion(backend)
        guard let manager = options.migrationManager, !options.isReadOnly, stored > 0 else {
            return
        }
        let steps = try MigrationPlan(manager.migrations).up(from: stored, to: options.version)
        try await run(
            backend, vault, wanted: options.storageSchema, observer ?? manager.observer
        ).up(steps)
    }

    /// The collections that the options want, of a store that may be read only: of another version they say nothing then.
    func wantedSchema(_ reader: any BackendReader) throws -> [CollectionSchema] {
        guard options.isReadOnly, try StoredVersion(reader).number != UInt64(options.version)
        else { return options.storageSchema }
        return []
    }

    private func storedVersion(_ backend: any StorageBackend) throws -> Int {
        Int(clamping: try backend.snapshot().storedVersion)
    }

    private func run(
        _ backend: any StorageBackend, _ vault: FieldVault?, wanted: [CollectionSchema],
        _ observer: MigrationObserver
    ) -> MigrationRun {
        MigrationRun(self, backend, vault, wanted: wanted, observer)
    }

    // MARK: Down

    /// `MigrationManager.migrateDown`.
    func migrateDown(_ manager: MigrationManager, to version: Int) async throws {
        if options.isReadOnly {
            throw OfflineError(.readOnly, "the options say that the store is for reading only")
        }
        guard version >= 1 else {
            throw OfflineError(.invalidOptions, "there is no version \(version); they begin at 1")
        }
        let plan = try MigrationPlan(manager.migrations)
        // Where there is no store, none is made.
        try await withBackend(isReadOnly: true) { backend, _ in try await backend.close() }
        let backend = try await withBackend(isReadOnly: false) { backend, path in
            let vault = try await openVault(of: backend, path)
            try await StoredVersion.settle(backend)
            try await sealUnsealed(in: backend, vault)
            let stored = try storedVersion(backend)
            guard version <= stored else {
                throw OfflineError(
                    .invalidOptions,
                    "the store has version \(stored), from which no way leads down to \(version)")
            }
            let steps = try plan.down(from: stored, to: version)
            let isDescribed = options.version == version
            let wanted = isDescribed ? options.storageSchema : []
            try await run(backend, vault, wanted: wanted, manager.observer).down(steps)
            if isDescribed { _ = try await defineSchema(in: backend, vault) }
            return backend
        }
        do {
            try await backend.close()
        } catch {
            throw ErrorMapping.publicError(error)
        }
    }
}
