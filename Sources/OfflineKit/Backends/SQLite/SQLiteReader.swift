// Reading in a transaction: what snapshots and batches share.
internal import OfflineBytes

#if SQLite
    /// A state of the trees.
    class SQLiteReader: BackendReader, @unchecked Sendable {
        // @unchecked: `shared` is in a lock, all else never changes. Subclassed by SQLiteBatch only.
        final let transaction: SQLiteTransaction
        private let shared: Protected<SQLiteCatalog>

        init(_ transaction: SQLiteTransaction, _ catalog: SQLiteCatalog) {
            self.transaction = transaction
            shared = Protected(catalog)
        }

        final var catalog: SQLiteCatalog { shared.withLock { $0 } }

        /// For the batch.
        final func change<Result>(
            _ body: (inout SQLiteCatalog) throws -> Result
        ) rethrows -> Result {
            try shared.withLock { try body(&$0) }
        }

        final var storedVersion: UInt64 { shared.withLock { $0.version } }

        final var nextSequence: UInt64 { shared.withLock { $0.nextSequence } }

        final func collections() -> [StoredCollection] { catalog.stored() }

        final func names(of collection: CollectionID) -> [String] {
            shared.withLock { $0.collections[collection]?.names ?? [] }
        }

        final func nameCount(of collection: CollectionID) -> Int {
            shared.withLock { $0.collections[collection]?.names.count ?? 0 }
        }

        final func bytes(of collection: CollectionID) throws -> CollectionBytes {
            shared.withLock { $0.collections[collection]?.bytes ?? CollectionBytes() }
        }

        final func has(_ tree: TreeID) -> Bool { shared.withLock { $0.has(tree) } }

        final func withRecord(
            _ collection: CollectionID, key: [UInt8], _ body: (RawSpan) throws -> Void
        ) throws -> Bool {
            guard has(TreeID(collection)) else { return false }
            return try transaction.use(.record(collection)) { row in
                try row.withBound(1, key) {
                    guard try row.step() else { return false }
                    let checksum = row.integer(1)
                    try row.withBytes(0) { record in
                        try unsafe SQLiteRecord.check(
                            key: key.span.bytes, record: record, checksum)
                        try body(record)
                    }
                    return true
                }
            }
        }

        func sequence(of collection: CollectionID, key: [UInt8]) throws -> UInt64? {
            guard has(TreeID(collection)) else { return nil }
            return try transaction.use(.sequence(collection)) { row in
                try row.withBound(1, key) {
                    try row.step() ? UInt64(bitPattern: row.integer(0)) : nil
                }
            }
        }

        final func contains(_ tree: TreeID, key: [UInt8]) throws -> Bool {
            guard has(tree) else { return false }
            return try transaction.use(.contains(tree)) { row in
                try row.withBound(1, key) { try row.step() }
            }
        }

        final func firstKey(
            _ tree: TreeID, from key: RawSpan, into buffer: inout [UInt8]
        ) throws -> Bool {
            guard has(tree) else { return false }
            return try transaction.use(.first(tree)) { row in
                try row.bind(1, key)
                guard try row.step() else { return false }
                row.copyBytes(0, into: &buffer)
                return true
            }
        }

        final func count(_ tree: TreeID, in range: KeyRange) throws -> Int {
            guard has(tree) else { return 0 }
            let verb = SQLiteVerb.count(
                tree, hasLower: range.lower != nil, hasUpper: range.upper != nil)
            return try transaction.use(verb) { row in
                if let lower = range.lower { try row.bind(1, lower) }
                if let upper = range.upper { try row.bind(2, upper) }
                return try row.step() ? Int(clamping: row.integer(0)) : 0
            }
        }

        final func cursor(
            _ tree: TreeID, in range: KeyRange, descending: Bool
        ) throws -> any BackendCursor {
            SQLiteCursor(
                has(tree) ? tree : nil, in: range, descending: descending, transaction)
        }
    }
#endif
