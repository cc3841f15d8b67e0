// How one ordered tree serves a query: which of its key ranges hold the candidates, and whether they come in order.
//
// A tree's keys are the encoded values at its paths, one after another; in an index the record's key follows. An index
// also marks, for each path, the records with an array on it (IndexKeys). These may match whatever the index's own entry
// for them says, so they are candidates besides the ranges, and where there are any on a path that is used, the index
// gives no order.
//
// An index key over 512 bytes is cut and marked (KeyLayout). A cut key compares with a bound of at most 512 bytes as
// the whole key would; a longer bound is cut too, and then the records decide.
internal import OfflineBytes
import OfflineDocuments

/// An ordered tree as the planner sees it: a collection's records by their keys, or an index.
struct OrderedTree: Sendable {
    let id: TreeID
    /// The index's name; nil: the collection itself.
    let name: String?
    /// The paths whose values its keys are made of.
    let paths: [FieldPath]
    /// What all keys begin with: the tag of an array in a collection with a compound key.
    let keyPrefix: [UInt8]

    var isIndex: Bool { name != nil }

    /// The collection's own tree, first, and those of its plain indexes.
    static func trees(of collection: CollectionState) -> [OrderedTree] {
        let arrayTag = KeyLayout.typeRange(of: .array([])).first
        let records = OrderedTree(
            id: StorageAdapter.records(of: collection), name: nil, paths: collection.keyPaths,
            keyPrefix: collection.singleKeyPath == nil ? [arrayTag] : [])
        return [records]
            + collection.indexes.filter(\.isPlain).map { index in
                OrderedTree(
                    id: StorageAdapter.entries(of: index, collection), name: index.name,
                    paths: index.paths, keyPrefix: [])
            }
    }

    /// All entries but the lists of records with arrays.
    var wholeRange: KeyRange {
        isIndex ? IndexKeys.entries : .all
    }

    /// The list of records with an array on the path.
    func arrayList(_ ordinal: Int) -> KeyRange {
        IndexKeys.markers(ofPath: ordinal)
    }
}

/// The ranges of a tree that hold a filter's candidates.
struct TreeMatch {
    let tree: OrderedTree
    /// Disjoint and ascending.
    var ranges: [KeyRange]
    /// So many leading paths have one value each in all ranges.
    var fixedPaths = 0
    /// So many leading paths are bounded by the ranges.
    var boundPaths = 0
    /// Every condition of the filter is one of the ranges', and no bound was cut: without arrays, all that is
    /// in the ranges matches.
    var coversFilter: Bool

    /// More ranges than that are not made of lists of values; the rest of the paths is left to the check.
    static let rangesMax = 4096

    /// The ranges for `conditions`, all of which must hold.
    init(_ tree: OrderedTree, _ conditions: [Condition]) {
        self.tree = tree
        self.ranges = []
        self.coversFilter = false
        var prefixes = [tree.keyPrefix]
        var conditionsDecided = 0
        var interval: KeyBounds?
        for path in tree.paths {
            let (bounds, decided) = TreeMatch.bounds(of: path, in: conditions)
            guard let bounds, TreeMatch.fits(prefixes, bounds) else { break }
            conditionsDecided += decided
            if bounds.isEmpty { prefixes = [] }
            if bounds.points?.count == 1, fixedPaths == boundPaths { fixedPaths += 1 }
            boundPaths += 1
            guard let points = bounds.points else {
                interval = bounds
                break
            }
            prefixes = prefixes.flatMap { prefix in points.map { prefix + $0 } }
        }
        coversFilter = conditionsDecided == conditions.count
        ranges = boundPaths == 0 ? [tree.wholeRange] : TreeMatch.ranges(prefixes, interval)
        if tree.isIndex { cutBounds() }
    }

    /// What the conditions say about `path`, nil for nothing, and how many of them the bounds decide.
    private static func bounds(
        of path: FieldPath, in conditions: [Condition]
    ) -> (KeyBounds?, decided: Int) {
        var bounds = KeyBounds()
        var isBound = false
        var decided = 0
        for case .test(let tested, let test) in conditions where tested == path {
            switch bounds.intersect(test) {
            case .none: continue
            case .narrows: isBound = true
            case .decides:
                isBound = true
                decided += 1
            }
        }
        return (isBound ? bounds : nil, decided)
    }

    private static func fits(_ prefixes: [[UInt8]], _ bounds: KeyBounds) -> Bool {
        prefixes.count * (bounds.points?.count ?? 1) <= rangesMax || prefixes.count == 1
    }

    private static func ranges(_ prefixes: [[UInt8]], _ interval: KeyBounds?) -> [KeyRange] {
        prefixes.map { prefix in
            let end = ByteOrder.successor(ofPrefix: prefix)
            guard let interval else { return KeyRange(lower: prefix, upper: end) }
            return KeyRange(
                lower: prefix + interval.lower, upper: interval.upper.map { prefix + $0 } ?? end)
        }
    }

    /// Cuts the bounds that are longer than an index key can be, and joins ranges that then overlap.
    private mutating func cutBounds() {
        let limit = KeyLayout.indexKeyBytesMax
        func isLong(_ bound: [UInt8]?) -> Bool { (bound?.count ?? 0) > limit }
        guard ranges.contains(where: { isLong($0.lower) || isLong($0.upper) }) else { return }
        coversFilter = false
        var joined: [KeyRange] = []
        for range in ranges {
            let lower = range.lower.map { Array($0.prefix(limit)) }
            let upper =
                isLong(range.upper)
                ? range.upper.flatMap { ByteOrder.successor(ofPrefix: Array($0.prefix(limit))) }
                : range.upper
            if let last = joined.last?.upper, let lower, ByteOrder.compare(lower, last) < 0 {
                joined[joined.count - 1].upper = upper
            } else {
                joined.append(KeyRange(lower: lower, upper: upper))
            }
        }
        ranges = joined
    }
}

/// The order in which a tree gives the records of a `TreeMatch`.
struct TreeOrder: Equatable {
    /// From the greatest key down.
    var isDescending = false
    /// Records with equal values at so many leading paths tie, and are to come in the order of their keys.
    var tieDepth: Int
}

extension TreeMatch {
    /// The tree's order that is the wanted one; nil where it has none. Only for trees without arrays on the paths used.
    func order(for sort: [SortTerm]) -> TreeOrder? {
        var depth = fixedPaths
        var isDescending: Bool?
        for term in sort {
            // Constant here, or decided already: equal values can't be told apart by it again.
            if tree.paths[..<depth].contains(term.path) { continue }
            // Whatever follows a whole key of a record decides nothing.
            if !tree.isIndex, depth == tree.paths.count { break }
            guard depth < tree.paths.count, tree.paths[depth] == term.path,
                isDescending == nil || isDescending == term.isDescending
            else { return nil }
            isDescending = term.isDescending
            depth += 1
        }
        guard let isDescending else { return keyOrder }
        // A tie must not be spread over several ranges.
        guard depth >= boundPaths || ranges.count <= 1 else { return nil }
        return TreeOrder(isDescending: isDescending, tieDepth: depth)
    }

    /// The order of the records' keys, where the tree has it.
    private var keyOrder: TreeOrder? {
        if !tree.isIndex { return TreeOrder(tieDepth: tree.paths.count) }
        guard fixedPaths == tree.paths.count, ranges.count <= 1 else { return nil }
        return TreeOrder(tieDepth: fixedPaths)
    }

    /// So many leading paths must be free of arrays for the tree to give this order.
    func pathsUsed(_ order: TreeOrder?) -> Int {
        max(boundPaths, order?.tieDepth ?? 0)
    }
}
