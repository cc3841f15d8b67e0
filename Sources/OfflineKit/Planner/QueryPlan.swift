// What `explain` tells: the chosen access, what it is estimated to read, why every other index lost, and, once
// the query has run, what it really read.

/// How a query runs, and, after `explain(analyze: true)`, what it really cost.
public struct QueryPlan: Sendable, CustomStringConvertible {
    /// Where the candidates come from.
    public enum Access: Sendable, Hashable {
        /// Every record, in key order.
        case collectionScan
        /// Single keys, or ranges of keys, of the collection.
        case key
        /// One index, by its name.
        case index(String)
        /// The records of any of these indexes.
        case union([String])
        /// The records of all of these indexes.
        case intersection([String])
    }

    /// Where the candidates come from.
    public internal(set) var access: Access
    /// The order comes from the index or the keys, so nothing is sorted.
    public internal(set) var sortedByIndex: Bool
    /// From the counted trees: an upper bound of the records that match; exact where `isExact`.
    public internal(set) var estimatedRecords: Int
    /// The estimate is the number of matching records.
    public internal(set) var isExact: Bool
    /// Each other index and why it was not chosen.
    public internal(set) var rejected: [String: String]
    /// Index entries read, also for includes; nil unless the query ran.
    public internal(set) var examinedEntries: Int?
    /// How often a record was read: also those that didn't match, those of the result that were read again after a sort, and
    /// those of includes; nil unless the query ran.
    public internal(set) var examinedRecords: Int?
    /// Records in the result; nil unless the query ran.
    public internal(set) var returnedRecords: Int?

    /// What happens after the access, one step a line, for `description` only.
    var steps: [String] = []

    /// The plan in a few lines for a person to read.
    public var description: String {
        var lines = ["access: " + accessText]
        lines.append("estimate: \(isExact ? "exactly" : "at most") \(records(estimatedRecords))")
        lines += steps.map { "then: " + $0 }
        for (index, reason) in rejected.sorted(by: { $0.key < $1.key }) {
            lines.append("not index \(index): \(reason)")
        }
        if let examinedEntries, let examinedRecords, let returnedRecords {
            lines.append(
                "ran: examined \(examinedEntries) index \(examinedEntries == 1 ? "entry" : "entries") and "
                    + "\(records(examinedRecords)), returned \(records(returnedRecords))")
        }
        return lines.joined(separator: "\n")
    }

    private var accessText: String {
        switch access {
        case .collectionScan: "the whole collection, in key order"
        case .key: "by key"
        case .index(let name): "index \(name)"
        case .union(let names): "union of the indexes " + names.joined(separator: ", ")
        case .intersection(let names):
            "intersection of the indexes " + names.joined(separator: ", ")
        }
    }

    private func records(_ count: Int) -> String { count == 1 ? "1 record" : "\(count) records" }
}
