// Unique indexes: whether what a statement adds would give two records the same values, within the
// statement or with records that are there already and stay.
//
// The error names the index and the other record's key, never the values.
internal import OfflineBytes

/// Checks the entries that one statement adds to unique indexes, and cut ones that it keeps: their
/// values may have changed behind the cut.
struct UniqueCheck {
    private let statement: WriteStatement
    /// What is checked, sorted.
    private let candidates: DerivedKeys
    private var collection: CollectionState { statement.collection }

    /// The statement's lists are sorted.
    init(_ statement: WriteStatement) {
        self.statement = statement
        guard !statement.kept.entries.isEmpty else {
            candidates = statement.added
            return
        }
        var all = statement.added
        all.append(entriesOf: statement.kept, notIn: DerivedKeys())
        all.sort()
        candidates = all
    }

    /// Throws `.uniqueViolation`.
    func run() throws {
        guard collection.hasUniqueIndex else { return }
        let entries = candidates.entries
        for (position, entry) in entries.enumerated() {
            guard let index = collection.uniqueIndex(number: entry.index) else { continue }
            let key = candidates.key(entry)
            if key.first == IndexKeys.markerByte { continue }
            let values = try index.values(of: Array(key))
            if values.hasNull { continue }
            for earlier in entries[..<position].reversed() {
                let other = candidates.key(earlier)
                guard earlier.index == entry.index, other.starts(with: key.prefix(values.length))
                else { break }
                try compare(key, with: other, values, index)
            }
            try checkStored(key, values, index)
        }
    }

    /// Looks for a record with the same values that is in the tree and that the statement leaves
    /// there.
    private func checkStored(
        _ entry: ArraySlice<UInt8>, _ values: IndexState.Values, _ index: IndexState
    ) throws {
        let tree = StorageAdapter.entries(of: index, collection)
        let prefix = Array(entry.prefix(values.length))
        var from = prefix
        var found: [UInt8] = []
        while try unsafe statement.adapter.firstKey(
            tree, of: collection, from: from.span.bytes, into: &found), found.starts(with: prefix)
        {
            if !statement.removed.contains(index.number, found[...]), found[...] != entry {
                try compare(entry, with: found[...], values, index)
            }
            from = found
            from.append(0)
        }
    }

    /// Two entries with the same stored values: a violation, unless they are cut and the records
    /// differ.
    private func compare(
        _ entry: ArraySlice<UInt8>, with other: ArraySlice<UInt8>, _ values: IndexState.Values,
        _ index: IndexState
    ) throws {
        let otherKey = Array(other.dropFirst(try index.values(of: Array(other)).keyStart))
        if values.isCut {
            let ownKey = Array(entry.dropFirst(values.keyStart))
            let cut = Array(entry.prefix(values.length))
            let own = Set(try wholeValues(ofRecord: ownKey, cutTo: cut, index))
            let others = try wholeValues(ofRecord: otherKey, cutTo: cut, index)
            guard others.contains(where: own.contains) else { return }
        }
        throw UniqueCheck.violation(of: index, in: collection, by: otherKey)
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

    /// The uncut values of a record, as the statement leaves it, of entries that are cut to `cut`.
    private func wholeValues(
        ofRecord key: [UInt8], cutTo cut: [UInt8], _ index: IndexState
    ) throws -> [[UInt8]] {
        let names = statement.names.dictionary
        if let put = statement.puts.first(where: { $0.key == key }) {
            return unsafe statement.withRecord(put) {
                unsafe index.wholeValues(of: $0, cutTo: cut)
            }
        }
        let record = try statement.adapter.record(of: collection, key: key, names: names)
        guard let record else { return [] }
        return unsafe record.withUnsafeBytes { bytes in
            unsafe index.wholeValues(of: RecordView(bytes, names: names), cutTo: cut)
        }
    }
}
