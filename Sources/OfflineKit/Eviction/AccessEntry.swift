// When each record of a collection was made, written and used, for collections whose policy evicts by that. A hidden collection
// "access of N" has it, one entry a record, under the record's key:
//
//   flags    1 byte: 0x01 the record has a change that isn't synchronized, so it may not be evicted
//   created  varint: a tick, when the record was made
//   written  varint: milliseconds since 1970, when it was written last
//   used     varint: a tick, when it was written or read last
//   count    varint: how often it was written and read
//
// Ticks are microseconds since 1970 where the clock goes on; in any case they ascend from use to use (AccessTicks), so the order of
// eviction never depends on a clock that goes back.
//
// The collection has one index tree, in the order in which its policy evicts. Its number says which order that is, so that a
// policy of another order gets its tree built in one step, from the entries. Records that may not be evicted aren't in it.
//
//   tree           key
//   1 used         used (8 bytes, big-endian), the record's key
//   2 frequency    count (8 bytes), used (8 bytes), the record's key
//   3 created      created (8 bytes), the record's key
//   4 written      written (8 bytes), the record's key
//
// Invariant: every entry is that of a record that is there. While entries are still to be made, because the policy is new, there
// are fewer of them than records (Evictor).
internal import OfflineBytes
package import OfflineDocuments

/// In which order a policy evicts.
package enum AccessOrder: String, Sendable, Hashable, CaseIterable {
    case none
    case used
    case frequency
    case created
    case written

    /// The number of its tree.
    package var tree: UInt32? {
        switch self {
        case .none: nil
        case .used: 1
        case .frequency: 2
        case .created: 3
        case .written: 4
        }
    }

    /// How many bytes of a key come before the record's.
    package var prefixLength: Int { self == .frequency ? 16 : 8 }

    /// Whether it is another one when a record is read.
    var countsReads: Bool { self == .used || self == .frequency }
}

/// Where a collection's access entries are.
struct AccessTrees: Hashable, Sendable {
    let collection: CollectionID
    /// Never `none`.
    let order: AccessOrder

    var inOrder: TreeID { TreeID(collection, order.tree ?? 1) }
}

/// When a record was made, written and used.
package struct AccessEntry: Equatable, Sendable {
    package var isPending: Bool
    package var created: UInt64
    package var written: UInt64
    package var used: UInt64
    package var count: UInt64

    package init(
        isPending: Bool, created: UInt64, written: UInt64, used: UInt64, count: UInt64
    ) {
        self.isPending = isPending
        self.created = created
        self.written = written
        self.used = used
        self.count = count
    }

    private static let pending: UInt8 = 0x01

    package var encoded: [UInt8] {
        var bytes: [UInt8] = [isPending ? Self.pending : 0]
        bytes.appendVarint(created)
        bytes.appendVarint(written)
        bytes.appendVarint(used)
        bytes.appendVarint(count)
        return bytes
    }

    /// Reads an entry; `.corrupted` for bytes that are none.
    package init(_ bytes: UnsafeRawBufferPointer) throws(OfflineError) {
        var reader = unsafe ByteReader(bytes)
        do throws(ByteError) {
            let flags = try unsafe reader.byte()
            guard flags & ~Self.pending == 0 else {
                throw ByteError("its flags are unknown", at: 0)
            }
            isPending = flags & Self.pending != 0
            created = try unsafe reader.varint()
            written = try unsafe reader.varint()
            used = try unsafe reader.varint()
            count = try unsafe reader.varint()
            try unsafe reader.expectEnd()
        } catch {
            throw OfflineError(.corrupted, "an access entry is malformed: \(error.message)")
        }
    }

    /// Appends the record's key in the tree of this order, if it is in it.
    package func append(_ order: AccessOrder, key: RawSpan, to keys: inout DerivedKeys) {
        guard !isPending, let tree = order.tree else { return }
        keys.append(index: tree) { bytes in
            switch order {
            case .used: bytes.appendBig(used)
            case .frequency:
                bytes.appendBig(count)
                bytes.appendBig(used)
            case .created: bytes.appendBig(created)
            case .written: bytes.appendBig(written)
            case .none: break
            }
            bytes.append(key)
        }
    }
}

/// Gives out the ticks of one collection: they ascend, also while the clock stands or goes back.
final class AccessTicks: Sendable {
    private let last = Protected<UInt64?>(nil)

    /// The next tick. `greatest` is asked once: for the greatest one that is stored.
    func next(_ milliseconds: UInt64, after greatest: () throws -> UInt64) rethrows -> UInt64 {
        if last.withLock({ $0 == nil }) {
            let stored = try greatest()
            last.withLock { $0 = max($0 ?? 0, stored) }
        }
        return last.withLock { last in
            let next = max((last ?? 0) &+ 1, milliseconds.multipliedOrMax(by: 1_000))
            last = next
            return next
        }
    }
}

extension UInt64 {
    /// The product, or the greatest number where it is greater.
    fileprivate func multipliedOrMax(by factor: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max - 1 << 32 : product
    }
}

extension StorageAdapter {
    /// A record's access entry; nil where it has none.
    static func accessEntry(
        of key: [UInt8], _ trees: AccessTrees, _ collection: CollectionState,
        in reader: any BackendReader
    ) throws -> AccessEntry? {
        var entry: AccessEntry?
        try mapping(collection, key) {
            _ = try reader.withRecord(trees.collection, key: key) { span in
                entry = try unsafe span.withUnsafeBytes { try unsafe AccessEntry($0) }
            }
        }
        return entry
    }

    /// The greatest tick in a collection's tree, where it is in the order of ticks.
    static func greatestTick(
        _ trees: AccessTrees, _ collection: CollectionState, in reader: any BackendReader
    ) throws -> UInt64 {
        guard trees.order == .used || trees.order == .created else { return 0 }
        return try mapping(collection) {
            let cursor = try reader.cursor(trees.inOrder, in: .all, descending: true)
            guard try cursor.next() else { return 0 }
            var key: [UInt8] = []
            cursor.copyKey(into: &key)
            return AccessEntry.number(in: key)
        }
    }
}

extension AccessEntry {
    /// The number that a key in a tree of any order begins with.
    static func number(in key: [UInt8]) -> UInt64 {
        key.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
