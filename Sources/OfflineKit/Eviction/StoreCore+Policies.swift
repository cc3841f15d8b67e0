// Policies that are set while the store is open. Nobody has any collection meanwhile; the definitions change in one step, and the
// collections' settings with them.

extension StoreCore {
    /// Sets a collection's own policy, for good.
    func setEvictionPolicy(_ name: String, _ policy: EvictionPolicy) async throws {
        try OwnTransaction.checkNotInside(self)
        let collection = try schema.collection(name)
        if let problem = policy.problem {
            throw OfflineError(.invalidOptions, "the policy \(problem)", collection: name)
        }
        if options.isReadOnly {
            throw OfflineError(
                .readOnly, "the store was opened for reading only", collection: name)
        }
        let everything = schema.collections.map(\.id) + [schema.storeRecords].compactMap(\.self)
        let request = LockRequest(exclusive: exclusive(everything), shared: []) {
            "setting an eviction policy"
        }
        let hold = try await locks.acquire(request, timeout: transactionTimeout)
        defer { locks.release(hold) }
        do {
            // They count in the new order too.
            mergeReads()
            await writeReads(ofHeld: collection)
            try await backend.flush()
            try await define(SchemaChanges.PolicyChange(collection: collection.id, policy: policy))
            try await Self.emptyUnused(backend) { [hub] in hub.publish($0) }
        } catch {
            throw ErrorMapping.publicError(error)
        }
        checkBounds([collection])
    }

    private func define(_ setting: SchemaChanges.PolicyChange) async throws {
        let reader = try backend.snapshot()
        let changes = try SchemaChanges(
            stored: reader.collections(), nextSequence: reader.nextSequence,
            wanted: options.storageSchema, eviction: .init(options), setting: setting)
        if !changes.changes.isEmpty {
            try await backend.define(changes.changes, version: reader.storedVersion) { _, _ in }
        }
        let settings = try CollectionSettings.all(
            changes.result, strategy: options.evictionStrategy)
        for collection in schema.collections {
            if let settings = settings[collection.id] { collection.change(to: settings) }
        }
        schema.noteStoreRecords(changes.result.first { $0.kind == .store }?.id)
    }

    /// Empties collections of access entries that no policy asks for, so that they begin anew when one does. Nobody has them.
    static func emptyUnused(
        _ backend: any StorageBackend, published: @escaping @Sendable (Commit) -> Void
    ) async throws {
        let reader = try backend.snapshot()
        for stored in reader.collections() {
            guard case .access(_, .none) = try StoredKind(stored.definition),
                try reader.count(TreeID(stored.id), in: .all) > 0
            else { continue }
            let batch = try backend.begin([stored.id], reading: [])
            batch.useReserve()
            do {
                try batch.clear(stored.id)
                try await batch.commit(appended: {}) { sequences in
                    published(Commit(sequences: sequences, collections: [:]))
                }
            } catch {
                batch.rollback()
                throw error
            }
        }
    }
}

extension SchemaChanges.Eviction {
    init(_ options: StorageOptions) {
        self.init(strategy: options.evictionStrategy, isLimited: options.sizeLimit != nil)
    }
}
