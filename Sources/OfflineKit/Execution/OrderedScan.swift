// The keys of records in a tree's order, with ties in the order of the records' keys, whatever the direction.
//
// A tie group is the entries that share their leading values, as many as the order wants (TreeOrder.tieDepth). Going
// forward through an index on just these values, a group comes in key order by itself. Else it is read as a whole and
// put in order:
// - descending: it comes backward, and is turned round; a large one is read again, forward, so that a limit can stop it;
// - the index has further paths: they must not decide, so the group is sorted by key;
// - the values were cut: the group's records are asked (`resort`).
//
// So a group is read once, what is left of it when the walk is ended is kept (`rest`): a walk in parts goes on with that.
//
// Skipping is O(log n): the entry behind the skipped ones is found by position, and where it lies in a group, the group's
// beginning by a count.
internal import OfflineBytes
import OfflineDocuments

/// The keys of a tie group in the wanted order, while they are given out.
struct TieGroup: Sendable {
    fileprivate var keys = KeyList()
    /// So many are given out.
    fileprivate var given = 0

    fileprivate var left: Int { keys.count - given }
}

/// What is read of a tree before the first record of its order is known: a group of ties.
struct OrderLead: Sendable {
    var entries = 0
    /// Their records are read too.
    var readsRecords = false
}

/// Walks ranges of a tree in a plan's order.
struct OrderedScan {
    let view: ReadView
    let collection: CollectionState
    let tree: OrderedTree
    let order: TreeOrder
    /// Puts records whose sort values were cut into the wanted order.
    let resort: (inout KeyList) throws -> Void
    /// What was read of a group and not given out yet; kept when the walk is ended, for another one that goes on there.
    private(set) var rest: TieGroup
    /// How many entries were read.
    private(set) var entriesRead = 0

    /// A larger group is not held in memory only to be turned round.
    private static let turnedGroupMax = 256

    init(
        _ view: ReadView, _ collection: CollectionState, _ tree: OrderedTree, _ order: TreeOrder,
        rest: TieGroup = TieGroup(), resort: @escaping (inout KeyList) throws -> Void
    ) {
        self.rest = rest
        self.view = view
        self.collection = collection
        self.tree = tree
        self.order = order
        self.resort = resort
    }

    /// Calls `body` with the record keys of all entries behind the first `offset`, until it returns false. Where there is a
    /// rest of a group, it is what comes behind the first `offset`.
    mutating func run(
        _ ranges: [KeyRange], skipping offset: Int, _ body: ([UInt8]) throws -> Bool
    ) throws {
        var offset = offset + rest.left
        guard try giveOut(body) else { return }
        for range in order.isDescending ? ranges.reversed() : ranges {
            if offset > 0 {
                let count = try count(range)
                if offset >= count {
                    offset -= count
                    continue
                }
            }
            guard try scan(range, skipping: offset, body) else { return }
            offset = 0
        }
    }

    // MARK: One range

    /// Where the walk is.
    private struct Place {
        var range: KeyRange
        var cursor: StorageCursor
        /// The current entry, if there is one that wasn't given out yet.
        var entry: [UInt8] = []
        var hasEntry = false
        /// So many keys of the next group are passed over.
        var dropped = 0
    }

    /// False where `body` ended it.
    private mutating func scan(
        _ range: KeyRange, skipping offset: Int, _ body: ([UInt8]) throws -> Bool
    ) throws -> Bool {
        var place = Place(range: range, cursor: try cursor(range, order.isDescending))
        if offset > 0 { try skip(offset, &place) }
        var key: [UInt8] = []
        while try hasEntry(&place) {
            let parts = try parts(of: place.entry)
            if let prefixLength = groupLength(parts, place.entry) {
                guard try scanGroup(prefixLength, parts, &place, body) else { return false }
            } else {
                key.removeAll(keepingCapacity: true)
                key.append(contentsOf: place.entry[parts.keyStart...])
                place.hasEntry = false
                guard try body(key) else { return false }
            }
        }
        return true
    }

    /// Reads the next entry, unless there is one.
    private mutating func hasEntry(_ place: inout Place) throws -> Bool {
        if place.hasEntry { return true }
        guard try place.cursor.next() else { return false }
        entriesRead += 1
        place.cursor.copyKey(into: &place.entry)
        place.hasEntry = true
        return true
    }

    private mutating func skip(_ offset: Int, _ place: inout Place) throws {
        try place.cursor.skip(offset)
        guard try hasEntry(&place),
            let length = groupLength(try parts(of: place.entry), place.entry)
        else { return }
        let group = groupRange(length, place)
        if order.isDescending {
            let before = KeyRange(lower: group.upper, upper: place.range.upper)
            place.dropped = offset - (try count(before))
            place.range.upper = group.upper
        } else {
            let before = KeyRange(lower: place.range.lower, upper: group.lower)
            place.dropped = offset - (try count(before))
            place.range.lower = group.lower
        }
        place.cursor = try cursor(place.range, order.isDescending)
        place.hasEntry = false
    }

    // MARK: Groups

    /// What an entry is made of.
    private struct EntryParts {
        /// Where the record's key begins.
        var keyStart = 0
        /// The values before it were cut.
        var isCut = false
    }

    private func parts(of entry: [UInt8]) throws -> EntryParts {
        guard tree.isIndex else { return EntryParts() }
        let parts = try IndexKeys.parts(of: entry, valueCount: tree.paths.count)
        return EntryParts(keyStart: parts.keyLength, isCut: parts.isCut)
    }

    /// How many first bytes of the entry its group shares; nil where entries come in the wanted order by themselves.
    private func groupLength(_ parts: EntryParts, _ entry: [UInt8]) -> Int? {
        if !tree.isIndex {
            guard order.isDescending, order.tieDepth < tree.paths.count else { return nil }
        } else if !order.isDescending, order.tieDepth == tree.paths.count, !parts.isCut {
            return nil
        }
        var length = tree.keyPrefix.count
        for _ in 0..<order.tieDepth {
            guard let next = KeyDecoder.length(entry, at: length) else { return parts.keyStart }
            length += next
        }
        // Of a cut key, the value that was cut seems to end with the mark, and those behind it in the record's key.
        return parts.isCut ? min(length, parts.keyStart) : length
    }

    /// The group's entries within the range.
    private func groupRange(_ prefixLength: Int, _ place: Place) -> KeyRange {
        let prefix = Array(place.entry[..<prefixLength])
        var group = KeyRange(lower: prefix, upper: ByteOrder.successor(ofPrefix: prefix))
        if let lower = place.range.lower, ByteOrder.compare(lower, prefix) > 0 {
            group.lower = lower
        }
        if let upper = place.range.upper, let end = group.upper,
            ByteOrder.compare(upper, end) < 0
        {
            group.upper = upper
        }
        return group
    }

    /// Gives out the group that the current entry begins; false where `body` ended it.
    private mutating func scanGroup(
        _ prefixLength: Int, _ first: EntryParts, _ place: inout Place,
        _ body: ([UInt8]) throws -> Bool
    ) throws -> Bool {
        let prefix = Array(place.entry[..<prefixLength])
        let needsRecords = needsRecords(prefixLength, first)
        let isTurned = isTurned(prefixLength, first)
        var group = rest.keys
        rest = TieGroup()
        group.removeAll()
        repeat {
            if isTurned, group.count == OrderedScan.turnedGroupMax {
                return try scanForward(groupRange(prefixLength, place), &place, body)
            }
            group.append(place.entry[(try parts(of: place.entry).keyStart)...])
            place.hasEntry = false
        } while try hasEntry(&place) && place.entry.starts(with: prefix)
        if needsRecords {
            try resort(&group)
        } else if isTurned {
            group.reverse()
        } else {
            group.sort()
        }
        rest = TieGroup(keys: group, given: min(place.dropped, group.count))
        place.dropped = 0
        return try giveOut(body)
    }

    /// Gives out what is left of the group; false where `body` ended it.
    private mutating func giveOut(_ body: ([UInt8]) throws -> Bool) throws -> Bool {
        var key: [UInt8] = []
        while rest.left > 0 {
            rest.keys.copy(rest.given, into: &key)
            rest.given += 1
            guard try body(key) else { return false }
        }
        return true
    }

    /// The values of the group that an entry begins were cut: its records are asked.
    private func needsRecords(_ prefixLength: Int, _ first: EntryParts) -> Bool {
        first.isCut && prefixLength == first.keyStart
    }

    /// The group that an entry begins is in key order, and comes backward.
    private func isTurned(_ prefixLength: Int, _ first: EntryParts) -> Bool {
        !needsRecords(prefixLength, first)
            && (!tree.isIndex || order.tieDepth == tree.paths.count)
    }

    /// What has to be read before the first record is known.
    mutating func lead(of ranges: [KeyRange]) throws -> OrderLead {
        for range in order.isDescending ? ranges.reversed() : ranges {
            var place = Place(range: range, cursor: try cursor(range, order.isDescending))
            guard try hasEntry(&place) else { continue }
            let parts = try parts(of: place.entry)
            guard let length = groupLength(parts, place.entry) else {
                return OrderLead(entries: 1)
            }
            let count = try count(groupRange(length, place))
            if isTurned(length, parts) {
                return OrderLead(entries: min(count, OrderedScan.turnedGroupMax))
            }
            return OrderLead(entries: count, readsRecords: needsRecords(length, parts))
        }
        return OrderLead()
    }

    /// Gives out a group from its beginning, and goes on with what is before it.
    private mutating func scanForward(
        _ group: KeyRange, _ place: inout Place, _ body: ([UInt8]) throws -> Bool
    ) throws -> Bool {
        var forward = Place(range: group, cursor: try cursor(group, false))
        if place.dropped > 0 { try forward.cursor.skip(place.dropped) }
        var key: [UInt8] = []
        while try hasEntry(&forward) {
            key.removeAll(keepingCapacity: true)
            key.append(contentsOf: forward.entry[(try parts(of: forward.entry).keyStart)...])
            forward.hasEntry = false
            guard try body(key) else { return false }
        }
        place.dropped = 0
        place.hasEntry = false
        place.range.upper = group.lower
        place.cursor = try cursor(place.range, true)
        return true
    }

    // MARK: The tree

    private func cursor(_ range: KeyRange, _ descending: Bool) throws -> StorageCursor {
        try view.adapter.cursor(
            tree.id, of: collection, in: range, descending: descending, names: .empty)
    }

    private func count(_ range: KeyRange) throws -> Int {
        try view.adapter.count(tree.id, of: collection, in: range)
    }
}
