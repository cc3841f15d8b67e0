// Collects what an open batch changes, for the Commit that it may become.
//
// A record may be changed several times in a batch: its last state counts, and whether it was there before the first
// change. Memory is bounded: beyond so many records or bytes only the collections are kept.
internal import OfflineBytes

/// The changed records of one open batch.
final class BatchChanges: Sendable {
    /// How much a batch may hold.
    struct Bound: Sendable {
        var records = 10_000
        var bytes = 1 << 20
    }
    private struct State: Sendable {
        var collections: [CollectionID: ChangeList] = [:]
        var records = 0
        var bytes = 0
        /// It was more than the bound, or nobody is interested.
        var isDropped: Bool
    }
    private let state: Protected<State>
    private let bound: Bound

    /// `isWanted`: whether anyone observes the store; else it notes collections only, which costs next to nothing.
    init(isWanted: Bool = true, bound: Bound = Bound()) {
        state = Protected(State(isDropped: !isWanted))
        self.bound = bound
    }

    /// The batch has put a record, or, with nil, removed one.
    func note(
        _ collection: CollectionID, key: [UInt8], record: [UInt8]?, existed: Bool, number: UInt64,
        tombstone: Tombstone? = nil
    ) {
        state.withLock { state in
            guard !state.isDropped else {
                if state.collections[collection] == nil { state.collections[collection] = .init() }
                return
            }
            let change = ChangedRecord(
                key: key, record: record, existed: existed, number: number, tombstone: tombstone)
            let grown = state.collections[collection, default: .init()].note(change)
            state.records += grown.records
            state.bytes += grown.bytes
            if state.records > bound.records || state.bytes > bound.bytes {
                state.isDropped = true
                for (id, list) in state.collections {
                    state.collections[id] = ChangeList(clearing: list.clearing)
                }
            }
        }
    }

    /// The batch has emptied a collection: what it did there before no longer counts. `clearing` says when.
    func noteCleared(_ collection: CollectionID, _ clearing: CommittedChanges.Clearing) {
        state.withLock { state in
            let gone = state.collections[collection]?.records ?? []
            state.records -= gone.count
            state.bytes -= gone.reduce(0) { $0 + $1.byteCount }
            state.collections[collection] = ChangeList(clearing: clearing)
        }
    }

    /// What was changed in each collection, `names` being those of a collection's records; empties the list.
    func take(
        names: (CollectionID) -> BoundNames?
    ) -> [CollectionID: CommittedChanges] {
        let (collections, isDropped) = state.withLock { state in
            defer { state.collections = [:] }
            return (state.collections, state.isDropped)
        }
        var result: [CollectionID: CommittedChanges] = [:]
        for (id, list) in collections {
            let records = isDropped ? nil : list.records.filter { $0.existed || $0.record != nil }
            guard records?.isEmpty != true || list.clearing != nil, let names = names(id) else {
                continue
            }
            result[id] = CommittedChanges(
                names: names, records: records, clearing: list.clearing)
        }
        return result
    }
}

/// The changed records of one collection, each once.
private struct ChangeList: Sendable {
    /// So many are compared one by one; more are looked up in a table.
    private static let linearCountMax = 8

    /// The collection was emptied before these changes.
    var clearing: CommittedChanges.Clearing?
    private(set) var records: [ChangedRecord] = []
    private var positions: [[UInt8]: Int] = [:]

    init(clearing: CommittedChanges.Clearing? = nil) { self.clearing = clearing }

    /// Takes the change in; how many more records and bytes are held now.
    mutating func note(_ change: ChangedRecord) -> (records: Int, bytes: Int) {
        let size = change.byteCount
        if let index = index(of: change.key) {
            let old = records[index]
            records[index] = ChangedRecord(
                key: old.key, record: change.record, existed: old.existed, number: change.number,
                tombstone: change.tombstone)
            return (0, size - old.byteCount)
        }
        if !positions.isEmpty { positions[change.key] = records.count }
        records.append(change)
        return (1, size)
    }

    private mutating func index(of key: [UInt8]) -> Int? {
        if records.count <= ChangeList.linearCountMax {
            return records.firstIndex { $0.key == key }
        }
        if positions.isEmpty {
            for (index, change) in records.enumerated() { positions[change.key] = index }
        }
        return positions[key]
    }
}
