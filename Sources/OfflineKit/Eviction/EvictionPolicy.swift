// Which records may be dropped from this device, and when.

/// Which records go first when a store or a collection must shrink.
///
/// Evicting is not deleting: a record is dropped from this device alone, which is no change to be synchronized, and no delete
/// rules run. A record with a change that isn't synchronized is never evicted, nor one that an open transaction may
/// change or rely on. Snapshots go on seeing what they saw, live queries see the records go; feeds are told nothing.
///
/// A read is a `get` or a `query` of the store or of a snapshot. Reads are noted in memory, at next to no cost; of very many in a
/// short time a sample counts, and those since the last close are forgotten when the process dies.
public struct EvictionPolicy: Sendable, Hashable {
    /// What a policy says; the forms of its factories.
    package enum Rule: Sendable, Hashable {
        case none
        case leastRecentlyUsed(maxRecords: Int?)
        case leastFrequentlyUsed(maxRecords: Int?)
        case firstInFirstOut(maxRecords: Int?)
        case maxAge(Duration)
        case maxSize(bytes: Int64)
    }
    package let rule: Rule

    private init(rule: Rule) { self.rule = rule }

    /// Nothing is evicted.
    public static var none: EvictionPolicy { EvictionPolicy(rule: .none) }
    /// Least recently read or written first, when the size limit is reached.
    public static var lru: EvictionPolicy {
        EvictionPolicy(rule: .leastRecentlyUsed(maxRecords: nil))
    }
    /// Least often used first, when the size limit is reached.
    public static var lfu: EvictionPolicy {
        EvictionPolicy(rule: .leastFrequentlyUsed(maxRecords: nil))
    }
    /// Oldest first, when the size limit is reached.
    public static var fifo: EvictionPolicy {
        EvictionPolicy(rule: .firstInFirstOut(maxRecords: nil))
    }
    /// Records not written for that long, to the millisecond.
    public static func maxAge(_ age: Duration) -> EvictionPolicy {
        EvictionPolicy(rule: .maxAge(.milliseconds(milliseconds(age))))
    }
    /// Records not written for so many days of 24 hours.
    public static func maxAge(days: Int) -> EvictionPolicy {
        maxAge(.days(Double(days)))
    }
    /// Least recently used first, when the collection's records hold more.
    public static func maxSize(bytes: Int64) -> EvictionPolicy {
        EvictionPolicy(rule: .maxSize(bytes: bytes))
    }
    /// Least recently used first, when there are more records.
    public static func lru(maxRecords: Int) -> EvictionPolicy {
        EvictionPolicy(rule: .leastRecentlyUsed(maxRecords: maxRecords))
    }
    /// Least often used first, when there are more records.
    public static func lfu(maxRecords: Int) -> EvictionPolicy {
        EvictionPolicy(rule: .leastFrequentlyUsed(maxRecords: maxRecords))
    }
    /// Oldest first, when there are more records.
    public static func fifo(maxRecords: Int) -> EvictionPolicy {
        EvictionPolicy(rule: .firstInFirstOut(maxRecords: maxRecords))
    }

    /// A policy as an object: `{"strategy": "max-age", "max_age_days": 7}`, `{"strategy":
    /// "max-size", "max_size_bytes": 1}`,
    /// `{"strategy": "lru", "max_records": 1}` (also `lfu`, `fifo`, with or without the count),
    /// `{"strategy": "none"}`.
    ///
    /// "ttl" and "size" are accepted for "max-age" and "max-size", and `max_age_milliseconds` for `max_age_days`. Throws `.invalidOptions`.
    public init(_ document: Document) throws {
        var fields = OptionFields(document, of: "eviction policy")
        let strategy = try fields.string("strategy")
        switch strategy {
        case "none": self = .none
        case "lru":
            self.init(rule: .leastRecentlyUsed(maxRecords: try fields.positive("max_records")))
        case "lfu":
            self.init(rule: .leastFrequentlyUsed(maxRecords: try fields.positive("max_records")))
        case "fifo":
            self.init(rule: .firstInFirstOut(maxRecords: try fields.positive("max_records")))
        case "max-age", "ttl":
            if let milliseconds = try fields.positive("max_age_milliseconds") {
                self = .maxAge(.milliseconds(milliseconds))
            } else if let days = try fields.positiveNumber("max_age_days") {
                self = .maxAge(.days(days))
            } else {
                throw fields.missing("max_age_days")
            }
        case "max-size", "size":
            guard let bytes = try fields.positive("max_size_bytes") else {
                throw fields.missing("max_size_bytes")
            }
            self = .maxSize(bytes: Int64(bytes))
        default:
            throw fields.wrong(
                "strategy",
                "is \"\(strategy)\"; it may be none, lru, lfu, fifo, max-age or max-size")
        }
        try fields.finish()
    }

    /// A policy by its bare name, as `eviction_strategy` has it: "none", "lru", "lfu", "fifo".
    package init(named name: String) throws {
        switch name {
        case "none": self = .none
        case "lru": self = .lru
        case "lfu": self = .lfu
        case "fifo": self = .fifo
        default:
            throw OfflineError(
                .invalidOptions, "eviction_strategy \"\(name)\": it may be none, lru, lfu or fifo")
        }
    }
}

extension Duration {
    /// Days of 24 hours, cut to what a duration can be trusted to hold.
    fileprivate static func days(_ days: Double) -> Duration {
        .seconds(min(max(days, -100_000_000), 100_000_000) * 86_400)
    }
}
