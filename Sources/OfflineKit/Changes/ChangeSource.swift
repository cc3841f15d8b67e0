// Changes of one class of one collection, in the order in which they were made: what listings and feeds merge.
//
// Within a class sequences ascend as numbers do, so where to begin after a sequence is a binary search by position. Of the
// local changes a source may leave out those that are synchronized: they are the keys that the tree of entries has too
// (ChangeTrees). Where many in a row are left out, the next one that stays is found by counting: before position i of the one tree
// there are i keys, of which the other tree has as many as are below the same key; so the difference is the number of
// those that stay, and it doesn't grow until the next one has been passed.
internal import OfflineBytes
import OfflineDocuments

/// Walks one class of changes.
final class ChangeSource {
    enum Kind {
        /// Local changes of records that are there; all, or those that aren't synchronized.
        case local(pendingOnly: Bool)
        case applied
        case pendingTombstones
        case settledTombstones
    }
    let collection: CollectionState
    let trees: ChangeTrees
    let kind: Kind
    private let reader: any BackendReader
    private let tree: TreeID
    private let range: KeyRange
    /// Keys of the class.
    private let count: Int
    /// Keys of the class that are left out.
    private let leftOutCount: Int
    private var cursor: any BackendCursor
    /// The next key's position.
    private var position = 0
    private var order: [UInt8] = []

    /// The change that the source stands at; nil at the end.
    private(set) var current: Place?

    /// A change: whose, and which.
    struct Place {
        var key: [UInt8]
        var number: UInt64
        var sequence: UInt64
        /// Nil: the record is there.
        var tombstone: Tombstone?
    }

    /// Stands at the first change behind `sequence`.
    init(
        _ collection: CollectionState, _ trees: ChangeTrees, _ kind: Kind,
        in reader: any BackendReader, after sequence: UInt64
    ) throws {
        self.collection = collection
        self.trees = trees
        self.kind = kind
        self.reader = reader
        (tree, range) =
            switch kind {
            case .local: (trees.latest, ChangeTrees.range(ChangeTrees.Class.local.rawValue))
            case .applied: (trees.latest, ChangeTrees.range(ChangeTrees.Class.applied.rawValue))
            case .pendingTombstones:
                (
                    trees.entriesInOrder,
                    ChangeTrees.range(ChangeTrees.EntryClass.pendingTombstone.rawValue)
                )
            case .settledTombstones:
                (
                    trees.entriesInOrder,
                    ChangeTrees.range(ChangeTrees.EntryClass.settledTombstone.rawValue)
                )
            }
        count = try reader.count(tree, in: range)
        leftOutCount =
            if case .local(pendingOnly: true) = kind {
                try reader.count(
                    trees.entriesInOrder,
                    in: ChangeTrees.range(ChangeTrees.EntryClass.synchronized.rawValue))
            } else { 0 }
        cursor = try reader.cursor(tree, in: range, descending: false)
        if sequence > 0 { try move(to: firstPosition(after: sequence)) }
        try advance()
    }

    /// How many changes there are in all.
    static func pendingCount(
        _ trees: ChangeTrees, in reader: any BackendReader
    ) throws -> Int {
        func count(_ tree: TreeID, _ kind: UInt8) throws -> Int {
            try reader.count(tree, in: ChangeTrees.range(kind))
        }
        return try count(trees.latest, ChangeTrees.Class.local.rawValue)
            - count(trees.entriesInOrder, ChangeTrees.EntryClass.synchronized.rawValue)
            + count(trees.entriesInOrder, ChangeTrees.EntryClass.pendingTombstone.rawValue)
    }

    /// Moves to the next change.
    func advance() throws {
        current = nil
        guard leftOutCount < count, position < count, try next() else { return }
        if leftOutCount > 0, try reader.contains(trees.entriesInOrder, key: order) {
            try move(to: nextNotLeftOut(behind: position - 1))
            guard position < count, try next() else { return }
        }
        current = try place()
    }

    private func next() throws -> Bool {
        guard try cursor.next() else { return false }
        cursor.copyKey(into: &order)
        position += 1
        return true
    }

    private func move(to position: Int) throws {
        self.position = position
        cursor = try reader.cursor(tree, in: range, descending: false)
        try cursor.skip(position)
    }

    private func place() throws -> Place {
        let (number, key) = try ChangeTrees.parts(of: order)
        let found = try StorageAdapter.mapping(collection, Array(key)) { () -> Place? in
            let key = Array(key)
            switch kind {
            case .local, .applied:
                guard
                    let sequence = try StorageAdapter.changeSequence(
                        of: key, in: trees.owner, reader)
                else { return nil }
                return Place(key: key, number: number, sequence: sequence)
            case .pendingTombstones, .settledTombstones:
                guard
                    case .tombstone(let tombstone) = try StorageAdapter.changeEntry(
                        of: key, trees, collection, in: reader),
                    let sequence = try tombstone.sequence
                        ?? reader.sequence(of: trees.collection, key: key)
                else { return nil }
                return Place(key: key, number: number, sequence: sequence, tombstone: tombstone)
            }
        }
        guard let found else {
            throw OfflineError(
                .corrupted, "the order of changes has a key of nothing that is there",
                collection: collection.name, key: try? KeyDecoder.value(Array(key)))
        }
        return found
    }

    // MARK: Searching by position

    /// Reads the key at a position.
    private func readOrder(at position: Int) throws {
        try move(to: position)
        guard try next() else {
            throw OfflineError(
                .corrupted, "a tree has fewer keys than it counts", collection: collection.name)
        }
    }

    private func firstPosition(after sequence: UInt64) throws -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            try readOrder(at: middle)
            if try place().sequence > sequence { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The position of the first key behind `start`, which is left out, that isn't.
    private func nextNotLeftOut(behind start: Int) throws -> Int {
        let stayed = try stayingCount(before: start)
        // Invariant: as many stay before `low` as before `start`; more before `high`.
        var low = start + 1
        var step = 1
        var high = low + step
        while high < count, try stayingCount(before: high) == stayed {
            low = high
            step *= 2
            high = low + step
        }
        if high >= count {
            if count - leftOutCount == stayed { return count }
            high = count
        }
        while low + 1 < high {
            let middle = low + (high - low) / 2
            if try stayingCount(before: middle) == stayed { low = middle } else { high = middle }
        }
        return low
    }

    /// How many of the keys before a position aren't left out.
    private func stayingCount(before position: Int) throws -> Int {
        try readOrder(at: position)
        let lower = [ChangeTrees.EntryClass.synchronized.rawValue]
        return try position
            - reader.count(trees.entriesInOrder, in: KeyRange(lower: lower, upper: order))
    }
}
