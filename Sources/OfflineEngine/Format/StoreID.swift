// A store's identity, in every file of it, so that a file of another store is never taken for one of ours.
internal import COfflinePlatform

/// Sixteen random bytes made when a store is created.
package struct StoreID: Equatable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new identity from the system's random generator.
    package static func random() throws(EngineError) -> StoreID {
        var words: (UInt64, UInt64) = (0, 0)
        let failure = unsafe withUnsafeMutableBytes(of: &words) {
            unsafe offline_random_bytes($0.baseAddress, $0.count)
        }
        guard failure == 0 else {
            throw EngineError(
                .unavailable, "no random bytes: \(SystemErrorNumber.text(failure))")
        }
        return StoreID(high: words.0, low: words.1)
    }

    /// The half that each frame repeats.
    package var tag: UInt64 { high }

    package var description: String {
        func hex(_ word: UInt64) -> String {
            let digits = String(word.byteSwapped, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return hex(high) + hex(low)
    }
}
