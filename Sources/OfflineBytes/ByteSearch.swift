// Whether bytes begin with, end with or hold others.
internal import COfflinePlatform

/// Looks for bytes in bytes.
package enum ByteSearch {
    /// Whether `bytes` begin with `prefix`.
    @inline(always)
    package static func hasPrefix(
        _ bytes: UnsafeRawBufferPointer, _ prefix: UnsafeRawBufferPointer
    ) -> Bool {
        guard bytes.count >= prefix.count else { return false }
        return unsafe ByteOrder.isEqual(
            UnsafeRawBufferPointer(rebasing: bytes[..<prefix.count]), prefix)
    }

    /// Whether `bytes` end with `suffix`.
    @inline(always)
    package static func hasSuffix(
        _ bytes: UnsafeRawBufferPointer, _ suffix: UnsafeRawBufferPointer
    ) -> Bool {
        guard bytes.count >= suffix.count else { return false }
        return unsafe ByteOrder.isEqual(
            UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - suffix.count)...]), suffix)
    }

    /// Whether `part` is somewhere in `bytes`.
    package static func contains(
        _ bytes: UnsafeRawBufferPointer, _ part: UnsafeRawBufferPointer
    ) -> Bool {
        guard part.count > 0, let wanted = part.baseAddress else { return true }
        guard let start = bytes.baseAddress else { return false }
        return unsafe offline_contains(start, bytes.count, wanted, part.count)
    }
}
