// A live query's result in memory, as far as it is known: the first records in the query's order, those that its offset passes
// over included, each with the bytes that it sorts by.
//
// Invariants: `entries` ascend by `order`, and `orders` has their keys and no others. All matching records up to `bound` are
// there; where it is nil, all matching records are. So a change can be taken in without reading anything, unless so many
// went that what is behind the bound is needed.
internal import OfflineBytes
import OfflineDocuments

/// One record of a live result.
struct LiveEntry: Sendable {
    /// What it sorts by: SortKeys, then the key.
    let order: [UInt8]
    let key: [UInt8]
    /// As the consumer gets it.
    let document: Document

    /// Whether a consumer can't tell them apart.
    func isSame(as other: LiveEntry) -> Bool { key == other.key && document == other.document }
}

/// The records of a live result, in order.
struct LiveResult: Sendable {
    private(set) var entries: [LiveEntry]
    private var orders: [[UInt8]: [UInt8]] = [:]
    /// How many are kept; nil: all.
    private let capacity: Int?
    private var bound: [UInt8]?

    /// `entries`, in order, are the first `capacity` matching records, or all.
    init(_ entries: [LiveEntry], capacity: Int?) {
        self.entries = entries
        self.capacity = capacity
        for entry in entries { orders[entry.key] = entry.order }
        if let capacity, entries.count >= capacity { bound = entries.last?.order ?? [] }
    }

    func contains(_ key: [UInt8]) -> Bool { orders[key] != nil }

    /// Whether a matching record that sorts by `order` would be in it.
    func reaches(_ order: [UInt8]) -> Bool {
        guard let bound else { return true }
        return ByteOrder.compare(order, bound) <= 0
    }

    /// Takes in how records are now, nil where one doesn't match; false: more than is known is needed, and it must be read again.
    mutating func apply(_ changes: [(key: [UInt8], entry: LiveEntry?)]) -> Bool {
        var removed: [Int] = []
        var added: [LiveEntry] = []
        for (key, entry) in changes {
            if let order = orders.removeValue(forKey: key) {
                removed.append(firstIndex(notBefore: order))
            }
            if let entry, reaches(entry.order) {
                added.append(entry)
                orders[key] = entry.order
            }
        }
        remove(at: removed.sorted())
        insert(added.sorted { ByteOrder.compare($0.order, $1.order) < 0 })
        guard let capacity else { return true }
        if entries.count > capacity {
            for entry in entries[capacity...] { orders[entry.key] = nil }
            entries.removeSubrange(capacity...)
            bound = entries.last?.order ?? []
        }
        return bound == nil || entries.count == capacity
    }

    private func firstIndex(notBefore order: [UInt8]) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if ByteOrder.compare(entries[middle].order, order) < 0 {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    /// Removes what is at these ascending positions, in one pass.
    private mutating func remove(at positions: [Int]) {
        guard var kept = positions.first else { return }
        var next = 0
        for index in kept..<entries.count {
            if next < positions.count, positions[next] == index {
                next += 1
            } else {
                entries.swapAt(kept, index)
                kept += 1
            }
        }
        entries.removeSubrange(kept...)
    }

    /// Merges ascending entries in, from the end on, in one pass.
    private mutating func insert(_ added: [LiveEntry]) {
        var source = entries.count
        entries.append(contentsOf: added)
        var target = entries.count
        for entry in added.reversed() {
            while source > 0, ByteOrder.compare(entries[source - 1].order, entry.order) > 0 {
                source -= 1
                target -= 1
                entries.swapAt(source, target)
            }
            target -= 1
            entries[target] = entry
        }
    }
}
