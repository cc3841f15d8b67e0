// The ordered map under MemoryBackend and FileBackend: persistent, so that a copy is a snapshot and costs nothing;
// counted, so that counts and positions cost O(log n). A weight-balanced tree of immutable nodes
// (Adams' trees with the parameters that Hirai and Yamamoto proved: delta 3, ratio 2), kept simple
// on purpose: it is what every other backend is compared with.
//
// Invariants: keys ascend as memcmp orders them; of two sibling trees neither has more than 3 times
// the other's entries (counting one more for each); a node never changes.
internal import OfflineBytes

/// An ordered map from bytes to bytes. A value type; copies share their nodes.
struct PersistentMap: Sendable {
    fileprivate final class Node: Sendable {
        let key: [UInt8]
        let value: [UInt8]
        let left: Node?
        let right: Node?
        let count: Int
        let bytes: Int64

        init(_ key: [UInt8], _ value: [UInt8], _ left: Node?, _ right: Node?) {
            self.key = key
            self.value = value
            self.left = left
            self.right = right
            count = Node.count(left) + Node.count(right) + 1
            bytes = Node.bytes(left) + Node.bytes(right) + Int64(key.count + value.count)
        }

        static func count(_ node: Node?) -> Int { node?.count ?? 0 }

        static func bytes(_ node: Node?) -> Int64 { node?.bytes ?? 0 }
    }

    private var root: Node?

    /// The empty map.
    init() {}

    /// The map of these entries, whose keys ascend; in linear time.
    init(ascending entries: [(key: [UInt8], value: [UInt8])]) {
        root = Self.built(entries[...])
    }

    var count: Int { Node.count(root) }

    /// How many bytes its keys and values have.
    var bytes: Int64 { Node.bytes(root) }

    /// The value; nil where there is no such key.
    func value(of key: [UInt8]) -> [UInt8]? {
        var node = root
        while let here = node {
            let order = ByteOrder.compare(key, here.key)
            if order == 0 { return here.value }
            node = order < 0 ? here.left : here.right
        }
        return nil
    }

    /// How many keys are before `key`, whether or not it is there.
    func rank(of key: [UInt8]) -> Int {
        var rank = 0
        var node = root
        while let here = node {
            if ByteOrder.compare(key, here.key) <= 0 {
                node = here.left
            } else {
                rank += Node.count(here.left) + 1
                node = here.right
            }
        }
        return rank
    }

    /// The entry with `position` entries before it; nil beyond the ends.
    func entry(at position: Int) -> (key: [UInt8], value: [UInt8])? {
        var remaining = position
        var node = root
        while let here = node {
            let before = Node.count(here.left)
            if remaining == before { return (here.key, here.value) }
            if remaining < before {
                node = here.left
            } else {
                remaining -= before + 1
                node = here.right
            }
        }
        return nil
    }

    /// Adds the entry, or replaces its value. True where the key is new.
    @discardableResult
    mutating func insert(_ key: [UInt8], _ value: [UInt8] = []) -> Bool {
        let before = count
        root = Self.inserting(key, value, into: root)
        return count > before
    }

    /// Removes the entry; false where there is none.
    @discardableResult
    mutating func remove(_ key: [UInt8]) -> Bool {
        let before = count
        root = Self.removing(key, from: root)
        return count < before
    }

    /// The positions of the range's first entry and of the first beyond it.
    func positions(of range: KeyRange) -> Range<Int> {
        let lower = range.lower.map(rank) ?? 0
        let upper = range.upper.map(rank) ?? count
        return lower..<max(lower, upper)
    }

    /// Calls `body` with each entry, in order.
    func forEach(_ body: (_ key: [UInt8], _ value: [UInt8]) throws -> Void) rethrows {
        try Self.forEach(in: root, body)
    }

    /// What of the invariants is broken, if anything.
    func problem() -> String? { Self.problem(in: root, above: nil, below: nil) }
}

// MARK: - Whole trees

extension PersistentMap {
    private static func forEach(
        in node: Node?, _ body: (_ key: [UInt8], _ value: [UInt8]) throws -> Void
    ) rethrows {
        guard let node else { return }
        try forEach(in: node.left, body)
        try body(node.key, node.value)
        try forEach(in: node.right, body)
    }

    /// Halves by number, so siblings differ by one entry at most.
    private static func built(_ entries: ArraySlice<(key: [UInt8], value: [UInt8])>) -> Node? {
        guard !entries.isEmpty else { return nil }
        let middle = entries.startIndex + entries.count / 2
        return Node(
            entries[middle].key, entries[middle].value, built(entries[..<middle]),
            built(entries[(middle + 1)...]))
    }
}

// MARK: - Balance

extension PersistentMap {
    private static func inserting(_ key: [UInt8], _ value: [UInt8], into node: Node?) -> Node {
        guard let node else { return Node(key, value, nil, nil) }
        let order = ByteOrder.compare(key, node.key)
        if order == 0 { return Node(key, value, node.left, node.right) }
        if order < 0 {
            return balanced(node, inserting(key, value, into: node.left), node.right)
        }
        return balanced(node, node.left, inserting(key, value, into: node.right))
    }

    private static func removing(_ key: [UInt8], from node: Node?) -> Node? {
        guard let node else { return nil }
        let order = ByteOrder.compare(key, node.key)
        if order < 0 {
            let left = removing(key, from: node.left)
            return left === node.left ? node : balanced(node, left, node.right)
        }
        if order > 0 {
            let right = removing(key, from: node.right)
            return right === node.right ? node : balanced(node, node.left, right)
        }
        guard let right = node.right else { return node.left }
        guard node.left != nil else { return right }
        let (least, rest) = removingLeast(from: right)
        return balanced(least, node.left, rest)
    }

    private static func removingLeast(from node: Node) -> (least: Node, rest: Node?) {
        guard let left = node.left else { return (node, node.right) }
        let (least, rest) = removingLeast(from: left)
        return (least, balanced(node, rest, node.right))
    }

    /// A node with `entry`'s key and value over two trees, one of which has gained or lost one
    /// entry.
    private static func balanced(_ entry: Node, _ left: Node?, _ right: Node?) -> Node {
        let leftWeight = Node.count(left) + 1
        let rightWeight = Node.count(right) + 1
        if let right, rightWeight > 3 * leftWeight { return rotatedLeft(entry, left, right) }
        if let left, leftWeight > 3 * rightWeight { return rotatedRight(entry, left, right) }
        return Node(entry.key, entry.value, left, right)
    }

    private static func rotatedLeft(_ entry: Node, _ left: Node?, _ right: Node) -> Node {
        if let inner = right.left, inner.count + 1 >= 2 * (Node.count(right.right) + 1) {
            return Node(
                inner.key, inner.value, Node(entry.key, entry.value, left, inner.left),
                Node(right.key, right.value, inner.right, right.right))
        }
        return Node(
            right.key, right.value, Node(entry.key, entry.value, left, right.left), right.right)
    }

    private static func rotatedRight(_ entry: Node, _ left: Node, _ right: Node?) -> Node {
        if let inner = left.right, inner.count + 1 >= 2 * (Node.count(left.left) + 1) {
            return Node(
                inner.key, inner.value, Node(left.key, left.value, left.left, inner.left),
                Node(entry.key, entry.value, inner.right, right))
        }
        return Node(
            left.key, left.value, left.left, Node(entry.key, entry.value, left.right, right))
    }

    private static func problem(in node: Node?, above: [UInt8]?, below: [UInt8]?) -> String? {
        guard let node else { return nil }
        if let above, ByteOrder.compare(above, node.key) >= 0 { return "keys out of order" }
        if let below, ByteOrder.compare(node.key, below) >= 0 { return "keys out of order" }
        let left = Node.count(node.left) + 1
        let right = Node.count(node.right) + 1
        if node.count != left + right - 1 { return "a count is wrong" }
        if left > 3 * right || right > 3 * left { return "out of balance" }
        return problem(in: node.left, above: above, below: node.key)
            ?? problem(in: node.right, above: node.key, below: below)
    }
}
