// The order of keys: bytes as memcmp compares them, the shorter first where one begins the other.
#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Comparisons of byte strings in key order.
package enum ByteOrder {
    /// Negative, zero or positive as `a` is before, equal to or after `b`.
    @inline(always)
    package static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        let shared = min(a.count, b.count)
        if shared > 0, let left = a.baseAddress, let right = b.baseAddress {
            let order = unsafe memcmp(left, right, shared)
            if order != 0 { return Int(order) }
        }
        return a.count - b.count
    }

    /// Whether both are the same bytes.
    @inline(always)
    package static func isEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count else { return false }
        guard a.count > 0, let left = a.baseAddress, let right = b.baseAddress else { return true }
        return unsafe memcmp(left, right, a.count) == 0
    }

    /// The order of two arrays.
    package static func compare(_ a: [UInt8], _ b: [UInt8]) -> Int {
        unsafe a.withUnsafeBytes { left in unsafe b.withUnsafeBytes { unsafe compare(left, $0) } }
    }

    /// How many first bytes two strings share.
    package static func commonPrefix(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer)
        -> Int
    {
        let limit = min(a.count, b.count)
        var index = 0
        while unsafe index < limit && a[index] == b[index] { index += 1 }
        return index
    }

    /// The least byte string greater than every string that begins with `prefix`; nil where there is none.
    package static func successor(ofPrefix prefix: [UInt8]) -> [UInt8]? {
        guard let last = prefix.lastIndex(where: { $0 != 0xFF }) else { return nil }
        var result = Array(prefix[...last])
        result[last] += 1
        return result
    }
}
