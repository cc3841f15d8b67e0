// A rehearsal: what an opening for writing would do about migrations and the schema, done over a snapshot.
internal import OfflineBytes

extension StoreOpening {
    /// `MigrationManager.rehearse`.
    func rehearse(_ manager: MigrationManager) async throws -> MigrationReport {
        var options = options
        options.migrationManager = manager
        // What a store in memory begins with is nothing.
        if case .memory = options.storageBackend.choice { return try checked(options) }
        options.isReadOnly = true
        do {
            return try await StoreOpening(options, clock: clock).withBackend(isReadOnly: true) {
                backend, path in
                let report = try await rehearse(manager, on: backend, path)
                try await backend.close()
                return report
            }
        } catch let error as OfflineError where error == Self.nothing {
            return MigrationReport()
        }
    }

    /// What a backend throws where there is no store to read.
    private static var nothing: OfflineError? {
        ErrorMapping.publicError(StoreFolder.nothing) as? OfflineError
    }

    private func checked(_ options: StorageOptions) throws(OfflineError) -> MigrationReport {
        try OptionValidation.check(options)
        try SchemaValidation.check(options.storageSchema, stored: nil)
        return MigrationReport()
    }

    private func rehearse(
        _ manager: MigrationManager, on backend: any StorageBackend, _ path: String
    ) async throws -> MigrationReport {
        let found = Protected(MigrationReport())
        let start = clock.now
        let vault = try await openVault(of: backend, path, isRehearsal: true)
        let overlay = OverlayBackend(over: try backend.snapshot().kept())
        var observer = MigrationObserver { progress in
            found.withLock { $0.note(progress) }
        }
        observer.notesDifferences = { differences in
            found.withLock { $0.differences += differences }
        }
        for schema in options.storageSchema {
            observer.sensitive[schema.name] =
                schema.sensitiveFields + options.encryption.sensitiveFields
        }
        var options = options
        options.isReadOnly = false
        options.migrationManager = manager
        let opening = StoreOpening(options, clock: clock)
        do {
            try await opening.settleVersion(overlay)
            try await opening.sealUnsealed(in: overlay, vault)
            try await opening.migrate(overlay, vault, observer)
            _ = try await opening.defineSchema(in: overlay, vault)
        } catch let error as OfflineError where !Self.isRefusal(error) {
            found.withLock { $0.violations = [error] }
        }
        var report = found.withLock { $0 }
        report.duration = clock.now - start
        report.bytesWritten = overlay.bytesWritten
        return report
    }

    /// What says nothing of the migrations, but that there can't be any.
    private static func isRefusal(_ error: OfflineError) -> Bool {
        [.invalidOptions, .versionTooNew, .locked, .wrongKey].contains(error.code)
    }
}

extension MigrationReport {
    fileprivate mutating func note(_ progress: MigrationProgress) {
        if let last = steps.last, last.version == progress.version { steps.removeLast() }
        steps.append(progress)
    }
}
