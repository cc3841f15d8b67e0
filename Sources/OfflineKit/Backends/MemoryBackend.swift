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
        return MemoryBatch(state, writing: collections) { [shared] changed in
            shared.withLock { shared in
                for (id, collection) in changed { shared.state.collections[id] = collection }
            }
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
        var records = PersistentMap()
        var entries: [UInt32: PersistentMap] = [:]
    }
    var version: UInt64 = 0
    var collections: [CollectionID: Collection] = [:]

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
                    of: change.id, key: record.key.span.bytes, record: record.value.span.bytes,
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
