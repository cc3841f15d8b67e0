/// A relationship to resolve into the result, under its name.
///
/// ```swift
/// Query(filters: ["status": "active"], include: ["orders"])
/// ```
public struct Include: Sendable, Hashable, ExpressibleByStringLiteral {
    /// The relationship's name; dotted for nested ones.
    public var path: String
    /// Which related records are taken.
    public var filters: Filter
    /// Their order; key order where it is empty.
    public var sort: [Sort]
    /// How many at most for one parent; nil: all.
    public var limit: Int?

    /// All records of the relationship with this name.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// The records of a relationship that pass `filters`.
    public init(_ path: String, filters: Filter = .all, sort: [Sort] = [], limit: Int? = nil) {
        self.path = path
        self.filters = filters
        self.sort = sort
        self.limit = limit
    }
}
