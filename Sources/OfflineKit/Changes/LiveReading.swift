// How a live query is read, and how a changed record is asked whether it matters to it.
//
// A query that can be followed record by record keeps the first offset + limit records (LiveResult). One that includes
// other records, or searches words (a record's rank depends on all others), is read again after every change of a
// collection that it reaches.
internal import OfflineBytes
import OfflineDocuments

/// A live query, checked against a schema.
struct LiveReading: Sendable {
    private let name: String
    private let query: Query
    let checked: CheckedQuery
    let collection: CollectionState
    /// The collections whose records it shows.
    let reach: Set<CollectionID>
    /// Whether it can be followed record by record.
    let isFollowed: Bool
    /// What the session may read; nil: everything.
    private let access: OperationAccess?
    /// What `select` keeps.
    let selection: FieldSelection?

    /// Throws what running the query would.
    init(_ name: String, _ query: Query, _ view: ReadView) throws {
        let prepared = try PreparedQuery(QueryEngine(view), name, query)
        self.name = name
        checked = prepared.query
        collection = prepared.collection
        reach = prepared.reach
        access = prepared.reading
        isFollowed = checked.words == nil && checked.include.isEmpty
        selection = checked.select.map { [collection] in
            FieldSelection($0 + collection.keyPaths)
        }
        var query = query
        if isFollowed {
            query.limit = checked.limit == 0 ? 0 : checked.recordsNeeded
            query.offset = 0
        }
        self.query = query
    }

    /// How many records are kept; nil: all.
    var capacity: Int? { query.limit }

    /// Which of the records that are kept are shown.
    func shown(_ entries: [LiveEntry]) -> [LiveEntry] {
        guard isFollowed, checked.offset > 0 else { return entries }
        return Array(entries.dropFirst(checked.offset))
    }

    /// The records in a state of the store.
    func entries(in view: ReadView) throws -> [LiveEntry] {
        let prepared = try PreparedQuery(QueryEngine(view), name, query)
        let run = prepared.makeRun()
        var sortKeys =
            isFollowed && !checked.sort.isEmpty
            ? SortKeys(checked.sort, in: run.names, collation: checked.collation) : nil
        var places: [(order: [UInt8], key: [UInt8])] = []
        var results = prepared.emptyResults
        try unsafe prepared.forEachResult(of: run, .all) { key, record in
            guard unsafe results.append(key, record) else { return }
            var order: [UInt8] = []
            unsafe sortKeys?.append(record, to: &order)
            places.append((order.isEmpty ? key : order + key, key))
        }
        return zip(places, try results.documents()).map {
            LiveEntry(order: $0.order, key: $0.key, document: $1)
        }
    }
}

extension LiveReading {
    /// What asks records that are written with these names.
    func matcher(_ names: NameDictionary) -> LiveMatcher {
        LiveMatcher(checked, names, access.map { RecordReach($0, in: names) })
    }
}

/// Asks records in place whether they match, what they sort by, and what of them is shown. For one thread at a time.
final class LiveMatcher {
    private let predicate: Predicate
    private var sortKeys: SortKeys
    private let acceptsAll: Bool
    /// Nil: everything is shown.
    private var reach: RecordReach?
    /// How many names it knows; records that are written with more need a new one.
    let nameCount: Int

    init(_ query: CheckedQuery, _ names: NameDictionary, _ reach: RecordReach?) {
        self.reach = reach
        predicate = Predicate(query.condition, in: names, collation: query.collation)
        sortKeys = SortKeys(query.sort, in: names, collation: query.collation)
        acceptsAll = predicate.acceptsAll
        nameCount = names.count
    }

    @unsafe
    func matches(_ record: RecordView, _ scratch: inout PredicateScratch) -> Bool {
        unsafe acceptsAll || predicate.matches(record, &scratch)
    }

    /// Replaces `order` by what the record sorts by.
    @unsafe
    func order(_ record: RecordView, _ key: [UInt8], into order: inout [UInt8]) {
        order.removeAll(keepingCapacity: true)
        unsafe sortKeys.append(record, to: &order)
        order.append(contentsOf: key)
    }

    /// A record that matches, as it is shown. `shared`: the whole record as a document, once somebody asked for it.
    @unsafe
    func document(_ record: RecordView, shared: inout Document?) -> Document {
        let document = unsafe shared ?? Document(copying: record)
        shared = document
        guard reach != nil else { return document }
        return unsafe reach?.hidden(in: record)?.masked(document) ?? Document()
    }
}
