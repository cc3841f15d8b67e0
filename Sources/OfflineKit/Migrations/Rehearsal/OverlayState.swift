// What a rehearsal has changed over a state that never changes: of each tree, what is written over it and what is taken from it.
//
// Invariants of a tree: `added` has those keys of `written` that aren't below, `removed` has keys that are below, and none is in both
// `written` and `removed`. Where what is below is hidden, every written key is added, and none is removed. So the count of any range is
// the count below, and that in `added`, less that in `removed`.
internal import OfflineBytes

/// All changes at one moment, as a value: a copy costs nothing (PersistentMap).
struct OverlayState: Sendable {
    struct Tree: Sendable {
        /// Nothing below counts: the tree was cleared, or is new.
        var hidesBase = false
        /// A record's value is a `MapRecord`, that of an index entry is empty.
        private(set) var written = PersistentMap()
        private(set) var added = PersistentMap()
        private(set) var removed = PersistentMap()

        static let new = Tree(hidesBase: true)

        init(hidesBase: Bool = false) { self.hidesBase = hidesBase }

        /// A new tree with these keys.
        init(new keys: [[UInt8]]) {
            hidesBase = true
            let sorted = keys.sorted { ByteOrder.compare($0, $1) < 0 }
            written = PersistentMap(ascending: sorted.map { ($0, []) })
            added = written
        }

        /// Whether the key may be below.
        func looksBelow(for key: [UInt8]) -> Bool {
            !hidesBase && removed.value(of: key) == nil
        }

        mutating func write(_ key: [UInt8], _ value: [UInt8], isBelow: Bool) {
            written.insert(key, value)
            if isBelow { removed.remove(key) } else { added.insert(key) }
        }

        mutating func remove(_ key: [UInt8], isBelow: Bool) {
            written.remove(key)
            if isBelow { removed.insert(key) } else { added.remove(key) }
        }

        mutating func setSequence(_ sequence: UInt64, of key: [UInt8]) {
            guard var value = written.value(of: key) else { return }
            MapRecord.setSequence(sequence, in: &value)
            written.insert(key, value)
        }
    }
    struct Collection: Sendable {
        /// Its index trees among it.
        var stored: StoredCollection
        var trees: [UInt32: Tree] = [:]

        mutating func clear() {
            trees[0] = .new
            for index in stored.indexes { trees[index] = .new }
        }
    }

    var version: UInt64
    var nextSequence: UInt64
    var collections: [CollectionID: Collection]

    /// Nothing is changed yet.
    init(over base: any BackendReader) {
        version = base.storedVersion
        nextSequence = base.nextSequence
        collections = Dictionary(
            base.collections().map { ($0.id, Collection(stored: $0)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The tree; empty, and hiding what is below, where there is none.
    func tree(_ tree: TreeID) -> Tree {
        guard let collection = collections[tree.collection],
            tree.index == 0 || collection.stored.indexes.contains(tree.index)
        else { return .new }
        return collection.trees[tree.index] ?? Tree()
    }

    /// Changes one tree.
    mutating func change(_ tree: TreeID, _ body: (inout Tree) -> Void) {
        guard collections[tree.collection] != nil else { return }
        var changed = self.tree(tree)
        body(&changed)
        collections[tree.collection]?.trees[tree.index] = changed
    }
}
