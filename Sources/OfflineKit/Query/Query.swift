// A query as callers write it. It is checked when it is used, also against an empty collection.

/// Which records of a collection, in what order, and how much of them.
///
/// ```swift
/// Query(
///     filters: ["age": ["$gt": 25], "status": "active"], sort: [.descending("createdAt")],
///     limit: 10, offset: 20, include: ["orders"])
/// ```
public struct Query: Sendable, Hashable {
    /// Which records.
    public var filters: Filter
    /// In what order; key order where it is empty, and among records that tie.
    public var sort: [Sort]
    /// How many at most; nil: all.
    public var limit: Int?
    /// How many to pass over first.
    public var offset: Int
    /// Relationships to resolve into the results.
    public var include: [Include]
    /// The paths to keep, besides the key; nil: whole records.
    public var select: [String]?
    /// How strings compare.
    public var collation: Collation

    /// By default every record, in key order.
    public init(
        filters: Filter = .all, sort: [Sort] = [], limit: Int? = nil, offset: Int = 0,
        include: [Include] = [], select: [String]? = nil, collation: Collation = .binary
    ) {
        self.filters = filters
        self.sort = sort
        self.limit = limit
        self.offset = offset
        self.include = include
        self.select = select
        self.collation = collation
    }
}
