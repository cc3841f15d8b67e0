// Building a tree from entries in ascending order, from the leaves up: each node is written once
// and full.
//
// Each level collects the entries of its next node. An entry that doesn't fit ends the node, which
// becomes an entry of the level above. The last node of each level may be nearly empty, a branch
// with a single child even; removals nearby merge it.
internal import OfflineBytes

/// A tree in the making. Its pages are the owner's, which frees them in `rollback` if the tree
/// isn't finished.
package struct TreeBuilder {
    private let valueWidth: UInt8
    private let identity: TreeIdentity
    private let owner: PageOwner
    private var levels: [BuilderLevel]
    private var count: UInt64 = 0
    private var bytes: Int64 = 0
    private var lastKey: [UInt8] = []
    /// What divides the leaf in the making from the one before.
    private var separator: [UInt8] = []

    init(valueWidth: UInt8, identity: TreeIdentity, owner: PageOwner) {
        self.valueWidth = valueWidth
        self.identity = identity
        self.owner = owner
        levels = [BuilderLevel(NodeKind(level: 0, valueWidth: valueWidth))]
    }

    /// Adds an entry, whose key is above all before it.
    package mutating func append(
        key: UnsafeRawBufferPointer, value: UInt64
    ) throws(EngineError) {
        guard key.count <= NodeLayout.keyBytesMax else {
            throw EngineError(.limit, "a key has \(NodeLayout.keyBytesMax) bytes at most")
        }
        let order = unsafe lastKey.withUnsafeBytes { unsafe ByteOrder.compare($0, key) }
        guard count == 0 || order < 0 else {
            throw EngineError(.limit, "a tree is built from keys in ascending order")
        }
        if unsafe !levels[0].append(key, value: value, below: 1) {
            let shared = unsafe lastKey.withUnsafeBytes { unsafe ByteOrder.commonPrefix($0, key) }
            let next = unsafe [UInt8](UnsafeRawBufferPointer(rebasing: key[...shared]))
            try end(level: 0, separator)
            separator = next
            unsafe levels[0].append(key, value: value, below: 1)
        }
        lastKey.removeAll(keepingCapacity: true)
        unsafe lastKey.append(contentsOf: key)
        count += 1
        bytes += Int64(key.count)
    }

    /// Adds an entry, whose key is above all before it.
    package mutating func append(key: [UInt8], value: UInt64) throws(EngineError) {
        let span = key.span
        try unsafe span.withUnsafeBytes { bytes throws(EngineError) in
            try unsafe append(key: bytes, value: value)
        }
    }

    /// Writes all nodes that are finished, and lets go of their pages, which are all that the owner has. If this throws,
    /// the tree can't be finished.
    package mutating func spill(into sink: inout some NodeSink) throws(EngineError) {
        for level in levels.indices.dropFirst() { try levels[level].packChildren(into: &sink) }
        owner.releaseCreated()
    }

    /// The tree of all entries. Nothing can be added afterwards.
    package mutating func finish() throws(EngineError) -> TreeRoot {
        var root = TreeRoot.empty(valueWidth: valueWidth, identity: identity)
        guard count > 0 else { return root }
        try end(level: 0, separator)
        var level = 1
        // Each level above has fewer entries, until one has a single node below it.
        while levels[level].onlyChild == 0 {
            try end(level: level, levels[level].firstKey)
            level += 1
        }
        root.node = levels[level].onlyChild
        root.count = count
        root.bytes = bytes
        return root
    }

    /// Writes the node in the making at `level`, and makes it an entry of the level above.
    private mutating func end(level: Int, _ separator: [UInt8]) throws(EngineError) {
        let above = level + 1
        guard above <= NodeLayout.levelMax else {
            throw EngineError(.limit, "a tree has too many levels")
        }
        try owner.reserve(1)
        let (node, below) = levels[level].end(identity, owner)
        if above == levels.count { levels.append(BuilderLevel(levels[level].kind.parent)) }
        if append(above, separator, node, below) { return }
        try end(level: above, levels[above].firstKey)
        _ = append(above, separator, node, below)
    }

    private mutating func append(
        _ level: Int, _ separator: [UInt8], _ node: UInt64, _ below: UInt64
    ) -> Bool {
        unsafe separator.withUnsafeBytes {
            unsafe levels[level].append($0, value: node, below: below)
        }
    }
}

/// The next node of one level.
private struct BuilderLevel {
    let kind: NodeKind
    /// The entries, and their keys one after the other.
    private var entries: [(keyStart: Int, keyLength: Int, value: UInt64, below: UInt64)] = []
    private var keys: [UInt8] = []
    /// Of the keys that the node will have (a branch's first one isn't among them): their bytes,
    /// and what they share.
    private var keyBytes = 0
    private var shared = 0
    private var hasEnded = false

    init(_ kind: NodeKind) { self.kind = kind }

    /// The child, where there is just one and never was another; else 0.
    var onlyChild: UInt64 { !hasEnded && entries.count == 1 ? entries[0].value : 0 }

    /// The key of the first entry: what divides the node from the one before.
    var firstKey: [UInt8] { Array(keys[..<(entries.first?.keyLength ?? 0)]) }

    /// Replaces the pages below by where they are written.
    mutating func packChildren(into sink: inout some NodeSink) throws(EngineError) {
        for index in entries.indices {
            entries[index].value = try Tree.pack(entries[index].value, into: &sink)
        }
    }

    /// Adds an entry, if the node stays within a page with it.
    @discardableResult
    mutating func append(
        _ key: UnsafeRawBufferPointer, value: UInt64, below: UInt64
    ) -> Bool {
        let first = kind.isBranch ? 1 : 0
        let keyCount = entries.count - first
        let fixed = NodeLayout.slots + (entries.count + 1) * (NodeLayout.slotSize + kind.entrySize)
        if keyCount >= 0 {
            let shared = unsafe keyCount == 0 ? key.count : sharedLength(entries[first], key)
            // A key alone shares nothing.
            let saved = keyCount * shared
            guard fixed + keyBytes + key.count - saved <= NodeLayout.pageSize else { return false }
            self.shared = shared
            keyBytes += key.count
        }
        entries.append((keys.count, key.count, value, below))
        unsafe keys.append(contentsOf: key)
        return true
    }

    /// What the keys so far and a further one share.
    private func sharedLength(
        _ first: (keyStart: Int, keyLength: Int, value: UInt64, below: UInt64),
        _ key: UnsafeRawBufferPointer
    ) -> Int {
        unsafe keys.withUnsafeBytes { keys in
            let start = first.keyStart
            let known = unsafe UnsafeRawBufferPointer(rebasing: keys[start..<start + shared])
            return unsafe ByteOrder.commonPrefix(known, key)
        }
    }

    /// Writes the node and begins the next one; its page, and how many records it has or leads to.
    mutating func end(_ identity: TreeIdentity, _ owner: PageOwner) -> (UInt64, UInt64) {
        let row = owner.scratch.entries
        let page = owner.makePage()
        unsafe keys.withUnsafeBytes { keys in
            row.begin(kind, identity)
            for (index, entry) in entries.enumerated() {
                let length = index == 0 && kind.isBranch ? 0 : entry.keyLength
                let key = unsafe UnsafeRawBufferPointer(
                    rebasing: keys[entry.keyStart..<entry.keyStart + length])
                unsafe row.insert(index, TreeKey(key), value: entry.value, below: entry.below)
            }
            row.write(0..<row.count, to: page)
        }
        let below = row.total(0..<row.count)
        entries.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        keyBytes = 0
        shared = 0
        hasEnded = true
        return (page.reference, below)
    }
}

extension Tree {
    /// Begins a tree that is built bottom-up in the owner's pages. `files` are those of the tree it
    /// becomes.
    package static func build(
        valueWidth: UInt8, identity: TreeIdentity = .none, owner: PageOwner, files: FileTable
    ) -> TreeBuilder {
        assert(owner.files === files, "an owner writes the trees of one store")
        return TreeBuilder(valueWidth: valueWidth, identity: identity, owner: owner)
    }
}
