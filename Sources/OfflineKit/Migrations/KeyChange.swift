// A collection whose records get other keys: its key path is another one in the options than it is stored as, and a migration has seen
// to it that every record has a value there.
//
// The records are moved in the transaction of the last migration that is due, once that is done: each is removed under its old key and
// created under its new one, so to a server the old one is deleted and there is a new one. Their documents stay as they are.
//
// New keys may be old ones of other records. So a record that stands in the way of another one is moved next, and so on: a chain that
// ends where nothing is in the way, or where it began. One record of it is in memory at a time, and the collection's keys.
internal import OfflineBytes
internal import OfflineDocuments

/// The move of one collection's records to their new keys.
struct KeyChange {
    /// As it is stored.
    let collection: CollectionState
    /// With the new key paths.
    private let wanted: CollectionState

    /// All that are due.
    static func all(_ wanted: [CollectionSchema], from schema: SchemaState) throws -> [KeyChange] {
        try wanted.compactMap { wanted in
            guard
                let stored = schema.collections.first(where: { $0.name == wanted.name }),
                stored.schema.keyPaths != wanted.keyPaths
            else { return nil }
            var keyed = stored.schema
            keyed.keyPaths = wanted.keyPaths
            keyed.indexes = []
            return KeyChange(
                collection: stored,
                wanted: try CollectionState(id: stored.id, schema: keyed, indexNumbers: []))
        }
    }

    /// The new key paths.
    var keyPaths: [String] { wanted.schema.keyPaths }

    /// Moves the records; how many got another key. Throws `.invalidDocument` for a record without a value at the new key path, and
    /// `.alreadyExists` for two with the same one, naming them by their old keys.
    func move(_ open: OpenBatch) throws -> Int {
        var run = KeyChangeRun(self, open)
        return try run.move()
    }

    /// The key that the record is to have.
    fileprivate func key(of document: Document, under old: [UInt8]) throws -> [UInt8] {
        do {
            return try RecordKeys.existing(in: document, of: wanted)
        } catch let error as OfflineError {
            throw OfflineError(
                error.code,
                "\(error.message); its collection's keyPath becomes \(named), so each record needs a value there",
                collection: collection.name, key: try? KeyDecoder.value(old))
        }
    }

    fileprivate var named: String { keyPaths.map { "\"\($0)\"" }.joined(separator: ", ") }
}

/// One run of it.
private struct KeyChangeRun {
    private let change: KeyChange
    private let open: OpenBatch
    private var collection: CollectionState { change.collection }
    /// The old keys, in their order, and whether each is moved.
    private var keys = KeyList()
    private var isMoved: [Bool] = []
    private var count = 0

    /// A record that has left its place.
    private struct Moving {
        let document: Document
        let old: [UInt8]
        let new: [UInt8]
    }

    init(_ change: KeyChange, _ open: OpenBatch) {
        self.change = change
        self.open = open
    }

    mutating func move() throws -> Int {
        let cursor = try open.view.records(collection)
        var key: [UInt8] = []
        while try cursor.next() {
            cursor.copyKey(into: &key)
            keys.append(key[...])
        }
        isMoved = [Bool](repeating: false, count: keys.count)
        for position in 0..<keys.count where !isMoved[position] {
            try Task.checkCancellation()
            if let moving = try take(position) { try put(moving) }
        }
        return count
    }

    /// Takes a record from its old place; nil where it stays there.
    private mutating func take(_ position: Int) throws -> Moving? {
        var old: [UInt8] = []
        keys.copy(position, into: &old)
        isMoved[position] = true
        guard let document = try open.view.document(collection, key: old) else { return nil }
        let new = try change.key(of: document, under: old)
        if new == old { return nil }
        var statement = try WriteStatement(collection, open.batch, open.scope)
        _ = try statement.remove(key: old)
        try apply(&statement)
        count += 1
        return Moving(document: document, old: old, new: new)
    }

    /// Puts it in its new place, and whatever was there in its own.
    private mutating func put(_ first: Moving) throws {
        var moving: Moving? = first
        while let record = moving {
            moving = nil
            if let position = keys.position(of: record.new), !isMoved[position] {
                moving = try take(position)
            }
            if try open.view.adapter.hasRecord(of: collection, key: record.new) {
                throw OfflineError(
                    .alreadyExists,
                    "another record has the same value at \(change.named), the collection's new keyPath: "
                        + (try KeyDecoder.value(record.new).json()),
                    collection: collection.name, key: try? KeyDecoder.value(record.old))
            }
            var statement = try WriteStatement(collection, open.batch, open.scope)
            try statement.create(record.document, key: record.new)
            try apply(&statement)
        }
    }

    private func apply(_ statement: inout WriteStatement) throws {
        try statement.check()
        // Whatever fails, the transaction is rolled back.
        var isApplying = false
        try statement.apply(&isApplying)
    }
}
