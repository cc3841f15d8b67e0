// One write operation on one collection, of one record or many, in two steps: everything is
// prepared and checked first (keys, encoding, index entries, uniqueness), then applied to the
// batch. So an operation that is refused has changed nothing.
//
// What is checked is the state after the whole statement: a batch that swaps the values of a unique
// index between two records is fine. A record may be in a statement once.
//
// Only what differs is applied: index entries that a record had before and has still are not
// touched.
internal import OfflineBytes

/// The changes of one operation, collected.
struct WriteStatement {
    let collection: CollectionState
    let adapter: StorageAdapter
    private let batch: any BackendBatch
    private let scope: BatchScope

    /// Records to insert or replace.
    private(set) var puts: [(key: [UInt8], record: [UInt8])] = []
    /// Keys of records to remove.
    private var removals: [[UInt8]] = []
    /// Index entries to remove.
    private(set) var removed = DerivedKeys()
    /// Index entries to add.
    private(set) var added = DerivedKeys()

    /// Index entries that stay, but whose uniqueness must be checked again.
    private(set) var kept = DerivedKeys()

    private var encoder: RecordEncoder
    /// The dictionary with this statement's growth, and the index paths bound to it.
    private(set) var names: BoundNames
    /// One record's entries before and after.
    private var before = DerivedKeys()
    private var after = DerivedKeys()

    init(_ collection: CollectionState, _ batch: any BackendBatch, _ scope: BatchScope) {
        self.collection = collection
        self.batch = batch
        self.scope = scope
        adapter = StorageAdapter(batch)
        names = scope.names.names(of: collection, in: batch)
        encoder = RecordEncoder(dictionary: names.dictionary)
    }

    /// The records put, as documents, in their order.
    var documents: [Document] {
        puts.map { Document(record: $0.record, names: names.dictionary) }
    }

    // MARK: Preparing

    /// Adds a record whose key isn't there.
    mutating func create(_ document: Document, key: [UInt8]) throws {
        let record = try encode(document, key)
        derive(record, key, into: \.added)
        puts.append((key, record))
    }

    /// Replaces the record, if there is one; false where there is none.
    mutating func replace(_ document: Document, key: [UInt8]) throws -> Bool {
        before.removeAll()
        guard try deriveStored(key, into: \.before) else { return false }
        try change(to: document, key: key)
        return true
    }

    /// Sets the record's fields that `document` has, if there is a record; false where there is
    /// none.
    mutating func merge(_ document: Document, key: [UInt8]) throws -> Bool {
        guard
            let old = try adapter.record(of: collection, key: key, names: names.dictionary)
        else { return false }
        before.removeAll()
        derive(old, key, into: \.before)
        let stored = Document(record: old, names: names.dictionary)
        try change(to: DocumentMerge.merge(document, into: stored), key: key)
        return true
    }

    /// Removes the record, if there is one; false where there is none.
    mutating func remove(key: [UInt8]) throws -> Bool {
        guard try deriveStored(key, into: \.removed) else { return false }
        removals.append(key)
        return true
    }

    /// Puts `document` in the place of a record whose entries are in `before`.
    private mutating func change(to document: Document, key: [UInt8]) throws {
        let record = try encode(document, key)
        after.removeAll()
        derive(record, key, into: \.after)
        removed.append(entriesOf: before, notIn: after)
        added.append(entriesOf: after, notIn: before)
        if collection.hasUniqueIndex { keepCutEntries() }
        puts.append((key, record))
    }

    /// A cut entry may be the same before and after while the values are not.
    private mutating func keepCutEntries() {
        for entry in after.entries where entry.range.count > KeyLayout.indexKeyBytesMax {
            let key = after.key(entry)
            guard before.contains(entry.index, key) else { continue }
            kept.append(index: entry.index) { $0.append(contentsOf: key) }
        }
    }

    private mutating func encode(_ document: Document, _ key: [UInt8]) throws -> [UInt8] {
        do {
            let record = try encoder.encode(document)
            if encoder.dictionary !== names.dictionary {
                names = BoundNames(encoder.dictionary, of: collection)
            }
            return record
        } catch {
            throw ErrorMapping.publicError(
                error, collection: collection.name, key: try? KeyDecoder.value(key))
        }
    }

    /// Derives the entries of bytes that the encoder made or the adapter validated.
    private mutating func derive(
        _ record: [UInt8], _ key: [UInt8], into keys: WritableKeyPath<Self, DerivedKeys>
    ) {
        if collection.indexes.isEmpty { return }
        let names = self.names
        unsafe record.withUnsafeBytes { bytes in
            let view = unsafe RecordView(bytes, names: names.dictionary)
            unsafe names.indexKeys.append(view, key: key.span.bytes, to: &self[keyPath: keys])
        }
    }

    /// Derives the entries of the record as it is in the batch; false where there is none.
    private mutating func deriveStored(
        _ key: [UInt8], into keys: WritableKeyPath<Self, DerivedKeys>
    ) throws -> Bool {
        if collection.indexes.isEmpty {
            return try adapter.hasRecord(of: collection, key: key)
        }
        let (adapter, collection, names) = (self.adapter, self.collection, self.names)
        let found: Void? = try unsafe adapter.withRecord(
            of: collection, key: key, names: names.dictionary
        ) { view in
            unsafe names.indexKeys.append(view, key: key.span.bytes, to: &self[keyPath: keys])
        }
        return found != nil
    }

    // MARK: Checking and applying

    /// Refuses a statement that has a record twice.
    func checkKeysDiffer(_ code: OfflineError.Code) throws {
        let keys = puts.map(\.key)
        if let twice = Self.firstDuplicate(in: keys) {
            throw OfflineError(
                code, "the batch has this key twice", collection: collection.name,
                key: try? KeyDecoder.value(twice))
        }
    }

    private static func firstDuplicate(in keys: [[UInt8]]) -> [UInt8]? {
        func isAscending(_ keys: [[UInt8]]) -> [UInt8]?? {
            for index in keys.indices.dropFirst() {
                let order = ByteOrder.compare(keys[index - 1], keys[index])
                if order == 0 { return .some(keys[index]) }
                if order > 0 { return nil }
            }
            return .some(nil)
        }
        // Generated keys ascend already.
        if let result = isAscending(keys) { return result }
        return isAscending(keys.sorted { ByteOrder.compare($0, $1) < 0 }) ?? nil
    }

    /// Refuses what a unique index forbids. Called once, before `apply`.
    mutating func check() throws {
        removed.sort()
        added.sort()
        try UniqueCheck(self).run()
    }

    /// Applies everything. If this throws with `isApplying` set, the batch is of no use.
    mutating func apply(_ isApplying: inout Bool) throws {
        isApplying = true
        if !encoder.newNames.isEmpty {
            try StorageAdapter.extendNames(encoder.newNames, of: collection, in: batch)
            scope.names.replace(names, of: collection)
        }
        try StorageAdapter.remove(removed, of: collection, in: batch)
        for key in removals { try StorageAdapter.remove(key: key, of: collection, in: batch) }
        for (key, record) in puts {
            try StorageAdapter.put(record, key: key, of: collection, in: batch)
        }
        try StorageAdapter.insert(added, of: collection, in: batch)
        isApplying = false
    }
}
