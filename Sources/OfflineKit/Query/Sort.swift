/// One field to sort by.
///
/// An array sorts by its least element ascending and its greatest descending; records that tie come in key order.
public struct Sort: Sendable, Hashable {
    /// Which end of the order of values comes first.
    public enum Direction: String, Sendable, Hashable {
        /// Least first.
        case ascending = "asc"
        /// Greatest first.
        case descending = "desc"
    }

    /// The dotted path of the field.
    public var field: String
    /// Which end comes first.
    public var direction: Direction

    /// Sorts by the value at `field`.
    public init(field: String, direction: Direction = .ascending) {
        self.field = field
        self.direction = direction
    }

    /// Least first.
    public static func ascending(_ field: String) -> Sort {
        Sort(field: field, direction: .ascending)
    }

    /// Greatest first.
    public static func descending(_ field: String) -> Sort {
        Sort(field: field, direction: .descending)
    }
}
