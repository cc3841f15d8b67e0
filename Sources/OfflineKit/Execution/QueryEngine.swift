// What a store, a snapshot and a transaction ask of queries, in one state of the store (ReadView): check, plan, run. All of it
// is synchronous; a query that is wrong throws before it reads anything.
internal import OfflineBytes
import OfflineDocuments

/// Runs queries in one state of the store.
struct QueryEngine {
    let view: ReadView
    fileprivate let forced: ForcedAccess?

    init(_ view: ReadView, forcing access: ForcedAccess? = nil) {
        self.view = view
        forced = access
    }

    /// The records that the query selects.
    func query(_ collection: String, _ query: Query) throws -> [Document] {
        try PreparedQuery(self, collection, query).run().documents
    }

    /// How many records match.
    func count(_ collection: String, _ filters: Filter) throws -> Int {
        try run(collection, filters, .count).count()
    }

    /// A run over the records that match, in key order unless they are only counted.
    func run(
        _ collection: String, _ filters: Filter, _ goal: PlanGoal, naming paths: [FieldPath] = []
    ) throws -> QueryRun {
        try run(planner(collection, filters, goal, naming: paths))
    }

    /// A run of what the planner chooses.
    func run(_ planner: Planner) throws -> QueryRun {
        QueryRun(
            planner.view, planner.collection, try planner.plan().access, planner.condition)
    }

    /// What chooses a way to the records that match. `paths`: what else of them the caller reads.
    func planner(
        _ collection: String, _ filters: Filter, _ goal: PlanGoal, naming paths: [FieldPath] = []
    ) throws -> Planner {
        let (filter, words) = try checked(collection) {
            let filter = try FilterParser.parseQuery(filters)
            return (filter, try filter.text.map { try TextMatches.words(of: $0.search) })
        }
        let collection = try view.collection(collection)
        var condition = filter.condition
        try collection.sealing?.checkUnlocked(for: condition.paths + paths)
        if let reading = try view.reading(collection) {
            let named = condition.paths + paths + collection.textPaths(of: words)
            condition = condition.restricted(to: try reading.condition(naming: named), .binary)
        }
        return Planner(
            view: view, collection: collection, condition: condition, words: words,
            sort: [], goal: goal, forced: forced)
    }

    /// How the query would, or with `analyze` did, run.
    func explain(_ collection: String, _ query: Query, analyze: Bool) throws -> QueryPlan {
        let prepared = try PreparedQuery(self, collection, query)
        var plan = prepared.shownPlan
        guard analyze else { return plan }
        let (run, documents) = try prepared.run()
        plan.examinedEntries = run.reads.entries
        plan.examinedRecords = run.reads.records
        plan.returnedRecords = documents.count
        return plan
    }

    /// The record with this key, and what it includes; nil where there is none.
    func get(_ collection: String, _ key: Value, include: [Include]) throws -> Document? {
        let include = try checked(collection) { try CheckedInclude.tree(include) }
        let collection = try view.collection(collection)
        let key = try RecordKeys.encoded(key, of: collection)
        let includes = try IncludeResolver(view, collection, include)
        var results = ResultList(
            includes, select: nil, try view.reach(collection), collection.sealing)
        _ = try unsafe view.withRecord(collection, key: key) { record in
            unsafe results.append(key, record)
        }
        return try results.documents().first
    }

    /// Runs a check; what it throws names the collection.
    func checked<Result>(
        _ collection: String, _ check: () throws -> Result
    ) throws -> Result {
        do {
            return try check()
        } catch {
            throw ErrorMapping.publicError(error, collection: collection)
        }
    }
}

/// A query that was checked, resolved and planned, and can be run.
struct PreparedQuery: Sendable {
    let view: ReadView
    let collection: CollectionState
    let query: CheckedQuery
    let planned: PlannedQuery
    /// What the session may read; nil: everything.
    let reading: OperationAccess?
    /// What the query reads of its collection's records to choose and sort them.
    let named: [FieldPath]
    /// The session may not see all records, or not all that is named in them, here or in what is included.
    let isLimited: Bool
    private let includes: IncludeResolver
    private let planner: Planner

    /// `soon`: the result is read in parts, and the plan should be good for so many first records; nil: for all.
    init(_ engine: QueryEngine, _ name: String, _ query: Query, soon: Int? = nil) throws {
        view = engine.view
        var checked = try engine.checked(name) { try CheckedQuery(query) }
        collection = try view.collection(name)
        try collection.sealing?.checkUnlocked(for: checked.namedPaths)
        reading = try view.reading(collection)
        named = checked.namedPaths + collection.textPaths(of: checked.words)
        var isLimited = false
        if let reading {
            let reach = try reading.condition(naming: named)
            isLimited = reach != .always
            checked.restrict(to: reach)
            for path in checked.select ?? [] { try reading.checkShown(path) }
        }
        self.query = checked
        includes = try IncludeResolver(
            view, collection, self.query.include, collation: self.query.collation,
            maps: soon == nil ? nil : ReferenceMaps())
        self.isLimited = isLimited || includes.isLimited
        var needed = self.query.recordsNeeded
        if let soon { needed = min(needed ?? soon, soon) }
        planner = Planner(
            view: view, collection: collection, condition: self.query.condition,
            words: self.query.words, sort: self.query.sort, goal: .records(needed: needed),
            collation: self.query.collation, forced: engine.forced)
        planned = try planner.plan()
    }

    var shownPlan: QueryPlan {
        var plan = planner.shown(planned)
        plan.steps += includes.steps
        return plan
    }

    func run() throws -> (run: QueryRun, documents: [Document]) {
        let run = makeRun()
        var results = emptyResults
        try unsafe forEachResult(of: run, shownPart) { unsafe results.append($0, $1) }
        return (run, try results.documents(counting: run.reads))
    }

    /// Calls `body`, which looks at `part` of it, with each record of the result, in place, in the result's order.
    func forEachResult(
        of run: QueryRun, _ part: RecordPart,
        _ body: (_ key: [UInt8], _ record: RecordView) throws -> Void
    ) throws {
        if query.limit == 0 { return }
        guard planned.access.givesWantedOrder else {
            return try unsafe forEachSorted(run, part, body)
        }
        var left = query.limit ?? Int.max
        try unsafe run.forEachMatch(
            part, skipping: query.offset, needed: query.recordsNeeded
        ) { key, record in
            try unsafe body(key, record)
            left -= 1
            return left > 0
        }
    }

    /// The collections that the result's records are of.
    var reach: Set<CollectionID> { includes.reach.union([collection.id]) }

    /// A run that is still to begin.
    func makeRun() -> QueryRun {
        QueryRun(
            view, collection, planned.access, query.condition, sort: query.sort,
            collation: query.collation)
    }

    /// What of a record is in the result.
    var shownPart: RecordPart {
        query.select.map { .paths($0 + collection.keyPaths + includes.paths) } ?? .all
    }

    /// What takes in results.
    var emptyResults: ResultList {
        let select = query.select.map { FieldSelection($0 + collection.keyPaths) }
        let reach = reading.map { RecordReach($0, in: view.names(of: collection).dictionary) }
        return ResultList(includes, select: select, reach, collection.sealing)
    }

    /// Sorts by the records' values, and reads those again that are in the result.
    private func forEachSorted(
        _ run: QueryRun, _ part: RecordPart,
        _ body: (_ key: [UInt8], _ record: RecordView) throws -> Void
    ) throws {
        let keys = try sortedKeys(run)
        var key: [UInt8] = []
        for index in 0..<keys.count {
            keys.copy(index, into: &key)
            try unsafe run.withRecord(key, part) { try unsafe body(key, $0) }
        }
    }

    /// The keys of the result's records, in their order.
    func sortedKeys(_ run: QueryRun) throws -> KeyList {
        var sortKeys = SortKeys(query.sort, in: run.names, collation: query.collation)
        var buffer = SortBuffer(capacity: query.recordsNeeded)
        var bytes: [UInt8] = []
        try unsafe run.forEachMatch(query.sort.part) { key, record in
            bytes.removeAll(keepingCapacity: true)
            unsafe sortKeys.append(record, to: &bytes)
            let keyStart = bytes.count
            bytes.append(contentsOf: key)
            buffer.add(bytes, keyStart: keyStart)
            return true
        }
        return buffer.sortedKeys(droppingFirst: query.offset)
    }
}

/// The records of a result, while what they include is still to be found.
struct ResultList {
    private let includes: IncludeResolver
    private let select: FieldSelection?
    /// Asks records what of them may be read; nil: everything.
    private var reach: RecordReach?
    /// Nil: no field is sensitive.
    private let sealing: CollectionSealing?
    private var found: [Document] = []
    private var references = IncludeReferences()

    init(
        _ includes: IncludeResolver, select: FieldSelection?, _ reach: RecordReach?,
        _ sealing: CollectionSealing?
    ) {
        self.sealing = sealing
        self.reach = reach
        self.includes = includes
        self.select = select
    }

    var count: Int { found.count }
    /// How many bytes the records take.
    private(set) var byteCount = 0

    /// Copies the record, and notes what it refers to; false where it is out of the session's reach, which a record may leave
    /// after it was found.
    @unsafe
    @discardableResult
    mutating func append(_ key: [UInt8], _ record: RecordView) -> Bool {
        byteCount += unsafe record.root.byteCount
        guard reach != nil else {
            unsafe found.append(Document(copying: record))
            unsafe includes.note(key, record, &references)
            return true
        }
        guard let hidden = unsafe reach?.hidden(in: record) else { return false }
        unsafe found.append(hidden.masked(Document(copying: record)))
        unsafe includes.note(key, record, hiding: hidden, &references)
        return true
    }

    /// The result: selected, and with what it includes.
    func documents(counting reads: ReadCount? = nil) throws -> [Document] {
        let kept = select.map { select in found.map { select.select(from: $0) } } ?? found
        if let sealing { for document in kept { try sealing.checkOpen(document) } }
        return try includes.attach(references, to: kept, counting: reads)
    }
}

extension [SortTerm] {
    /// What of a record they look at.
    var part: RecordPart { .paths(map(\.path)) }
}

extension CollectionState {
    /// The paths that a search for these words asks; nil: there is none.
    fileprivate func textPaths(of words: [[UInt8]]?) -> [FieldPath] {
        words == nil ? [] : indexes.first(where: \.isFullText)?.paths ?? []
    }
}
