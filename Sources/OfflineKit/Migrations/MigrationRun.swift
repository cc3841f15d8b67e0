// Runs migrations on a store that is being opened: nobody else has it yet.
//
// Each is one transaction over everything, in which it and the version of the data change together (StoredVersion). So a throw or a
// crash leaves the store at the last version that was finished. What the options' schema says in other words than what is stored counts
// after the last one: only collections that are new are made before, bare, since a migration may fill them.
internal import OfflineBytes

/// One run of migrations, up or down.
struct MigrationRun {
    private let opening: StoreOpening
    private let backend: any StorageBackend
    private let vault: FieldVault?
    /// The collections as they are to be afterwards; empty: as they are stored.
    private let wanted: [CollectionSchema]
    private let observer: MigrationObserver

    init(
        _ opening: StoreOpening, _ backend: any StorageBackend, _ vault: FieldVault?,
        wanted: [CollectionSchema], _ observer: MigrationObserver
    ) {
        self.opening = opening
        self.backend = backend
        self.vault = vault
        self.wanted = wanted
        self.observer = observer
    }

    /// One migration in one direction.
    private struct Step {
        let step: MigrationPlan.Step
        let isUp: Bool
        /// The version that the store has afterwards.
        var reached: Int { isUp ? step.version : step.version - 1 }
        /// What it is called in errors.
        var name: String {
            "migration \(step.name) \(isUp ? "to" : "down from") version \(step.version)"
        }

        func run(_ store: MigrationStore) async throws {
            if isUp {
                try await step.migration.up(store)
            } else {
                try await step.migration.down(store)
            }
        }
    }

    /// Runs the steps up, in this order.
    func up(_ steps: [MigrationPlan.Step]) async throws {
        try await run(steps.map { Step(step: $0, isUp: true) })
    }

    /// Runs the steps down, in this order.
    func down(_ steps: [MigrationPlan.Step]) async throws {
        try await run(steps.map { Step(step: $0, isUp: false) })
    }

    private func run(_ steps: [Step]) async throws {
        if steps.isEmpty { return }
        try await defineNewCollections()
        try await liftChangedValidation()
        let schema = try SchemaState(
            stored: backend.snapshot(), strategy: opening.options.evictionStrategy, vault: vault)
        let core = try opening.makeCore(backend, schema, vault)
        // It would go on beside the store that is opened next.
        core.eviction.close()
        do {
            for (position, step) in steps.enumerated() {
                let isLast = position == steps.count - 1
                try await run(
                    step, in: core, moving: isLast ? KeyChange.all(wanted, from: schema) : [])
            }
        } catch {
            // What is finished counts already. Where this fails too, the next opening does it.
            try? await StoredVersion.settle(backend)
            throw error
        }
        try await StoredVersion.settle(backend)
    }

    /// Takes the JSON Schemas away that the options change: the records that are written may break the old one, and need not fulfil the
    /// new one yet. Where the migrations fail, or the new one then refuses a record, none is stored; so whichever the next opening has,
    /// all records are held against it.
    private func liftChangedValidation() async throws {
        let reader = try backend.snapshot()
        var changes: [StoredCollection] = []
        for var stored in reader.collections() {
            guard case .records(var definition) = try StoredKind(stored.definition),
                definition.schema.validation != nil,
                let wanted = wanted.first(where: { $0.name == definition.schema.name }),
                wanted.validation != definition.schema.validation
            else { continue }
            definition.schema.validation = nil
            stored.definition = definition.bytes
            changes.append(stored)
        }
        if changes.isEmpty { return }
        try await backend.define(changes, version: reader.storedVersion) { _, _ in }
    }

    /// Makes the collections that aren't stored yet, without what counts after the migrations.
    private func defineNewCollections() async throws {
        let reader = try backend.snapshot()
        let stored = reader.collections()
        var names: Set<String> = []
        for collection in stored {
            if case .records(let definition) = try StoredKind(collection.definition) {
                names.insert(definition.schema.name)
            }
        }
        let new = wanted.filter { !names.contains($0.name) }.map { schema in
            var bare = schema
            bare.indexes = []
            bare.relationships = []
            bare.validation = nil
            return bare
        }
        let changes = try SchemaChanges(
            stored: stored, nextSequence: reader.nextSequence, wanted: new,
            eviction: SchemaChanges.Eviction(opening.options),
            encryption: opening.options.encryption, isForMigrations: true)
        guard !changes.changes.isEmpty else { return }
        try await backend.define(changes.changes, version: reader.storedVersion) { _, _ in }
    }

    private func run(_ step: Step, in core: StoreCore, moving: [KeyChange]) async throws {
        let tally = MigrationTally(step.step, observer.progress)
        let samples = observer.samples(of: step.step.version, in: core.schema)
        do {
            guard let own = core.schema.storeRecords else {
                throw OfflineError(.corrupted, "the store has no records of its own")
            }
            let transaction = try await core.transactionOnEverything(own)
            do {
                let store = MigrationStore(
                    transaction, over: try core.view(kept: true), tally, samples)
                try await OwnTransaction.run(transaction, of: core) { _ in
                    try await step.run(store)
                }
                try Task.checkCancellation()
                if let samples {
                    observer.note(try await samples.differences(in: transaction))
                }
                try await transaction.perform { open in
                    for change in moving {
                        tally.add(try change.move(open))
                        try StoredVersion.put(
                            change.keyPaths, of: change.collection.id, in: open.batch, own)
                    }
                    try StoredVersion.put(step.reached, in: open.batch, own)
                }
                try await transaction.commit()
            } catch {
                try await transaction.rollback()
                throw error
            }
        } catch {
            throw failure(of: step, error)
        }
        tally.finish()
    }

    private func failure(of step: Step, _ error: any Error) -> any Error {
        switch error {
        case is CancellationError where Task.isCancelled: return error
        case let known as OfflineError where known.code == .migrationFailed: return known
        case let known as OfflineError:
            return OfflineError(
                .migrationFailed, "\(step.name) failed: \(known.code): \(known.message)",
                collection: known.collection, key: known.key)
        default: return OfflineError(.migrationFailed, "\(step.name) failed: \(error)")
        }
    }
}

/// Who hears what a run does.
struct MigrationObserver: Sendable {
    var progress: @Sendable (MigrationProgress) -> Void = { _ in }
    /// Differences are wanted.
    var notesDifferences: (@Sendable ([MigrationReport.Difference]) -> Void)?
    /// The fields that are to be sensitive afterwards, by collection.
    var sensitive: [String: [String]] = [:]

    fileprivate func note(_ differences: [MigrationReport.Difference]) {
        notesDifferences?(differences)
    }

    fileprivate func samples(of version: Int, in schema: SchemaState) -> MigrationSamples? {
        guard notesDifferences != nil else { return nil }
        var hidden: [String: HiddenFields] = [:]
        for collection in schema.collections {
            let texts = collection.schema.sensitiveFields + (sensitive[collection.name] ?? [])
            hidden[collection.name] = HiddenFields(
                texts.compactMap { try? FieldPath($0).components.map(\.name) })
        }
        return MigrationSamples(version, sensitive: hidden)
    }
}

extension StoreCore {
    /// A transaction on everything there is, the store's own records too. Nobody else is there to wait for, and it may idle for as long as
    /// it likes.
    fileprivate func transactionOnEverything(_ own: CollectionID) async throws -> Transaction {
        let scope = BatchScope(
            writing: schema.collections, reading: [], changes: changes, own: own)
        let request = LockRequest(exclusive: exclusive(scope.writing.map(\.id)), shared: []) {
            "a migration"
        }
        let hold = try await locks.acquire(request, timeout: nil)
        do {
            let batch = try backend.begin(scope.writtenIDs, reading: [])
            return Transaction(self, OpenBatch(batch, scope, hold, schema, uuids, nil))
        } catch {
            locks.release(hold)
            throw ErrorMapping.publicError(error)
        }
    }
}
