// What a store knows besides its trees, in memory: collections, dictionaries, sums, the next sequence. Read once, then kept up
// by the one writer; a reader whose state has another count of commits reads it from its own transaction.
//
// Every row of it has a checksum over all that is in it but the sums, which `verify` proves by adding up.
internal import OfflineBytes
internal import OfflineEngine

#if SQLite
    /// The catalog at one moment.
    struct SQLiteCatalog: Sendable {
        struct Collection: Sendable {
            var definition: [UInt8]
            var names: [String] = []
            /// Ascending.
            var indexes: [UInt32] = []
            var bytes = CollectionBytes()
        }
        /// The application's schema version.
        var version: UInt64 = 0
        var nextSequence: UInt64 = 1
        /// One more with each commit and definition: tells states apart.
        var commits: Int64 = 0
        var collections: [CollectionID: Collection] = [:]

        func stored() -> [StoredCollection] {
            collections.sorted { $0.key < $1.key }.map { id, collection in
                StoredCollection(
                    id: id, definition: collection.definition, indexes: collection.indexes,
                    names: collection.names)
            }
        }

        func has(_ tree: TreeID) -> Bool {
            guard let collection = collections[tree.collection] else { return false }
            return tree.index == 0 || collection.indexes.contains(tree.index)
        }

        /// The statements that made the tables, by the tables' and indexes' names.
        var tables: [String: String] {
            var result: [String: String] = [:]
            for (name, sql) in zip(
                ["store", "collections", "indexes", "names"], SQLiteTables.creation)
            {
                result[name] = sql
            }
            for (id, collection) in collections {
                let creation = SQLiteTables.creation(of: id)
                result[SQLiteTables.records(id)] = creation[0]
                result[SQLiteTables.keys(id)] = creation[1]
                for index in collection.indexes {
                    let tree = TreeID(id, index)
                    result[SQLiteTables.entries(tree)] = SQLiteTables.creation(of: tree)
                }
            }
            return result
        }
    }

    // MARK: - Reading

    extension SQLiteCatalog {
        /// The count of commits of the connection's state.
        static func commits(_ connection: SQLiteConnection) throws -> Int64 {
            try store(connection).commits
        }

        /// The catalog of the connection's state.
        init(reading connection: SQLiteConnection) throws {
            self = try Self.store(connection)
            var sums: [CollectionID: Int64] = [:]
            try connection.rows(
                "SELECT number, definition, record_bytes, index_bytes, checksum FROM collections"
            ) { row throws(EngineError) in
                let id = try Self.number(row.integer(0), atMost: Limits.collectionIDMax)
                var collection = Collection(definition: row.bytes(1))
                collection.bytes = CollectionBytes(
                    recordBytes: max(0, row.integer(2)), indexBytes: max(0, row.integer(3)))
                collections[CollectionID(id)] = collection
                sums[CollectionID(id)] = row.integer(4)
            }
            try connection.rows(
                "SELECT collection, number FROM indexes ORDER BY collection, number"
            ) { row throws(EngineError) in
                let id = try Self.number(row.integer(0), atMost: Limits.collectionIDMax)
                let index = try Self.number(row.integer(1), atMost: UInt32.max)
                guard collections[CollectionID(id)] != nil else {
                    throw SQLiteFailure.corrupted("an index of no collection")
                }
                collections[CollectionID(id)]?.indexes.append(index)
            }
            try readNames(connection)
            for (id, collection) in collections where sums[id] != collection.checksum(id) {
                throw SQLiteFailure.corrupted(
                    "the definition of collection \(id.value) has a wrong checksum")
            }
            try checkTables(connection)
        }

        private static func store(_ connection: SQLiteConnection) throws -> SQLiteCatalog {
            try connection.use(.readStore) { row in
                guard try row.step() else {
                    throw SQLiteFailure.corrupted("the row of table store is missing")
                }
                var result = SQLiteCatalog()
                result.version = UInt64(bitPattern: row.integer(0))
                result.nextSequence = UInt64(bitPattern: row.integer(1))
                result.commits = row.integer(2)
                guard row.integer(3) == result.checksum, result.commits >= 0,
                    (1...UInt64(Int64.max)).contains(result.nextSequence)
                else {
                    throw SQLiteFailure.corrupted("the row of table store has a wrong checksum")
                }
                return result
            }
        }

        private mutating func readNames(_ connection: SQLiteConnection) throws {
            try connection.rows(
                "SELECT collection, position, name, checksum FROM names ORDER BY collection, position"
            ) { row throws(EngineError) in
                let id = CollectionID(
                    try Self.number(row.integer(0), atMost: Limits.collectionIDMax))
                let name = try row.text(2)
                guard let position = collections[id]?.names.count,
                    row.integer(1) == Int64(position),
                    row.integer(3) == Self.checksum(ofName: name, at: position, of: id)
                else {
                    throw SQLiteFailure.corrupted(
                        "the dictionary of collection \(id.value) has a wrong checksum or a gap")
                }
                collections[id]?.names.append(name)
            }
        }

        /// Every table is there, just as it was made, and nothing that runs by itself.
        private func checkTables(_ connection: SQLiteConnection) throws {
            var missing = tables
            try connection.rows("SELECT type, name, sql FROM sqlite_schema") {
                row throws(EngineError) in
                let type = try row.text(0)
                let name = try row.text(1)
                if type == "trigger" || type == "view" {
                    throw SQLiteFailure.corrupted("the database has a \(type), which no store has")
                }
                guard let expected = missing.removeValue(forKey: name) else { return }
                guard try row.text(2) == expected else {
                    throw SQLiteFailure.corrupted("table \(name) isn't as the store makes it")
                }
            }
            if let name = missing.keys.min() {
                throw SQLiteFailure.corrupted("table \(name) is missing")
            }
        }

        private static func number(
            _ value: Int64, atMost limit: UInt32
        ) throws(EngineError) -> UInt32 {
            guard let number = UInt32(exactly: value), number > 0, number <= limit else {
                throw SQLiteFailure.corrupted("a collection or an index has number \(value)")
            }
            return number
        }
    }

    // MARK: - Writing

    extension SQLiteCatalog {
        /// Writes the row of table store.
        func writeStore(_ connection: SQLiteConnection) throws {
            try connection.use(.writeStore) { statement in
                try statement.bind(1, Int64(bitPattern: version))
                try statement.bind(2, Int64(bitPattern: nextSequence))
                try statement.bind(3, commits)
                try statement.bind(4, checksum)
                try statement.run()
            }
        }

        /// Writes a collection's row of table collections.
        func writeCollection(_ id: CollectionID, _ connection: SQLiteConnection) throws {
            guard let collection = collections[id] else { return }
            try connection.use(.writeCollection) { statement in
                try statement.bind(1, Int64(id.value))
                try statement.bind(2, collection.definition)
                try statement.bind(3, collection.bytes.recordBytes)
                try statement.bind(4, collection.bytes.indexBytes)
                try statement.bind(5, collection.checksum(id))
                try statement.run()
            }
        }

        /// Writes names behind those that are stored, of which there are `count`.
        static func writeNames(
            _ names: [String], behind count: Int, of id: CollectionID,
            _ connection: SQLiteConnection
        ) throws {
            for (offset, name) in names.enumerated() {
                try connection.use(.writeName) { statement in
                    try statement.bind(1, Int64(id.value))
                    try statement.bind(2, Int64(count + offset))
                    try statement.bind(3, text: name)
                    try statement.bind(4, checksum(ofName: name, at: count + offset, of: id))
                    try statement.run()
                }
            }
        }
    }

    // MARK: - Checksums

    extension SQLiteCatalog {
        /// Of the row of table store.
        private var checksum: Int64 {
            Self.sum([version, nextSequence, UInt64(bitPattern: commits)], [])
        }

        private static func checksum(
            ofName name: String, at position: Int, of id: CollectionID
        ) -> Int64 {
            sum([UInt64(id.value), UInt64(position)], Array(name.utf8))
        }

        /// CRC-32C of the numbers, each as 8 little-endian bytes, then the bytes.
        fileprivate static func sum(_ numbers: [UInt64], _ bytes: [UInt8]) -> Int64 {
            var head: [UInt8] = []
            for number in numbers {
                for shift in 0..<8 as Range<UInt64> {
                    head.append(UInt8(truncatingIfNeeded: number >> (8 * shift)))
                }
            }
            return Int64(CRC32C.checksum(bytes, seed: CRC32C.checksum(head)))
        }
    }

    extension SQLiteCatalog.Collection {
        /// Of its row of table collections: its number, its indexes' numbers, its definition.
        fileprivate func checksum(_ id: CollectionID) -> Int64 {
            SQLiteCatalog.sum([UInt64(id.value)] + indexes.map { UInt64($0) }, definition)
        }
    }

    /// A record's checksum: CRC-32C of its key and its bytes.
    enum SQLiteRecord {
        static func checksum(key: RawSpan, record: RawSpan) -> Int64 {
            unsafe key.withUnsafeBytes { key in
                unsafe record.withUnsafeBytes { record in
                    let seed = unsafe CRC32C.checksum(key)
                    return Int64(unsafe CRC32C.checksum(record, seed: seed))
                }
            }
        }

        /// Throws where the record isn't what was put.
        static func check(key: RawSpan, record: RawSpan, _ checksum: Int64) throws {
            guard Self.checksum(key: key, record: record) == checksum else {
                throw SQLiteFailure.corrupted("a record has a wrong checksum")
            }
        }
    }
#endif
