// Unique indexes: whether what a statement adds would give two records the same values, within the
// statement or with records that are there already and stay.
//
// The error names the index and the other record's key, never the values.
internal import OfflineBytes

/// Checks the entries that one statement adds to unique indexes, and cut ones that it keeps: their
/// values may have changed behind the cut.
struct UniqueCheck {
    let statement: WriteStatement
    /// Says what a session may be told; nil: everything.
    private let guardian: WriteGuard?
    /// What is checked, sorted.
    let candidates: DerivedKeys
    var collection: CollectionState { statement.collection }

    /// The statement's lists are sorted.
    init(_ statement: WriteStatement, _ guardian: WriteGuard? = nil) {
        self.statement = statement
        self.guardian = guardian
        guard !statement.kept.entries.isEmpty else {
            candidates = statement.added
            return
        }
        var all = statement.added
        all.append(entriesOf: statement.kept, notIn: DerivedKeys())
        all.sort()
        candidates = all
    }

    /// Throws `.uniqueViolation`. Returns how many records were asked for values that the index has cut.
    @discardableResult
    func run() throws -> Int {
        guard collection.hasUniqueIndex else { return 0 }
        var wholes = WholeValues(statement)
        let entries = candidates.entries
        var next = 0
        while next < entries.count {
            let first = next
            next += 1
            guard let index = collection.uniqueIndex(number: entries[first].index) else { continue }
            let key = candidates.key(entries[first])
            if key.first == IndexKeys.markerByte { continue }
            let values = try index.values(of: Array(key))
            if values.hasNull { continue }
            let prefix = Array(key.prefix(values.length))
            while next < entries.count, entries[next].index == index.number,
                candidates.key(entries[next]).starts(with: prefix)
            {
                next += 1
            }
            let group = entries[first..<next].map(candidates.key)
            try check(group, startingWith: prefix, index) { key in
                values.isCut ? try wholes.values(ofRecord: key, cutTo: prefix, index) : [prefix]
            }
        }
        try checkOtherKeys(&wholes)
        return wholes.recordsAsked
    }

    /// Checks the entries with these stored values, all that there are: against each other, and against those of records
    /// that are in the tree and that the statement leaves there.
    ///
    /// Each record is asked once for what is behind the cut of its values, however many share the cut ones.
    private func check(
        _ entries: [ArraySlice<UInt8>], startingWith prefix: [UInt8], _ index: IndexState,
        _ values: (_ recordKey: [UInt8]) throws -> [[UInt8]]
    ) throws {
        var owners: [[UInt8]: [UInt8]] = [:]
        for entry in entries {
            let key = try recordKey(of: entry, index)
            for value in try values(key) {
                if let other = owners.updateValue(key, forKey: value), other != key {
                    throw try violation(of: index, by: other)
                }
            }
        }
        let tree = StorageAdapter.entries(of: index, collection)
        var from = prefix
        var found: [UInt8] = []
        while try unsafe statement.adapter.firstKey(
            tree, of: collection, from: from.span.bytes, into: &found), found.starts(with: prefix)
        {
            from = found
            from.append(0)
            if statement.removed.contains(index.number, found[...])
                || candidates.contains(index.number, found[...])
            {
                continue
            }
            let key = try recordKey(of: found[...], index)
            if try values(key).contains(where: { owners[$0].map { $0 != key } ?? false }) {
                throw try violation(of: index, by: key)
            }
        }
    }

    func recordKey(of entry: ArraySlice<UInt8>, _ index: IndexState) throws -> [UInt8] {
        Array(entry.dropFirst(try index.values(of: Array(entry)).keyStart))
    }

    func violation(of index: IndexState, by otherKey: [UInt8]) throws -> OfflineError {
        try guardian?.violation(of: index, by: otherKey, statement)
            ?? UniqueCheck.violation(of: index, in: collection, by: otherKey)
    }

    /// The error for a second record with the values of the one with `otherKey`.
    static func violation(
        of index: IndexState, in collection: CollectionState, by otherKey: [UInt8]
    ) -> OfflineError {
        OfflineError(
            .uniqueViolation,
            "the index \"\(index.name)\" is unique, and this other record has the same value",
            collection: collection.name, key: try? KeyDecoder.value(otherKey))
    }
}

/// The values of records, as a statement leaves them, that an index has cut.
struct WholeValues {
    private let statement: WriteStatement
    /// Where in the statement a record is put; nil: that wasn't needed yet.
    private var places: [[UInt8]: Int]?
    private(set) var recordsAsked = 0

    init(_ statement: WriteStatement) { self.statement = statement }

    /// The record's values of which an entry that is cut to `cut` has the beginning.
    mutating func values(
        ofRecord key: [UInt8], cutTo cut: [UInt8], _ index: IndexState
    ) throws -> [[UInt8]] {
        recordsAsked += 1
        let places =
            self.places
            ?? Dictionary(
                statement.puts.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { $1 })
        self.places = places
        if let place = places[key] {
            return unsafe statement.withRecord(statement.puts[place]) {
                unsafe index.wholeValues(of: $0, cutTo: cut)
            }
        }
        let found = try unsafe statement.adapter.withRecord(
            of: statement.collection, key: key, names: statement.names.dictionary,
            opening: false
        ) { unsafe index.wholeValues(of: $0, cutTo: cut) }
        return found ?? []
    }
}
