// Memory for records that can't be read in place: those that are deflated in the log. A reader has one, and it costs
// nothing until the first such record.

/// Room for one record at a time, which grows and is used again.
@safe
package struct InflateBuffer: ~Copyable {
    private var bytes = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)

    package init() {}

    deinit { unsafe bytes.deallocate() }

    /// The buffer's first `count` bytes, of any content. What was in it before is gone.
    mutating func prepare(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if unsafe bytes.count < count {
            // Twice what there was, so that a scan over growing records doesn't allocate for each.
            let capacity = unsafe max(count, min(2 * bytes.count, Limits.recordBytesMax))
            unsafe bytes.deallocate()
            unsafe bytes = .allocate(byteCount: capacity, alignment: 16)
        }
        return unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
    }
}
