// One run of a planned query: from the plan to the matching records, in the plan's order.
//
// A record is read in place, and the filter is evaluated there; only what the caller takes from it is copied. Where the plan
// says that all candidates match, no filter is evaluated, and skipping reads nothing.
internal import OfflineBytes
import OfflineDocuments

/// What was read: each time that a record or an entry of an index was looked at.
final class ReadCount {
    var entries = 0
    var records = 0
}

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
    let reads = ReadCount()
    /// Nil where nothing is sealed.
    private let opening: RunOpening?
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
        opening = RunOpening(collection, asked: plan.needsCheck ? condition.paths : [])
    }

    /// Calls `body`, which looks at `part` of each record, with each match behind the first `offset`, in the wanted order where the plan
    /// gives it. At least `needed` matches are looked for, nil: all.
    func forEachMatch(
        _ part: RecordPart = .all, skipping offset: Int = 0, needed: Int? = nil, _ body: Body
    ) throws {
        let part = opening?.fields(of: part)
        // What is to be skipped is known without reading only if every candidate matches.
        let skipped = predicate == nil ? offset : 0
        var left = offset - skipped
        var scratch = PredicateScratch(isCancellable: true)
        func isTaken(_ record: RecordView) throws -> Bool {
            if let predicate {
                let matches = unsafe predicate.matches(record, &scratch)
                try scratch.checkCancellation()
                if !matches { return false }
            }
            if left == 0 { return true }
            left -= 1
            return false
        }
        if let (access, order) = plan.orderedTree {
            var rest = TieGroup()
            return try unsafe walk(
                access.match, order, part, skipping: skipped, rest: &rest, where: isTaken, body)
        }
        let keys = try gatheredKeys(needed: predicate == nil ? needed : nil)
        var key: [UInt8] = []
        for index in min(skipped, keys.count)..<keys.count {
            keys.copy(index, into: &key)
            guard try unsafe take(key, part, where: isTaken, body) else { return }
        }
    }

    /// Whether it can be read in parts, each of which begins where the last one ended.
    var isResumable: Bool { plan.orderedTree != nil }

    /// Whether every candidate matches.
    var acceptsAll: Bool { predicate == nil }

    /// Where a run was ended, for another one in the same view to go on there.
    struct Place: Sendable {
        /// Candidates passed.
        var candidates = 0
        /// What was read already of those that follow.
        fileprivate var rest = TieGroup()

        init(candidates: Int = 0) { self.candidates = candidates }
    }

    /// Calls `body`, which looks at `part` of each record, with each match from the place on, and notes where it ended. For resumable
    /// runs.
    func forEachMatch(
        _ part: RecordPart, from place: inout Place, _ body: Body
    ) throws {
        let part = opening?.fields(of: part)
        guard let (access, order) = plan.orderedTree else { return }
        var scratch = PredicateScratch(isCancellable: true)
        var passed = place.candidates
        defer { place.candidates = passed }
        func isTaken(_ record: RecordView) throws -> Bool {
            passed += 1
            guard let predicate else { return true }
            let matches = unsafe predicate.matches(record, &scratch)
            try scratch.checkCancellation()
            return matches
        }
        try unsafe walk(
            access.match, order, part, skipping: passed, rest: &place.rest, where: isTaken, body)
    }

    /// How many records match.
    func count() throws -> Int {
        var count = 0
        guard predicate == nil else {
            try unsafe forEachMatch(.none) { _, _ in
                count += 1
                return true
            }
            return count
        }
        switch plan.source {
        case .tree(let access) where !access.mayRepeat: return access.candidatesMax
        case .words(let access):
            return try TextMatches(view, collection, access.index, access.words).count()
        default: return try gatheredKeys(needed: nil).count
        }
    }

    /// Calls `body`, which looks at `part` of it, with the record that an entry led to; it is examined by that.
    func withRecord<Result>(
        _ key: [UInt8], _ part: RecordPart, _ body: (RecordView) throws -> Result
    ) throws -> Result {
        guard let opening else { return try unsafe withSealed(key, body) }
        let part = opening.fields(of: part)
        return try unsafe withSealed(key) { try unsafe opening.open($0, key: key, part, body) }
    }

    /// The same, of a candidate: `body` is called where it is a match. False ends the run.
    private func take(
        _ key: [UInt8], _ part: FieldTree?, where isTaken: (RecordView) throws -> Bool,
        _ body: Body
    ) throws -> Bool {
        try unsafe withSealed(key) { record in
            guard let opening else {
                return try unsafe isTaken(record) ? body(key, record) : true
            }
            return try unsafe opening.read(record, key: key, part, where: isTaken) {
                try unsafe body(key, $0)
            }
        }
    }

    /// The same, with what is sealed as it is.
    private func withSealed<Result>(
        _ key: [UInt8], _ body: (RecordView) throws -> Result
    ) throws -> Result {
        reads.records += 1
        try cancellation.step()
        let result = try unsafe view.adapter.withRecord(
            of: collection, key: key, names: names, opening: false, body)
        if let result { return result }
        throw OfflineError(
            .corrupted, "\(plan.source.name) has an entry for a record that isn't there",
            collection: collection.name, key: try? KeyDecoder.value(key))
    }

    // MARK: Candidates

    /// Goes through the candidates behind the first `offset` in the tree's order, beginning with those in `rest`.
    @unsafe
    private func walk(
        _ match: TreeMatch, _ order: TreeOrder, _ part: FieldTree?, skipping offset: Int,
        rest: inout TieGroup, where isTaken: (RecordView) throws -> Bool, _ body: Body
    ) throws {
        let tree = match.tree
        if !tree.isIndex, !order.isDescending || order.tieDepth == tree.paths.count {
            return try unsafe forEachRecord(
                match, order, part, skipping: offset, where: isTaken, body)
        }
        try forEachKey(match, order, skipping: offset, rest: &rest) { key in
            try unsafe take(key, part, where: isTaken, body)
        }
    }

    /// The collection's own records, in place. Keys are copied of those only that are taken.
    @unsafe
    private func forEachRecord(
        _ match: TreeMatch, _ order: TreeOrder, _ part: FieldTree?, skipping offset: Int,
        where isTaken: (RecordView) throws -> Bool, _ body: Body
    ) throws {
        let tree = match.tree.id
        var offset = offset
        var key: [UInt8] = []
        var examined = 0
        defer { reads.records += examined }
        for range in order.isDescending ? match.ranges.reversed() : match.ranges {
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
                try cancellation.step()
                examined += 1
                try unsafe cursor.withSealed { record in
                    guard let opening else {
                        guard try unsafe isTaken(record) else { return }
                        cursor.copyKey(into: &key)
                        goesOn = try unsafe body(key, record)
                        return
                    }
                    cursor.copyKey(into: &key)
                    goesOn = try unsafe opening.read(record, key: key, part, where: isTaken) {
                        try unsafe body(key, $0)
                    }
                }
            }
            if !goesOn { return }
        }
    }

    /// Record keys in the tree's order.
    private func forEachKey(
        _ match: TreeMatch, _ order: TreeOrder, skipping offset: Int, rest: inout TieGroup,
        _ body: ([UInt8]) throws -> Bool
    ) throws {
        var scan = OrderedScan(view, collection, match.tree, order, rest: rest) { [self] keys in
            try resort(&keys)
        }
        defer {
            reads.entries += scan.entriesRead
            rest = scan.rest
        }
        try scan.run(match.ranges, skipping: offset, body)
    }

    /// Record keys of all candidates, each once; in the wanted order unless the caller sorts anyway.
    private func gatheredKeys(needed: Int?) throws -> KeyList {
        var gathering = KeyGathering(view, collection)
        defer { reads.entries += gathering.entriesRead }
        return try gathering.keys(
            of: plan.source, isOrdered: plan.givesWantedOrder, needed: needed)
    }

    /// Puts records into the order of the sort, by their whole values.
    private func resort(_ keys: inout KeyList) throws {
        var sortKeys = SortKeys(sort, in: names, collation: collation)
        var buffer = SortBuffer(capacity: nil)
        var key: [UInt8] = []
        for index in 0..<keys.count {
            keys.copy(index, into: &key)
            var bytes: [UInt8] = []
            try unsafe withRecord(key, sort.part) { unsafe sortKeys.append($0, to: &bytes) }
            buffer.add(bytes + key, keyStart: bytes.count)
        }
        keys = buffer.sortedKeys(droppingFirst: 0)
    }
}

extension AccessPlan.Source {
    /// Where an entry was found, for an error.
    fileprivate var name: String {
        switch self {
        case .tree(let access): access.name.map { "index \"\($0)\"" } ?? "the collection"
        case .union, .intersection: "an index"
        case .words(let access): "index \"\(access.index.name)\""
        }
    }
}
