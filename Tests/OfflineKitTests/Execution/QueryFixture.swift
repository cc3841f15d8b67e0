// Records in a memory backend, written by the store's own write path, and their committed state to ask queries of.
@testable import OfflineKit

/// Collections, their records, and views of them.
struct QueryFixture {
    let backend = MemoryBackend()
    /// Nil: nothing is sealed.
    let vault: FieldVault?

    init(
        _ collections: [CollectionSchema], encryption: EncryptionOptions = .disabled
    ) async throws {
        vault = try await FieldVault.open(encryption, nil, isReadOnly: false, needsKeys: false)
        try await backend.initialize(BackendConfiguration(path: "", deriver: StoreKeyDeriver()))
        let changes = try SchemaChanges(
            stored: [], nextSequence: 1, wanted: collections, encryption: encryption)
        try await backend.define(changes.changes, version: 1) { _, _ in }
    }

    /// One collection with records.
    init(
        _ collection: CollectionSchema, _ records: [Document],
        encryption: EncryptionOptions = .disabled
    ) async throws {
        try await self.init([collection], encryption: encryption)
        if !records.isEmpty { try await create(collection.name, records) }
    }

    // MARK: Reading

    func view(as access: SessionAccess? = nil) throws -> ReadView {
        let snapshot = try backend.snapshot()
        return ReadView(
            snapshot: snapshot, schema: try SchemaState(stored: snapshot, vault: vault),
            access: access)
    }

    func engine(forcing access: ForcedAccess? = nil) throws -> QueryEngine {
        QueryEngine(try view(), forcing: access)
    }

    // MARK: Writing

    func create(_ collection: String, _ documents: [Document]) async throws {
        try await transaction([collection]) { writer, view in
            _ = try writer.create(documents, in: view.collection(collection))
        }
    }

    func update(_ collection: String, _ document: Document, mode: UpdateMode) async throws {
        try await transaction([collection]) { writer, view in
            _ = try writer.update([document], mode: mode, in: view.collection(collection))
        }
    }

    func delete(_ collection: String, _ key: Value) async throws {
        try await transaction([collection]) { writer, view in
            _ = try writer.delete([key], in: view.collection(collection))
        }
    }

    /// Commits what `body` writes; its view shows what was written so far.
    func transaction(
        _ names: [String], _ body: (inout RecordWriter, ReadView) throws -> Void
    ) async throws {
        let schema = try SchemaState(stored: try backend.snapshot(), vault: vault)
        let collections = try names.map { try schema.collection($0) }
        let scope = BatchScope(
            writing: collections, reading: [],
            changes: ChangeContext(exposed: ExposedChanges([:])) { 0 })
        let batch = try backend.begin(scope.writtenIDs, reading: [])
        var writer = RecordWriter(batch, scope, schema, UUIDGenerator())
        try body(&writer, ReadView(batch: batch, schema: schema, scope: scope))
        try await batch.commit(appended: {}, committed: { _ in })
    }
}

extension ForcedAccess {
    /// The index of this name; nil: no index.
    init(index name: String?) {
        self = name.map { .index($0) } ?? .collection
    }
}
