// Gives out snapshots: transactions on connections of their own, so that readers and the writer never wait for each other.
//
// A few snapshots of the newest state are kept ready and given out again until the next commit; beyond that number they are
// shared, so that any number of readers takes a bounded number of connections for each state that is held. Ready ones are
// let go before a batch begins: a log whose end nobody reads can be started over.
//
// Invariant: what is ready is of one state, and none that was given out before is newer. A commit shows to a new transaction
// before `renew` is called; whoever sees it first takes what was ready out of use.
internal import OfflineBytes

#if SQLite
    /// The snapshots of one database.
    final class SQLiteSnapshots: Sendable {
        /// A state with a transaction that holds it.
        struct Snapshot: Sendable {
            var transaction: SQLiteTransaction
            var catalog: SQLiteCatalog
        }
        private struct State {
            /// Of the newest state.
            var ready: [Snapshot] = []
            /// Whose turn it is where all are in use.
            var turn = 0
            /// One more each time that `ready` is let go.
            var epoch = 0
            /// Connections without a transaction.
            var idle: [SQLiteConnection] = []
            var isClosed = false
            /// The catalog of the newest commit, as far as is known here.
            var newest: SQLiteCatalog?
            /// Transactions that are open.
            var openCount = 0

            mutating func takeReady() -> [Snapshot] {
                defer { ready = [] }
                return ready
            }
        }
        private let path: String
        private let readyMax: Int
        private let state = Protected(State())
        private static let idleMax = 8

        /// `readyMax`: how many connections read the newest state side by side; with 1 it is the same snapshot until `renew`.
        init(path: String, readyMax: Int) {
            self.path = path
            self.readyMax = readyMax
        }

        /// The newest state.
        func snapshot() throws -> Snapshot {
            let (ready, epoch) = try state.withLock { state in
                if state.isClosed { throw BackendConfiguration.notOpen }
                return (reuse(&state), state.epoch)
            }
            if let ready { return ready }
            let made = try make()
            let (given, old) = state.withLock { state in keep(made, epoch, &state) }
            // Given back outside the lock.
            withExtendedLifetime(old) {}
            return given
        }

        /// What to give out where `made` was made since `epoch`, and what is ready no more.
        private func keep(
            _ made: Snapshot, _ epoch: Int, _ state: inout State
        ) -> (given: Snapshot, old: [Snapshot]) {
            var old: [Snapshot] = []
            if let other = state.ready.first {
                // With one only, everybody has the same.
                if readyMax == 1 { return (other, []) }
                // Made before the commit that others see by now.
                if other.catalog.commits > made.catalog.commits { return (made, []) }
                if other.catalog.commits < made.catalog.commits { old = state.takeReady() }
            }
            if state.epoch == epoch, !state.isClosed, state.ready.count < readyMax {
                state.ready.append(made)
            }
            return (made, old)
        }

        private func reuse(_ state: inout State) -> Snapshot? {
            for index in state.ready.indices
            where isKnownUniquelyReferenced(&state.ready[index].transaction) {
                return state.ready[index]
            }
            guard state.ready.count >= readyMax else { return nil }
            state.turn = (state.turn + 1) % state.ready.count
            return state.ready[state.turn]
        }

        /// A snapshot of the newest state that is the caller's alone.
        func make() throws -> Snapshot {
            let connection = try state.withLock { $0.idle.popLast() } ?? open()
            try connection.execute("BEGIN")
            let transaction = SQLiteTransaction(connection) { [self] in giveBack(connection) }
            state.withLock { $0.openCount += 1 }
            // The first read fixes the state.
            let commits = try SQLiteCatalog.commits(connection)
            if let known = state.withLock({ $0.newest }), known.commits == commits {
                return Snapshot(transaction: transaction, catalog: known)
            }
            return Snapshot(
                transaction: transaction, catalog: try SQLiteCatalog(reading: connection))
        }

        /// A connection that only reads.
        func open() throws -> SQLiteConnection { try SQLiteConnection(path: path, .reading) }

        private func giveBack(_ connection: SQLiteConnection) {
            let isSound = (try? connection.execute("COMMIT")) != nil
            state.withLock { state in
                state.openCount -= 1
                if isSound, !state.isClosed, state.idle.count < Self.idleMax {
                    state.idle.append(connection)
                }
            }
        }

        /// From here on snapshots are of the newest state there is; `catalog` is its, if it is known.
        func renew(_ catalog: SQLiteCatalog? = nil) {
            let old = state.withLock { state in
                if let catalog { state.newest = catalog }
                state.epoch += 1
                return state.takeReady()
            }
            // Given back outside the lock.
            withExtendedLifetime(old) {}
        }

        /// Whether a reader has a state that isn't the newest any more.
        var areOthersHeld: Bool { state.withLock { $0.openCount > $0.ready.count } }

        /// No more snapshots; those that are held go on.
        func close() {
            let old = state.withLock { state in
                state.isClosed = true
                let idle = state.idle
                state.idle = []
                return (state.takeReady(), idle)
            }
            withExtendedLifetime(old) {}
        }
    }

#endif
