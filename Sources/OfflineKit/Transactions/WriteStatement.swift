// One write operation on one collection, of one record or many, in two steps: everything is
// prepared and checked first (keys, encoding, index entries, uniqueness), then applied to the
// batch. So an operation that is refused has changed nothing.
//
// What is checked is the state after the whole statement: a batch that swaps the values of a unique
// index between two records is fine. A record may be in a statement once.
//
// Where changes are tracked, what it does to stamps and change entries is a part of it (ChangeTracker).
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

    /// A record to insert or replace.
    struct Put {
        let key: [UInt8]
        /// What is stored: the record, behind its stamp where it has one.
        let stored: [UInt8]
        let stampLength: Int
        /// The document that it was made of, where it shows what is stored.
        let document: Document?
        /// It replaces another one.
        let existed: Bool
        /// It has a change that is to be synchronized.
        let isPending: Bool
    }
    private(set) var puts: [Put] = []
    /// Keys of records to remove.
    private var removals: [[UInt8]] = []
    /// Index entries to remove.
    private(set) var removed = DerivedKeys()
    /// Index entries to add.
    private(set) var added = DerivedKeys()

    /// Index entries that stay, but whose uniqueness must be checked again.
    private(set) var kept = DerivedKeys()

    /// Nil where changes were never tracked.
    private var tracker: ChangeTracker?
    private var encoder: SealingEncoder
    /// What the last record that was refused broke its collection's schema with.
    private(set) var violation: SchemaFailure?
    /// The dictionary with this statement's growth, and the index paths bound to it.
    private(set) var names: BoundNames
    /// One record's entries before and after.
    private var before = DerivedKeys()
    private var after = DerivedKeys()

    init(_ collection: CollectionState, _ batch: any BackendBatch, _ scope: BatchScope) throws {
        self.collection = collection
        self.batch = batch
        self.scope = scope
        adapter = StorageAdapter(batch)
        names = scope.names.names(of: collection, in: batch)
        encoder = SealingEncoder(collection, names.dictionary)
        tracker = try ChangeTracker(collection, batch, scope)
    }

    /// The records put, as documents, in their order; while the store is locked without sensitive fields.
    var documents: [Document] {
        get throws {
            try puts.map { put in
                if let document = put.document { return document }
                let document = try unsafe withOpened(put) { unsafe Document(copying: $0) }
                return collection.sealing?.shown(document) ?? document
            }
        }
    }

    /// Calls `body` with a record that is put.
    @unsafe
    func withRecord<Result>(
        _ put: Put, _ body: (RecordView) throws -> Result
    ) rethrows -> Result {
        try unsafe put.stored.withUnsafeBytes { stored in
            let record = unsafe UnsafeRawBufferPointer(rebasing: stored[put.stampLength...])
            return try unsafe body(RecordView(record, names: names.dictionary))
        }
    }

    /// The same, with its sensitive fields opened unless the store is locked.
    func withOpened<Result>(_ put: Put, _ body: (RecordView) throws -> Result) throws -> Result {
        try unsafe withRecord(put) { try unsafe withOpened($0, put.key, body) }
    }

    private func withOpened<Result>(
        _ record: RecordView, _ key: [UInt8], _ body: (RecordView) throws -> Result
    ) throws -> Result {
        guard let sealing = collection.sealing else { return try unsafe body(record) }
        return try sealing.withOpener(key) { try unsafe $0.withOpened(record, body) }
    }

    // MARK: Preparing

    /// Throws what makes the document no record. A session is told that before anything is looked up: what is stored decides
    /// nothing about it.
    mutating func checkEncodes(_ document: Document, _ key: [UInt8]) throws {
        _ = try encode(document, key)
    }

    /// The same, or what it breaks the collection's schema with.
    mutating func checkFulfils(_ document: Document, _ key: [UInt8]) throws {
        _ = try encodeValid(document, key)
    }

    /// Adds a record whose key isn't there.
    mutating func create(_ document: Document, key: [UInt8]) throws {
        let record = try encodeValid(document, key)
        put(record, key, stamp: try tracker?.create(key) ?? nil, existed: false, into: \.added)
    }

    /// Replaces the record, if there is one; false where there is none.
    mutating func replace(_ document: Document, key: [UInt8]) throws -> Bool {
        guard let stamp = try change(key, to: .update) else { return false }
        try change(to: document, key: key, stamp)
        return true
    }

    /// Sets the record's fields that `document` has, if there is a record; false where there is
    /// none.
    mutating func merge(_ document: Document, key: [UInt8]) throws -> Bool {
        var stored = Document()
        guard let stamp = try change(key, to: .update, document: &stored) else { return false }
        try change(to: DocumentMerge.merge(document, into: stored), key: key, stamp)
        return true
    }

    /// Replaces the record, or merges into it, if there is one, as the session may; false where there is none.
    mutating func change(
        _ document: Document, _ mode: UpdateMode, key: [UInt8], creates: Bool = false,
        _ guardian: WriteGuard?
    ) throws -> Bool {
        guard let guardian else {
            return mode == .replace
                ? try replace(document, key: key) : try merge(document, key: key)
        }
        try checkEncodes(document, key)
        let change: WriteGuard.Change?
        do {
            change = try guardian.change(document, mode, key: key, creates: creates, self)
        } catch {
            // Refused as it would be if there were no such record.
            if creates { try checkFulfils(document, key) }
            throw error
        }
        guard let change else { return false }
        let wasThere: Bool
        do {
            wasThere = try self.change(change.document, change.mode, key: key, nil)
        } catch {
            throw guardian.told(error, violation, change)
        }
        try guardian.checkChanged(change, self)
        return wasThere
    }

    /// Removes the record, if there is one; false where there is none.
    mutating func remove(key: [UInt8]) throws -> Bool {
        guard try change(key, to: .remove) != nil else { return false }
        removed.append(entriesOf: before, notIn: DerivedKeys())
        removals.append(key)
        return true
    }

    /// Removes a record without a trace, so that nothing is to be synchronized; nil where there is none or its change is pending, else
    /// how many bytes that frees.
    mutating func evict(key: [UInt8]) throws -> Int64? {
        before.removeAll()
        let (adapter, collection, names) = (self.adapter, self.collection, self.names)
        let freed = try unsafe adapter.withStored(
            of: collection, key: key, names: names.dictionary
        ) { stamp, record -> Int64? in
            guard try tracker?.evict(key, stamp) != false else { return nil }
            unsafe derive(record, stamp, key, into: \.before)
            return Int64(key.count + record.count + (stamp?.encoded(before: []).count ?? 0))
        }
        guard let freed = freed ?? nil else { return nil }
        removed.append(entriesOf: before, notIn: DerivedKeys())
        removals.append(key)
        return freed
    }

    /// Makes a change that comes from a synchronization: puts the document, or, with nil, removes the record; false where the record
    /// has a pending change, with which it conflicts.
    mutating func apply(_ document: Document?, key: [UInt8], origin: String) throws -> Bool {
        before.removeAll()
        let (adapter, collection, names) = (self.adapter, self.collection, self.names)
        let old = try unsafe adapter.withStored(
            of: collection, key: key, names: names.dictionary
        ) { stamp, record in
            unsafe derive(record, stamp, key, into: \.before)
            return stamp
        }
        var stamp: RecordStamp?
        if let number = try tracker?.originNumber(origin),
            let applied = try tracker?.apply(
                key, deletes: document == nil, over: old, origin: number)
        {
            switch applied {
            case .conflict: return false
            case .nothing: return true
            case .change(let made): stamp = made
            }
        }
        switch (document, old) {
        case (let document?, .some): try change(to: document, key: key, stamp)
        case (let document?, nil):
            let record = try encodeValid(document, key)
            put(record, key, stamp: stamp, existed: false, into: \.added)
        case (nil, .some):
            removed.append(entriesOf: before, notIn: DerivedKeys())
            removals.append(key)
        case (nil, nil): break
        }
        return true
    }

    private enum Step { case update, remove }

    /// Derives the entries of the record as it is in the batch, and tracks what becomes of it; nil where there is none, else the
    /// new stamp, if it gets one.
    private mutating func change(_ key: [UInt8], to step: Step) throws -> RecordStamp?? {
        if collection.indexes.isEmpty, tracker == nil {
            before.removeAll()
            return try adapter.hasRecord(of: collection, key: key) ? .some(nil) : nil
        }
        return try unsafe change(key, to: step) { _ in }
    }

    /// The same, with the record as a document.
    private mutating func change(
        _ key: [UInt8], to step: Step, document: inout Document
    ) throws -> RecordStamp?? {
        let names = names.dictionary
        return try unsafe change(key, to: step) { record in
            document = unsafe Document(copying: RecordView(record, names: names))
        }
    }

    private mutating func change(
        _ key: [UInt8], to step: Step, reading: (UnsafeRawBufferPointer) -> Void
    ) throws -> RecordStamp?? {
        before.removeAll()
        let (adapter, collection, names) = (self.adapter, self.collection, self.names)
        return try unsafe adapter.withStored(
            of: collection, key: key, names: names.dictionary
        ) { stamp, record in
            unsafe derive(record, stamp, key, into: \.before)
            unsafe reading(record)
            switch step {
            case .update: return try unsafe tracker?.update(key, from: stamp, record) ?? nil
            case .remove:
                try unsafe tracker?.remove(key, from: stamp, record)
                return nil
            }
        }
    }

    /// Puts `document` in the place of a record whose entries are in `before`.
    private mutating func change(
        to document: Document, key: [UInt8], _ stamp: RecordStamp?
    ) throws {
        let record = try encodeValid(document, key)
        after.removeAll()
        put(record, key, stamp: stamp, existed: true, into: \.after)
        removed.append(entriesOf: before, notIn: after)
        added.append(entriesOf: after, notIn: before)
        if collection.hasUniqueIndex { keepCutEntries() }
    }

    /// A record to put, and the document that it was made of, where that shows what is stored.
    private struct Encoded {
        let record: [UInt8]
        let document: Document?
    }

    /// Notes a record to put, and derives its entries.
    private mutating func put(
        _ encoded: Encoded, _ key: [UInt8], stamp: RecordStamp?,
        existed: Bool,
        into keys: WritableKeyPath<Self, DerivedKeys>
    ) {
        let record = encoded.record
        unsafe record.withUnsafeBytes { unsafe derive($0, stamp, key, into: keys) }
        let stored = stamp?.encoded(before: record) ?? record
        puts.append(
            Put(
                key: key, stored: stored, stampLength: stored.count - record.count,
                document: encoded.document, existed: existed,
                isPending: stamp?.isLocal == true))
    }

    /// A cut entry may be the same before and after while the values are not.
    private mutating func keepCutEntries() {
        for entry in after.entries where entry.range.count > KeyLayout.indexKeyBytesMax {
            let key = after.key(entry)
            guard before.contains(entry.index, key) else { continue }
            kept.append(index: entry.index) { $0.append(contentsOf: key) }
        }
    }

    private mutating func encode(_ document: Document, _ key: [UInt8]) throws -> Encoded {
        do {
            let (record, isVerbatim) = try encoder.encode(document, key: key)
            if encoder.dictionary !== names.dictionary {
                names = BoundNames(encoder.dictionary, of: collection)
            }
            return Encoded(record: record, document: isVerbatim ? document : nil)
        } catch {
            throw ErrorMapping.publicError(
                error, collection: collection.name, key: try? KeyDecoder.value(key))
        }
    }

    /// The record's bytes. Throws `.validationFailed` where it breaks the collection's schema.
    private mutating func encodeValid(_ document: Document, _ key: [UInt8]) throws -> Encoded {
        let encoded = try encode(document, key)
        guard let schema = collection.validation else { return encoded }
        let bound = names.schema ?? BoundSchema(schema.program, in: names.dictionary)
        violation =
            if collection.sealing != nil, let document = encoded.document {
                try schema.failure(in: document, key: key)
            } else {
                try unsafe encoded.record.withUnsafeBytes { bytes in
                    try unsafe withOpened(RecordView(bytes, names: names.dictionary), key) {
                        try unsafe schema.failure(in: $0, bound, key: key)
                    }
                }
            }
        if let violation { throw schema.violation(violation, key: key) }
        return encoded
    }

    /// Derives the entries of a record that the encoder made or the adapter validated, and of its stamp.
    private mutating func derive(
        _ record: UnsafeRawBufferPointer, _ stamp: RecordStamp?, _ key: [UInt8],
        into keys: WritableKeyPath<Self, DerivedKeys>
    ) {
        if !collection.indexes.isEmpty {
            let view = unsafe RecordView(record, names: names.dictionary)
            unsafe names.indexKeys.append(view, key: key.span.bytes, to: &self[keyPath: keys])
        }
        unsafe stamp?.append(key: key.span.bytes, to: &self[keyPath: keys])
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
    mutating func check(_ guardian: WriteGuard? = nil) throws {
        removed.sort()
        added.sort()
        try UniqueCheck(self, guardian).run()
    }

    /// Applies everything. If this throws with `isApplying` set, the batch is of no use.
    mutating func apply(_ isApplying: inout Bool) throws {
        isApplying = true
        if !encoder.newNames.isEmpty {
            try StorageAdapter.extendNames(encoder.newNames, of: collection, in: batch)
            scope.names.replace(names, of: collection)
        }
        try StorageAdapter.remove(removed, of: collection, in: batch)
        for key in removals {
            try StorageAdapter.remove(key: key, of: collection, in: batch)
            scope.noteRemoved(key, of: collection)
        }
        for put in puts {
            let number = try StorageAdapter.put(put.stored, key: put.key, of: collection, in: batch)
            scope.changed.note(
                collection.id, key: put.key, record: put.stored, existed: put.existed,
                number: number)
        }
        try StorageAdapter.insert(added, of: collection, in: batch)
        let tombstones = try tracker?.entries.apply(tombstonesMax: scope.changes.tombstonesMax)
        if var access = AccessWriter(collection, batch, scope) {
            for key in removals { try access.removed(key) }
            for put in puts { try access.wrote(put.key, isPending: put.isPending) }
        }
        for key in removals {
            scope.changed.note(
                collection.id, key: key, record: nil, existed: true,
                number: tombstones?[key]?.place ?? 0, tombstone: tombstones?[key]?.tombstone)
        }
        isApplying = false
    }
}
