// The one write path: every record that is created, changed or deleted, alone or in a batch, by the
// store or in a transaction, passes through here.
//
// What a query has included in a document is no part of the record and is dropped here.
//
// Each function is one statement: it has its whole effect on the batch, or, if it throws, none,
// unless `isBroken` says that the backend failed in the middle: then the batch must be rolled back.
internal import OfflineBytes

/// Writes records into one batch. For one thread at a time. What it returns are the records as they
/// are stored, as many and in the order in which they were given.
struct RecordWriter {
    private let batch: any BackendBatch
    private let scope: BatchScope
    private let schema: SchemaState
    private let uuids: UUIDGenerator
    /// Who writes; nil: who may do everything.
    private let access: SessionAccess?
    /// The backend failed while changes were being applied.
    private(set) var isBroken = false
    /// Something was written, not only deleted.
    private(set) var addsData = false

    init(
        _ batch: any BackendBatch, _ scope: BatchScope, _ schema: SchemaState,
        _ uuids: UUIDGenerator, for access: SessionAccess? = nil
    ) {
        self.access = access
        self.batch = batch
        self.scope = scope
        self.schema = schema
        self.uuids = uuids
    }

    /// Adds records. `.alreadyExists` for a key that is there, or twice among them.
    mutating func create(
        _ documents: [Document], in collection: CollectionState
    ) throws -> [Document] {
        addsData = true
        let guardian = try WriteGuard(access, in: collection, .create)
        return try statement(collection, guardian) { [uuids] statement in
            var keys = RecordKeys(collection, statement.adapter, uuids)
            for document in documents {
                var document = document.withoutIncludes
                let key = try keys.forCreating(&document)
                if guardian != nil { try statement.checkFulfils(document, key) }
                if try statement.adapter.hasRecord(of: collection, key: key) {
                    let known = OfflineError(
                        .alreadyExists, "there is a record with this key already",
                        collection: collection.name, key: try? KeyDecoder.value(key))
                    throw try guardian?.taken(key, statement, known) ?? known
                }
                try statement.create(document, key: key)
                try guardian?.checkCreated(statement)
            }
            try statement.checkKeysDiffer(.alreadyExists)
        }
    }

    /// Changes records. `.notFound` for a key that isn't there, `.invalidDocument` for one that is
    /// twice among them.
    mutating func update(
        _ documents: [Document], mode: UpdateMode, in collection: CollectionState
    ) throws -> [Document] {
        addsData = true
        let guardian = try WriteGuard(access, in: collection, .update)
        return try statement(collection, guardian) { statement in
            for document in documents {
                let document = document.withoutIncludes
                let key = try RecordKeys.existing(in: document, of: collection)
                if try !statement.change(document, mode, key: key, guardian) {
                    throw OfflineError(
                        .notFound, "there is no record with this key to update",
                        collection: collection.name, key: try? KeyDecoder.value(key))
                }
            }
            try statement.checkKeysDiffer(.invalidDocument)
        }
    }

    /// Adds or replaces a record.
    mutating func upsert(_ document: Document, in collection: CollectionState) throws -> Document {
        addsData = true
        let guardian = try WriteGuard(access, in: collection, .create, .update)
        let written = try statement(collection, guardian) { [uuids] statement in
            var document = document.withoutIncludes
            var keys = RecordKeys(collection, statement.adapter, uuids)
            let key = try keys.forCreating(&document)
            if try !statement.change(document, .replace, key: key, creates: true, guardian) {
                try statement.create(document, key: key)
                try guardian?.checkCreated(statement)
            }
        }
        return written[0]
    }

    /// Makes changes that come from a synchronization with `origin`, each of another record; the keys of those that conflict with
    /// a pending change and were left alone.
    mutating func apply(
        _ changes: [RemoteChange], origin: String, in collection: CollectionState
    ) throws -> [Value] {
        addsData = true
        var conflicts: [Value] = []
        _ = try statement(collection) { statement in
            for change in changes {
                let key = try RecordKeys.encoded(change.key, of: collection)
                let document = change.document?.withoutIncludes
                if let document, try RecordKeys.existing(in: document, of: collection) != key {
                    throw OfflineError(
                        .invalidDocument, "the document has another key than its change",
                        collection: collection.name, key: change.key)
                }
                if try !statement.apply(document, key: key, origin: origin) {
                    conflicts.append(change.key)
                }
            }
            try statement.checkKeysDiffer(.invalidDocument)
        }
        return conflicts
    }

    /// Removes the records there are of these, and does what the collection's delete rules say; how many of these there were. A
    /// key that is twice among them counts once. `.relationshipViolation` where a rule forbids it.
    mutating func delete(_ keys: [Value], in collection: CollectionState) throws -> Int {
        // In key order, so that the same call always does the same.
        let keys = KeyBounds.distinct(try keys.map { try RecordKeys.encoded($0, of: collection) })
        let guardian = try WriteGuard(access, in: collection, .delete)
        if collection.hasDeleteRules { return try deleteByRules(keys, in: collection, guardian) }
        var count = 0
        _ = try statement(collection, guardian) { statement in
            for key in keys {
                if let guardian, try !guardian.mayRemove(key, statement) { continue }
                if try statement.remove(key: key) { count += 1 }
            }
        }
        return count
    }

    /// Empties collections, in one step each however many records they have. Nothing is left of their pending changes; delete rules
    /// don't run.
    mutating func clear(_ collections: [CollectionState]) throws {
        for collection in collections {
            try scope.checkWriting(collection)
            try WriteGuard(access, in: collection)?.checkClear()
        }
        let time = scope.changes.now()
        isBroken = true
        for collection in collections {
            let place = try StorageAdapter.clear(collection, in: batch)
            scope.noteRemoved(nil, of: collection)
            scope.changed.noteCleared(
                collection.id, CommittedChanges.Clearing(place: place, time: time))
        }
        isBroken = false
    }

    /// A delete that may change several collections: one statement each, and all are checked before any is applied.
    private mutating func deleteByRules(
        _ keys: [[UInt8]], in collection: CollectionState, _ guardian: WriteGuard?
    ) throws -> Int {
        try scope.checkWriting(collection)
        let asked = try WriteStatement(collection, batch, scope)
        let present = try keys.filter { key in
            try guardian?.mayRemove(key, asked) ?? asked.adapter.hasRecord(of: collection, key: key)
        }
        let view = ReadView(batch: batch, schema: schema, scope: scope, access: access)
        let effects = try DeleteRules.effects(ofDeleting: present, in: collection, view)
        var statements: [WriteStatement] = []
        for effect in effects {
            let guardian = try WriteGuard(access, in: effect.collection)
            var statement = try WriteStatement(effect.collection, batch, scope)
            for key in KeyBounds.distinct(Array(effect.removed)) {
                if let guardian, try !guardian.reachesByRule(key, statement) {
                    throw WriteGuard.refused(collection.name)
                }
                _ = try statement.remove(key: key)
            }
            for key in KeyBounds.distinct(Array(effect.changed.keys)) {
                guard let document = effect.changed[key] else { continue }
                if let guardian, try !guardian.nullifies(key, to: document, &statement) {
                    throw WriteGuard.refused(collection.name)
                } else if guardian == nil {
                    _ = try statement.replace(document, key: key)
                }
            }
            try statement.check(guardian)
            statements.append(statement)
        }
        for index in statements.indices { try statements[index].apply(&isBroken) }
        return present.count
    }

    /// Prepares a statement and applies it; the records that it put.
    private mutating func statement(
        _ collection: CollectionState, _ guardian: WriteGuard? = nil,
        _ prepare: (inout WriteStatement) throws -> Void
    ) throws -> [Document] {
        try scope.checkWriting(collection)
        var statement = try WriteStatement(collection, batch, scope)
        try prepare(&statement)
        try statement.check(guardian)
        // What may fail comes first.
        let documents = try guardian?.shown(statement) ?? statement.documents
        try statement.apply(&isBroken)
        return documents
    }
}
