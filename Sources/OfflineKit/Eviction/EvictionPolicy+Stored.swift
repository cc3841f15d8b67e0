// What a policy means to those who apply and store it.

extension EvictionPolicy {
    /// The order in which it evicts. A policy without a bound of its own evicts only where the store's size is limited.
    func order(isLimited: Bool) -> AccessOrder {
        switch rule {
        case .none: .none
        case .leastRecentlyUsed(let countMax): countMax == nil && !isLimited ? .none : .used
        case .leastFrequentlyUsed(let countMax):
            countMax == nil && !isLimited ? .none : .frequency
        case .firstInFirstOut(let countMax): countMax == nil && !isLimited ? .none : .created
        case .maxAge: .written
        case .maxSize: .used
        }
    }

    /// How many records it leaves at most.
    var countMax: Int? {
        switch rule {
        case .leastRecentlyUsed(let count), .leastFrequentlyUsed(let count),
            .firstInFirstOut(let count):
            count
        case .none, .maxAge, .maxSize: nil
        }
    }

    /// How many bytes of records it leaves at most.
    var bytesMax: Int64? {
        if case .maxSize(let bytes) = rule { bytes } else { nil }
    }

    /// For how many milliseconds it leaves a record that isn't written.
    var ageMax: UInt64? {
        guard case .maxAge(let age) = rule else { return nil }
        return UInt64(max(0, Self.milliseconds(age)))
    }

    /// What is wrong with it; nil: nothing.
    var problem: String? {
        if let countMax, countMax < 1 { return "keeps \(countMax) records; it must be 1 at least" }
        if let bytesMax, bytesMax < 1 { return "keeps \(bytesMax) bytes; it must be 1 at least" }
        if let ageMax, ageMax < 1 { return "keeps nothing: its age must be a millisecond at least" }
        return nil
    }

    /// The form that `init(_: Document)` reads, which loses nothing.
    package var document: Document {
        func bounded(_ strategy: String, _ count: Int?) -> Document {
            var document: Document = ["strategy": .string(strategy)]
            if let count { document["max_records"] = .int(Int64(count)) }
            return document
        }
        return switch rule {
        case .none: ["strategy": "none"]
        case .leastRecentlyUsed(let count): bounded("lru", count)
        case .leastFrequentlyUsed(let count): bounded("lfu", count)
        case .firstInFirstOut(let count): bounded("fifo", count)
        case .maxAge(let age):
            ["strategy": "max-age", "max_age_milliseconds": .int(Self.milliseconds(age))]
        case .maxSize(let bytes): ["strategy": "max-size", "max_size_bytes": .int(bytes)]
        }
    }

    /// Whole milliseconds, what is less rounded up.
    static func milliseconds(_ age: Duration) -> Int64 {
        let (seconds, attoseconds) = age.components
        let bounded = min(max(seconds, -10_000_000_000_000), 10_000_000_000_000)
        let part = attoseconds / 1_000_000_000_000_000
        let rest = attoseconds % 1_000_000_000_000_000 > 0 ? 1 as Int64 : 0
        return bounded * 1_000 + part + rest
    }
}
