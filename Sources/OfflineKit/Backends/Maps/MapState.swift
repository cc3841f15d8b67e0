// What a backend holds that keeps everything in memory: all collections at one moment, as a value. A
// copy is a snapshot and costs nothing (PersistentMap).

/// All collections at one moment.
struct MapState: Sendable {
    struct Collection: Sendable {
        var definition: [UInt8]
        var names: [String]
        /// Each value is a `MapRecord`.
        var records = PersistentMap()
        var entries: [UInt32: PersistentMap] = [:]

        var bytes: CollectionBytes {
            CollectionBytes(
                recordBytes: records.bytes - Int64(records.count * MapRecord.headerSize),
                indexBytes: entries.values.reduce(0) { $0 + $1.bytes })
        }

        mutating func clear() {
            records = PersistentMap()
            for index in entries.keys { entries[index] = PersistentMap() }
        }
    }
    /// The application's schema version.
    var version: UInt64 = 0
    /// The sequence of the next commit's first put.
    var nextSequence: UInt64 = 1
    var collections: [CollectionID: Collection] = [:]

    /// Takes in what a batch has changed, and gives its puts their sequences, which it returns.
    mutating func merge(_ changes: MapChanges) -> Range<UInt64> {
        for (id, collection) in changes.collections { collections[id] = collection }
        // A commit that only removes takes one too, so that no two commits have the same place.
        let sequences = nextSequence..<nextSequence + UInt64(max(1, changes.puts.count))
        // Of several puts of one record the last one counts, and comes last.
        for (sequence, put) in zip(sequences, changes.puts) {
            collections[put.collection]?.records.setSequence(sequence, of: put.key)
        }
        nextSequence = sequences.upperBound
        return sequences
    }

    func stored() -> [StoredCollection] {
        collections.sorted { $0.key < $1.key }.map { id, collection in
            StoredCollection(
                id: id, definition: collection.definition,
                indexes: collection.entries.keys.sorted(), names: collection.names)
        }
    }

    /// What all keys and records take.
    var space: BackendSpace {
        let used = collections.values.reduce(0 as Int64) {
            $0 + $1.bytes.recordBytes + $1.bytes.indexBytes
        }
        return BackendSpace(usedBytes: used, treeBytes: used)
    }

    /// The tree; an empty one where it doesn't exist.
    func tree(_ tree: TreeID) -> PersistentMap {
        guard let collection = collections[tree.collection] else { return PersistentMap() }
        guard tree.index != 0 else { return collection.records }
        return collection.entries[tree.index] ?? PersistentMap()
    }

    /// Changes one tree in place.
    mutating func withTree<Result>(
        _ tree: TreeID, _ body: (inout PersistentMap) -> Result
    ) throws -> Result {
        guard collections[tree.collection] != nil else { throw Self.unknown(tree) }
        if tree.index == 0 { return body(&collections[tree.collection, default: .none].records) }
        guard collections[tree.collection]?.entries[tree.index] != nil else {
            throw Self.unknown(tree)
        }
        return body(
            &collections[tree.collection, default: .none].entries[
                tree.index, default: PersistentMap()])
    }

    /// Gives a collection its new definition and trees; the trees that are new, filled from its
    /// records.
    mutating func define(
        _ change: StoredCollection, _ deriver: any KeyDeriver
    ) throws -> [TreeID] {
        let old = collections[change.id]
        var collection = old ?? Collection(definition: [], names: change.names)
        collection.definition = change.definition
        let new = change.indexes.filter { collection.entries[$0] == nil }
        collection.entries = collection.entries.filter { change.indexes.contains($0.key) }
        for index in new { collection.entries[index] = PersistentMap() }
        if !new.isEmpty {
            var keys = DerivedKeys()
            try collection.records.forEach { key, value in
                keys.removeAll()
                try unsafe deriver.deriveKeys(
                    of: change.id, key: key.span.bytes, record: MapRecord.record(in: value),
                    into: &keys)
                for entry in keys.entries where new.contains(entry.index) {
                    collection.entries[entry.index]?.insert(Array(keys.bytes[entry.range]))
                }
            }
        }
        collections[change.id] = collection
        return new.map { TreeID(change.id, $0) }
    }

    /// What of the maps' invariants is broken, and how many records there are.
    func verify() -> BackendVerification {
        var result = BackendVerification()
        for (id, collection) in collections.sorted(by: { $0.key < $1.key }) {
            result.recordsChecked += collection.records.count
            if let problem = collection.records.problem() {
                result.problems.append("collection \(id.value), records: \(problem)")
            }
            for (index, entries) in collection.entries {
                guard let problem = entries.problem() else { continue }
                result.problems.append("collection \(id.value), index \(index): \(problem)")
            }
        }
        return result
    }

    static func unknown(_ tree: TreeID) -> OfflineError {
        OfflineError(
            .storageUnavailable,
            "there is no tree \(tree.index) of collection \(tree.collection.value) to write")
    }
}

extension MapState.Collection {
    /// Stands in where a collection was just seen to exist.
    fileprivate static var none: Self { Self(definition: [], names: []) }
}

/// What a batch has changed.
struct MapChanges: Sendable {
    /// The collections that it may write, as they are now.
    var collections: [(CollectionID, MapState.Collection)] = []
    /// What was put, in order.
    var puts: [(collection: CollectionID, key: [UInt8])] = []
    /// The records that were removed, some of which may have been put again.
    var removed: [(collection: CollectionID, key: [UInt8])] = []
    /// The collections that were emptied, and may have been filled again.
    var cleared: Set<CollectionID> = []

    /// Whether a record was removed.
    var removes: Bool { usesReserve || !removed.isEmpty || !cleared.isEmpty }
    /// Its batch said that it frees space in the end.
    var usesReserve = false
}

/// From one committed state to the next.
struct MapStep: Sendable {
    var old: MapState
    var new: MapState
    /// Of records; a definition changes none.
    var changes = MapChanges()
}

/// A record as the maps hold it: 8 bytes of its sequence, little-endian, 0 before its commit; then its bytes.
enum MapRecord {
    static let headerSize = 8

    static func encoded(_ record: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: headerSize) + record
    }

    @_lifetime(borrow value)
    static func record(in value: borrowing [UInt8]) -> RawSpan {
        unsafe value.span.bytes.extracting(droppingFirst: headerSize)
    }

    static func sequence(in value: [UInt8]) -> UInt64 {
        value.prefix(headerSize).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    static func setSequence(_ sequence: UInt64, in value: inout [UInt8]) {
        for index in 0..<headerSize {
            value[index] = UInt8(truncatingIfNeeded: sequence >> UInt64(8 * index))
        }
    }
}

extension PersistentMap {
    /// Gives the record its sequence, if it is there.
    fileprivate mutating func setSequence(_ sequence: UInt64, of key: [UInt8]) {
        guard var value = value(of: key) else { return }
        MapRecord.setSequence(sequence, in: &value)
        insert(key, value)
    }
}
