// The one checksum of every file: CRC-32C (Castagnoli), by the processor's instruction where there is one.
internal import COfflinePlatform

/// CRC-32C over raw bytes.
package enum CRC32C {
    /// The sum of `bytes`, continuing from `seed` (0 to begin). Check value: "123456789" gives 0xE3069283.
    @inline(always)
    package static func checksum(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        unsafe offline_crc32c(seed, bytes.baseAddress, bytes.count)
    }

    /// The same for an array.
    package static func checksum(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe checksum($0, seed: seed) }
    }

    /// The table form of the same sum, so that a test can hold both against each other.
    package static func portableChecksum(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBytes {
            unsafe offline_crc32c_portable(seed, $0.baseAddress, $0.count)
        }
    }
}
