// How large a record may be.

/// What a record may hold.
package enum RecordLimits {
    /// An encoded record's bytes.
    package static let byteCountMax = 16 << 20
    /// Objects and arrays within each other; the record itself is the first level. It bounds every recursion over a record.
    package static let depthMax = 100
}
