// Checks a collection's changes: that each change entry is well-formed and fits its record (the table in ChangeTracker), that the
// tree of entries has the keys of all of them and no others, and that the order of changes is one.
//
// The keys of stamps are checked with the records' index entries (StoreVerifier), in the same way.
internal import OfflineBytes
internal import OfflineDocuments

/// Walks the changes of one collection in one view.
struct ChangeVerifier {
    private let collection: CollectionState
    private let trees: ChangeTrees
    private let adapter: StorageAdapter
    private let names: NameDictionary
    private let originCount: Int
    private var reader: any BackendReader { adapter.reader }

    /// Nil where the collection never tracked changes.
    init?(_ collection: CollectionState, _ view: ReadView) {
        guard let trees = collection.changes else { return nil }
        self.collection = collection
        self.trees = trees
        adapter = view.adapter
        names = view.names(of: collection).dictionary
        originCount = adapter.reader.nameCount(of: trees.collection)
    }

    /// What is wrong with a record's stamp by itself.
    func problem(of stamp: RecordStamp) -> String? {
        if stamp.number == 0 { return "its change has the number 0" }
        return problem(ofOrigin: stamp.origin)
    }

    private func problem(ofOrigin origin: UInt64?) -> String? {
        guard let origin, origin >= UInt64(originCount) else { return nil }
        return "the origin \(origin) of its change has no name"
    }

    // MARK: Entries

    /// Checks all change entries and their keys.
    func checkEntries(_ problems: inout CollectionProblems) throws {
        let cursor = try mapping { try reader.cursor(trees.entries, in: .all, descending: false) }
        var key: [UInt8] = []
        var derived = DerivedKeys()
        var count = 0
        while try mapping({ try cursor.next() }) {
            cursor.copyKey(into: &key)
            derived.removeAll()
            do {
                let entry = try mapping { try Self.entry(cursor) }
                if let problem = try problem(of: entry, key) {
                    problems.add("change entry of \(StoreVerifier.shown(key)): \(problem)")
                }
                unsafe entry.append(key: key.span.bytes, to: &derived)
            } catch {
                problems.add("change entry of \(StoreVerifier.shown(key)): \(error)")
                continue
            }
            for entry in derived.entries {
                count += 1
                let bytes = Array(derived.key(entry))
                if try !adapter.contains(trees.entriesInOrder, of: collection, key: bytes) {
                    problems.add(
                        "change entry of \(StoreVerifier.shown(key)) lacks its key in the order "
                            + "of changes")
                }
            }
        }
        let found = try adapter.count(trees.entriesInOrder, of: collection, in: .all)
        if found != count {
            problems.add(
                "the order of change entries has \(found) keys; \(count) derive from entries")
        }
    }

    private static func entry(_ cursor: any BackendCursor) throws -> ChangeEntry {
        var entry: ChangeEntry?
        try cursor.withRecord { span in
            entry = try unsafe span.withUnsafeBytes { try unsafe ChangeEntry($0) }
        }
        guard let entry else { throw OfflineError(.corrupted, "it can't be read") }
        return entry
    }

    /// Why an entry can't be this record's.
    private func problem(of entry: ChangeEntry, _ key: [UInt8]) throws -> String? {
        let isHorizonKey = key == ChangeTrees.horizonKey
        if case .horizon = entry {
            return isHorizonKey ? nil : "it is the horizon, under the key of a record"
        }
        if isHorizonKey { return "it is under the key of the horizon" }
        if let base = entry.base, let problem = problem(of: base) { return problem }
        let record: (stamp: RecordStamp?, Void)?
        do {
            record = try unsafe adapter.withStored(of: collection, key: key, names: names) {
                stamp, _ in (stamp, ())
            }
        } catch let error as OfflineError where error.code == .corrupted {
            // The record's own check says so.
            return nil
        }
        return problem(of: entry, isThere: record != nil, record?.stamp)
    }

    private func problem(of entry: ChangeEntry, isThere: Bool, _ stamp: RecordStamp?) -> String? {
        switch entry {
        case .synchronized(let number):
            guard let stamp, stamp.isLocal, stamp.number == number else {
                return "it is about change \(number), which isn't the record's latest local one"
            }
        case .base:
            guard let stamp, stamp.isLocal else {
                return "it has a base, but the record has no local change"
            }
        case .tombstone(let tombstone):
            if isThere { return "it says that the record was deleted, but the record is there" }
            if tombstone.number == 0 { return "its change has the number 0" }
            return problem(ofOrigin: tombstone.origin)
        case .horizon: break
        }
        return nil
    }

    private func problem(of base: ChangeBase) -> String? {
        do throws(OfflineError) {
            try unsafe base.record.withBytes { bytes throws(OfflineError) in
                try unsafe RecordValidator.validate(bytes, nameCount: names.count)
            }
            return nil
        } catch {
            return "its base is no record: \(error.message)"
        }
    }

    // MARK: Order

    /// Checks that no two changes have one number, and that in each class sequences ascend as numbers do.
    func checkOrder(_ problems: inout CollectionProblems) throws {
        var classes: [ClassWalk] = []
        for kind in ClassWalk.Kind.allCases {
            var walk = try ClassWalk(kind, trees, adapter, collection)
            try walk.advance(&problems)
            classes.append(walk)
        }
        var last: (number: UInt64, key: [UInt8])?
        while let next = Self.least(classes) {
            let walk = classes[next]
            if let last, last.number == walk.number {
                problems.add(
                    "\(StoreVerifier.shown(last.key)) and \(StoreVerifier.shown(walk.key)) both "
                        + "have change \(walk.number)")
            }
            last = (walk.number, walk.key)
            try classes[next].advance(&problems)
        }
    }

    /// Of the classes that aren't at their end, the one with the least number.
    private static func least(_ classes: [ClassWalk]) -> Int? {
        classes.indices.filter { !classes[$0].isAtEnd }
            .min { classes[$0].number < classes[$1].number }
    }

    private func mapping<Result>(_ body: () throws -> Result) throws -> Result {
        try StorageAdapter.mapping(collection, nil, body)
    }
}

/// Walks one class of changes by number, and sees to the sequences.
private struct ClassWalk {
    enum Kind: CaseIterable {
        case local, applied, pendingTombstones, settledTombstones
    }
    private let trees: ChangeTrees
    private let reader: any BackendReader
    private let collection: CollectionState
    private let cursor: any BackendCursor
    private let isOfRecords: Bool
    private var sequence: UInt64 = 0
    private(set) var number: UInt64 = 0
    private(set) var key: [UInt8] = []
    private(set) var isAtEnd = false

    init(
        _ kind: Kind, _ trees: ChangeTrees, _ adapter: StorageAdapter,
        _ collection: CollectionState
    ) throws {
        self.trees = trees
        self.collection = collection
        reader = adapter.reader
        let (tree, byte): (TreeID, UInt8) =
            switch kind {
            case .local: (trees.latest, ChangeTrees.Class.local.rawValue)
            case .applied: (trees.latest, ChangeTrees.Class.applied.rawValue)
            case .pendingTombstones:
                (trees.entriesInOrder, ChangeTrees.EntryClass.pendingTombstone.rawValue)
            case .settledTombstones:
                (trees.entriesInOrder, ChangeTrees.EntryClass.settledTombstone.rawValue)
            }
        isOfRecords = tree == trees.latest
        cursor = try StorageAdapter.mapping(collection) { [reader] in
            try reader.cursor(tree, in: ChangeTrees.range(byte), descending: false)
        }
    }

    /// Moves to the next change.
    mutating func advance(_ problems: inout CollectionProblems) throws {
        guard try StorageAdapter.mapping(collection, nil, cursor.next) else {
            isAtEnd = true
            return
        }
        var order: [UInt8] = []
        cursor.copyKey(into: &order)
        guard let (number, key) = try? ChangeTrees.parts(of: order) else {
            isAtEnd = true
            return problems.add("the order of changes has a malformed key")
        }
        self.number = number
        self.key = Array(key)
        // Where there is none, the checks of records and entries have said so.
        guard let sequence = try sequenceOfChange() else { return }
        if sequence <= self.sequence {
            problems.add(
                "change \(number), of \(StoreVerifier.shown(self.key)), has a sequence that isn't "
                    + "above that of the change before it")
        }
        self.sequence = sequence
    }

    private func sequenceOfChange() throws -> UInt64? {
        try StorageAdapter.mapping(collection, key) {
            if isOfRecords {
                return try? StorageAdapter.changeSequence(of: key, in: trees.owner, reader)
            }
            guard
                case .tombstone(let tombstone)? = try? StorageAdapter.changeEntry(
                    of: key, trees, collection, in: reader)
            else { return nil }
            return try tombstone.sequence ?? reader.sequence(of: trees.collection, key: key)
        }
    }
}
