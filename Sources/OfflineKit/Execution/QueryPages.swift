// A query's result in pages, for streams: few documents are in memory at a time.
//
// - On a view that never changes, a plan whose tree gives the order is gone on with where the last page ended: behind so many
//   candidates, which is found in O(log n). Nothing is held between pages, but the keys of a group of ties that had to be put
//   into order as a whole (OrderedScan).
// - Where records have to be sorted or put into key order, and in a transaction, whose view changes with each write, the keys
//   of the result are found first and held, and the records read page by page. A record that was deleted meanwhile is left out.
// - Includes are resolved page by page. On a view that never changes, references that no index finds are noted once for all
//   pages (ReferenceMaps); in a transaction each page reads the other collection.
internal import OfflineBytes
import OfflineDocuments

/// What is left of a query's result.
struct QueryPages: Sendable {
    private let collection: String
    private let query: Query
    private let isFixed: Bool
    /// How the query is run; kept where the view never changes.
    private var prepared: PreparedQuery?
    private var source: Source?

    private enum Source: Sendable {
        case walk(Walk)
        /// The keys of all records, and how many were read.
        case keys(KeyList, done: Int)
    }

    /// How far a plan was followed.
    struct Walk: Sendable {
        var place = QueryRun.Place()
        /// Matches to be passed over before the first result.
        var offset: Int
        /// Results that may still come.
        var left: Int
        var isAtEnd = false
    }

    /// `isFixed`: every page is read in the same view, which never changes.
    init(_ collection: String, _ query: Query, isFixed: Bool) {
        self.collection = collection
        self.query = query
        self.isFixed = isFixed
    }

    /// The next documents; empty at the end.
    mutating func next(_ view: ReadView) throws -> [Document] {
        // What is walked page by page should be in the wanted order, rather than be read as a whole first.
        let soon = isFixed ? ResultList.pageCount : nil
        let prepared =
            try prepared ?? PreparedQuery(QueryEngine(view), collection, query, soon: soon)
        if isFixed { self.prepared = prepared }
        var page = prepared.emptyResults
        switch try source ?? start(prepared) {
        case .walk(var walk):
            try prepared.read(&page, &walk)
            source = .walk(walk)
        case .keys(let keys, var done):
            try prepared.read(&page, keys, &done)
            source = .keys(keys, done: done)
        }
        return try page.documents()
    }

    private func start(_ prepared: PreparedQuery) throws -> Source {
        if isFixed, let walk = prepared.walk { return .walk(walk) }
        return .keys(try prepared.keys(), done: 0)
    }
}

extension ResultList {
    fileprivate static let pageCount = 64
    private static let pageBytes = 1 << 20

    /// Whether it is enough for one page.
    fileprivate var isFullPage: Bool {
        count >= ResultList.pageCount || byteCount >= ResultList.pageBytes
    }
}

extension PreparedQuery {
    /// The beginning of the result, where the plan can be followed in parts.
    fileprivate var walk: QueryPages.Walk? {
        let run = makeRun()
        guard planned.access.givesWantedOrder, run.isResumable else { return nil }
        let left = query.limit ?? Int.max
        return run.acceptsAll
            ? QueryPages.Walk(
                place: QueryRun.Place(candidates: query.offset), offset: 0, left: left)
            : QueryPages.Walk(offset: query.offset, left: left)
    }

    /// Reads a page, and goes on in `walk`.
    fileprivate func read(_ page: inout ResultList, _ walk: inout QueryPages.Walk) throws {
        if walk.isAtEnd || walk.left == 0 { return }
        var (offset, left) = (walk.offset, walk.left)
        try unsafe makeRun().forEachMatch(shownPart, from: &walk.place) { key, record in
            if offset > 0 {
                offset -= 1
                return true
            }
            unsafe page.append(key, record)
            left -= 1
            return left > 0 && !page.isFullPage
        }
        (walk.offset, walk.left) = (offset, left)
        walk.isAtEnd = !page.isFullPage
    }

    /// The keys of all records of the result.
    fileprivate func keys() throws -> KeyList {
        guard planned.access.givesWantedOrder else { return try sortedKeys(makeRun()) }
        var keys = KeyList()
        let limit = query.limit ?? Int.max
        if limit == 0 { return keys }
        try unsafe makeRun().forEachMatch(.none, skipping: query.offset) { key, _ in
            keys.append(key[...])
            return keys.count < limit
        }
        return keys
    }

    /// Reads a page of these records, from the one after the first `done` on.
    fileprivate func read(
        _ page: inout ResultList, _ keys: KeyList, _ done: inout Int
    ) throws {
        let names = view.names(of: collection).dictionary
        let opening = RunOpening(collection, asked: [])
        let part = opening?.fields(of: shownPart)
        var key: [UInt8] = []
        while done < keys.count, !page.isFullPage {
            keys.copy(done, into: &key)
            done += 1
            try Task.checkCancellation()
            _ = try unsafe view.adapter.withRecord(
                of: collection, key: key, names: names, opening: false
            ) { record in
                guard let opening else { return unsafe page.append(key, record) }
                return try unsafe opening.open(record, key: key, part) {
                    unsafe page.append(key, $0)
                }
            }
        }
    }
}
