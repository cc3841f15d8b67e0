// Memory that held a secret.
internal import COfflinePlatform

extension UnsafeMutableRawBufferPointer {
    /// Overwrites the bytes with zeros; no compiler leaves that out.
    package func wipe() {
        if let start = baseAddress { unsafe offline_wipe(start, count) }
    }
}
