// Who may do what with a collection's records. Only a description: the rules that it must keep are SchemaValidation's, what it
// means for one principal is CollectionAccess.

/// What each role may do with a collection. What is not granted is denied; `"*"` is every
/// principal, signed in or not.
///
/// Rules add up: a record is in reach if a rule of any of the principal's roles grants it, and a field is hidden in a record only if
/// all rules that grant the record hide it.
///
/// ```swift
/// AccessPolicy([
///     .init(role: "*", operations: [.read], where: ["shared": true], hiddenFields: ["salary"]),
///     .init(role: "clerk", operations: [.read, .update], where: ["owner": "$principal"]),
/// ])
/// ```
public struct AccessPolicy: Sendable, Hashable {
    /// What a rule grants.
    public enum Operation: String, Sendable, Hashable, CaseIterable {
        /// Get, query, count, include and observe.
        case read
        /// Create a record.
        case create
        /// Change a record.
        case update
        /// Delete a record.
        case delete
    }

    /// One grant to one role.
    public struct Rule: Sendable, Hashable {
        /// The role, or `"*"`.
        public let role: String
        /// What it grants.
        public let operations: Set<Operation>
        /// The records that it is about.
        public let filter: Filter
        /// Fields left out of what the role reads, as dotted paths.
        public let hiddenFields: [String]

        /// Grants `operations` to `role` on the records that match.
        ///
        /// `"$principal"` in `where` stands for the principal's id, but not in a `$regex`; `where` can't search words.
        /// `hiddenFields` are left out of what the role reads, and it can't write or filter by them: paths of names, without
        /// positions, and not of the record's key.
        public init(
            role: String, operations: Set<Operation>, where filter: Filter = .all,
            hiddenFields: [String] = []
        ) {
            self.role = role
            self.operations = operations
            self.filter = filter
            self.hiddenFields = hiddenFields
        }
    }

    /// The grants.
    public let rules: [Rule]

    /// A policy of these grants.
    public init(_ rules: [Rule]) { self.rules = rules }
}
