// A view of the store that a caller holds.
internal import OfflineBytes

/// One consistent, unchanging view of everything that was committed when it was taken.
///
/// It holds the storage that it shows, so don't keep one for longer than needed; `close` lets go.
///
/// ```swift
/// let snapshot = try await store.snapshot()
/// let users = try snapshot.query("users", Query(sort: [.ascending("name")]))
/// snapshot.close()
/// ```
public final class Snapshot: StoreReader {
    private let view: Protected<ReadView?>
    private let held: HeldSnapshots
    private let number: UInt64

    /// A snapshot that is among those held until it is closed.
    init(_ view: ReadView, among held: HeldSnapshots) {
        self.view = Protected(view)
        self.held = held
        number = held.add()
    }

    deinit { held.remove(number) }

    /// Lets go of what it holds; deinit does too. Idempotent.
    public func close() {
        // What is let go of is destroyed outside the lock.
        _ = view.withLock { $0.take() }
        held.remove(number)
    }

    private func open() throws -> ReadView {
        guard let view = view.withLock({ $0 }) else {
            throw OfflineError(.notOpen, "the snapshot is closed")
        }
        return view
    }

    /// The record with this key; nil where there is none. Without suspension, for code that is not
    /// asynchronous.
    public func get(_ collection: String, _ key: some ValueConvertible) throws -> Document? {
        try open().get(collection, key.storeValue, include: [])
    }

    /// The records that the query describes. Without suspension, for code that is not asynchronous.
    public func query(_ collection: String, _ query: Query) throws -> [Document] {
        try open().query(collection, query)
    }

    /// The record with this key, its `include`d relationships resolved; nil where there is none.
    public func get(
        _ collection: String, _ key: some ValueConvertible, include: [Include]
    ) async throws -> Document? {
        try open().get(collection, key.storeValue, include: include)
    }

    /// The records that the query describes, in its order.
    public func query(_ collection: String, _ query: Query) async throws -> [Document] {
        try open().query(collection, query)
    }

    /// How many records match.
    public func count(_ collection: String, _ filters: Filter) async throws -> Int {
        try open().count(collection, filters)
    }

    /// The distinct values of a field among the records that match, in the order of values.
    public func distinct(
        _ collection: String, _ field: String, _ filters: Filter
    ) async throws -> [Value] {
        try open().distinct(collection, field, filters)
    }

    /// Figures of the records that match, a document a group.
    public func aggregate(
        _ collection: String, _ aggregation: Aggregation
    ) async throws -> [Document] {
        try open().aggregate(collection, aggregation)
    }

    /// The results as they are read, holding few of them in memory; `.notOpen` once the snapshot is closed.
    public func stream(
        _ collection: String, _ query: Query
    ) -> AsyncThrowingStream<Document, any Error> {
        QueryFeed.stream(collection, query, isFixed: true) { [self] in try $0.next(open()) }
    }

    /// How a query would run on the snapshot.
    public func explain(
        _ collection: String, _ query: Query, analyze: Bool
    ) async throws -> QueryPlan {
        try open().explain(collection, query, analyze: analyze)
    }
}
