// The tiny reader, part 4: FORMAT.md's "Node segments".

/// One node, checked on its own.
struct TinyNode {
    struct Entry {
        /// Prefix and suffix; empty for a branch's first entry.
        var key: [UInt8]
        /// A primary leaf's location, or a branch's child; else 0.
        var value: UInt64
        /// How many leaf entries it stands for.
        var count: UInt64
    }
    var level: Int
    var valueWidth: Int
    var collection: UInt32
    var tree: UInt32
    var entries: [Entry] = []

    /// The node at a location of a node segment.
    init(_ file: [UInt8], at word: UInt64) throws {
        let start = TinyPosition(word).offset
        func damage(_ reason: String) -> TinyDamage { TinyDamage(reason, offset: start) }
        var cursor = try TinyCursor(file, at: start)
        let checksum = try cursor.u32()
        let isNode = try cursor.take(4) == Array("ONOD".utf8)
        level = Int(try cursor.u8())
        valueWidth = Int(try cursor.u8())
        let count = try cursor.u16()
        let prefixLength = try cursor.u16()
        let heap = try cursor.u16()
        let length = try cursor.u16()
        var zeros = try cursor.take(6)
        collection = try cursor.u32()
        tree = try cursor.u32()
        let location = try cursor.u64()
        zeros += try cursor.take(24)
        guard isNode, (64...4096).contains(length), length % 8 == 0, length <= file.count - start,
            checksum == TinyChecksum.sum(file[start + 4..<start + length])
        else { throw damage("there is no valid node") }
        guard location == word, zeros.allSatisfy({ $0 == 0 }), level <= 23,
            valueWidth == 0 || valueWidth == 8
        else { throw damage("a node's header is wrong") }
        let heapEnd = length - prefixLength
        let gap = heap - (64 + 8 * count)
        guard count > 0, prefixLength <= 1600, (0..<8).contains(gap), heap <= heapEnd else {
            throw damage("a node's parts overlap")
        }
        let bytes = Array(file[start..<start + length])
        let prefix = Array(bytes[heapEnd...])
        var used = 0
        for index in 0..<count {
            var slot = try TinyCursor(bytes, at: 64 + 8 * index, count: 8)
            let offset = try slot.u16()
            let suffixLength = try slot.u16()
            let head = try slot.u32()
            let fixed = level > 0 ? 16 : valueWidth
            guard offset >= heap, fixed + suffixLength <= heapEnd - offset,
                prefixLength + suffixLength <= 1600
            else { throw damage("an entry is outside its node") }
            used += fixed + suffixLength
            var entry = try TinyCursor(bytes, at: offset, count: fixed + suffixLength)
            let value = fixed > 0 ? try entry.u64() : 0
            let below = level > 0 ? try entry.u64() : 1
            let suffix = try entry.take(suffixLength)
            let padded = suffix + [0, 0, 0, 0]
            guard head == padded[..<4].reduce(0, { $0 << 8 | UInt32($1) }) else {
                throw damage("an entry's head is wrong")
            }
            let isKeyless = level > 0 && index == 0
            guard !isKeyless || suffix.isEmpty, below > 0, below < 1 << 48 else {
                throw damage("a branch's entry is wrong")
            }
            entries.append(Entry(key: isKeyless ? [] : prefix + suffix, value: value, count: below))
        }
        guard used == heapEnd - heap else { throw damage("a node's heap has holes") }
        let keys = entries.dropFirst(level > 0 ? 1 : 0).map(\.key)
        guard zip(keys, keys.dropFirst()).allSatisfy({ $0.lexicographicallyPrecedes($1) }) else {
            throw damage("a node's keys don't ascend")
        }
    }
}

/// Walks a whole tree, checking every invariant. `segment` gives the bytes of a node segment.
struct TinyTree {
    let collection: UInt32
    let tree: UInt32
    let valueWidth: Int
    private(set) var entries: [(key: [UInt8], value: UInt64)] = []

    init(
        _ root: TinyCatalog.Tree, of collection: UInt32,
        segment: (UInt32) throws -> [UInt8]
    ) throws {
        self.collection = collection
        tree = root.number
        valueWidth = root.number == 0 ? 8 : 0
        if root.root == 0 { return }
        try walk(root.root, level: nil, lower: nil, upper: nil, segment)
        guard entries.count == root.count else { throw TinyDamage("a root's count is wrong") }
    }

    private mutating func walk(
        _ word: UInt64, level: Int?, lower: [UInt8]?, upper: [UInt8]?,
        _ segment: (UInt32) throws -> [UInt8]
    ) throws {
        let position = TinyPosition(word)
        let name = TinyReader.name(position.file, .tree)
        func check(_ isRight: Bool, _ reason: String) throws {
            if !isRight { throw TinyDamage(reason, file: name, offset: position.offset) }
        }
        try check(word & 1 == 1, "a reference to a node has no tag")
        let node = try TinyNode(try segment(position.file), at: word)
        try check(
            node.collection == collection && node.tree == tree && node.valueWidth == valueWidth,
            "a node belongs to another tree")
        try check(level.map { node.level == $0 } ?? true, "a child's level is wrong")
        let isRoot = level == nil
        try check(node.level == 0 || !isRoot || node.entries.count > 1, "a root has one child")
        let keys = node.entries.dropFirst(node.level > 0 ? 1 : 0).map(\.key)
        try check(
            keys.allSatisfy { key in
                !(lower.map { key.lexicographicallyPrecedes($0) } ?? false)
                    && upper.map { key.lexicographicallyPrecedes($0) } ?? true
            }, "a key is outside its parent's bounds")
        if node.level == 0 {
            entries += node.entries.map { ($0.key, $0.value) }
            return
        }
        for (index, entry) in node.entries.enumerated() {
            let before = entries.count
            try walk(
                entry.value, level: node.level - 1, lower: index == 0 ? lower : entry.key,
                upper: index + 1 < node.entries.count ? node.entries[index + 1].key : upper, segment
            )
            try check(entries.count - before == entry.count, "a branch's count is wrong")
        }
    }
}
