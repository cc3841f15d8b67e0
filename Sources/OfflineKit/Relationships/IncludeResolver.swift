// `include`: records of other collections, put into a result under the relationship's name.
//
// While the records of a level are read, the keys that they refer to are noted; then each include is resolved for all of them at
// once (RelatedRecords), and what is nested in it for all records that were found. So N parents cost one look-up a
// level, not N.
//
// Filter, sort and limit hold for each parent by itself. Unsorted, records come in key order, and what no parent has room for is
// never copied; sorted, the sort values and keys of the first ones are kept for each parent, and the records are read in a
// second pass.
internal import OfflineBytes
import OfflineDocuments

/// The records of one level, and what they refer to, in the order in which they were noted.
struct IncludeReferences {
    /// Each record's own key.
    fileprivate var recordKeys: [[UInt8]] = []
    /// For each include, for each record, the keys at its foreign key.
    fileprivate var foreignKeys: [[[[UInt8]]]] = []
}

/// Resolves the includes of one level.
struct IncludeResolver: Sendable {
    fileprivate struct Entry: Sendable {
        let include: CheckedInclude
        /// What the session may read of the records included; nil: everything.
        let reading: OperationAccess?
        /// It may not see all of these, or not all that the include names in them.
        let isLimited: Bool
        let collation: Collation
        let relationship: RelationshipSchema
        let path: FieldPath
        let other: CollectionState
        /// The foreign key in our records; nil where it can only be in theirs.
        let ownKey: ForeignKey?
        /// What is included in the records found.
        let nested: IncludeResolver
    }
    private let view: ReadView
    private let collection: CollectionState
    private let entries: [Entry]
    private let maps: ReferenceMaps?

    /// Throws `.unknownRelationship`, and what the other collection's own state gives: it may be outside a transaction.
    ///
    /// Filters and sorts of includes have the collation of their query. `maps`: what look-ups in this view share, if there
    /// will be more than one.
    init(
        _ view: ReadView, _ collection: CollectionState, _ includes: [CheckedInclude],
        collation: Collation = .binary, maps: ReferenceMaps? = nil
    ) throws {
        self.maps = maps
        self.view = view
        self.collection = collection
        entries = try includes.map { include in
            var include = include
            let relationship = try collection.relationship(include.name)
            let other = try view.collection(relationship.collection)
            let path = try FieldPath(relationship.foreignKey)
            let reading = try view.reading(other)
            if relationship.hasOwnKey { try view.reading(collection)?.checkShown(path) }
            var isLimited = false
            if let reading {
                let named = include.namedPaths + (relationship.hasTheirKey ? [path] : [])
                let reach = try reading.condition(naming: named)
                isLimited = reach != .always
                include.restrict(to: reach, collation)
            }
            let names = view.names(of: collection).dictionary
            return Entry(
                include: include, reading: reading, isLimited: isLimited, collation: collation,
                relationship: relationship, path: path, other: other,
                ownKey: relationship.hasOwnKey ? ForeignKey(path, in: names, to: other) : nil,
                nested: try IncludeResolver(
                    view, other, include.children, collation: collation, maps: maps))
        }
    }

    /// Notes what the record refers to, but for what is hidden of it.
    @unsafe
    func note(
        _ key: [UInt8], _ record: RecordView, hiding hidden: HiddenFields = .none,
        _ references: inout IncludeReferences
    ) {
        if entries.isEmpty { return }
        references.recordKeys.append(key)
        if references.foreignKeys.isEmpty {
            references.foreignKeys = Array(repeating: [], count: entries.count)
        }
        for (index, entry) in entries.enumerated() {
            let ownKey = hidden.touches(entry.path) ? nil : entry.ownKey
            references.foreignKeys[index].append(ownKey.map { unsafe $0.keys(in: record) } ?? [])
        }
    }

    /// The documents, each with what it includes; in the order in which their records were noted.
    func attach(
        _ references: IncludeReferences, to documents: [Document], counting reads: ReadCount?
    ) throws -> [Document] {
        if entries.isEmpty || documents.isEmpty { return documents }
        var documents = documents
        for (index, entry) in entries.enumerated() {
            let related = try related(
                entry, references.recordKeys, references.foreignKeys[index], reads)
            for record in documents.indices {
                documents[record].include(
                    related.value(of: record, entry.relationship.type),
                    as: entry.relationship.name)
            }
        }
        return documents
    }

    /// What belongs to each of our records.
    private func related(
        _ entry: Entry, _ recordKeys: [[UInt8]], _ foreignKeys: [[[UInt8]]],
        _ reads: ReadCount?
    ) throws -> RelatedDocuments {
        try entry.other.sealing?.checkUnlocked(for: entry.include.namedPaths + [entry.path])
        let records = RelatedRecords(view, entry.other, maps: maps, counting: reads)
        var collector = IncludeCollector(entry, records, parentCount: recordKeys.count)
        var keys = RelatedKeys(entry.relationship)
        for (parent, key) in recordKeys.enumerated() {
            keys.add(parent, key: key, foreignKeys: foreignKeys[parent])
        }
        try unsafe records.forEach(keys, of: collection, at: entry.path) {
            try unsafe collector.take($0, $1, $2)
        }
        return try collector.finish(counting: reads)
    }

    /// What of a record is read to find what it includes.
    var paths: [FieldPath] { entries.filter { $0.ownKey != nil }.map(\.path) }

    /// The collections that are included, at any depth.
    var reach: Set<CollectionID> {
        entries.reduce(into: []) { $0.formUnion($1.nested.reach.union([$1.other.id])) }
    }

    /// Whether the session may not see all records included at any depth, or not all that is named in them.
    var isLimited: Bool { entries.contains { $0.isLimited || $0.nested.isLimited } }

    /// A line for each include that says how its records are found, for `explain`.
    var steps: [String] {
        entries.flatMap { entry in
            let name = entry.relationship.name
            let line = "include \(name), for all records at once: " + access(entry)
            return [line] + entry.nested.steps.map { "in \(name): \($0)" }
        }
    }

    private func access(_ entry: Entry) -> String {
        let other = "\"\(entry.other.name)\""
        let theirs =
            RelatedRecords.index(of: entry.other, for: entry.path).map {
                "by the index \($0.name) of \(other)"
            } ?? "by a scan of \(other), which has no index on \(entry.path.text)"
        return switch entry.relationship.type {
        case .manyToOne, .manyToMany: "by the keys of \(other)"
        case .oneToMany: theirs
        case .oneToOne: "by the keys of \(other), or, without a key, \(theirs)"
        }
    }
}

/// Documents, and which of them belong to which parent.
private struct RelatedDocuments {
    var documents: [Document]
    /// For each parent the places of its documents, in their order.
    var lists: [[Int]]

    func value(of parent: Int, _ type: RelationshipSchema.Kind) -> Value {
        let list = lists[parent]
        return switch type {
        case .oneToOne, .manyToOne: list.first.map { .object(documents[$0]) } ?? .null
        case .oneToMany, .manyToMany: .array(list.map { .object(documents[$0]) })
        }
    }
}

/// Takes in the records that one include finds, and gives each parent its own.
private struct IncludeCollector {
    private let entry: IncludeResolver.Entry
    private let records: RelatedRecords
    /// Nil where every record passes.
    private let predicate: Predicate?
    private var scratch = PredicateScratch(isCancellable: true)
    /// Asks the records that pass what is hidden of them.
    private var reach: RecordReach?
    /// How many records a parent gets; nil: all.
    private let limit: Int?

    private var documents: [Document] = []
    private var references = IncludeReferences()
    private var lists: [[Int]]
    /// Only where there is a sort: what makes a record's sort values, and each parent's records.
    private var sortKeys: SortKeys?
    private var sorted: [SortBuffer] = []
    private var sortBytes: [UInt8] = []

    init(_ entry: IncludeResolver.Entry, _ records: RelatedRecords, parentCount: Int) {
        self.entry = entry
        self.records = records
        let predicate = Predicate(
            entry.include.condition, in: records.names, collation: entry.collation)
        self.predicate = predicate.acceptsAll ? nil : predicate
        reach = entry.reading.map { RecordReach($0, in: records.names) }
        switch entry.relationship.type {
        case .oneToOne, .manyToOne: limit = min(entry.include.limit ?? 1, 1)
        case .oneToMany, .manyToMany: limit = entry.include.limit
        }
        lists = Array(repeating: [], count: parentCount)
        if !entry.include.sort.isEmpty {
            sortKeys = SortKeys(
                entry.include.sort, in: records.names, collation: entry.collation)
            sorted = Array(repeating: SortBuffer(capacity: limit), count: parentCount)
        }
    }

    /// Takes a record that belongs to these parents. Records come in key order.
    @unsafe
    mutating func take(_ key: [UInt8], _ record: RecordView, _ parents: [Int]) throws {
        if let predicate {
            let matches = unsafe predicate.matches(record, &scratch)
            try scratch.checkCancellation()
            if !matches { return }
        }
        if sortKeys != nil {
            sortBytes.removeAll(keepingCapacity: true)
            unsafe sortKeys?.append(record, to: &sortBytes)
            let keyStart = sortBytes.count
            sortBytes += key
            for parent in parents { sorted[parent].add(sortBytes, keyStart: keyStart) }
            return
        }
        let takers = parents.filter { lists[$0].count < limit ?? .max }
        if takers.isEmpty { return }
        for parent in takers { lists[parent].append(documents.count) }
        unsafe keep(key, record)
    }

    @unsafe
    private mutating func keep(_ key: [UInt8], _ record: RecordView) {
        // All that is kept has passed, and so is in reach.
        let hidden = unsafe reach?.hidden(in: record) ?? .none
        unsafe documents.append(hidden.masked(Document(copying: record)))
        unsafe entry.nested.note(key, record, hiding: hidden, &references)
    }

    /// What was taken, with what is nested in it.
    consuming func finish(counting reads: ReadCount?) throws -> RelatedDocuments {
        if sortKeys != nil { try readSorted() }
        if let sealing = entry.other.sealing {
            for document in documents { try sealing.checkOpen(document) }
        }
        return RelatedDocuments(
            documents: try entry.nested.attach(references, to: documents, counting: reads),
            lists: lists)
    }

    /// Reads the records that are each parent's first ones.
    private mutating func readSorted() throws {
        let keys = sorted.map { $0.sortedKeys(droppingFirst: 0).keys }
        sorted = []
        var places: [[UInt8]: Int] = [:]
        try unsafe records.forEach(KeyBounds.distinct(keys.flatMap { $0 })) { key, record in
            places[key] = documents.count
            unsafe keep(key, record)
        }
        lists = keys.map { $0.compactMap { places[$0] } }
    }
}
