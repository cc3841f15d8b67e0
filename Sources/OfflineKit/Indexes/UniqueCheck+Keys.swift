// Uniqueness of sealed values while some are sealed with older keys: equal values have different tokens then, one for each key, so an
// entry is looked for with the tokens of all of them.
//
// All sealed values of a record are sealed with one key (CollectionSealing). So what a record's entry would be with another key is what
// derives from the record sealed with that key.
internal import OfflineBytes
import OfflineDocuments

extension UniqueCheck {
    /// Checks the records that have new entries in unique indexes of sensitive fields against all that is sealed with other keys than
    /// theirs. Throws `.uniqueViolation`; `.locked`, since their values are needed.
    func checkOtherKeys(_ wholes: inout WholeValues) throws {
        guard let sealing = collection.sealing, sealing.vault.hasOlderKeys else { return }
        let indexes = collection.indexes.filter {
            $0.isUnique && $0.paths.contains(where: sealing.isSensitive)
        }
        let touched = try touchedRecords(by: indexes)
        if touched.isEmpty { return }
        let ring = try sealing.vault.ring()
        // By the entry with the newest key's tokens: two records of the statement may be sealed with different keys.
        var owners: [[UInt8]: [UInt8]] = [:]
        for put in statement.puts where touched.contains(put.key) {
            let document = try unsafe statement.withOpened(put) { unsafe Document(copying: $0) }
            for key in ring.keys {
                let sealer = RecordSealer(sealing, ring.sealing(with: key))
                for entry in try entries(of: document, put.key, sealer, in: indexes) {
                    if key.id == ring.current.id {
                        let other = owners.updateValue(put.key, forKey: entry.identity)
                        if let other { throw try violation(of: entry.index, by: other) }
                    }
                    try check(entry, of: put.key, &wholes)
                }
            }
        }
    }

    /// The keys of records whose entries in the indexes are checked.
    private func touchedRecords(by indexes: [IndexState]) throws -> Set<[UInt8]> {
        var result: Set<[UInt8]> = []
        if indexes.isEmpty { return result }
        for entry in candidates.entries {
            let key = candidates.key(entry)
            guard key.first != IndexKeys.markerByte,
                let index = indexes.first(where: { $0.number == entry.index })
            else { continue }
            let values = try index.values(of: Array(key))
            if !values.hasNull { result.insert(Array(key.dropFirst(values.keyStart))) }
        }
        return result
    }

    /// What a record has in a unique index.
    private struct Entry {
        let index: IndexState
        /// The bytes that entries with the same values begin with.
        let prefix: [UInt8]
        /// The values as they are compared, whole, where `prefix` has only their beginning.
        let wholes: [[UInt8]]

        /// Tells values of one index from others.
        var identity: [UInt8] {
            var bytes: [UInt8] = []
            bytes.appendBig(index.number)
            return bytes + (wholes.first ?? prefix)
        }
    }

    private func entries(
        of document: Document, _ key: [UInt8], _ sealer: RecordSealer, in indexes: [IndexState]
    ) throws -> [Entry] {
        sealer.key = key
        var encoder = RecordEncoder(dictionary: statement.names.dictionary, sealer: sealer)
        let record = try encoder.encode(document)
        let names =
            encoder.dictionary === statement.names.dictionary
            ? statement.names : BoundNames(encoder.dictionary, of: collection)
        return try unsafe record.withUnsafeBytes { bytes in
            let view = unsafe RecordView(bytes, names: names.dictionary)
            var derived = DerivedKeys()
            unsafe names.indexKeys.append(view, key: key.span.bytes, to: &derived)
            var result: [Entry] = []
            for entry in derived.entries {
                let bytes = Array(derived.key(entry))
                guard bytes.first != IndexKeys.markerByte,
                    let index = indexes.first(where: { $0.number == entry.index })
                else { continue }
                let values = try index.values(of: bytes)
                if values.hasNull { continue }
                let prefix = Array(bytes.prefix(values.length))
                let wholes =
                    values.isCut ? unsafe index.wholeValues(of: view, cutTo: prefix) : []
                result.append(Entry(index: index, prefix: prefix, wholes: wholes))
            }
            return result
        }
    }

    /// Looks for other records' entries with the same values, of those that the statement leaves in the tree.
    private func check(_ entry: Entry, of key: [UInt8], _ wholes: inout WholeValues) throws {
        let tree = StorageAdapter.entries(of: entry.index, collection)
        var from = entry.prefix
        var found: [UInt8] = []
        while try unsafe statement.adapter.firstKey(
            tree, of: collection, from: from.span.bytes, into: &found),
            found.starts(with: entry.prefix)
        {
            from = found
            from.append(0)
            if statement.removed.contains(entry.index.number, found[...]) { continue }
            let other = try recordKey(of: found[...], entry.index)
            if other == key { continue }
            if !entry.wholes.isEmpty {
                let values = try wholes.values(
                    ofRecord: other, cutTo: entry.prefix, entry.index)
                if !values.contains(where: entry.wholes.contains) { continue }
            }
            throw try violation(of: entry.index, by: other)
        }
    }
}
