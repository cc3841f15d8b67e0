// From options to an open store: check the options, open the backend, compare the schemas, define
// what differs, and only then be open. Whatever fails closes the backend again.
//
// The definition of new collections and indexes is one atomic step of the backend: after a crash
// the store has the old schema or the new one, with every index of it whole.

/// Opens stores.
struct StoreOpening {
    private let options: StorageOptions
    private let clock: any StoreClock
    private let tombstonesMax: Int

    init(
        _ options: StorageOptions, clock: any StoreClock,
        tombstonesMax: Int = ChangeContext.tombstonesMax
    ) {
        self.options = options
        self.clock = clock
        self.tombstonesMax = tombstonesMax
    }

    func open() async throws -> StoreCore {
        try OptionValidation.check(options)
        try SchemaValidation.check(options.storageSchema, stored: nil)
        let backend = try makeBackend()
        let configuration = BackendConfiguration(
            path: try StoreLocation.path(for: options), isReadOnly: options.isReadOnly,
            durability: options.durability, sizeLimit: options.sizeLimit,
            compactsByItself: options.autoCompaction,
            deriver: StoreKeyDeriver())
        do {
            try await backend.initialize(configuration)
        } catch {
            throw ErrorMapping.publicError(error)
        }
        do {
            let schema = try await defineSchema(in: backend)
            let exposed = try StoreRecords.exposed(in: backend.snapshot(), schema.storeRecords)
            let changes = ChangeContext(
                exposed: ExposedChanges(exposed), tombstonesMax: tombstonesMax
            ) { [clock] in clock.milliseconds }
            let hub = CommitHub(next: try backend.snapshot().nextSequence)
            let core = StoreCore(
                backend, schema, options, clock: clock, changes: changes,
                liveQueries: LiveQueries(hub), snapshots: HeldSnapshots(clock),
                events: StorageEventHub())
            core.checkBounds(schema.collections)
            return core
        } catch {
            // The first error counts.
            try? await backend.close()
            throw ErrorMapping.publicError(error)
        }
    }

    private func makeBackend() throws(OfflineError) -> any StorageBackend {
        switch options.storageBackend.choice {
        case .log: return LogBackend()
        case .memory: return MemoryBackend()
        case .custom(let backend): return backend
        case .file: return FileBackend()
        case .sqlite:
            #if SQLite
                return SQLiteBackend()
            #else
                throw OptionValidation.withoutSQLite
            #endif
        }
    }

    /// Brings the stored schema to what the options want; the schema that is stored then.
    private func defineSchema(in backend: any StorageBackend) async throws -> SchemaState {
        if !options.isReadOnly { try await StoreCore.emptyUnused(backend) { _ in } }
        let reader = try backend.snapshot()
        try checkVersion(reader.storedVersion)
        let stored = reader.collections()
        let changes = try SchemaChanges(
            stored: stored, nextSequence: reader.nextSequence, wanted: options.storageSchema,
            eviction: SchemaChanges.Eviction(options))
        if options.isReadOnly {
            return try SchemaState(stored: reader, strategy: options.evictionStrategy)
        }
        let version = UInt64(options.version)
        if !changes.changes.isEmpty || reader.storedVersion != version {
            let schema = try changes.schema(version: options.version)
            try await backend.define(changes.changes, version: version) { reader, newTrees in
                try UniqueBuild(reader, schema).check(newTrees)
            }
        }
        try await StoreCore.emptyUnused(backend) { _ in }
        return try SchemaState(stored: backend.snapshot(), strategy: options.evictionStrategy)
    }

    private func checkVersion(_ stored: UInt64) throws(OfflineError) {
        guard stored <= UInt64(options.version) else {
            throw OfflineError(
                .versionTooNew,
                "the store has version \(stored), written by a newer release of the application; "
                    + "the options' version is \(options.version)")
        }
    }
}

extension SchemaState {
    /// The schema that a backend has stored.
    convenience init(
        stored reader: any BackendReader, strategy: EvictionPolicy = .none
    ) throws {
        try self.init(
            version: Int(clamping: reader.storedVersion),
            stored: reader.collections().map { ($0.id, try StoredKind($0.definition)) },
            strategy: strategy)
    }
}

extension SchemaChanges {
    /// The schema after the changes.
    func schema(version: Int) throws -> SchemaState {
        try SchemaState(version: version, stored: result)
    }
}
