// The includes of a query after all that can be wrong with them was looked for, as a tree: what is nested in an include hangs
// below it.
//
//     ["orders.items", Include("orders", limit: 3)]   →   orders (limit 3)
//                                                           └ items
//
// A path that is named only on the way to another one is included whole. Whether there is a relationship of a name is
// for IncludeResolver to see.
import OfflineDocuments

/// One relationship to include, and what is included in its records.
struct CheckedInclude: Sendable {
    let name: String
    private(set) var condition = Condition.always
    private(set) var sort: [SortTerm] = []
    private(set) var limit: Int?
    private(set) var children: [CheckedInclude] = []
    /// Whether the query says anything of exactly this path.
    private var isAsked = false

    /// Includes nest no deeper than this; the same bound as for records.
    private static let depthMax = RecordLimits.depthMax

    private init(_ name: String) { self.name = name }

    /// The tree of what a query includes. Throws `.invalidQuery`.
    static func tree(_ includes: [Include]) throws -> [CheckedInclude] {
        var roots: [CheckedInclude] = []
        for include in includes {
            let names = include.path.utf8.split(
                separator: UInt8(ascii: "."), maxSplits: depthMax, omittingEmptySubsequences: false)
            guard names.count <= depthMax else {
                throw OfflineError(
                    .invalidQuery, "an include nests deeper than \(depthMax) levels")
            }
            try insert(include, at: names.map { String(Substring($0)) }[...], into: &roots)
        }
        return roots
    }

    private static func insert(
        _ include: Include, at names: ArraySlice<String>, into nodes: inout [CheckedInclude]
    ) throws {
        guard let name = names.first else { return }
        let index = nodes.firstIndex { $0.name.hasSameUTF8(as: name) } ?? nodes.count
        if index == nodes.count { nodes.append(CheckedInclude(name)) }
        if names.count == 1 {
            try nodes[index].take(include)
        } else {
            try insert(include, at: names.dropFirst(), into: &nodes[index].children)
        }
    }

    /// The paths of what is asked of a record, and of what it sorts by.
    var namedPaths: [FieldPath] { condition.paths + sort.map(\.path) }

    /// Lets only records in that are in reach, too.
    mutating func restrict(to reach: Condition, _ collation: Collation) {
        condition = condition.restricted(to: reach, collation)
    }

    /// Takes over what the query says of this path.
    private mutating func take(_ include: Include) throws {
        let old = self
        do {
            condition = try FilterParser.parse(include.filters)
            sort = try include.sort.map {
                SortTerm(
                    path: try FilterParser.fieldPath($0.field),
                    isDescending: $0.direction == .descending)
            }
        } catch let error as OfflineError {
            throw OfflineError(error.code, "the include \"\(include.path)\": \(error.message)")
        }
        if let limit = include.limit, limit < 0 {
            throw OfflineError(
                .invalidQuery,
                "the include \"\(include.path)\": the limit is \(limit); it can't be negative")
        }
        limit = include.limit
        guard !old.isAsked || old.condition == condition && old.sort == sort && old.limit == limit
        else {
            throw OfflineError(
                .invalidQuery, "\"\(include.path)\" is included twice, in different ways")
        }
        isAsked = true
    }
}
