// The distinct values of a field from an index's entries alone: one look-up for each value, however many records have it.
//
// It takes an index whose first value is the field's and whose entries say all about it: the filter is decided by the
// entries that are read, and no record has an array on the path, unless the index has an entry for each element. Two
// things entries don't say: what is behind the cut of a long value, and whether a null is missing. For the first the
// records are read as without an index; for the second only those with null, up to one that has it.
internal import OfflineBytes
import OfflineDocuments

/// Where all values of a field can be read.
struct DistinctScan {
    private let view: ReadView
    private let collection: CollectionState
    /// The index that is read.
    let index: IndexState
    private let match: TreeMatch
    private let path: FieldPath
    private var cancellation = CancellationCheck()

    /// Nil where no index says all about the field and the filter.
    init?(_ planner: Planner, _ path: FieldPath) throws {
        guard planner.words == nil, planner.forced == nil else { return nil }
        view = planner.view
        collection = planner.collection
        self.path = path
        let conditions = planner.condition.conjuncts
        for index in collection.indexes
        where !index.isFullText && !index.isFolded && index.paths[0] == path
            && !planner.isSealed(index)
        {
            if let condition = index.condition, !condition.isImplied(by: conditions, .binary) {
                continue
            }
            if let match = try DistinctScan.match(index, conditions, planner) {
                (self.index, self.match) = (index, match)
                return
            }
        }
        return nil
    }

    private static func match(
        _ index: IndexState, _ conditions: [Condition], _ planner: Planner
    ) throws -> TreeMatch? {
        let tree = OrderedTree(index, of: planner.collection)
        // A record that matches by one element has others.
        if index.isMultiEntry {
            return conditions.isEmpty ? TreeMatch(all: tree, conditionCount: 0) : nil
        }
        let match = planner.matches(of: index, conditions)[0]
        guard match.decided.allSatisfy({ $0 }) else { return nil }
        for ordinal in 0..<max(1, match.boundPaths)
        where try planner.view.arrayBearingCount(planner.collection, index, path: ordinal) > 0 {
            return nil
        }
        return match
    }

    /// Adds all values; false where a value is cut, so that the records have to be asked.
    mutating func add(to values: inout DistinctValues) throws -> Bool {
        var entry: [UInt8] = []
        for range in match.ranges {
            let cursor = try view.adapter.cursor(
                match.tree.id, of: collection, in: range, descending: false, names: .empty)
            var isThere = try cursor.next()
            while isThere {
                try cancellation.step()
                cursor.copyKey(into: &entry)
                guard let length = KeyDecoder.length(entry, at: 0),
                    try !IndexKeys.parts(of: entry, valueCount: match.tree.paths.count).isCut
                else { return false }
                let value = Array(entry[..<length])
                if value == KeyEncoder.key(.null) {
                    try addNull(range, &values)
                } else {
                    values.add(value)
                }
                // A value that one record has is passed by a step.
                isThere = try cursor.next()
                guard isThere else { break }
                cursor.copyKey(into: &entry)
                guard entry.starts(with: value) else { continue }
                guard let next = ByteOrder.successor(ofPrefix: value) else { break }
                isThere = try cursor.seek(next)
            }
        }
        return true
    }

    /// Adds null if a record of the range has it.
    private mutating func addNull(
        _ range: KeyRange, _ values: inout DistinctValues
    ) throws {
        if values.hasNull { return }
        let null = KeyEncoder.key(.null)
        let names = view.names(of: collection).dictionary
        var nulls = KeyRange(lower: null, upper: ByteOrder.successor(ofPrefix: null))
        if let lower = range.lower, ByteOrder.compare(lower, null) > 0 { nulls.lower = lower }
        if let upper = range.upper, let end = nulls.upper, ByteOrder.compare(upper, end) < 0 {
            nulls.upper = upper
        }
        let cursor = try view.adapter.cursor(
            match.tree.id, of: collection, in: nulls, descending: false, names: .empty)
        var entry: [UInt8] = []
        while !values.hasNull, try cursor.next() {
            try cancellation.step()
            cursor.copyKey(into: &entry)
            let parts = try IndexKeys.parts(of: entry, valueCount: match.tree.paths.count)
            let found: Void? = try unsafe view.adapter.withRecord(
                of: collection, key: Array(entry[parts.keyLength...]), names: names
            ) { unsafe values.add($0) }
            guard found != nil else {
                throw OfflineError(
                    .corrupted, "an index has an entry for a record that isn't there",
                    collection: collection.name)
            }
        }
    }
}
