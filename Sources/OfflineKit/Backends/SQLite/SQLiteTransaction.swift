// A transaction on a connection, which fixes what is read: a snapshot's or a batch's.
//
// Invariants: as long as the object lives and isn't ended, its connection is in one transaction and nobody else's. Readers and
// cursors hold the object, so a snapshot's ends when the last of them is gone.
internal import OfflineBytes

#if SQLite
    /// An open transaction; ended by `end` or by going away.
    final class SQLiteTransaction: Sendable {
        /// In a struct: a bare closure is wrapped once more each time that a generic type hands it out.
        private struct Ending {
            var run: @Sendable () -> Void
        }
        let connection: SQLiteConnection
        private let ending: Protected<Ending?>

        /// `ending` is called once; it gives the connection back.
        init(_ connection: SQLiteConnection, ending: @escaping @Sendable () -> Void) {
            self.connection = connection
            self.ending = Protected(Ending(run: ending))
        }

        deinit { end() }

        var isOpen: Bool { ending.withLock { $0 != nil } }

        func end() {
            let ending = ending.withLock { $0.take() }
            ending?.run()
        }

        /// Calls `body` with the statement, for the caller alone.
        func use<Result>(
            _ verb: SQLiteVerb, _ body: (SQLiteStatement) throws -> Result
        ) throws -> Result {
            try check()
            return try connection.use(verb, body)
        }

        /// Throws once it has ended.
        func check() throws(OfflineError) {
            if !isOpen { throw Self.closed }
        }

        static let closed = OfflineError(
            .transactionClosed, "the batch is committed or rolled back")
    }
#endif
