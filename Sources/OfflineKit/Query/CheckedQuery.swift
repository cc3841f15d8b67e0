// A query after all that can be wrong with it was looked for. What is checked here needs no data and no collection.
import OfflineDocuments

/// One field to sort by, its path parsed.
struct SortTerm: Sendable, Equatable {
    let path: FieldPath
    let isDescending: Bool
}

/// A query without mistakes.
struct CheckedQuery: Sendable {
    private(set) var condition: Condition
    /// The distinct words that are searched for; nil: it is no search.
    let words: [[UInt8]]?
    let collation: Collation
    let sort: [SortTerm]
    let limit: Int?
    let offset: Int
    let include: [CheckedInclude]
    let select: [FieldPath]?

    /// Throws `.invalidQuery`.
    init(_ query: Query) throws {
        let filter = try FilterParser.parseQuery(query.filters)
        condition = filter.condition
        words = try filter.text.map { try TextMatches.words(of: $0.search) }
        collation = query.collation
        sort = try query.sort.map {
            SortTerm(
                path: try FilterParser.fieldPath($0.field),
                isDescending: $0.direction == .descending)
        }
        if let limit = query.limit, limit < 0 {
            throw OfflineError(.invalidQuery, "the limit is \(limit); it can't be negative")
        }
        if query.offset < 0 {
            throw OfflineError(.invalidQuery, "the offset is \(query.offset); it can't be negative")
        }
        limit = query.limit
        offset = query.offset
        include = try CheckedInclude.tree(query.include)
        select = try query.select?.map(FilterParser.fieldPath)
    }

    /// The paths of what is asked of a record, and of what it sorts by.
    var namedPaths: [FieldPath] { condition.paths + sort.map(\.path) }

    /// Lets only records in that are in reach, too.
    mutating func restrict(to reach: Condition) {
        condition = condition.restricted(to: reach, collation)
    }

    /// How many records in their order are needed; nil: all.
    var recordsNeeded: Int? {
        limit.map { limit in
            let (sum, overflow) = limit.addingReportingOverflow(offset)
            return overflow ? Int.max : sum
        }
    }
}
