// What SQLite's result codes mean to the store. The only place where they are read.
//
// A message has SQLite's fixed text for the code and the extended code, never what it says about a
// statement: that may quote data.
internal import OfflineEngine

#if SQLite
    internal import COfflineSQLite

    /// Translates result codes.
    enum SQLiteFailure {
        /// A failed call as the store reports it. `systemError`: the errno behind it, 0 if there is none.
        static func error(_ extended: Int32, systemError: Int32 = 0) -> EngineError {
            let code = meaning(of: extended & 0xFF, systemError)
            let text = unsafe sqlite3_errstr(extended).map { unsafe String(cString: $0) } ?? "error"
            var message = "SQLite reports \"\(text)\" (code \(extended))"
            if systemError != 0 { message += ": \(SystemErrorNumber.text(systemError))" }
            switch code {
            case .storageFull: message += "; free some space and try again"
            case .locked: message += "; another program is using the database, close it"
            default: break
            }
            return EngineError(code, message, file: SQLiteFiles.database)
        }

        private static func meaning(of code: Int32, _ systemError: Int32) -> EngineError.Code {
            switch code {
            case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupted
            // Every statement is fixed and fits the tables that this code makes.
            case SQLITE_ERROR, SQLITE_SCHEMA, SQLITE_MISMATCH, SQLITE_CONSTRAINT: .corrupted
            case SQLITE_FULL: .storageFull
            case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: .locked
            case SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH: .permissionDenied
            case SQLITE_NOMEM: .outOfMemory
            case SQLITE_TOOBIG: .limit
            default: meaning(ofSystemError: systemError)
            }
        }

        private static func meaning(ofSystemError number: Int32) -> EngineError.Code {
            if SystemErrorNumber.isFull(number) { return .storageFull }
            let denied = [
                SystemErrorNumber.access, SystemErrorNumber.notPermitted,
                SystemErrorNumber.readOnlyFileSystem,
            ]
            return denied.contains(number) ? .permissionDenied : .unavailable
        }

        /// Damage that SQLite itself doesn't see.
        static func corrupted(_ message: String) -> EngineError {
            EngineError(.corrupted, message, file: SQLiteFiles.database)
        }
    }
#endif
