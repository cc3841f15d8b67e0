// Sealing while a store is being opened: the records of collections of which a field has become sensitive.
//
// Their definitions are marked (StoredDefinition.isUnsealed) in the step that makes the field sensitive, which is refused where a record
// wouldn't fit any more (SealingBuild). Then, before anybody has the store: all records and bases are sealed (ResealingPart); the
// indexes of sensitive fields are built anew, since the inner nodes of the old ones may have values in them that no entry has any more;
// what was there before leaves the files (compaction); and the mark goes. A crash anywhere leaves the mark, and the next opening begins
// again.
//
// Neither damage nor a full disk keeps a store from being opened: what can be done is done, and the mark stays for the next opening.
internal import OfflineBytes

extension StoreOpening {
    /// Seals what is marked as unsealed.
    func sealUnsealed(in backend: any StorageBackend, _ vault: FieldVault?) async throws {
        guard let vault, !options.isReadOnly else { return }
        let marked = try Set(StoredDefinition.unsealed(in: backend.snapshot()).map(\.stored.id))
        if marked.isEmpty { return }
        let isSealed = try await seal(marked, in: backend, vault)
        let isRebuilt = try await unlessHindered {
            try await define(in: backend) { definition in
                definition.renumberSensitiveIndexes()
            }
            return true
        }
        let isGone = try await unlessHindered {
            try await backend.flush()
            return try await backend.compactToTheLast()
        }
        guard isSealed, isRebuilt, isGone else { return }
        try await define(in: backend) { $0.isUnsealed = false }
    }

    /// Whether all was done; false too where a full disk, or damage, keeps it from being done now.
    private func unlessHindered(_ body: () async throws -> Bool) async throws -> Bool {
        do {
            return try await body()
        } catch {
            let error = ErrorMapping.publicError(error)
            guard let code = (error as? OfflineError)?.code,
                [.quotaExceeded, .storageFull, .corrupted].contains(code)
            else { throw error }
            return false
        }
    }

    /// An index of a sensitive field needs tokens of all values, and, to be unique, of one key: collections that get one are sealed anew
    /// first, which finds what was sealed while the field was unsearchable, or with an older key.
    func sealForIndexes(
        _ changes: SchemaChanges, in backend: any StorageBackend, _ vault: FieldVault?
    ) async throws {
        guard let vault else { return }
        let stored = try backend.snapshot().collections()
        var collections: Set<CollectionID> = []
        for case (let id, .records(let new)) in changes.result {
            guard let old = stored.first(where: { $0.id == id }) else { continue }
            let isNeeded = zip(new.schema.indexes, new.indexNumbers).contains { index, number in
                !old.indexes.contains(number) && new.schema.isSensitive(index)
            }
            if isNeeded { collections.insert(id) }
        }
        if collections.isEmpty { return }
        // What is left out has no entry. Tokens take room that there was none of before.
        let schema = try changes.schema(version: options.version, vault)
        try SealingBuild(backend.snapshot())
            .check(schema.collections.filter { collections.contains($0.id) })
        _ = try await seal(collections, in: backend, vault)
    }

    /// Seals what can be sealed; whether that is all. What is damaged stays as it is, and reading it says so.
    private func seal(
        _ collections: Set<CollectionID>, in backend: any StorageBackend, _ vault: FieldVault
    ) async throws -> Bool {
        let schema = try SchemaState(
            stored: backend.snapshot(), strategy: options.evictionStrategy, vault: vault)
        let core = try makeCore(backend, schema, vault)
        var isWhole = true
        for collection in schema.collections where collections.contains(collection.id) {
            isWhole = try await core.reseal(collection) && isWhole
        }
        return isWhole
    }

    /// Changes the definitions that are marked.
    private func define(
        in backend: any StorageBackend, _ change: (inout StoredDefinition) -> Void
    ) async throws {
        let reader = try backend.snapshot()
        var changes: [StoredCollection] = []
        for (stored, definition) in try StoredDefinition.unsealed(in: reader) {
            var (stored, new) = (stored, definition)
            change(&new)
            if new == definition { continue }
            let others = stored.indexes.filter { !definition.indexNumbers.contains($0) }
            stored.definition = new.bytes
            stored.indexes = (new.indexNumbers + others).sorted()
            changes.append(stored)
        }
        if changes.isEmpty { return }
        try await backend.define(changes, version: reader.storedVersion) { _, _ in }
    }
}

extension StoredDefinition {
    /// The collections that are marked.
    fileprivate static func unsealed(
        in reader: any BackendReader
    ) throws -> [(stored: StoredCollection, definition: StoredDefinition)] {
        try reader.collections().compactMap { stored in
            guard case .records(let definition) = try StoredKind(stored.definition),
                definition.isUnsealed
            else { return nil }
            return (stored, definition)
        }
    }

    /// Gives the indexes of sensitive fields new numbers, under which they are built anew.
    fileprivate mutating func renumberSensitiveIndexes() {
        indexNumbers = schema.indexes.indices.map { position in
            guard schema.isSensitive(schema.indexes[position]) else {
                return indexNumbers[position]
            }
            defer { nextIndex += 1 }
            return nextIndex
        }
    }
}

extension CollectionSchema {
    /// Whether the index has tokens of sensitive fields.
    fileprivate func isSensitive(_ index: IndexSchema) -> Bool {
        let sensitive = sensitiveFields.compactMap { try? FieldPath($0) }
        return index.keyPaths.contains { path in
            (try? FieldPath(path)).map { path in sensitive.contains { $0.overlaps(path) } } ?? true
        }
    }
}
