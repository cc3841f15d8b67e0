// A backend that keeps everything in memory, in persistent maps: a snapshot is a copy of the state,
// a batch is a copy that is published at commit. Independent of the engine and kept simple: it is
// the reference that other backends are tested against.
//
// Invariants: `state` is what was committed last; it changes only in `commit` and `define`, each in
// one critical section. The data lives as long as the object, over `close` and another
// `initialize`, so that a test can reopen a store on it.
internal import OfflineBytes

/// Storage in memory.
package final class MemoryBackend: StorageBackend {
    private struct Shared {
        var state = MemoryState()
        var deriver: (any KeyDeriver)?
        var isReadOnly = false
    }
    private let shared = Protected(Shared())

    package init() {}

    package var allowsParallelWriters: Bool { true }

    package func initialize(_ configuration: BackendConfiguration) async throws {
        let state = shared.withLock { shared in
            shared.deriver = configuration.deriver
            shared.isReadOnly = configuration.isReadOnly
            return shared.state
        }
        for collection in state.stored() { try configuration.deriver.load(collection) }
    }

    package func close() async throws {
        shared.withLock { $0.deriver = nil }
    }

    package func flush() async throws {}

    package func refresh() async throws {}

    package func snapshot() throws -> any BackendReader {
        MemoryReader(shared.withLock { $0.state })
    }

    package func begin(
        _ collections: [CollectionID], reading: [CollectionID]
    ) throws -> any BackendBatch {
        let (state, isReadOnly) = shared.withLock { ($0.state, $0.isReadOnly) }
        guard !isReadOnly || collections.isEmpty else {
            throw OfflineError(.readOnly, "the store was opened for reading only")
        }
        return MemoryBatch(state, writing: collections) { [shared] changed, puts in
            shared.withLock { $0.state.publish(changed, puts) }
        }
    }

    package func define(
        _ changes: [StoredCollection], version: UInt64,
        validate: (_ reader: any BackendReader, _ newTrees: [TreeID]) throws -> Void
    ) async throws {
        let (old, deriver, isReadOnly) = shared.withLock { ($0.state, $0.deriver, $0.isReadOnly) }
        guard let deriver, !isReadOnly else {
            throw OfflineError(.readOnly, "the schema of a store opened for reading can't change")
        }
        do {
            var state = old
            state.version = version
            var newTrees: [TreeID] = []
            for change in changes {
                try deriver.load(change)
                newTrees += try state.define(change, deriver)
            }
            try validate(MemoryReader(state), newTrees)
            let kept = state
            shared.withLock { $0.state = kept }
        } catch {
            for collection in old.stored() { try deriver.load(collection) }
            throw error
        }
    }

    package func verify() async throws -> BackendVerification {
        let state = shared.withLock { $0.state }
        var result = BackendVerification()
        for (id, collection) in state.collections.sorted(by: { $0.key < $1.key }) {
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
}

/// All collections at one moment.
struct MemoryState: Sendable {
    struct Collection: Sendable {
        var definition: [UInt8]
        var names: [String]
        /// Each value is the record behind its sequence.
        var records = PersistentMap()
        var entries: [UInt32: PersistentMap] = [:]
    }
    var version: UInt64 = 0
    /// The sequence of the next commit's first put.
    var nextSequence: UInt64 = 1
    var collections: [CollectionID: Collection] = [:]

    /// Takes in what a batch has changed, and gives its puts their sequences, which it returns.
    mutating func publish(
        _ changed: [(CollectionID, Collection)], _ puts: [(collection: CollectionID, key: [UInt8])]
    ) -> Range<UInt64> {
        for (id, collection) in changed { collections[id] = collection }
        // A commit that only removes takes one too, so that no two commits have the same place.
        let sequences = nextSequence..<nextSequence + UInt64(max(1, puts.count))
        // Of several puts of one record the last one counts, and comes last.
        for (sequence, put) in zip(sequences, puts) {
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
            for position in 0..<collection.records.count {
                guard let record = collection.records.entry(at: position) else { break }
                keys.removeAll()
                try unsafe deriver.deriveKeys(
                    of: change.id, key: record.key.span.bytes,
                    record: record.value.span.bytes.extracting(
                        droppingFirst: MemoryRecord.headerSize),
                    into: &keys)
                for entry in keys.entries where new.contains(entry.index) {
                    collection.entries[entry.index]?.insert(Array(keys.bytes[entry.range]))
                }
            }
        }
        collections[change.id] = collection
        return new.map { TreeID(change.id, $0) }
    }

    static func unknown(_ tree: TreeID) -> OfflineError {
        OfflineError(
            .storageUnavailable,
            "there is no tree \(tree.index) of collection \(tree.collection.value) to write")
    }
}

extension MemoryState.Collection {
    /// Stands in where a collection was just seen to exist.
    fileprivate static var none: Self { Self(definition: [], names: []) }
}

/// A record as the maps hold it: 8 bytes of its sequence, little-endian, 0 before its commit; then its bytes.
enum MemoryRecord {
    static let headerSize = 8

    static func encoded(_ record: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: headerSize) + record
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
        MemoryRecord.setSequence(sequence, in: &value)
        insert(key, value)
    }
}
