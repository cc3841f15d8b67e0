// The one generator of the tests: SplitMix64. Small, fast, and equal on every platform, so a seed in a failure message is
// all that is needed to see the failure again.
#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A random generator that remembers and prints its seed.
package struct SeededRandom: RandomNumberGenerator, Sendable, CustomStringConvertible {
    package let seed: UInt64
    private var state: UInt64

    package init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    package var description: String { "seed \(seed)" }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0 up to, but not including, `limit`; 0 where `limit` is not positive.
    package mutating func below(_ limit: Int) -> Int {
        limit > 0 ? Int(next(upperBound: UInt64(limit))) : 0
    }

    /// True in `count` of `total` cases.
    package mutating func chance(_ count: Int, in total: Int) -> Bool { below(total) < count }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let target = UnsafeMutableRawBufferPointer(buffer)
            var offset = 0
            while offset + 8 <= count {
                unsafe target.storeBytes(of: next(), toByteOffset: offset, as: UInt64.self)
                offset += 8
            }
            while offset < count {
                unsafe target[offset] = UInt8(truncatingIfNeeded: next())
                offset += 1
            }
            filled = count
        }
    }

    /// A generator of its own for a part of the work, so that the part draws the same whatever else is drawn.
    package mutating func split() -> SeededRandom { SeededRandom(seed: next()) }

    /// The seeds of a test: `count` from 1, or the single one that the environment variable `OFFLINE_SEED` names, to see
    /// a failure again.
    package static func seeds(_ count: Int) -> [UInt64] {
        if let text = unsafe getenv("OFFLINE_SEED"), let seed = UInt64(unsafe String(cString: text))
        {
            return [seed]
        }
        return count > 0 ? Array(1...UInt64(count)) : []
    }
}
