// A prepared statement: binding, stepping, reading columns.
internal import OfflineBytes
internal import OfflineEngine

#if SQLite
    internal import COfflineSQLite

    /// A prepared statement. Whoever took it from its connection uses it alone until it is given back.
    @safe
    final class SQLiteStatement {
        private let handle: OpaquePointer
        private let database: OpaquePointer

        /// Owns `handle`. A connection that is closed before stays until the statement is gone.
        @unsafe
        init(owning handle: OpaquePointer, of database: OpaquePointer) {
            unsafe self.handle = unsafe handle
            unsafe self.database = unsafe database
        }

        deinit { unsafe sqlite3_finalize(handle) }

        // MARK: Binding, from position 1

        func bind(_ position: Int32, _ number: Int64) throws(EngineError) {
            try check(unsafe sqlite3_bind_int64(handle, position, number))
        }

        func bind(_ position: Int32, _ bytes: [UInt8]) throws(EngineError) {
            try check(
                unsafe bytes.withBytes {
                    unsafe offline_sqlite_bind_blob(
                        handle, position, $0.baseAddress, Int32(clamping: $0.count))
                })
        }

        func bind(_ position: Int32, _ bytes: RawSpan) throws(EngineError) {
            try check(
                unsafe bytes.withUnsafeBytes {
                    unsafe offline_sqlite_bind_blob(
                        handle, position, $0.baseAddress, Int32(clamping: $0.count))
                })
        }

        func bind(_ position: Int32, text: String) throws(EngineError) {
            var text = text
            try check(
                text.withUTF8 { bytes in
                    let start = unsafe UnsafeRawPointer(bytes.baseAddress)?
                        .assumingMemoryBound(to: CChar.self)
                    return unsafe offline_sqlite_bind_text(
                        handle, position, start, Int32(clamping: bytes.count))
                })
        }

        /// Runs the statement with bytes bound that aren't copied: they stay where they are until it is done.
        func withBound<Result>(
            _ position: Int32, _ bytes: [UInt8], _ body: () throws -> Result
        ) throws -> Result {
            try unsafe bytes.withBytes {
                try check(
                    unsafe offline_sqlite_bind_blob_in_place(
                        handle, position, $0.baseAddress, Int32(clamping: $0.count)))
                defer { reset() }
                return try body()
            }
        }

        // MARK: Running

        /// True: there is a row. False: the statement is done, and isn't stepped again before `reset`.
        func step() throws(EngineError) -> Bool {
            switch unsafe sqlite3_step(handle) {
            case SQLITE_ROW: return true
            case SQLITE_DONE: return false
            case let code: throw failure(code)
            }
        }

        /// Runs a statement that has no rows to give.
        func run() throws(EngineError) {
            _ = try step()
            reset()
        }

        /// Ends the run and forgets what was bound.
        func reset() {
            unsafe sqlite3_reset(handle)
            unsafe sqlite3_clear_bindings(handle)
        }

        private func check(_ code: Int32) throws(EngineError) {
            if code != SQLITE_OK { throw failure(code) }
        }

        private func failure(_ code: Int32) -> EngineError {
            let number = unsafe sqlite3_system_errno(database)
            return SQLiteFailure.error(
                code, systemError: code & 0xFF == SQLITE_IOERR ? number : 0)
        }

        // MARK: The row's columns, from 0

        func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

        /// A copy of a blob or a text.
        func bytes(_ column: Int32) -> [UInt8] {
            var result: [UInt8] = []
            copyBytes(column, into: &result)
            return result
        }

        /// Replaces `buffer` by a blob, keeping its memory.
        func copyBytes(_ column: Int32, into buffer: inout [UInt8]) {
            buffer.removeAll(keepingCapacity: true)
            withBytes(column) { unsafe $0.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) } }
        }

        /// Calls `body` with a blob where SQLite has it: until the next step.
        func withBytes<Result>(_ column: Int32, _ body: (RawSpan) throws -> Result) rethrows
            -> Result
        {
            // In this order: asking for the bytes may convert them.
            let start = unsafe sqlite3_column_blob(handle, column)
            let count = Int(unsafe sqlite3_column_bytes(handle, column))
            let bytes = unsafe UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
            return try unsafe body(bytes.bytes)
        }

        func text(_ column: Int32) throws(EngineError) -> String {
            guard let text = String(validating: bytes(column), as: UTF8.self) else {
                throw SQLiteFailure.corrupted("a name isn't UTF-8")
            }
            return text
        }
    }
#endif
