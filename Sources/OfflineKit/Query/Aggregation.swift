// An aggregation as callers write it, and after all that can be wrong with it was looked for.
import OfflineDocuments

/// Figures of the records that match, of all of them or group by group.
///
/// ```swift
/// let totals = try await store.aggregate(
///     "orders",
///     Aggregation(
///         filters: ["status": "paid"], groupBy: ["user_id"],
///         measures: ["orders": .count, "total": .sum("total")]))
/// // [{"user_id": "u1", "orders": 2, "total": 120.5}, …]
/// ```
public struct Aggregation: Sendable, Hashable {
    /// One figure. A field is the one value at its path: an array counts as a whole, and a path that steps through an array's
    /// elements finds nothing.
    public enum Measure: Sendable, Hashable {
        /// How many records there are.
        case count
        /// The sum of the numbers at the path, 0 where there is none; a sum of integers that no 64-bit integer holds is a double.
        case sum(String)
        /// The mean of the numbers at the path; null where there is none.
        case average(String)
        /// The least value at the path in the order of values, null apart; null where there is none.
        case minimum(String)
        /// The greatest value at the path in the order of values, null apart; null where there is none.
        case maximum(String)
    }

    /// Which records.
    public var filters: Filter
    /// The paths whose values make a group, a missing field as null; empty: all records are one group, also if there are none.
    public var groupBy: [String]
    /// The figures, under the names that results show them by.
    public var measures: [String: Measure]

    /// By default the figures of all records together.
    public init(filters: Filter = .all, groupBy: [String] = [], measures: [String: Measure]) {
        self.filters = filters
        self.groupBy = groupBy
        self.measures = measures
    }
}

/// An aggregation without mistakes.
struct CheckedAggregation {
    /// One figure.
    struct Figure {
        let name: String
        let measure: Aggregation.Measure
        /// What it measures; nil: records.
        let path: FieldPath?
    }
    let groupBy: [FieldPath]
    /// In the order of their names.
    let figures: [Figure]

    /// The paths of what is grouped by and measured.
    var namedPaths: [FieldPath] { groupBy + figures.compactMap(\.path) }

    /// Throws `.invalidQuery`. The filters are checked by whoever runs them.
    init(_ aggregation: Aggregation) throws {
        groupBy = try aggregation.groupBy.map(FilterParser.fieldPath)
        figures = try aggregation.measures.sorted { $0.key < $1.key }.map { name, measure in
            Figure(
                name: name, measure: measure, path: try measure.path.map(FilterParser.fieldPath))
        }
        for (index, path) in groupBy.enumerated() {
            for other in groupBy[..<index] where Self.overlap(path, other) {
                throw OfflineError(
                    .invalidQuery,
                    "\"\(other.text)\" and \"\(path.text)\" can't both be grouped by: one is the other, or in it"
                )
            }
            if let name = path.components.first?.name,
                figures.contains(where: { $0.name.hasSameUTF8(as: name) })
            {
                throw OfflineError(
                    .invalidQuery, "\"\(name)\" is grouped by, and also names a measure")
            }
        }
    }

    private static func overlap(_ a: FieldPath, _ b: FieldPath) -> Bool {
        zip(a.components, b.components).allSatisfy { $0.name.hasSameUTF8(as: $1.name) }
    }
}

extension Aggregation.Measure {
    fileprivate var path: String? {
        switch self {
        case .count: nil
        case .sum(let path), .average(let path), .minimum(let path), .maximum(let path): path
        }
    }
}
