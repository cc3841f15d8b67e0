// The keys of candidates, gathered before any record is read: of one tree whose order isn't the wanted one, of the union or
// the intersection of several, or of a search for words.
internal import OfflineBytes

/// Gathers keys in one view.
struct KeyGathering {
    let view: ReadView
    let collection: CollectionState
    /// How many entries were read.
    private(set) var entriesRead = 0
    private var cancellation = CancellationCheck()

    init(_ view: ReadView, _ collection: CollectionState) {
        self.view = view
        self.collection = collection
    }

    /// The keys of all candidates, each once. In key order if `isOrdered`; those of ranked words the best first. At least
    /// the first `needed` of them, nil: all.
    mutating func keys(
        of source: AccessPlan.Source, isOrdered: Bool, needed: Int?
    ) throws -> KeyList {
        switch source {
        case .tree(let access):
            var keys = try self.keys(of: access)
            if isOrdered || access.mayRepeat { keys.sort() }
            if access.mayRepeat { keys.removeRepeated() }
            return keys
        case .union(let accesses):
            var keys = KeyList()
            for access in accesses { try gather(access, into: &keys) }
            keys.sort()
            keys.removeRepeated()
            return keys
        case .intersection(let accesses):
            var kept: KeyList?
            for access in accesses {
                var keys = try self.keys(of: access)
                keys.sort()
                if access.mayRepeat { keys.removeRepeated() }
                kept = kept.map { $0.intersection(with: keys) } ?? keys
                if kept?.count == 0 { break }
            }
            return kept ?? KeyList()
        case .words(let access):
            return try keys(of: access, needed: needed)
        }
    }

    private mutating func keys(of access: TreeAccess) throws -> KeyList {
        var keys = KeyList()
        try gather(access, into: &keys)
        return keys
    }

    /// Appends the record key of each entry.
    private mutating func gather(_ access: TreeAccess, into keys: inout KeyList) throws {
        let tree = access.match.tree
        let valueCount = tree.paths.count
        for range in access.match.ranges {
            try forEachEntry(tree, range) { entry in
                guard tree.isIndex else { return keys.append(entry[...]) }
                let parts = try IndexKeys.parts(of: entry, valueCount: valueCount)
                keys.append(entry[parts.keyLength...])
            }
        }
        for list in access.arrayLists {
            try forEachEntry(tree, list) { keys.append($0[IndexKeys.markerLength...]) }
        }
    }

    private mutating func forEachEntry(
        _ tree: OrderedTree, _ range: KeyRange, _ body: ([UInt8]) throws -> Void
    ) throws {
        let cursor = try view.adapter.cursor(
            tree.id, of: collection, in: range, descending: false, names: .empty)
        var entry: [UInt8] = []
        while try cursor.next() {
            try cancellation.step()
            entriesRead += 1
            cursor.copyKey(into: &entry)
            try body(entry)
        }
    }

    private mutating func keys(of access: WordAccess, needed: Int?) throws -> KeyList {
        let matches = try TextMatches(view, collection, access.index, access.words)
        entriesRead += matches.countMax
        if access.isRanked { return try matches.best(needed) }
        var keys = KeyList()
        try matches.forEach { key, _ in
            keys.append(key[...])
            return true
        }
        return keys
    }
}
