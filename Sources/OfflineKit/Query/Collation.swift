/// How strings are compared by a query or an index.
public enum Collation: Sendable, Hashable {
    /// By their UTF-8 bytes.
    case binary
    /// By full Unicode case folding, then by bytes for order only.
    case caseInsensitive
}
