// How one ordered tree serves a query: which of its key ranges hold the candidates, which conditions being a candidate
// decides, and whether candidates come in order.
//
// Of a tree with one entry a record all conditions on a path bound its one value together. An index also marks, for each
// path, the records with an array on it (IndexKeys). These may match whatever the index's own entry for them says, so
// they are candidates besides the ranges, and where there are any on a path that is used, the index gives no order.
//
// Of a multi-entry index one condition bounds the entries, for each may hold of another element. Only for an operand that
// is an array, which the whole array may equal, the marked records are candidates too.
//
// An index key over 512 bytes is cut and marked (KeyLayout). A cut key compares with a bound of at most 512 bytes as
// the whole key would; a longer bound is cut too, and then the records decide.
internal import OfflineBytes
import OfflineDocuments

/// The ranges of a tree that hold a filter's candidates.
struct TreeMatch {
    let tree: OrderedTree
    /// Disjoint and ascending.
    private(set) var ranges: [KeyRange]
    /// So many leading values are one value each in all ranges.
    private(set) var fixedPaths = 0
    /// So many leading values are bounded by the ranges.
    private(set) var boundPaths = 0
    /// Which of the conditions hold of all records in the ranges, those with arrays apart.
    private(set) var decided: [Bool]
    /// Which of the conditions the ranges come from.
    private(set) var used: [Bool]
    /// Records with an array at this path are candidates in any case, for what the condition asks.
    private(set) var wantsArrays = false
    /// A bound was cut.
    private(set) var isCut = false

    /// More ranges than that are not made of lists of values; the rest of the paths is left to the check.
    static let rangesMax = 4096

    /// The whole tree, for conditions that say nothing about it.
    init(all tree: OrderedTree, conditionCount: Int) {
        self.tree = tree
        ranges = [tree.wholeRange]
        decided = [Bool](repeating: false, count: conditionCount)
        used = decided
    }

    /// The ways to match `conditions`, all of which must hold: one for a tree with one entry a record; for a multi-entry
    /// index one for each condition that it can serve.
    static func matches(_ tree: OrderedTree, _ conditions: [Condition]) -> [TreeMatch] {
        guard tree.isMultiEntry else { return [TreeMatch(tree, conditions)] }
        return conditions.indices.compactMap { TreeMatch(elements: tree, conditions, $0) }
    }

    /// The index's own condition holds of all its records, and so do conditions that are among its own.
    mutating func decide(_ conditions: [Condition], heldBy index: Condition) {
        let held = index.conjuncts
        for (ordinal, condition) in conditions.enumerated() where held.contains(condition) {
            decided[ordinal] = true
        }
    }

    // MARK: One entry a record

    private init(_ tree: OrderedTree, _ conditions: [Condition]) {
        self.init(all: tree, conditionCount: conditions.count)
        var prefixes = [tree.keyPrefix]
        var interval: KeyBounds?
        for (position, path) in tree.paths.prefix(tree.boundableCount).enumerated() {
            var bounds = KeyBounds(tree.encoding(position))
            let uses = TreeMatch.bind(&bounds, path, conditions)
            guard uses.contains(where: { $0 != .none }), TreeMatch.fits(prefixes, bounds) else {
                break
            }
            for (ordinal, use) in uses.enumerated() where use != .none {
                used[ordinal] = true
                decided[ordinal] = use == .decides
            }
            if bounds.isEmpty { prefixes = [] }
            if bounds.points?.count == 1, fixedPaths == boundPaths { fixedPaths += 1 }
            boundPaths += 1
            guard let points = bounds.points else {
                interval = bounds
                break
            }
            prefixes = prefixes.flatMap { prefix in points.map { prefix + $0 } }
        }
        guard boundPaths > 0 else { return }
        ranges = TreeMatch.ranges(prefixes, interval)
        if tree.isIndex { cutBounds() }
    }

    /// Bounds the value at `path` by all that the conditions say about it.
    private static func bind(
        _ bounds: inout KeyBounds, _ path: FieldPath, _ conditions: [Condition]
    ) -> [KeyBounds.Use] {
        conditions.map { condition in
            guard case .test(let tested, let test) = condition, tested == path else { return .none }
            return bounds.intersect(test)
        }
    }

    private static func fits(_ prefixes: [[UInt8]], _ bounds: KeyBounds) -> Bool {
        prefixes.count * (bounds.points?.count ?? 1) <= rangesMax || prefixes.count == 1
    }

    // MARK: An entry for each element

    /// Nil where the condition says nothing about elements.
    private init?(elements tree: OrderedTree, _ conditions: [Condition], _ ordinal: Int) {
        var bounds = KeyBounds(tree.encoding(0))
        guard case .test(let path, let test) = conditions[ordinal] else { return nil }
        let use = bounds.intersect(test, at: path, ofElementsAt: tree.paths[0])
        guard use != .none else { return nil }
        self.init(all: tree, conditionCount: conditions.count)
        used[ordinal] = true
        wantsArrays = path == tree.paths[0] && test.hasArrayOperand
        decided[ordinal] = use == .decides && !wantsArrays
        boundPaths = 1
        if bounds.points?.count == 1 { fixedPaths = 1 }
        ranges =
            bounds.isEmpty
            ? []
            : bounds.points.map { TreeMatch.ranges($0, nil) } ?? TreeMatch.ranges([[]], bounds)
        cutBounds()
    }

    /// The paths that tokens bound.
    var tokenPaths: [FieldPath] { (0..<boundPaths).filter(tree.isSealed).map { tree.paths[$0] } }

    /// How many conditions the ranges come from.
    var usedCount: Int { used.count { $0 } }

    /// A record may be in the ranges more than once.
    var mayRepeat: Bool {
        tree.isMultiEntry && (fixedPaths == 0 || ranges.count > 1 || isCut || wantsArrays)
    }

    // MARK: Ranges

    private static func ranges(_ prefixes: [[UInt8]], _ interval: KeyBounds?) -> [KeyRange] {
        prefixes.map { prefix in
            let end = prefix.isEmpty ? nil : ByteOrder.successor(ofPrefix: prefix)
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
        isCut = true
        for ordinal in decided.indices { decided[ordinal] = false }
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
        if mayRepeat { return nil }
        // The values of one sort term, and no other's.
        if tree.isFolded, let term = sort.first {
            guard sort.allSatisfy({ $0.path == tree.paths[0] }), !tree.isMultiEntry else {
                return nil
            }
            return TreeOrder(isDescending: term.isDescending, tieDepth: tree.paths.count)
        }
        var depth = fixedPaths
        var isDescending: Bool?
        for term in sort {
            // An element is not what a record sorts by.
            if tree.isMultiEntry { return nil }
            // Constant here, or decided already: equal values can't be told apart by it again.
            if tree.paths[..<depth].contains(term.path) { continue }
            // Whatever follows a whole key of a record decides nothing.
            if !tree.isIndex, depth == tree.paths.count { break }
            guard depth < tree.paths.count, tree.paths[depth] == term.path, !tree.isSealed(depth),
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

    /// Whether the records of the ranges come in the order of their keys.
    var isInKeyOrder: Bool { !mayRepeat && keyOrder != nil }

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

extension FieldTest {
    /// An operand is an array, which the whole array at a path may equal.
    var hasArrayOperand: Bool {
        func isArray(_ value: Value) -> Bool { value.arrayValue != nil }
        return switch self {
        case .equals(let value), .compares(_, let value): isArray(value)
        case .between(let low, let high): isArray(low) || isArray(high)
        case .isOneOf(let values): values.contains(where: isArray)
        default: false
        }
    }
}
