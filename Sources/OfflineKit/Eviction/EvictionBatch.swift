// One part of an eviction: the victims of one batch.
//
// Victims come in the order of the policy's tree, which has only what may be evicted. A record that was read since its entry was
// written has another place in truth: it waits there until the others before it are gone, and if it stays its entry is written
// anew. So the order of eviction is that of all reads, though hardly any read is ever written.
//
// A part is bounded, so that who waits for the collection doesn't wait long.
internal import OfflineBytes
import OfflineDocuments

/// How much is to be evicted from a collection.
enum EvictionGoal: Sendable {
    /// What its policy's bound asks for.
    case bound
    /// Records of so many bytes in all.
    case bytes(Int64)
}

/// What a part has done.
struct EvictionPart: Sendable {
    var records = 0
    var bytes: Int64 = 0
    /// There may be more to do.
    var isMore = false
}

/// A record that may be evicted.
private struct Candidate {
    /// Its key in the order of eviction.
    let place: [UInt8]
    let key: [UInt8]
    /// What was read of it since its entry was written.
    var reads: ReadCounts.Reads?
}

extension AccessOrder {
    /// The place of a record that was read since its place was stored.
    fileprivate func place(_ place: [UInt8], after reads: ReadCounts.Reads) -> [UInt8] {
        var result: [UInt8] = []
        var used = AccessEntry.number(in: place)
        if self == .frequency {
            let count = used.addingReportingOverflow(reads.count)
            result.appendBig(count.overflow ? .max : count.partialValue)
            used = AccessEntry.number(in: Array(place.dropFirst(8).prefix(8)))
        }
        result.appendBig(max(used, reads.tick))
        return result + place.dropFirst(prefixLength)
    }
}

extension [UInt8] {
    fileprivate func precedes(_ other: [UInt8]) -> Bool { ByteOrder.compare(self, other) < 0 }
}

/// Chooses and evicts victims in one batch of one collection.
struct EvictionBatch {
    /// So many records a batch are looked at.
    static let stepsMax = 256

    private let collection: CollectionState
    private let trees: AccessTrees
    private let open: OpenBatch
    private let now: UInt64
    private let reads: ReadCounts
    private var statement: WriteStatement
    private(set) var part = EvictionPart()
    /// Records that were read since their entries were written.
    private var read: [Candidate] = []
    /// Records that may not be evicted, or aren't there.
    private var unfit: [[UInt8]] = []

    init(
        _ collection: CollectionState, _ trees: AccessTrees, _ open: OpenBatch, _ reads: ReadCounts
    ) throws {
        self.collection = collection
        self.trees = trees
        self.open = open
        self.reads = reads
        now = open.scope.changes.now()
        statement = try WriteStatement(collection, open.batch, open.scope)
    }

    /// Evicts up to `stepsMax` records. If this throws the batch is of no use.
    mutating func run(_ goal: EvictionGoal) throws {
        var need = try EvictionNeed(collection, goal, open.batch, now)
        let cursor = try StorageAdapter.mapping(collection) { [open, trees] in
            try open.batch.cursor(trees.inOrder, in: .all, descending: false)
        }
        var steps = 0
        var next: Candidate?
        while need.isUnmet, steps < Self.stepsMax {
            steps += 1
            if next == nil { next = try candidate(cursor) }
            if next == nil, read.count == Self.stepsMax {
                // They take their real places before it goes on.
                steps = Self.stepsMax
                break
            }
            // Who was read may be behind others now, and still before the next one.
            let first = read.indices.min { read[$0].place.precedes(read[$1].place) }
            if let first, next.map({ read[first].place.precedes($0.place) }) ?? true {
                try evict(read.remove(at: first), &need)
            } else if let candidate = next {
                next = nil
                if !need.includes(candidate.place) { break }
                try evict(candidate, &need)
            } else {
                break
            }
        }
        part.isMore = need.isUnmet && steps == Self.stepsMax
        try apply()
    }

    /// The next record in the stored order that wasn't read since; those that were are noted at their real places.
    private mutating func candidate(_ cursor: any BackendCursor) throws -> Candidate? {
        var place: [UInt8] = []
        while read.count < Self.stepsMax, try StorageAdapter.mapping(collection, nil, cursor.next) {
            cursor.copyKey(into: &place)
            let key = Array(place.dropFirst(trees.order.prefixLength))
            guard trees.order.countsReads, let reads = reads.take(collection.id, key) else {
                return Candidate(place: place, key: key)
            }
            read.append(
                Candidate(place: trees.order.place(place, after: reads), key: key, reads: reads))
        }
        return nil
    }

    private mutating func evict(_ candidate: Candidate, _ need: inout EvictionNeed) throws {
        if let bytes = try statement.evict(key: candidate.key) {
            part.records += 1
            part.bytes += bytes
            need.met(bytes)
        } else {
            unfit.append(candidate.key)
        }
    }

    /// Whether the batch has anything to commit.
    var isEmpty: Bool { part.records == 0 && read.isEmpty && unfit.isEmpty }

    private mutating func apply() throws {
        if isEmpty { return }
        var isApplying = false
        try statement.check()
        try statement.apply(&isApplying)
        guard var writer = AccessWriter(collection, open.batch, open.scope) else { return }
        for candidate in read {
            guard let reads = candidate.reads else { continue }
            try writer.read(candidate.key, count: reads.count, tick: reads.tick)
        }
        for key in unfit {
            if try statement.adapter.hasRecord(of: collection, key: key) {
                try writer.isPending(key)
            } else {
                try writer.removed(key)
            }
        }
    }
}

/// What is still to be evicted.
private struct EvictionNeed {
    private var records = 0
    private var bytes: Int64 = 0
    /// Records that were written up to then, in milliseconds since 1970; nil: age doesn't matter.
    private var writtenMax: UInt64?

    init(
        _ collection: CollectionState, _ goal: EvictionGoal, _ reader: any BackendReader,
        _ now: UInt64
    ) throws {
        if case .bytes(let count) = goal {
            bytes = count
            return
        }
        let policy = collection.policy
        if let countMax = policy.countMax {
            records =
                try StorageAdapter(reader).count(
                    TreeID(collection.id), of: collection, in: .all) - countMax
        }
        if let bytesMax = policy.bytesMax {
            bytes = try StorageAdapter.mapping(collection) {
                try reader.bytes(of: collection.id).recordBytes - bytesMax
            }
        }
        if let ageMax = policy.ageMax { writtenMax = now >= ageMax ? now - ageMax : nil }
    }

    var isUnmet: Bool { records > 0 || bytes > 0 || writtenMax != nil }

    /// Whether the record at this place of the order is to go.
    func includes(_ place: [UInt8]) -> Bool {
        guard let writtenMax else { return true }
        return AccessEntry.number(in: place) <= writtenMax
    }

    mutating func met(_ bytes: Int64) {
        records -= 1
        self.bytes -= bytes
    }
}
