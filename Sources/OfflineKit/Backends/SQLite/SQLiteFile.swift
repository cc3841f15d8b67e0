// Opening the database file: made privately, never through a symbolic link (StoreFolder has seen that there is none), and recognized
// before anything is read from it.
internal import OfflineEngine

#if SQLite
    /// The database file of a store's folder.
    enum SQLiteFile {
        /// Throws where the files aren't what they should be; nil, or 0, where there is no database yet.
        @discardableResult
        private static func size(_ folder: StoreFolder) throws(EngineError) -> UInt64? {
            let others = [SQLiteFiles.log, SQLiteFiles.index, SQLiteFiles.journal]
            for name in others + [SQLiteFiles.database] {
                let found = try io { () throws(FileSystemError) in
                    try folder.system.information(folder.path(name))
                }
                if let found, found.kind != .file {
                    throw EngineError(.unavailable, "something that is no file", file: name)
                }
                if name == SQLiteFiles.database { return found?.size }
            }
            return nil
        }

        /// Throws where there is no database to read.
        static func check(_ folder: StoreFolder) throws(EngineError) {
            if try size(folder) ?? 0 == 0 { throw StoreFolder.nothing }
        }

        /// The writing connection to the database, which is made if need be, durably.
        static func open(
            _ folder: StoreFolder, _ durability: Durability
        ) throws -> SQLiteConnection {
            let path = folder.path(SQLiteFiles.database)
            if try size(folder) == nil {
                // Not by SQLite: the file is the owner's only, and so are the log and its index then.
                try io { () throws(FileSystemError) in
                    try folder.system.open(path, .create).close()
                }
            }
            let connection = try SQLiteConnection(path: path, .writing(durability))
            if try connection.number("SELECT count(*) FROM sqlite_schema") == 0 {
                try checkUnclaimed(connection)
                try useLog(connection)
                try create(connection)
            } else {
                try checkFormat(connection)
                try useLog(connection)
            }
            // Before the first commit: the names of the files are as durable as what is in them.
            try io { () throws(FileSystemError) in
                try folder.system.syncNames(ofStore: folder.path)
            }
            return connection
        }

        private static func useLog(_ connection: SQLiteConnection) throws {
            var mode = ""
            try connection.rows("PRAGMA journal_mode = WAL") { row throws(EngineError) in
                mode = try row.text(0)
            }
            guard mode == "wal" else {
                throw EngineError(
                    .unavailable, "SQLite can't keep a write-ahead log here (\(mode))",
                    file: SQLiteFiles.database)
            }
        }

        private static func create(_ connection: SQLiteConnection) throws {
            try connection.execute("BEGIN IMMEDIATE")
            for sql in SQLiteTables.creation { try connection.execute(sql) }
            try connection.execute("PRAGMA application_id = \(SQLiteTables.applicationID)")
            try connection.execute("PRAGMA user_version = \(SQLiteTables.formatVersion)")
            try SQLiteCatalog().writeStore(connection)
            try connection.execute("COMMIT")
        }

        /// An empty database is taken over only if nobody has put a mark on it.
        private static func checkUnclaimed(_ connection: SQLiteConnection) throws {
            guard try connection.number("PRAGMA application_id") == 0,
                try connection.number("PRAGMA user_version") == 0
            else { throw notAStore }
        }

        /// Throws where the database isn't a store, or one of a newer release.
        static func checkFormat(_ connection: SQLiteConnection) throws {
            guard try connection.number("PRAGMA application_id") == SQLiteTables.applicationID
            else { throw notAStore }
            let version = try connection.number("PRAGMA user_version") ?? 0
            if version > SQLiteTables.formatVersion {
                throw EngineError(
                    .unsupportedFormat,
                    "the database has format version \(version); this release knows "
                        + "\(SQLiteTables.formatVersion)", file: SQLiteFiles.database)
            }
            if version < SQLiteTables.formatVersion { throw notAStore }
            let pageSize = try connection.number("PRAGMA page_size") ?? 0
            if pageSize != SQLiteRoom.pageSize {
                throw SQLiteFailure.corrupted(
                    "its pages have \(pageSize) bytes; a store's have \(SQLiteRoom.pageSize)")
            }
        }

        private static var notAStore: EngineError {
            SQLiteFailure.corrupted("it is a database of something else")
        }
    }
#endif
