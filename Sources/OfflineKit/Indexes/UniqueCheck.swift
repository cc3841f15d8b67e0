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
        let otherKey = Array(other.dropFirst(values.length))
        if values.isCut {
            let ownKey = Array(entry.dropFirst(values.length))
            guard let own = try wholeValues(ofRecord: ownKey, index),
                let others = try wholeValues(ofRecord: otherKey, index), own == others
            else { return }
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

    /// The uncut values of a record, as the statement leaves it; nil where one is null.
    private func wholeValues(ofRecord key: [UInt8], _ index: IndexState) throws -> [UInt8]? {
        let names = statement.names.dictionary
        let record: [UInt8]?
        if let put = statement.puts.first(where: { $0.key == key }) {
            record = put.record
        } else {
            record = try statement.adapter.record(of: collection, key: key, names: names)
        }
        guard let record else { return nil }
        return unsafe record.withUnsafeBytes { bytes in
            unsafe index.wholeValues(of: RecordView(bytes, names: names))
        }
    }
}

extension IndexState {
    /// The part of an entry before the record's key.
    struct Values {
        let length: Int
        /// It is cut: equal bytes don't mean equal values.
        let isCut: Bool
        /// A value is seen to be null, so the record isn't constrained.
        let hasNull: Bool
    }

    /// Measures an entry. `.corrupted` for bytes that are none.
    func values(of entry: [UInt8]) throws(OfflineError) -> Values {
        let parts = try IndexKeys.parts(of: entry, pathCount: paths.count)
        var offset = 0
        var hasNull = false
        while offset < parts.keyLength, let length = KeyDecoder.length(entry, at: offset) {
            if entry[offset] == Self.nullByte { hasNull = true }
            offset += length
        }
        return Values(length: parts.keyLength, isCut: parts.isCut, hasNull: hasNull)
    }

    /// The first byte of an encoded null, which is its only one.
    private static let nullByte = KeyLayout.typeRange(of: .null).first

    /// The index's values in a record, encoded and never cut; nil where one of them is null.
    @unsafe
    func wholeValues(of record: RecordView) -> [UInt8]? {
        var result: [UInt8] = []
        for path in paths {
            let found = unsafe BoundPath(path, in: record.names).resolve(in: record.root)
            guard let value = unsafe found.value, unsafe value.kind != .null else { return nil }
            unsafe KeyEncoder.append(value, record.names, to: &result)
        }
        return result
    }
}
