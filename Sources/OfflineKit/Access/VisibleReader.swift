// A store as if there were only the records that a session sees: with their index entries and nothing else, counts included. Plans that
// a session is shown are made here, since the planner counts, and what it chooses tells what it has counted.
//
// Of the collection that the query is of, they are those records only in which the session sees all that the query names: an index
// counts by the values that it has, and hidden ones among them would tell.
//
// It knows the records in reach by their keys, found once for each collection; so it costs as much as reading them.
internal import OfflineBytes
internal import OfflineDocuments

/// Passes on what is about records in the session's reach.
final class VisibleReader: BackendReader {
    private let view: ReadView
    private let base: any BackendReader
    private let collection: CollectionID
    /// What the query names in its collection's records.
    private let paths: [FieldPath]
    /// The keys of the records in reach, where these aren't all.
    private let known = Protected<[CollectionID: Set<[UInt8]>?]>([:])

    init(_ view: ReadView, _ collection: CollectionState, showing paths: [FieldPath]) throws {
        self.view = view
        self.collection = collection.id
        self.paths = paths
        base = view.adapter.reader
    }

    /// Nil: all records are.
    private func visibleKeys(of id: CollectionID) throws -> Set<[UInt8]>? {
        if let keys = known.withLock({ $0[id] }) { return keys }
        var keys: Set<[UInt8]>?
        if let collection = view.schema.collection(id),
            let reading = try view.reading(collection),
            try reading.condition(naming: id == self.collection ? paths : []) != .always
        {
            var found: Set<[UInt8]> = []
            let run = try QueryEngine(view).run(
                collection.name, .all, .records(needed: nil),
                naming: id == self.collection ? paths : [])
            try unsafe run.forEachMatch(.none) { key, _ in
                found.insert(key)
                return true
            }
            keys = found
        }
        known.withLock { $0[id] = .some(keys) }
        return keys
    }

    /// Whether an entry of the tree is of a record in reach; nil: all are.
    private func filter(_ tree: TreeID) throws -> (([UInt8]) throws -> Bool)? {
        guard let keys = try visibleKeys(of: tree.collection) else { return nil }
        if tree == TreeID(tree.collection) { return { keys.contains($0) } }
        let index = view.schema.collection(tree.collection)?.indexes.first {
            $0.number == tree.index
        }
        guard let index else { return { _ in false } }
        return { try keys.contains(index.recordKey(of: $0)) }
    }

    var storedVersion: UInt64 { base.storedVersion }
    var nextSequence: UInt64 { base.nextSequence }
    func collections() -> [StoredCollection] { base.collections() }
    func names(of collection: CollectionID) -> [String] { base.names(of: collection) }
    func nameCount(of collection: CollectionID) -> Int { base.nameCount(of: collection) }

    func withRecord(
        _ collection: CollectionID, key: [UInt8], _ body: (RawSpan) throws -> Void
    ) throws -> Bool {
        guard try visibleKeys(of: collection)?.contains(key) != false else { return false }
        return try base.withRecord(collection, key: key, body)
    }

    func sequence(of collection: CollectionID, key: [UInt8]) throws -> UInt64? {
        guard try visibleKeys(of: collection)?.contains(key) != false else { return nil }
        return try base.sequence(of: collection, key: key)
    }

    func contains(_ tree: TreeID, key: [UInt8]) throws -> Bool {
        try filter(tree)?(key) != false && base.contains(tree, key: key)
    }

    func firstKey(_ tree: TreeID, from key: RawSpan, into buffer: inout [UInt8]) throws -> Bool {
        var lower: [UInt8] = []
        lower.append(key)
        let cursor = try cursor(tree, in: KeyRange(lower: lower, upper: nil), descending: false)
        guard try cursor.next() else { return false }
        cursor.copyKey(into: &buffer)
        return true
    }

    func count(_ tree: TreeID, in range: KeyRange) throws -> Int {
        guard try filter(tree) != nil else { return try base.count(tree, in: range) }
        let cursor = try cursor(tree, in: range, descending: false)
        var count = 0
        var cancellation = CancellationCheck()
        while try cursor.next() {
            try cancellation.step()
            count += 1
        }
        return count
    }

    /// Of all records: nothing that is planned asks for it.
    func bytes(of collection: CollectionID) throws -> CollectionBytes {
        try base.bytes(of: collection)
    }

    func cursor(_ tree: TreeID, in range: KeyRange, descending: Bool) throws -> any BackendCursor {
        let cursor = try base.cursor(tree, in: range, descending: descending)
        return try filter(tree).map { VisibleCursor(cursor, $0) } ?? cursor
    }
}

/// Passes over entries of records out of reach.
private final class VisibleCursor: BackendCursor {
    private let base: any BackendCursor
    private let isVisible: ([UInt8]) throws -> Bool
    private var key: [UInt8] = []

    init(_ base: any BackendCursor, _ isVisible: @escaping ([UInt8]) throws -> Bool) {
        self.base = base
        self.isVisible = isVisible
    }

    private func isAtVisible() throws -> Bool {
        base.copyKey(into: &key)
        return try isVisible(key)
    }

    func next() throws -> Bool {
        while try base.next() {
            if try isAtVisible() { return true }
        }
        return false
    }

    func skip(_ count: Int) throws {
        for _ in 0..<count {
            guard try next() else { return }
        }
    }

    func seek(_ key: [UInt8]) throws -> Bool {
        guard try base.seek(key) else { return false }
        return try isAtVisible() || next()
    }

    func copyKey(into buffer: inout [UInt8]) { base.copyKey(into: &buffer) }

    func withRecord(_ body: (RawSpan) throws -> Void) throws { try base.withRecord(body) }
}

extension IndexState {
    /// The key of the record that an entry, or a marker, is of.
    fileprivate func recordKey(of entry: [UInt8]) throws -> [UInt8] {
        if isFullText {
            guard let start = KeyDecoder.length(entry, at: 0),
                start + TextIndex.suffixLength <= entry.count
            else {
                throw OfflineError(
                    .corrupted, "a full-text index's entry of \(entry.count) bytes is malformed")
            }
            return Array(entry[start..<(entry.count - TextIndex.suffixLength)])
        }
        if entry.first == IndexKeys.markerByte {
            return Array(entry.dropFirst(IndexKeys.markerLength))
        }
        let parts = try IndexKeys.parts(of: entry, valueCount: valueCount)
        return Array(entry.dropFirst(parts.keyLength))
    }
}
