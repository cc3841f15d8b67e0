extension [UInt8] {
    /// A copy of the bytes.
    @inline(always)
    init(_ bytes: RawSpan) {
        self = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    }
}
