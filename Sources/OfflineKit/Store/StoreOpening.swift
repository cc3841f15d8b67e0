// From options to an open store: check the options, open the backend, run what migrations are due, compare the schemas, define what
// differs, and only then be open. Whatever fails closes the backend again.
//
// The definition of new collections and indexes is one atomic step of the backend: after a crash
// the store has the old schema or the new one, with every index of it whole.

internal import OfflineBytes
internal import OfflineEngine

/// A backend with a folder, for the file of the store's keys.
protocol FolderBackend: StorageBackend {
    var system: any FileSystem { get }
}

extension LogBackend: FolderBackend, RestTellingBackend {}
extension FileBackend: FolderBackend {}
#if SQLite
    extension SQLiteBackend: FolderBackend, RestTellingBackend {}
#endif

/// Opens stores.
struct StoreOpening {
    let options: StorageOptions
    let clock: any StoreClock
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
        try await withBackend(isReadOnly: options.isReadOnly) { backend, path in
            // Before anything is written, keys too.
            try checkVersion(backend)
            let vault = try await openVault(of: backend, path)
            try await settleVersion(backend)
            // Before records are written: values are unique among those that are sealed alike.
            try await sealUnsealed(in: backend, vault)
            try await migrate(backend, vault)
            let schema = try await defineSchema(in: backend, vault)
            let core = try makeCore(backend, schema, vault)
            core.checkBounds(schema.collections)
            core.scheduleResealing()
            return core
        }
    }

    /// Opens the backend for `body`, and closes it where that throws.
    func withBackend<Result>(
        isReadOnly: Bool,
        _ body: (_ backend: any StorageBackend, _ path: String) async throws -> Result
    ) async throws -> Result {
        try OptionValidation.check(options)
        try SchemaValidation.check(options.storageSchema, stored: nil)
        let backend = try makeBackend()
        let configuration = BackendConfiguration(
            path: try StoreLocation.path(for: options), isReadOnly: isReadOnly,
            durability: options.durability, sizeLimit: options.sizeLimit,
            compactsByItself: options.autoCompaction,
            deriver: StoreKeyDeriver())
        do {
            try await backend.initialize(configuration)
        } catch {
            throw ErrorMapping.publicError(error)
        }
        do {
            return try await body(backend, configuration.path)
        } catch {
            // The first error counts.
            try? await backend.close()
            throw ErrorMapping.publicError(error)
        }
    }

    /// The store with what is stored now.
    func makeCore(
        _ backend: any StorageBackend, _ schema: SchemaState, _ vault: FieldVault?
    ) throws -> StoreCore {
        let exposed = try StoreRecords.exposed(in: backend.snapshot(), schema.storeRecords)
        let changes = ChangeContext(
            exposed: ExposedChanges(exposed), tombstonesMax: tombstonesMax
        ) { [clock] in clock.milliseconds }
        let hub = CommitHub(next: try backend.snapshot().nextSequence)
        return StoreCore(
            backend, schema, options, clock: clock, changes: changes,
            liveQueries: LiveQueries(hub), snapshots: HeldSnapshots(clock),
            events: StorageEventHub(), vault: vault)
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

    /// Brings the stored schema to what the options want; the schema that is stored then. Migrations have run.
    func defineSchema(
        in backend: any StorageBackend, _ vault: FieldVault?
    ) async throws -> SchemaState {
        if !options.isReadOnly {
            try await StoreCore.emptyUnused(backend) { _ in }
            try await defineChanges(in: backend, vault)
            // Nobody reads what was there before: a reader would keep it in the files.
            try await sealUnsealed(in: backend, vault)
            try await StoreCore.emptyUnused(backend) { _ in }
        } else {
            // What is wanted has to fit all the same.
            _ = try schemaChanges(backend.snapshot())
        }
        return try SchemaState(
            stored: backend.snapshot(), strategy: options.evictionStrategy, vault: vault)
    }

    private func schemaChanges(_ reader: any BackendReader) throws -> SchemaChanges {
        try SchemaChanges(
            stored: StoredVersion(reader).collections(reader), nextSequence: reader.nextSequence,
            wanted: wantedSchema(reader), eviction: SchemaChanges.Eviction(options),
            encryption: options.encryption)
    }

    private func defineChanges(
        in backend: any StorageBackend, _ vault: FieldVault?
    ) async throws {
        let reader = try backend.snapshot()
        let changes = try schemaChanges(reader)
        let version = UInt64(options.version)
        try await sealForIndexes(changes, in: backend, vault)
        if changes.changes.isEmpty, reader.storedVersion == version { return }
        let schema = try changes.schema(version: options.version, vault)
        let validated = changes.newlyValidated.compactMap { schema.collection($0) }
        let sealed = changes.newlySensitive.compactMap { schema.collection($0) }
        try await backend.define(changes.changes, version: version) { reader, newTrees in
            try UniqueBuild(reader, schema).check(newTrees)
            try ValidationBuild(reader).check(validated)
            try SealingBuild(reader).check(sealed)
        }
    }

    /// The keys of the store. They are opened before anything is changed. `isRehearsal`: a store that has none yet gets some for as long as
    /// it lasts.
    func openVault(
        of backend: any StorageBackend, _ path: String, isRehearsal: Bool = false
    ) async throws -> FieldVault? {
        let file: KeyFile? =
            switch backend {
            case is MemoryBackend: nil
            case let backend as any FolderBackend: KeyFile(StoreFolder(backend.system, path))
            default: KeyFile(StoreFolder(PosixFileSystem(), path))
            }
        let needsKeys = try backend.snapshot().collections().contains {
            guard case .records(let definition) = try StoredKind($0.definition) else {
                return false
            }
            return !definition.schema.sensitiveFields.isEmpty
        }
        if isRehearsal, !needsKeys, try file?.read() == nil {
            return try await FieldVault.open(
                options.encryption, nil, isReadOnly: false, needsKeys: false)
        }
        let isReading = options.isReadOnly || isRehearsal
        let vault = try await FieldVault.open(
            options.encryption, file, isReadOnly: isReading, needsKeys: needsKeys)
        if isReading, let vault {
            // Its state must be one that the keys are of: a writer beside may have changed both.
            repeat { try await backend.refresh() } while try await vault.refresh()
            vault.forgetDroppedKeys()
        }
        return vault
    }
}

extension SchemaState {
    /// The schema that a backend has stored.
    convenience init(
        stored reader: any BackendReader, strategy: EvictionPolicy = .none,
        vault: FieldVault? = nil
    ) throws {
        let version = try StoredVersion(reader)
        try self.init(
            version: Int(clamping: version.number),
            stored: version.collections(reader).map { ($0.id, try StoredKind($0.definition)) },
            strategy: strategy, vault: vault)
    }
}

extension SchemaChanges {
    /// The schema after the changes.
    func schema(version: Int, _ vault: FieldVault? = nil) throws -> SchemaState {
        try SchemaState(version: version, stored: result, vault: vault)
    }
}
