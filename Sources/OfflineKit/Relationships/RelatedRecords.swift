// The records on the other side of a relationship, for many of ours at once: one look-up, however many there are.
//
// - Records that ours refer to are visited in one pass over their collection, from one key to the next.
// - Records that refer to ours are found through an index that begins with the foreign key: in one pass over the index, from one
//   of our keys to the next, and one over the records it leads to. Without such an index the collection is read once, or,
//   by those who ask again and again, twice in all (ReferenceMaps).
//
// So the number of cursors is constant: at most three. What an index says is a candidate only; the record decides. Records come in
// key order.
internal import OfflineBytes
import OfflineDocuments

/// Looks records up for others that are related to them.
struct RelatedRecords {
    let view: ReadView
    /// The collection whose records are looked up.
    let collection: CollectionState
    let names: NameDictionary
    /// Where other look-ups follow in the same view: what they share.
    private let maps: ReferenceMaps?
    /// Counts what is read.
    private let reads: ReadCount?

    /// Takes a record, and the numbers of those of ours that it is related to.
    typealias Body = (_ key: [UInt8], _ record: RecordView, _ owners: [Int]) throws -> Void

    init(
        _ view: ReadView, _ collection: CollectionState, maps: ReferenceMaps? = nil,
        counting reads: ReadCount? = nil
    ) {
        self.maps = maps
        self.reads = reads
        self.view = view
        self.collection = collection
        names = view.names(of: collection).dictionary
    }

    // MARK: Referred to

    /// Visits the records with these keys, of those that there are.
    func forEachReferred(_ owners: [[UInt8]: [Int]], _ body: Body) throws {
        let keys = owners.keys.sorted { ByteOrder.compare($0, $1) < 0 }
        try unsafe forEach(keys) { key, record in
            try unsafe body(key, record, owners[key] ?? [])
        }
    }

    /// Visits the records with these keys, which ascend, of those that there are.
    func forEach(_ keys: [[UInt8]], _ body: (_ key: [UInt8], RecordView) throws -> Void) throws {
        guard let first = keys.first else { return }
        var cursor = MovingCursor(
            try view.records(collection, in: KeyRange(lower: first, upper: nil)))
        var cancellation = CancellationCheck()
        for key in keys {
            try cancellation.step()
            guard try cursor.move(to: key) else { return }
            guard cursor.key == key else { continue }
            reads?.records += 1
            try unsafe cursor.withRecord { try unsafe body(key, $0) }
        }
    }

    // MARK: Referring

    /// Visits the records whose field `path` refers to one of these keys, which are keys of `referred`.
    func forEachReferring(
        to owners: [[UInt8]: [Int]], of referred: CollectionState, at path: FieldPath, _ body: Body
    ) throws {
        if owners.isEmpty { return }
        let foreignKey = ForeignKey(path, in: names, to: referred)
        func visit(_ key: [UInt8], _ record: RecordView) throws {
            var found: [Int] = []
            for own in unsafe foreignKey.keys(in: record) {
                if let numbers = owners[own] { found += numbers }
            }
            if !found.isEmpty { try unsafe body(key, record, found) }
        }
        guard let index = RelatedRecords.index(of: collection, for: path) else {
            if let map = try maps?.map(of: self, to: referred, at: path) {
                return try unsafe forEach(map.keys(referringTo: owners.keys), visit)
            }
            return try unsafe forEachRecord(visit)
        }
        // A multi-entry index has the elements of arrays, but not the arrays that compound keys are.
        let hasAll = index.schema.isMultiEntry && referred.singleKeyPath != nil
        let keys = try candidates(in: index, Array(owners.keys), withArrays: !hasAll)
        try unsafe forEach(keys, visit)
    }

    /// All references to records of `referred` at the path.
    func referenceMap(
        to referred: CollectionState, at path: FieldPath
    ) throws -> ReferenceMap {
        let foreignKey = ForeignKey(path, in: names, to: referred)
        var map = ReferenceMap()
        try unsafe forEachRecord { key, record in
            map.add(key, referringTo: unsafe foreignKey.keys(in: record))
        }
        return map
    }

    /// The index that finds records by a foreign key, a multi-entry one if there is one; nil where none does.
    static func index(of collection: CollectionState, for path: FieldPath) -> IndexState? {
        // There are tokens in it.
        if let sealing = collection.sealing, sealing.isSensitive(path) { return nil }
        let indexes = collection.indexes.filter { index in
            index.paths.first == path && index.schema.kind != .fullText
                && index.schema.collation == .binary && index.schema.filter == nil
        }
        return indexes.first { $0.schema.isMultiEntry } ?? indexes.first
    }

    /// The keys of the records that may refer to these, ascending; `withArrays`: those with an array at the path among them.
    private func candidates(
        in index: IndexState, _ keys: [[UInt8]], withArrays: Bool
    ) throws -> [[UInt8]] {
        // An index key is cut where it is longer.
        let prefixes = KeyBounds.distinct(
            keys.map { Array($0.prefix(KeyLayout.indexKeyBytesMax)) })
        var found = KeyList()
        var cursor = MovingCursor(try view.entries(collection, index))
        var cancellation = CancellationCheck()
        for prefix in prefixes {
            var isThere = try cursor.move(to: prefix)
            while isThere, cursor.key.starts(with: prefix) {
                try cancellation.step()
                reads?.entries += 1
                let parts = try IndexKeys.parts(of: cursor.key, valueCount: index.valueCount)
                found.append(cursor.key[parts.keyLength...])
                isThere = try cursor.next()
            }
            if !isThere { break }
        }
        // What an array refers to, the index doesn't say.
        if withArrays {
            let markers = try view.entries(collection, index, in: IndexKeys.markers(ofPath: 0))
            var marker: [UInt8] = []
            while try markers.next() {
                try cancellation.step()
                reads?.entries += 1
                markers.copyKey(into: &marker)
                found.append(marker[IndexKeys.markerLength...])
            }
        }
        found.sort()
        found.removeRepeated()
        return found.keys
    }

    private func forEachRecord(_ body: (_ key: [UInt8], RecordView) throws -> Void) throws {
        let cursor = try view.records(collection)
        var key: [UInt8] = []
        var cancellation = CancellationCheck()
        while try cursor.next() {
            try cancellation.step()
            reads?.records += 1
            cursor.copyKey(into: &key)
            try unsafe cursor.withRecord { try unsafe body(key, $0) }
        }
    }
}

/// A cursor that goes forward from one wanted key to the next.
private struct MovingCursor {
    private let cursor: StorageCursor
    /// The current entry's key.
    private(set) var key: [UInt8] = []
    private var state = State.new

    private enum State {
        case new
        case onEntry
        case atEnd
    }

    /// Where keys lie close together, stepping over what is between is cheaper than a search.
    private static let stepsMax = 8

    init(_ cursor: StorageCursor) { self.cursor = cursor }

    mutating func next() throws -> Bool { arrive(try cursor.next()) }

    /// Goes to the first entry at or after `target`, unless it is there already; false at the end.
    mutating func move(to target: [UInt8]) throws -> Bool {
        if state == .atEnd { return false }
        if state == .onEntry, ByteOrder.compare(key, target) >= 0 { return true }
        for _ in 0..<(state == .new ? 1 : MovingCursor.stepsMax) {
            guard try next() else { return false }
            if ByteOrder.compare(key, target) >= 0 { return true }
        }
        return arrive(try cursor.seek(target))
    }

    private mutating func arrive(_ isThere: Bool) -> Bool {
        state = isThere ? .onEntry : .atEnd
        if isThere { cursor.copyKey(into: &key) }
        return isThere
    }

    func withRecord(_ body: (RecordView) throws -> Void) throws {
        try unsafe cursor.withRecord { try unsafe body($0) }
    }
}
