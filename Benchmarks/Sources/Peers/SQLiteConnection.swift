// SQLite's C interface, wrapped as thinly as one can: a connection and its prepared statements, one thread at a time.
internal import GRDBSQLite

/// Settings of both SQLite candidates. A cache that holds all of a run, a mapped file, no file for sorting:
/// what SQLite's own documentation recommends for speed without giving up durability.
enum SQLiteTuning {
    static let pragmas = [
        "PRAGMA cache_size = -131072", "PRAGMA mmap_size = 2147483648",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA wal_autocheckpoint = 10000",
    ]
    static func synchronous(_ durability: CommitDurability) -> String {
        switch durability {
        case .full: "PRAGMA synchronous = FULL"
        case .relaxed: "PRAGMA synchronous = NORMAL"
        }
    }
}

/// An open database. Owns the connection; statements must not outlive it.
@safe
final class SQLiteConnection {
    private var handle: OpaquePointer?

    init(path: String) throws {
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = unsafe sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK else { throw BenchError("sqlite can't open \(path): \(code)") }
    }

    deinit { unsafe sqlite3_close_v2(handle) }

    func execute(_ sql: String) throws {
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code, sql) }
    }

    func prepare(_ sql: String) throws -> SQLiteStatement {
        var statement: OpaquePointer?
        let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
        let code = unsafe sqlite3_prepare_v3(handle, sql, -1, flags, &statement, nil)
        guard code == SQLITE_OK, let statement = unsafe statement else { throw error(code, sql) }
        return unsafe SQLiteStatement(statement, sql)
    }

    private func error(_ code: Int32, _ sql: String) -> BenchError {
        let message = unsafe String(cString: sqlite3_errmsg(handle))
        return BenchError("sqlite \(code) (\(message)): \(sql)")
    }
}

/// A prepared statement. Owns it.
@safe
final class SQLiteStatement {
    private let statement: OpaquePointer
    private let sql: String
    /// SQLITE_TRANSIENT: SQLite copies the bytes before the call returns. C's cast is beyond the importer.
    private let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    fileprivate init(_ statement: OpaquePointer, _ sql: String) {
        unsafe self.statement = unsafe statement
        self.sql = sql
    }

    deinit { unsafe sqlite3_finalize(statement) }

    func bind(_ position: Int32, _ text: String) {
        var text = text
        text.withUTF8 { bytes in
            let start = unsafe UnsafeRawPointer(bytes.baseAddress)?
                .assumingMemoryBound(to: CChar.self)
            _ = unsafe sqlite3_bind_text(
                statement, position, start, Int32(bytes.count), copied)
        }
    }

    func bind(_ position: Int32, _ number: Int) {
        unsafe sqlite3_bind_int64(statement, position, Int64(number))
    }

    func bind(_ position: Int32, _ number: Double) {
        unsafe sqlite3_bind_double(statement, position, number)
    }

    /// True: there is a row. False: there are no more, and the statement is ready to run again.
    func step() throws -> Bool {
        switch unsafe sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE:
            reset()
            return false
        case let code:
            reset()
            throw BenchError("sqlite \(code): \(sql)")
        }
    }

    func reset() { unsafe sqlite3_reset(statement) }

    func text(_ column: Int32) -> String {
        guard let start = unsafe sqlite3_column_text(statement, column) else { return "" }
        let count = Int(unsafe sqlite3_column_bytes(statement, column))
        return unsafe String(
            decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func int(_ column: Int32) -> Int { Int(unsafe sqlite3_column_int64(statement, column)) }

    func double(_ column: Int32) -> Double { unsafe sqlite3_column_double(statement, column) }
}
