// What a migration works with: one transaction over everything, with what it changes counted on the way.
//
// A stream gives exactly the records that there were when its first document was asked for. A transaction has to hold all their keys
// for that; here, as long as the migration hasn't changed the collection, the state before the migration says as well which they are,
// and is read page by page: so memory is bounded however many there are. Each document is as the migration sees it when it is given.
internal import OfflineBytes

/// A migration's view of the store.
final class MigrationStore: StoreWriter {
    private let transaction: Transaction
    /// What was committed before the migration.
    private let base: ReadView
    private let tally: MigrationTally
    /// Notes differences; nil: nobody wants to know.
    private let samples: MigrationSamples?
    /// Collections that the migration may have changed.
    private let changed = Protected<Set<String>>([])

    init(
        _ transaction: Transaction, over base: ReadView, _ tally: MigrationTally,
        _ samples: MigrationSamples?
    ) {
        self.transaction = transaction
        self.base = base
        self.tally = tally
        self.samples = samples
    }

    /// Runs a statement on a collection, and counts how many records it changed.
    private func write<Result>(
        _ collection: String, _ touched: @autoclosure () -> [Value?],
        _ count: (Result) -> Int = { _ in 1 }, _ body: () async throws -> Result
    ) async throws -> Result {
        if let samples {
            for case let key? in touched() {
                await samples.willChange(collection, key, in: transaction)
            }
        }
        noteChanged(collection)
        let result = try await body()
        tally.add(count(result))
        return result
    }

    /// Delete rules may reach any other collection.
    private func noteChanged(_ collection: String) {
        let state = try? base.schema.collection(collection)
        changed.withLock { changed in
            if state?.hasDeleteRules == true {
                changed.formUnion(base.schema.collections.map(\.name))
            } else {
                changed.insert(collection)
            }
        }
    }

    /// Its key may have been generated.
    private func noteCreated(_ document: Document, _ collection: String) {
        if let samples, let key = key(document, collection) { samples.created(collection, key) }
    }

    private func key(_ document: Document, _ collection: String) -> Value? {
        (try? base.schema.collection(collection)).flatMap {
            RecordKeys.value(in: document, of: $0)
        }
    }

    // MARK: Reading

    func get(
        _ collection: String, _ key: some ValueConvertible, include: [Include]
    ) async throws -> Document? {
        try await transaction.get(collection, key, include: include)
    }

    func query(_ collection: String, _ query: Query) async throws -> [Document] {
        try await transaction.query(collection, query)
    }

    func count(_ collection: String, _ filters: Filter) async throws -> Int {
        try await transaction.count(collection, filters)
    }

    func distinct(
        _ collection: String, _ field: String, _ filters: Filter
    ) async throws -> [Value] {
        try await transaction.distinct(collection, field, filters)
    }

    func aggregate(
        _ collection: String, _ aggregation: Aggregation
    ) async throws -> [Document] {
        try await transaction.aggregate(collection, aggregation)
    }

    func explain(
        _ collection: String, _ query: Query, analyze: Bool
    ) async throws -> QueryPlan {
        try await transaction.explain(collection, query, analyze: analyze)
    }

    func stream(
        _ collection: String, _ query: Query
    ) -> AsyncThrowingStream<Document, any Error> {
        let feed = AsyncLock(MigrationFeed(collection, query))
        return AsyncThrowingStream { [self] in
            try await feed.withLock { try await $0.next(self) }
        }
    }

    // MARK: Writing

    @discardableResult
    func create(_ collection: String, _ document: Document) async throws -> Document {
        try await write(collection, [key(document, collection)]) {
            let created = try await transaction.create(collection, document)
            noteCreated(created, collection)
            return created
        }
    }

    @discardableResult
    func update(
        _ collection: String, _ document: Document, mode: UpdateMode
    ) async throws -> Document {
        try await write(collection, [key(document, collection)]) {
            try await transaction.update(collection, document, mode: mode)
        }
    }

    @discardableResult
    func upsert(_ collection: String, _ document: Document) async throws -> Document {
        try await write(collection, [key(document, collection)]) {
            try await transaction.upsert(collection, document)
        }
    }

    @discardableResult
    func delete(_ collection: String, _ key: some ValueConvertible) async throws -> Bool {
        try await write(collection, [key.storeValue], { $0 ? 1 : 0 }) {
            try await transaction.delete(collection, key)
        }
    }

    @discardableResult
    func createBatch(_ collection: String, _ documents: [Document]) async throws -> [Document] {
        try await write(collection, documents.map { key($0, collection) }, \.count) {
            let created = try await transaction.createBatch(collection, documents)
            for document in created { noteCreated(document, collection) }
            return created
        }
    }

    @discardableResult
    func updateBatch(
        _ collection: String, _ documents: [Document], mode: UpdateMode
    ) async throws -> [Document] {
        try await write(collection, documents.map { key($0, collection) }, \.count) {
            try await transaction.updateBatch(collection, documents, mode: mode)
        }
    }

    @discardableResult
    func deleteBatch(
        _ collection: String, _ keys: [some ValueConvertible]
    ) async throws -> Int {
        try await write(collection, keys.map(\.storeValue), { $0 }) {
            try await transaction.deleteBatch(collection, keys)
        }
    }

    func clear(_ collections: [String]) async throws {
        var count = 0
        for collection in Set(collections) {
            count += try await transaction.count(collection, .all)
            noteChanged(collection)
        }
        try await transaction.clear(collections)
        tally.add(count)
    }
}

// MARK: - Streams

/// What is left of a stream.
private struct MigrationFeed: Sendable {
    private let collection: String
    private let query: Query
    /// Pages of the state before the migration, or of the transaction.
    private var pages: QueryPages
    /// Nil before the first document.
    private var isOfBase: Bool?
    /// Documents of the current page, the next one last.
    private var documents: [Document] = []

    init(_ collection: String, _ query: Query) {
        self.collection = collection
        self.query = query
        pages = QueryPages(collection, query, isFixed: false)
    }

    mutating func next(_ store: MigrationStore) async throws -> Document? {
        let ofBase = isOfBase ?? store.isUnchanged(collection, for: query)
        if isOfBase == nil {
            isOfBase = ofBase
            pages = QueryPages(collection, query, isFixed: ofBase)
        }
        while true {
            if documents.isEmpty {
                try Task.checkCancellation()
                documents = try await store.page(&pages, ofBase: ofBase).reversed()
            }
            guard let document = documents.popLast() else { return nil }
            if !ofBase { return document }
            // One that is gone by now isn't given.
            if let current = try await store.current(document, collection) { return current }
        }
    }
}

extension MigrationStore {
    /// Whether the state before the migration says which records the query's are, with all of each.
    fileprivate func isUnchanged(_ collection: String, for query: Query) -> Bool {
        query.include.isEmpty && query.select == nil
            && changed.withLock { !$0.contains(collection) }
    }

    fileprivate func page(
        _ pages: inout QueryPages, ofBase: Bool
    ) async throws -> [Document] {
        if ofBase { return try pages.next(base) }
        return try await transaction.perform { try pages.next($0.view) }
    }

    /// The document as the migration has changed it; nil where it has removed it.
    fileprivate func current(
        _ document: Document, _ collection: String
    ) async throws -> Document? {
        if changed.withLock({ !$0.contains(collection) }) { return document }
        guard let key = key(document, collection) else { return document }
        return try await transaction.get(collection, key, include: [])
    }
}
