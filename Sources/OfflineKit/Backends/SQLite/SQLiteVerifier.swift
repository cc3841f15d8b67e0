// Checks everything that can be checked below the level of documents: SQLite's own structures, every record's checksum and
// sequence, every key's size, the sums that the catalog keeps.
internal import OfflineBytes
internal import OfflineEngine

#if SQLite
    /// Checks one state.
    struct SQLiteVerifier {
        private let snapshot: SQLiteSnapshots.Snapshot
        private var result = BackendVerification()
        /// After so many problems of one kind the rest isn't told.
        private static let problemsMax = 100

        init(_ snapshot: SQLiteSnapshots.Snapshot) { self.snapshot = snapshot }

        consuming func run() throws -> BackendVerification {
            let connection = snapshot.transaction.connection
            try check("the pages") { try $0.checkPages(connection) }
            // As it is stored, not as it is remembered.
            let catalog = try check("the catalog") { _ in try SQLiteCatalog(reading: connection) }
            for id in (catalog ?? snapshot.catalog).collections.keys.sorted() {
                try check(id, (catalog ?? snapshot.catalog))
            }
            try check("the tables") {
                try $0.findStrangers(connection, catalog ?? $0.snapshot.catalog)
            }
            return result
        }

        private mutating func checkPages(_ connection: SQLiteConnection) throws {
            let pages = try connection.number("PRAGMA page_count") ?? 0
            result.bytesChecked = pages * SQLiteRoom.pageSize
            var findings: [String] = []
            // What is found before damage that ends the check counts, too.
            defer {
                for finding in findings where finding != "ok" {
                    result.problems.append("\(SQLiteFiles.database): \(finding)")
                }
            }
            try connection.rows("PRAGMA integrity_check(\(Self.problemsMax))") {
                row throws(EngineError) in findings.append(try row.text(0))
            }
        }

        private mutating func check(_ id: CollectionID, _ catalog: SQLiteCatalog) throws {
            guard let collection = catalog.collections[id] else { return }
            var found = CollectionBytes()
            found.recordBytes =
                try check("collection \(id.value), records") { verifier in
                    try verifier.records(of: id, below: catalog.nextSequence)
                } ?? collection.bytes.recordBytes
            for index in collection.indexes {
                let bytes = try check("collection \(id.value), index \(index)") { verifier in
                    try verifier.entries(of: TreeID(id, index))
                }
                found.indexBytes += bytes ?? 0
            }
            if found != collection.bytes {
                result.problems.append(
                    "collection \(id.value): its records have \(found.recordBytes) bytes and its "
                        + "entries \(found.indexBytes); \(collection.bytes.recordBytes) and "
                        + "\(collection.bytes.indexBytes) are noted")
            }
        }

        /// Their bytes; each is checked.
        private mutating func records(of id: CollectionID, below next: UInt64) throws -> Int64 {
            var sum: Int64 = 0
            var wrong = 0
            try snapshot.transaction.use(.verify(id)) { row in
                while try row.step() {
                    result.recordsChecked += 1
                    let (checksum, sequence) = (row.integer(2), row.integer(3))
                    row.withBytes(0) { key in
                        row.withBytes(1) { record in
                            sum += Int64(key.byteCount + record.byteCount)
                            let isRight =
                                key.byteCount <= Limits.keyBytesMax
                                && record.byteCount <= Limits.recordBytesMax
                                && sequence > 0 && UInt64(sequence) < next
                                && SQLiteRecord.checksum(key: key, record: record)
                                    == checksum
                            if !isRight { wrong += 1 }
                        }
                    }
                }
            }
            if wrong > 0 {
                result.problems.append(
                    "collection \(id.value): \(wrong) records have a wrong checksum, size or sequence"
                )
            }
            return sum
        }

        /// The bytes of the keys.
        private mutating func entries(of tree: TreeID) throws -> Int64 {
            let connection = snapshot.transaction.connection
            let longest = try connection.number(SQLiteTables.longestKey(tree)) ?? 0
            if longest > Int64(Limits.keyBytesMax) {
                result.problems.append(
                    "collection \(tree.collection.value), index \(tree.index): a key has \(longest) "
                        + "bytes")
            }
            return try connection.number(SQLiteTables.summing(tree)) ?? 0
        }

        private mutating func findStrangers(
            _ connection: SQLiteConnection, _ catalog: SQLiteCatalog
        ) throws {
            let known = catalog.tables
            var strangers: [String] = []
            try connection.rows("SELECT name FROM sqlite_schema WHERE sql IS NOT NULL") {
                row throws(EngineError) in
                let name = try row.text(0)
                if known[name] == nil { strangers.append(name) }
            }
            for name in strangers.sorted().prefix(Self.problemsMax) {
                result.problems.append(
                    "\(SQLiteFiles.database): \(name) isn't one of the store's tables")
            }
        }

        /// What damage keeps from being read is a problem too.
        @discardableResult
        private mutating func check<Result>(
            _ what: String, _ body: (inout SQLiteVerifier) throws -> Result
        ) throws -> Result? {
            do { return try body(&self) } catch let error as EngineError
                where error.code == .corrupted
            {
                result.problems.append("\(what): \(error.description)")
                return nil
            }
        }
    }
#endif
