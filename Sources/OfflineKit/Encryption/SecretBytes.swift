// Memory for keys: apart from all other memory, behind guard pages, kept off the swap file where the system allows
// that, and wiped when the last owner lets go.
internal import COfflineSodium

/// Bytes that nobody may see. They are never printed, compared by content or copied into an array.
@safe
final class SecretBytes: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    /// Written by `init` only, so any thread may read it.
    private let start: UnsafeMutableRawPointer
    let count: Int

    /// So many bytes, which `fill` writes. Throws `.storageUnavailable` where there is no memory; that it can't be locked
    /// there is no error.
    init(
        count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        try Sodium.start()
        guard let start = unsafe sodium_malloc(count) else {
            throw OfflineError(.storageUnavailable, "there is no memory for an encryption key")
        }
        do {
            try unsafe fill(UnsafeMutableRawBufferPointer(start: start, count: count))
        } catch {
            unsafe sodium_free(start)
            throw error
        }
        unsafe sodium_mprotect_readonly(start)
        unsafe self.start = unsafe start
        self.count = count
    }

    /// Random bytes of the system.
    static func random(count: Int) throws -> SecretBytes {
        try unsafe SecretBytes(count: count) { unsafe Sodium.fillRandom($0) }
    }

    /// A copy; whoever owns `bytes` wipes them.
    convenience init(copying bytes: UnsafeRawBufferPointer) throws {
        try unsafe self.init(count: bytes.count) { unsafe $0.copyMemory(from: bytes) }
    }

    /// Calls `body` with the bytes, which mustn't outlive it.
    @unsafe
    func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(self) {
            try unsafe body(UnsafeRawBufferPointer(start: start, count: count))
        }
    }

    deinit { unsafe sodium_free(start) }

    var description: String { "(a secret of \(count) bytes)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}

extension [UInt8] {
    /// Overwrites them with zeros.
    mutating func wipe() {
        unsafe withUnsafeMutableBytes { bytes in
            if let start = bytes.baseAddress { unsafe sodium_memzero(start, bytes.count) }
        }
    }
}
