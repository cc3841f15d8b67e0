// Whether records that are there already keep the rule of a unique index that is being added.
internal import OfflineBytes

/// Checks new index trees, before they are kept.
struct UniqueBuild {
    private let adapter: StorageAdapter
    private let schema: SchemaState

    init(_ reader: any BackendReader, _ schema: SchemaState) {
        adapter = StorageAdapter(reader)
        self.schema = schema
    }

    /// Throws `.uniqueViolation`, naming the index and the keys of both, where two records have the
    /// same values.
    func check(_ trees: [TreeID]) throws {
        for tree in trees {
            guard
                let collection = schema.collections.first(where: { $0.id == tree.collection }),
                let index = collection.uniqueIndex(number: tree.index)
            else { continue }
            try check(index, of: collection)
        }
    }

    /// Equal values are neighbours; of cut ones, all that are cut to the same bytes are compared.
    private func check(_ index: IndexState, of collection: CollectionState) throws {
        let cursor = try adapter.cursor(
            StorageAdapter.entries(of: index, collection), of: collection,
            in: IndexKeys.entries, descending: false, names: .empty)
        let names = BoundNames(of: collection, in: adapter.reader).dictionary
        var entry: [UInt8] = []
        var previous: [UInt8] = []
        var previousLength = -1
        var previousKeyStart = 0
        /// Values that are cut, each with the record that has it.
        var wholes: [[UInt8]: [UInt8]] = [:]
        while try cursor.next() {
            cursor.copyKey(into: &entry)
            let values = try index.values(of: entry)
            let isSame =
                values.length == previousLength
                && entry.prefix(values.length) == previous.prefix(values.length)
            if !isSame { wholes.removeAll() }
            if values.isCut {
                let key = Array(entry.dropFirst(values.keyStart))
                let cut = Array(entry.prefix(values.length))
                let found = try unsafe adapter.withRecord(
                    of: collection, key: key, names: names, opening: false
                ) {
                    unsafe Set(index.wholeValues(of: $0, cutTo: cut))
                }
                for whole in found ?? [] {
                    if let other = wholes.updateValue(key, forKey: whole) {
                        throw violation(of: index, in: collection, by: key, and: other)
                    }
                }
            } else if isSame, !values.hasNull {
                throw violation(
                    of: index, in: collection, by: Array(previous.dropFirst(previousKeyStart)),
                    and: Array(entry.dropFirst(values.keyStart)))
            }
            swap(&entry, &previous)
            previousLength = values.length
            previousKeyStart = values.keyStart
        }
    }

    /// The error for two records with the same values.
    private func violation(
        of index: IndexState, in collection: CollectionState, by key: [UInt8], and other: [UInt8]
    ) -> OfflineError {
        let shown = (try? KeyDecoder.value(other).json()) ?? "a malformed key"
        return OfflineError(
            .uniqueViolation,
            "the index \"\(index.name)\" is to be unique, and this record has the same value as that with key "
                + shown,
            collection: collection.name, key: try? KeyDecoder.value(key))
    }
}
