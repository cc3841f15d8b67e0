// Who may do what with a collection's records.

/// What each role may do with a collection. What is not granted is denied; `"*"` is every
/// principal, signed in or not.
public struct AccessPolicy: Sendable, Hashable {
    /// What a rule grants.
    public enum Operation: String, Sendable, Hashable, CaseIterable {
        /// Get, query and count.
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
        /// Fields left out of what the role reads.
        public let hiddenFields: [String]

        /// Grants `operations` to `role` on the records that match.
        ///
        /// `"$principal"` in `where` stands for the principal's id. `hiddenFields` are left out of
        /// what the role reads, and it can't write or filter by them.
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
