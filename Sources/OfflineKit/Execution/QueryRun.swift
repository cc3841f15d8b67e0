// One run of a planned query: from the plan to the matching records, in the plan's order.
//
// A record is read in place, and the filter is evaluated there; only what the caller takes from it is copied. Where the plan
// says that all candidates match, no filter is evaluated, and skipping reads nothing.
internal import OfflineBytes
import OfflineDocuments

/// Runs an access plan. Used once, by one thread.
final class QueryRun {
    let view: ReadView
    let collection: CollectionState
    let names: NameDictionary
    private let plan: AccessPlan
    private let sort: [SortTerm]
    private let collation: Collation
    /// Nil where all candidates match.
    private let predicate: Predicate?
    private(set) var examinedEntries = 0
    private(set) var examinedRecords = 0
    private var cancellation = CancellationCheck()

    /// Takes a match: its key and the record, in place. False ends the run.
    typealias Body = (_ key: [UInt8], _ record: RecordView) throws -> Bool

    init(
        _ view: ReadView, _ collection: CollectionState, _ plan: AccessPlan,
        _ condition: Condition, sort: [SortTerm] = [], collation: Collation = .binary
    ) {
        self.view = view
        self.collection = collection
        self.names = view.names(of: collection).dictionary
        self.plan = plan
        self.sort = sort
        self.collation = collation
        predicate =
            plan.needsCheck ? Predicate(condition, in: names, collation: collation) : nil
    }

    /// Calls `body` with each match behind the first `offset`, in the wanted order where the plan gives it.
    func forEachMatch(skipping offset: Int = 0, _ body: Body) throws {
        // What is to be skipped is known without reading only if every candidate matches.
        let skipped = predicate == nil ? offset : 0
        var left = offset - skipped
        var scratch = PredicateScratch()
        func isTaken(_ record: RecordView) -> Bool {
            if let predicate, unsafe !predicate.matches(record, &scratch) { return false }
            if left == 0 { return true }
            left -= 1
            return false
        }
        guard let order = plan.order else {
            return try forEachGatheredKey(skipping: skipped) { key in
                try unsafe withRecord(key) { unsafe isTaken($0) ? try body(key, $0) : true }
            }
        }
        try unsafe forEachMatch(order, skipping: skipped, where: isTaken, body)
    }

    /// Goes through the candidates behind the first `offset` in the tree's order.
    @unsafe
    private func forEachMatch(
        _ order: TreeOrder, skipping offset: Int, where isTaken: (RecordView) -> Bool, _ body: Body
    ) throws {
        let isByRecord =
            !plan.match.tree.isIndex
            && (!order.isDescending || order.tieDepth == plan.match.tree.paths.count)
        if isByRecord {
            try unsafe forEachRecord(order, skipping: offset, where: isTaken, body)
        } else {
            try forEachKey(order, skipping: offset) { key in
                try unsafe withRecord(key) { unsafe isTaken($0) ? try body(key, $0) : true }
            }
        }
    }

    /// Whether it can be read in parts, each of which begins where the last one ended.
    var isResumable: Bool { plan.order != nil }

    /// Whether every candidate matches.
    var acceptsAll: Bool { predicate == nil }

    /// Calls `body` with each match behind the first so many candidates, and counts those that it passes. For resumable runs.
    func forEachMatch(resumingAfter candidates: inout Int, _ body: Body) throws {
        guard let order = plan.order else { return }
        var scratch = PredicateScratch()
        var passed = candidates
        defer { candidates = passed }
        func isTaken(_ record: RecordView) -> Bool {
            passed += 1
            guard let predicate else { return true }
            return unsafe predicate.matches(record, &scratch)
        }
        try unsafe forEachMatch(order, skipping: candidates, where: isTaken, body)
    }

    /// How many records match.
    func count() throws -> Int {
        var count = 0
        guard predicate != nil else {
            for range in plan.match.ranges {
                count += try view.adapter.count(plan.match.tree.id, of: collection, in: range)
            }
            return count
        }
        try unsafe forEachMatch { _, _ in
            count += 1
            return true
        }
        return count
    }

    /// Calls `body` with the record that an entry led to; it is examined by that.
    func withRecord<Result>(
        _ key: [UInt8], _ body: (RecordView) throws -> Result
    ) throws -> Result {
        examinedRecords += 1
        try cancellation.step()
        let result = try unsafe view.adapter.withRecord(
            of: collection, key: key, names: names, body)
        if let result { return result }
        let index = plan.match.tree.name.map { "index \"\($0)\"" } ?? "the collection"
        throw OfflineError(
            .corrupted, "\(index) has an entry for a record that isn't there",
            collection: collection.name, key: try? KeyDecoder.value(key))
    }

    // MARK: Candidates

    /// The collection's own records, in place. Keys are copied of those only that are taken.
    @unsafe
    private func forEachRecord(
        _ order: TreeOrder, skipping offset: Int, where isTaken: (RecordView) -> Bool, _ body: Body
    ) throws {
        let tree = plan.match.tree.id
        var offset = offset
        var key: [UInt8] = []
        var examined = 0
        defer { examinedRecords += examined }
        for range in order.isDescending ? plan.match.ranges.reversed() : plan.match.ranges {
            if offset > 0 {
                let count = try view.adapter.count(tree, of: collection, in: range)
                if offset >= count {
                    offset -= count
                    continue
                }
            }
            let cursor = try view.adapter.cursor(
                tree, of: collection, in: range, descending: order.isDescending, names: names)
            if offset > 0 { try cursor.skip(offset) }
            offset = 0
            var goesOn = true
            while goesOn, try cursor.next() {
                examined += 1
                try cancellation.step()
                try unsafe cursor.withRecord { record in
                    guard unsafe isTaken(record) else { return }
                    cursor.copyKey(into: &key)
                    goesOn = try unsafe body(key, record)
                }
            }
            if !goesOn { return }
        }
    }

    /// Record keys in the tree's order.
    private func forEachKey(
        _ order: TreeOrder, skipping offset: Int, _ body: ([UInt8]) throws -> Bool
    ) throws {
        var scan = OrderedScan(view, collection, plan.match.tree, order) { [self] keys in
            try resort(&keys)
        }
        defer { examinedEntries += scan.entriesRead }
        try scan.run(plan.match.ranges, skipping: offset, body)
    }

    /// Record keys of all the plan's ranges and array lists, each once; in key order unless the caller sorts anyway.
    private func forEachGatheredKey(
        skipping offset: Int, _ body: ([UInt8]) throws -> Bool
    ) throws {
        let pathCount = plan.match.tree.paths.count
        var keys = KeyList()
        for range in plan.match.ranges {
            try forEachEntry(range) { entry in
                let parts = try IndexKeys.parts(of: entry, valueCount: pathCount)
                keys.append(entry[parts.keyLength...])
            }
        }
        for list in plan.arrayLists {
            try forEachEntry(list) { keys.append($0[IndexKeys.markerLength...]) }
        }
        if plan.givesWantedOrder || !plan.arrayLists.isEmpty { keys.sort() }
        if !plan.arrayLists.isEmpty { keys.removeRepeated() }
        var key: [UInt8] = []
        for index in min(offset, keys.count)..<keys.count {
            keys.copy(index, into: &key)
            guard try body(key) else { return }
        }
    }

    private func forEachEntry(_ range: KeyRange, _ body: ([UInt8]) throws -> Void) throws {
        let cursor = try view.adapter.cursor(
            plan.match.tree.id, of: collection, in: range, descending: false, names: .empty)
        var entry: [UInt8] = []
        while try cursor.next() {
            examinedEntries += 1
            try cancellation.step()
            cursor.copyKey(into: &entry)
            try body(entry)
        }
    }

    /// Puts records into the order of the sort, by their whole values.
    private func resort(_ keys: inout KeyList) throws {
        var sortKeys = SortKeys(sort, in: names, collation: collation)
        var buffer = SortBuffer(capacity: nil)
        var key: [UInt8] = []
        for index in 0..<keys.count {
            keys.copy(index, into: &key)
            var bytes: [UInt8] = []
            try unsafe withRecord(key) { unsafe sortKeys.append($0, to: &bytes) }
            buffer.add(bytes + key, keyStart: bytes.count)
        }
        keys = buffer.sortedKeys(droppingFirst: 0)
    }
}
