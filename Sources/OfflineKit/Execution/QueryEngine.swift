// What a store, a snapshot and a transaction ask of queries, in one state of the store (ReadView): check, plan, run. All of it
// is synchronous; a query that is wrong throws before it reads anything.
internal import OfflineBytes
import OfflineDocuments

/// Runs queries in one state of the store.
struct QueryEngine {
    let view: ReadView
    private let forced: ForcedAccess?

    init(_ view: ReadView, forcing access: ForcedAccess? = nil) {
        self.view = view
        forced = access
    }

    /// The records that the query selects.
    func query(_ collection: String, _ query: Query) throws -> [Document] {
        try run(collection, query).documents
    }

    /// How many records match.
    func count(_ collection: String, _ filters: Filter) throws -> Int {
        let condition = try checked(collection) { try FilterParser.parse(filters) }
        let collection = try view.collection(collection)
        let plan = try planner(collection, condition, sort: [], .count).plan()
        return try QueryRun(view, collection, plan.access, condition).count()
    }

    /// How the query is, or with `analyze` was, run.
    func explain(_ collection: String, _ query: Query, analyze: Bool) throws -> QueryPlan {
        if analyze { return try run(collection, query).plan }
        let query = try checked(collection) { try CheckedQuery(query) }
        let collection = try view.collection(collection)
        _ = try IncludeResolver(view, collection, query.include)
        return try plan(collection, query).shown
    }

    /// The record with this key, and what it includes; nil where there is none.
    func get(_ collection: String, _ key: Value, include: [Include]) throws -> Document? {
        let names = try checked(collection) { try CheckedQuery.names(include) }
        let collection = try view.collection(collection)
        let key = try RecordKeys.encoded(key, of: collection)
        let includes = try IncludeResolver(view, collection, names)
        var results = ResultList(includes, select: nil)
        _ = try unsafe view.withRecord(collection, key: key) { record in
            unsafe results.append(key, record)
        }
        return try results.documents().first
    }

    /// Runs a check; what it throws names the collection.
    private func checked<Result>(
        _ collection: String, _ check: () throws -> Result
    ) throws -> Result {
        do {
            return try check()
        } catch {
            throw ErrorMapping.publicError(error, collection: collection)
        }
    }

    // MARK: Planning

    private func planner(
        _ collection: CollectionState, _ condition: Condition, sort: [SortTerm], _ goal: PlanGoal
    ) -> Planner {
        Planner(
            view: view, collection: collection, condition: condition, sort: sort, goal: goal,
            forced: forced)
    }

    private func plan(_ collection: CollectionState, _ query: CheckedQuery) throws -> PlannedQuery {
        let goal = PlanGoal.records(needed: query.recordsNeeded)
        return try planner(collection, query.condition, sort: query.sort, goal).plan()
    }

    // MARK: Running

    private func run(
        _ name: String, _ query: Query
    ) throws -> (documents: [Document], plan: QueryPlan) {
        let query = try checked(name) { try CheckedQuery(query) }
        let collection = try view.collection(name)
        let includes = try IncludeResolver(view, collection, query.include)
        var planned = try plan(collection, query)
        let run = QueryRun(view, collection, planned.access, query.condition, sort: query.sort)
        let select = query.select.map { FieldSelection($0 + collection.keyPaths) }
        var results = ResultList(includes, select: select)
        if query.limit != 0 {
            if planned.access.givesWantedOrder {
                try collect(run, query, &results)
            } else {
                try collectSorted(run, query, &results)
            }
        }
        planned.shown.examinedEntries = run.examinedEntries
        planned.shown.examinedRecords = run.examinedRecords
        planned.shown.returnedRecords = results.count
        return (try results.documents(), planned.shown)
    }

    private func collect(
        _ run: QueryRun, _ query: CheckedQuery, _ results: inout ResultList
    ) throws {
        let limit = query.limit ?? Int.max
        try unsafe run.forEachMatch(skipping: query.offset) { key, record in
            unsafe results.append(key, record)
            return results.count < limit
        }
    }

    /// Sorts by the records' values, and reads those again that are in the result.
    private func collectSorted(
        _ run: QueryRun, _ query: CheckedQuery, _ results: inout ResultList
    ) throws {
        var sortKeys = SortKeys(query.sort, in: run.names)
        var buffer = SortBuffer(capacity: query.recordsNeeded)
        var bytes: [UInt8] = []
        try unsafe run.forEachMatch { key, record in
            bytes.removeAll(keepingCapacity: true)
            unsafe sortKeys.append(record, to: &bytes)
            let keyStart = bytes.count
            bytes.append(contentsOf: key)
            buffer.add(bytes, keyStart: keyStart)
            return true
        }
        let keys = buffer.sortedKeys(droppingFirst: query.offset)
        var key: [UInt8] = []
        for index in 0..<keys.count {
            keys.copy(index, into: &key)
            _ = try unsafe view.adapter.withRecord(
                of: run.collection, key: key, names: run.names
            ) { record in
                unsafe results.append(key, record)
            }
        }
    }
}

/// The records of a result, while what they include is still to be found.
struct ResultList {
    private let includes: IncludeResolver
    private let select: FieldSelection?
    private var found: [Document] = []
    private var references = IncludeReferences()

    init(_ includes: IncludeResolver, select: FieldSelection?) {
        self.includes = includes
        self.select = select
    }

    var count: Int { found.count }

    /// Copies the record, and notes what it refers to.
    @unsafe
    mutating func append(_ key: [UInt8], _ record: RecordView) {
        unsafe found.append(Document(copying: record))
        unsafe includes.note(key, record, &references)
    }

    /// The result: selected, and with what it includes.
    func documents() throws -> [Document] {
        let kept = select.map { select in found.map { select.select(from: $0) } } ?? found
        return try includes.attach(references, to: kept)
    }
}
