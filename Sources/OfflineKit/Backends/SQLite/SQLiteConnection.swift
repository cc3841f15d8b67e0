// A connection to the database file, and its prepared statements.
//
// The settings, and why:
// - journal_mode = WAL: readers see their state and never wait; a commit is one append.
// - synchronous = FULL for durability `.full`: the log is synced before a commit returns. NORMAL for the others: the
//   log is synced before a checkpoint writes the database, so a power cut takes the newest commits at most. Not OFF:
//   without that sync it could tear the database itself.
// - secure_delete = FAST: deleted bytes are overwritten where that costs no write, and clearing a tree doesn't visit it.
// - A database file is not to be trusted: cell_size_check, no memory map, a defensive connection, an untrusted schema.
internal import OfflineBytes
internal import OfflineEngine

#if SQLite
    internal import COfflineSQLite

    /// An open connection.
    @safe
    final class SQLiteConnection: @unchecked Sendable {
        // @unchecked: `handle` is a connection in SQLite's serialized mode (`init` checks that the library has it and
        // asks for it), which any thread may call; a statement is used by who took it alone; `idle` is in a lock.
        enum Mode {
            case reading
            case writing(Durability)
        }
        private let handle: OpaquePointer
        private let idle = Protected<[SQLiteVerb: [SQLiteStatement]]>([:])
        /// How many pages the log had after this connection's last commit; written by SQLite.
        private let logPageCount: UnsafeMutablePointer<Int32>
        /// Statements kept for reuse; each takes a few KiB.
        private static let idleMax = 200
        /// How long another program's lock is waited for, in milliseconds.
        private static let patience: Int32 = 5_000

        /// Opens the file, which is there.
        init(path: String, _ mode: Mode) throws(EngineError) {
            guard sqlite3_threadsafe() != 0 else {
                throw EngineError(.unavailable, "the system's SQLite is built without threads")
            }
            var handle: OpaquePointer?
            var flags = SQLITE_OPEN_FULLMUTEX
            if case .reading = mode {
                flags |= SQLITE_OPEN_READONLY
            } else {
                flags |= SQLITE_OPEN_READWRITE
            }
            let code = unsafe sqlite3_open_v2(path, &handle, flags, nil)
            guard code == SQLITE_OK, let opened = unsafe handle else {
                let number = unsafe handle == nil ? 0 : sqlite3_system_errno(handle)
                unsafe sqlite3_close_v2(handle)
                throw SQLiteFailure.error(code, systemError: number)
            }
            unsafe self.handle = unsafe opened
            unsafe logPageCount = .allocate(capacity: 1)
            unsafe logPageCount.initialize(to: 0)
            // In the place of SQLite's own hook, which makes its checkpoints: the writer makes them, and sees them fail.
            unsafe sqlite3_wal_hook(
                opened,
                { count, _, _, pages in
                    unsafe count?.assumingMemoryBound(to: Int32.self).pointee = pages
                    return SQLITE_OK
                }, logPageCount)
            unsafe sqlite3_extended_result_codes(opened, 1)
            unsafe sqlite3_busy_timeout(opened, Self.patience)
            guard unsafe offline_sqlite_distrust(opened) == SQLITE_OK else {
                throw EngineError(.unavailable, "the system's SQLite is older than 3.31")
            }
            try execute("PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0")
            if case .writing(let durability) = mode {
                try execute("PRAGMA secure_delete = FAST; PRAGMA cache_size = -8000")
                try execute("PRAGMA synchronous = \(durability == .full ? "FULL" : "NORMAL")")
            }
        }

        deinit {
            forgetStatements()
            unsafe sqlite3_wal_hook(handle, nil, nil)
            unsafe sqlite3_close_v2(handle)
            unsafe logPageCount.deallocate()
        }

        /// Pages in the log after the last commit of this connection. For who commits on it.
        var logPages: Int64 { Int64(unsafe logPageCount.pointee) }

        /// Runs fixed statements that have no parameters.
        func execute(_ sql: String) throws(EngineError) {
            let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
            guard code == SQLITE_OK else { throw failure(code) }
        }

        /// The first column of the first row of a fixed statement; nil where there is no row.
        func number(_ sql: String) throws(EngineError) -> Int64? {
            let statement = try prepare(sql)
            return try statement.step() ? statement.integer(0) : nil
        }

        /// Each row of a fixed statement.
        func rows(
            _ sql: String, _ body: (SQLiteStatement) throws(EngineError) -> Void
        ) throws(EngineError) {
            let statement = try prepare(sql)
            while try statement.step() { try body(statement) }
        }

        /// How many rows the last statement changed.
        var changes: Int { Int(unsafe sqlite3_changes(handle)) }

        /// Whether a transaction is open: SQLite itself ends one after some errors.
        var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

        /// Whether a statement is in the middle of its rows.
        var isReading: Bool {
            var statement = unsafe sqlite3_next_stmt(handle, nil)
            while let current = unsafe statement {
                if unsafe sqlite3_stmt_busy(current) != 0 { return true }
                unsafe statement = sqlite3_next_stmt(handle, current)
            }
            return false
        }

        /// Ends the rows of all statements: one in the middle of them keeps the state that it reads, and with it the log.
        func resetRunning() {
            var statement = unsafe sqlite3_next_stmt(handle, nil)
            while let current = unsafe statement {
                if unsafe sqlite3_stmt_busy(current) != 0 { unsafe sqlite3_reset(current) }
                unsafe statement = sqlite3_next_stmt(handle, current)
            }
        }

        /// Bytes of pages that are changed and not written yet, and about as much again for each. Drops clean pages.
        var dirtyBytes: Int64 {
            unsafe sqlite3_db_release_memory(handle)
            var used: Int32 = 0
            var peak: Int32 = 0
            unsafe sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_USED, &used, &peak, 0)
            return Int64(used)
        }

        /// Doesn't wait for readers, this connection's own cursors among them: what they need stays.
        func checkpoint(truncating: Bool) throws(EngineError) {
            unsafe sqlite3_busy_timeout(handle, 0)
            defer { unsafe sqlite3_busy_timeout(handle, Self.patience) }
            let mode = truncating ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
            let code = unsafe sqlite3_wal_checkpoint_v2(handle, "main", mode, nil, nil)
            if ![SQLITE_OK, SQLITE_BUSY, SQLITE_LOCKED].contains(code & 0xFF) {
                throw failure(code)
            }
        }

        // MARK: Statements

        /// Calls `body` with the statement, nobody else's meanwhile.
        func use<Result>(
            _ verb: SQLiteVerb, _ body: (SQLiteStatement) throws -> Result
        ) throws -> Result {
            let statement = try take(verb)
            defer { give(statement, verb) }
            return try body(statement)
        }

        /// A statement for the caller alone, until `give`.
        func take(_ verb: SQLiteVerb) throws(EngineError) -> SQLiteStatement {
            if let idle = idle.withLock({ $0[verb]?.popLast() }) { return idle }
            return try prepare(verb.sql)
        }

        func give(_ statement: SQLiteStatement, _ verb: SQLiteVerb) {
            statement.reset()
            idle.withLock { idle in
                if idle.count >= Self.idleMax { idle.removeAll() }
                idle[verb, default: []].append(statement)
            }
        }

        /// Lets go of the statements that aren't in use: one that has run holds its tables.
        func forgetStatements() {
            let old = idle.withLock { idle in
                defer { idle.removeAll() }
                return idle
            }
            withExtendedLifetime(old) {}
        }

        private func prepare(_ sql: String) throws(EngineError) -> SQLiteStatement {
            var statement: OpaquePointer?
            let code = unsafe sqlite3_prepare_v3(
                handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
            guard code == SQLITE_OK, let statement = unsafe statement else { throw failure(code) }
            return unsafe SQLiteStatement(owning: statement, of: handle)
        }

        private func failure(_ code: Int32) -> EngineError {
            SQLiteFailure.error(code, systemError: unsafe sqlite3_system_errno(handle))
        }
    }
#endif
