// A collection seen as values of a Swift type: documents are decoded on the way out and encoded on the way in, and all else is
// the store's.

/// A collection seen as values of one Codable type.
///
/// ```swift
/// struct User: Codable, Sendable { var id: String?; var name: String }
/// let users = store.collection("users", of: User.self)
/// let ada = try await users.create(User(name: "Ada"))  // ada.id is the generated key
/// let all = try await users.query(Query(sort: [.ascending("name")]))
/// ```
///
/// Besides what the store throws, every function throws `.invalidDocument`, with the field's path, for a record that doesn't decode
/// as the type, and for a value that doesn't encode as a document.
public struct TypedCollection<Model: Codable & Sendable>: Sendable {
    private let store: OfflineStore
    private let name: String

    init(_ store: OfflineStore, _ name: String) {
        self.store = store
        self.name = name
    }

    /// The record with this key; nil where there is none.
    public func get(_ key: some ValueConvertible) async throws -> Model? {
        try await store.get(name, key, include: []).map { try decode($0) }
    }

    /// The records that the query describes, in its order. An included relationship is a property of its name.
    public func query(_ query: Query = Query()) async throws -> [Model] {
        try await store.query(name, query).map(decode)
    }

    /// Adds a record. Throws `.alreadyExists`. Returns what is stored, a generated key included.
    @discardableResult
    public func create(_ model: Model) async throws -> Model {
        try decode(try await store.create(name, Document(encoding: model)))
    }

    /// Changes a record. Throws `.notFound`. `.replace` drops fields that `Model` doesn't know; `.merge` keeps them, and what an
    /// optional property that is nil stands for.
    @discardableResult
    public func update(_ model: Model, mode: UpdateMode = .replace) async throws -> Model {
        try decode(try await store.update(name, Document(encoding: model), mode: mode))
    }

    /// Adds the record, or replaces the one with its key.
    @discardableResult
    public func upsert(_ model: Model) async throws -> Model {
        try decode(try await store.upsert(name, Document(encoding: model)))
    }

    /// Removes a record; false where there was no such record.
    @discardableResult
    public func delete(_ key: some ValueConvertible) async throws -> Bool {
        try await store.delete(name, key)
    }

    /// The query's results now and after each commit that alters them, like `OfflineStore.observe`.
    ///
    /// ```swift
    /// for try await users in store.collection("users", of: User.self).observe() { show(users) }
    /// ```
    public func observe(
        _ query: Query = Query()
    ) -> AsyncThrowingStream<[Model], any Error> {
        store.live(name, query) { step in try step.after.map { try decode($0.document) } }
    }

    private func decode(_ document: Document) throws -> Model {
        do {
            return try document.decode()
        } catch let error as OfflineError where error.collection == nil {
            throw OfflineError(error.code, error.message, collection: name)
        }
    }
}

extension OfflineStore {
    /// A collection seen as values of a Swift type. Whether there is one of this name shows when it is used.
    public func collection<Model: Codable & Sendable>(
        _ name: String, of model: Model.Type
    ) -> TypedCollection<Model> {
        TypedCollection(self, name)
    }
}
