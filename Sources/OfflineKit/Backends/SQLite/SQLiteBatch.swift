// Writing: a batch is the writer's transaction, and a copy of the catalog that is published at its commit.
//
// Invariants:
// - A put has its sequence at once: there is one writer, so the commit's first one is known when the batch begins.
// - The sums of the catalog follow each change; they are written, with the next sequence, in the commit's own transaction.
// - After a failed statement the batch is rolled back: SQLite may have done so already, and a statement after that would be a
//   commit of its own.
internal import OfflineBytes
internal import OfflineEngine

#if SQLite
    /// An open batch.
    final class SQLiteBatch: SQLiteReader, BackendBatch, @unchecked Sendable {
        // @unchecked: `changes` is in its lock, all else is SQLiteReader's.
        struct Changes {
            var puts: UInt64 = 0
            /// Whether something was removed.
            var removes = false
            /// The collections of which something has changed.
            var collections: Set<CollectionID> = []
            /// How many statements have written, and how many bytes were bound.
            var writes = 0
            var bytes = 0
        }
        private let writing: [CollectionID]
        /// Nil: the batch writes nothing.
        private let writer: SQLiteWriter?
        private let changes = Protected(Changes())
        /// The first sequence of the commit.
        private let base: UInt64

        init(
            _ transaction: SQLiteTransaction, _ catalog: SQLiteCatalog, writing: [CollectionID],
            _ writer: SQLiteWriter?
        ) {
            self.writing = writing
            self.writer = writer
            base = catalog.nextSequence
            super.init(transaction, catalog)
        }

        deinit { rollback() }

        override func sequence(of collection: CollectionID, key: [UInt8]) throws -> UInt64? {
            guard let sequence = try super.sequence(of: collection, key: key) else { return nil }
            return sequence < base ? sequence : nil
        }

        @discardableResult
        func put(_ collection: CollectionID, key: [UInt8], record: [UInt8]) throws -> UInt64 {
            guard key.count <= Limits.keyBytesMax, record.count <= Limits.recordBytesMax else {
                throw EngineError(.limit, "a key or a record is too large")
            }
            let place = changes.withLock { $0.puts }
            let sequence = base + place
            try write(TreeID(collection), bytes: key.count + record.count) { connection in
                let old = try length(collection, key, connection)
                let checksum = unsafe SQLiteRecord.checksum(
                    key: key.span.bytes, record: record.span.bytes)
                try connection.use(.put(collection)) { statement in
                    try statement.bind(3, Int64(bitPattern: sequence))
                    try statement.bind(4, checksum)
                    try statement.withBound(1, key) {
                        try statement.withBound(2, record) { _ = try statement.step() }
                    }
                }
                let added = record.count - (old ?? -key.count)
                change { $0.collections[collection]?.bytes.recordBytes += Int64(added) }
            }
            changes.withLock { $0.puts += 1 }
            return place
        }

        func remove(_ collection: CollectionID, key: [UInt8]) throws {
            changes.withLock { $0.removes = true }
            try write(TreeID(collection), bytes: key.count) { connection in
                guard let old = try length(collection, key, connection) else { return }
                try connection.use(.removeRecord(collection)) { statement in
                    try statement.withBound(1, key) { _ = try statement.step() }
                }
                change {
                    $0.collections[collection]?.bytes.recordBytes -= Int64(old + key.count)
                }
            }
        }

        func insert(_ tree: TreeID, key: RawSpan) throws {
            guard key.byteCount <= Limits.keyBytesMax else {
                throw EngineError(.limit, "an index entry is too large")
            }
            try edit(tree, key, .insert(tree)) { $0.indexBytes += Int64($1) }
        }

        func remove(_ tree: TreeID, key: RawSpan) throws {
            try edit(tree, key, .removeEntry(tree)) { $0.indexBytes -= Int64($1) }
        }

        func clear(_ collection: CollectionID) throws {
            changes.withLock { $0.removes = true }
            // Pages that are freed are counted by hand: see SQLiteRoom.
            try write(TreeID(collection), bytes: SQLiteRoom.unknownBytes) { connection in
                let indexes = catalog.collections[collection]?.indexes ?? []
                for tree in [0] + indexes {
                    try connection.execute(SQLiteTables.clearing(TreeID(collection, tree)))
                }
                change { $0.collections[collection]?.bytes = CollectionBytes() }
            }
        }

        func extendNames(of collection: CollectionID, with names: [String]) throws {
            try write(TreeID(collection), bytes: names.reduce(0) { $0 + $1.utf8.count }) {
                connection in
                try SQLiteCatalog.writeNames(
                    names, behind: nameCount(of: collection), of: collection, connection)
                change { $0.collections[collection]?.names += names }
            }
        }

        func commit(
            appended: () -> Void, committed: @escaping @Sendable (Range<UInt64>) -> Void
        ) async throws {
            try transaction.check()
            let changes = changes.withLock { $0 }
            guard let writer, !changes.collections.isEmpty else {
                rollback()
                return appended()
            }
            // A commit that only removes takes a sequence too, so that no two commits have the same place.
            let sequences = base..<base + max(1, changes.puts)
            change { catalog in
                catalog.nextSequence = sequences.upperBound
                catalog.commits += 1
            }
            try await writer.commit(transaction, catalog, changes)
            appended()
            committed(sequences)
        }

        func rollback() { transaction.end() }

        // MARK: Changing

        private func edit(
            _ tree: TreeID, _ key: RawSpan, _ verb: SQLiteVerb,
            _ count: (inout CollectionBytes, Int) -> Void
        ) throws {
            let size = key.byteCount
            let key = [UInt8](key)
            try write(tree, bytes: size) { connection in
                try connection.use(verb) { statement in
                    try statement.withBound(1, key) { _ = try statement.step() }
                }
                guard connection.changes > 0 else { return }
                change { catalog in
                    guard var bytes = catalog.collections[tree.collection]?.bytes else { return }
                    count(&bytes, size)
                    catalog.collections[tree.collection]?.bytes = bytes
                }
            }
        }

        private func length(
            _ collection: CollectionID, _ key: [UInt8], _ connection: SQLiteConnection
        ) throws -> Int? {
            try connection.use(.recordLength(collection)) { row in
                try row.withBound(1, key) {
                    try row.step() ? Int(clamping: row.integer(0)) : nil
                }
            }
        }

        /// Runs what changes `tree`; if it fails, the batch is over.
        private func write(
            _ tree: TreeID, bytes: Int, _ body: (SQLiteConnection) throws -> Void
        ) throws {
            try transaction.check()
            guard writing.contains(tree.collection) else {
                throw OfflineError(
                    .transactionScope, "the batch doesn't write collection \(tree.collection.value)"
                )
            }
            guard has(tree) else { throw MapState.unknown(tree) }
            changes.withLock { changes in
                changes.collections.insert(tree.collection)
                changes.writes += 1
                changes.bytes += bytes
            }
            do {
                try body(transaction.connection)
            } catch {
                rollback()
                throw writer?.reported(error) ?? error
            }
        }
    }
#endif
