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
    private let uuids: UUIDGenerator
    /// The backend failed while changes were being applied.
    private(set) var isBroken = false

    init(_ batch: any BackendBatch, _ scope: BatchScope, _ uuids: UUIDGenerator) {
        self.batch = batch
        self.scope = scope
        self.uuids = uuids
    }

    /// Adds records. `.alreadyExists` for a key that is there, or twice among them.
    mutating func create(
        _ documents: [Document], in collection: CollectionState
    ) throws -> [Document] {
        try statement(collection) { [uuids] statement in
            var keys = RecordKeys(collection, statement.adapter, uuids)
            for document in documents {
                var document = document.withoutIncludes
                let key = try keys.forCreating(&document)
                if try statement.adapter.hasRecord(of: collection, key: key) {
                    throw OfflineError(
                        .alreadyExists, "there is a record with this key already",
                        collection: collection.name, key: try? KeyDecoder.value(key))
                }
                try statement.create(document, key: key)
            }
            try statement.checkKeysDiffer(.alreadyExists)
        }
    }

    /// Changes records. `.notFound` for a key that isn't there, `.invalidDocument` for one that is
    /// twice among them.
    mutating func update(
        _ documents: [Document], mode: UpdateMode, in collection: CollectionState
    ) throws -> [Document] {
        try statement(collection) { statement in
            for document in documents {
                let document = document.withoutIncludes
                let key = try RecordKeys.existing(in: document, of: collection)
                let wasThere =
                    switch mode {
                    case .replace: try statement.replace(document, key: key)
                    case .merge: try statement.merge(document, key: key)
                    }
                if !wasThere {
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
        let written = try statement(collection) { [uuids] statement in
            var document = document.withoutIncludes
            var keys = RecordKeys(collection, statement.adapter, uuids)
            let key = try keys.forCreating(&document)
            if try !statement.replace(document, key: key) {
                try statement.create(document, key: key)
            }
        }
        return written[0]
    }

    /// Removes the records there are of these; how many. A key that is twice among them counts
    /// once.
    mutating func delete(_ keys: [Value], in collection: CollectionState) throws -> Int {
        var count = 0
        _ = try statement(collection) { statement in
            // In key order, so that the same call always does the same; and equal keys are
            // neighbours.
            let keys = try keys.map { try RecordKeys.encoded($0, of: collection) }
                .sorted { ByteOrder.compare($0, $1) < 0 }
            for (index, key) in keys.enumerated() where index == 0 || keys[index - 1] != key {
                if try statement.remove(key: key) { count += 1 }
            }
        }
        return count
    }

    /// Prepares a statement and applies it; the records that it put.
    private mutating func statement(
        _ collection: CollectionState, _ prepare: (inout WriteStatement) throws -> Void
    ) throws -> [Document] {
        try scope.checkWriting(collection)
        var statement = WriteStatement(collection, batch, scope)
        try prepare(&statement)
        try statement.apply(&isBroken)
        return statement.documents
    }
}
