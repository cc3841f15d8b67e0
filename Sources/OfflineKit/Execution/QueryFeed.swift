// The sequence that `stream` returns. A page is read when somebody asks for a document and there is none left, so the reader sets
// the pace. What the pages are read from is let go of at the end, at an error, and when the stream itself goes.

/// Hands out a query's documents one by one.
final class QueryFeed: Sendable {
    private struct State: Sendable {
        /// Nil once it is over.
        var source: Source?
        /// Documents of the current page, the next one last.
        var documents: [Document] = []
    }
    private struct Source: Sendable {
        var pages: QueryPages
        let read: Read
    }
    private let state: AsyncLock<State>

    /// Reads the next page in a view of the store.
    typealias Read = @Sendable (_ pages: inout QueryPages) async throws -> [Document]

    private init(_ pages: QueryPages, _ read: @escaping Read) {
        state = AsyncLock(State(source: Source(pages: pages, read: read)))
    }

    private func next() async throws -> Document? {
        try await state.withLock { state in
            if state.documents.isEmpty, var source = state.source.take() {
                try Task.checkCancellation()
                state.documents = try await source.read(&source.pages).reversed()
                if !state.documents.isEmpty { state.source = source }
            }
            return state.documents.popLast()
        }
    }

    /// The documents as `read` reads them.
    static func stream(
        _ collection: String, _ query: Query, isFixed: Bool, _ read: @escaping Read
    ) -> AsyncThrowingStream<Document, any Error> {
        let feed = QueryFeed(QueryPages(collection, query, isFixed: isFixed), read)
        return AsyncThrowingStream { try await feed.next() }
    }
}
