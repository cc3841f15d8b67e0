// Keys for records that come without one.
internal import Foundation
internal import OfflineBytes

/// Makes version 7 UUIDs (RFC 9562) that ascend within a process, also within one millisecond and
/// when the clock goes back, so that records are created at the end of their tree.
///
/// Layout: 48 bits of milliseconds since 1970, version, 12 bits that count within the millisecond
/// (method 1 of section 6.2, beginning at random in the lower half), variant, 62 random bits.
final class UUIDGenerator: Sendable {
    private struct Last {
        var milliseconds: UInt64 = 0
        var counter: UInt64 = 0
    }
    private let last = Protected(Last())
    private let clock: @Sendable () -> UInt64

    /// `clock` gives the milliseconds since 1970.
    init(clock: @escaping @Sendable () -> UInt64 = { SystemStoreClock().milliseconds }) {
        self.clock = clock
    }

    /// The next UUID as a lower-case string.
    func next() -> String {
        let random = UInt64.random(in: .min ... .max)
        let now = clock() & 0xFFFF_FFFF_FFFF
        let (milliseconds, counter) = last.withLock { last in
            if now > last.milliseconds {
                last.milliseconds = now
                last.counter = UInt64.random(in: 0..<2048)
            } else if last.counter < 4095 {
                last.counter += 1
            } else {
                // Used up: the next millisecond is borrowed.
                last.milliseconds += 1
                last.counter = 0
            }
            return (last.milliseconds, last.counter)
        }
        let high = milliseconds << 16 | 0x7000 | counter
        let low = 0x8000_0000_0000_0000 | random >> 2
        return Self.text(high, low)
    }

    private static func text(_ high: UInt64, _ low: UInt64) -> String {
        unsafe String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for (word, hyphensAfter) in [(high, [4, 6, 8]), (low, [2])] {
                for byte in 1...8 {
                    let value = UInt8(truncatingIfNeeded: word >> UInt64(64 - 8 * byte))
                    for digit in [value >> 4, value & 15] {
                        unsafe buffer[position] = digit < 10 ? 48 + digit : 87 + digit
                        position += 1
                    }
                    if hyphensAfter.contains(byte) {
                        unsafe buffer[position] = 45
                        position += 1
                    }
                }
            }
            return position
        }
    }
}

/// Integer keys of a collection: the greatest there is, and on from there.
enum SequenceKeys {
    /// The greatest integer key in the collection, at least 0.
    static func greatest(
        in collection: CollectionState, of adapter: StorageAdapter
    ) throws -> Int64 {
        let integers = KeyLayout.typeRange(of: .int(0))
        let range = KeyRange(lower: [integers.first], upper: [integers.end])
        let cursor = try adapter.cursor(
            StorageAdapter.records(of: collection), of: collection, in: range, descending: true,
            names: .empty)
        guard try cursor.next() else { return 0 }
        var key: [UInt8] = []
        cursor.copyKey(into: &key)
        guard case .int(let greatest) = try KeyDecoder.value(key) else { return 0 }
        return max(0, greatest)
    }
}
