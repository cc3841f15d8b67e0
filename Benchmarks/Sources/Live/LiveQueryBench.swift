// What live queries cost whoever writes: commits that match none of them, with and without a thousand of them on the collection.
//
// The hub asks all queries about a commit before any of them shows it. So a query that does match, beside the others, tells
// when they have all been asked.
internal import Foundation
internal import OfflineKit

/// Measures commits beside live queries.
struct LiveQueryBench {
    private static let documentCount = 10_000
    private static let queryCount = 1_000
    private static let commitCount = 2_000
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> String {
        var lines = [
            "\(LiveQueryBench.commitCount) commits of one record, medians in microseconds:"
        ]
        let folder = try BenchFolder(parent: options.directory)
        defer { folder.remove() }
        let store = try await LiveQueryBench.open(folder.path)
        for count in [0, LiveQueryBench.queryCount] {
            let queries = try await LiveQueryBench.observe(store, count)
            let commit = try await LiveQueryBench.commits(store)
            let shown = try await LiveQueryBench.shownCommits(store)
            lines.append(
                "  \(count) live queries: \(text(commit)) a commit, \(text(shown)) until all were asked "
                    + "and a matching one shows it")
            withExtendedLifetime(queries) {}
        }
        try await store.close()
        return lines.joined(separator: "\n")
    }

    private func text(_ nanoseconds: [Double]) -> String {
        String(format: "%.1f", nanoseconds.median / 1_000)
    }

    /// Relaxed: a sync takes longer than all that is measured.
    private static func open(_ path: String) async throws -> OfflineStore {
        let store = try await OfflineStore.open(
            StorageOptions(
                databaseName: "live", directory: URL(filePath: path, directoryHint: .isDirectory),
                storageSchema: [
                    CollectionSchema(
                        name: "people", indexes: [IndexSchema(name: "age", keyPath: "age")])
                ],
                durability: .relaxed))
        try await store.createBatch("people", (0..<documentCount).map(document))
        return store
    }

    private static func document(_ number: Int) -> Document {
        [
            "id": .string("person\(number)"), "name": .string("Name \(number * 7_919 % 10_007)"),
            "role": .string("role\(number % 50)"), "age": .int(Int64(number % 90)),
            "score": .double(Double(number * 31 % 1_000)), "city": .string("City \(number % 200)"),
        ]
    }

    /// Of three kinds: a filter alone; a full page in an order; two fields and a pattern. None matches what is written.
    private static func observe(
        _ store: OfflineStore, _ count: Int
    ) async throws -> [AsyncThrowingStream<[Document], any Error>.Iterator] {
        var iterators: [AsyncThrowingStream<[Document], any Error>.Iterator] = []
        for number in 0..<count {
            let role = "role\(number % 50)"
            let query =
                switch number % 3 {
                case 0: Query(filters: ["role": .string(role), "age": ["$gt": 40]])
                case 1:
                    Query(
                        filters: ["age": ["$gte": .int(Int64(number % 90))]],
                        sort: [.descending("score")], limit: 20)
                default:
                    Query(
                        filters: [
                            "city": ["$in": [.string("City \(number % 200)"), "City 3"]],
                            "name": ["$regex": "^Name 1"],
                        ], sort: [.ascending("name")])
                }
            var iterator = store.observe("people", query).makeAsyncIterator()
            _ = try await iterator.next()
            iterators.append(iterator)
        }
        return iterators
    }

    private static func write(_ store: OfflineStore, _ number: Int) async throws {
        try await store.upsert(
            "people",
            [
                "id": "nobody", "name": "Nobody", "role": "none", "age": -1,
                "score": .int(Int64(number)), "city": "Nowhere",
            ])
    }

    /// Each commit's time.
    private static func commits(_ store: OfflineStore) async throws -> [Double] {
        var times: [Double] = []
        for number in 0..<commitCount {
            let start = Clocks.wall()
            try await write(store, number)
            times.append(Double(Clocks.wall() - start))
        }
        return times
    }

    /// Each commit's time until a query that matches has its result.
    private static func shownCommits(_ store: OfflineStore) async throws -> [Double] {
        var shown = store.observe("people", Query(filters: ["role": "none"])).makeAsyncIterator()
        _ = try await shown.next()
        var times: [Double] = []
        for number in 0..<commitCount {
            let start = Clocks.wall()
            try await write(store, commitCount + number)
            let result = try await shown.next()
            times.append(Double(Clocks.wall() - start))
            guard result?.first?["score"]?.intValue == commitCount + number else {
                throw BenchError("the live query shows another state")
            }
        }
        return times
    }
}
