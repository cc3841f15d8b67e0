// The one connection that writes. It is used by one batch at a time, or by a definition or a compaction in between.
//
// Invariants:
// - A commit is known to readers' catalogs (SQLiteSnapshots.renew) before anybody is told of it.
// - Once the disk has failed in a commit or a sync, nothing more is written until the store is opened again: what a failed
//   sync has left is unknown, and a second one that succeeds proves nothing.
internal import OfflineBytes
internal import OfflineEngine

#if SQLite
    /// Writes the database.
    final class SQLiteWriter: Sendable {
        private enum Use {
            case nobody
            case batch
            case maintenance
        }
        private struct State {
            var use = Use.nobody
            var catalog: SQLiteCatalog
            var failure: EngineError?
            /// Commits may not be on stable storage yet.
            var isBehind = false
            var isFlushScheduled = false
            /// The count of commits when the database was compacted last.
            var compacted: Int64?
            /// With a limit: pages that aren't free.
            var usedPages: Int64 = 0
        }
        let connection: SQLiteConnection
        private let folder: StoreFolder
        private let durability: Durability
        private let room: SQLiteRoom
        private let snapshots: SQLiteSnapshots
        private let queue: BlockingQueue
        private let state: Monitor<State>

        init(
            _ connection: SQLiteConnection, _ catalog: SQLiteCatalog,
            _ configuration: BackendConfiguration, _ folder: StoreFolder,
            _ snapshots: SQLiteSnapshots, _ queue: BlockingQueue
        ) throws {
            self.connection = connection
            self.folder = folder
            durability = configuration.durability
            room = SQLiteRoom(configuration.sizeLimit, folder)
            self.snapshots = snapshots
            self.queue = queue
            state = Monitor(State(catalog: catalog))
            try room.prepare(connection)
            try countPages()
        }

        /// Bytes that adding may still take; nil without a limit.
        var bytesLeft: Int64? { room.left(usedPages: state.withLock { $0.usedPages }) }

        private func countPages() throws {
            if room.limit == nil { return }
            let pages = try connection.number("PRAGMA page_count") ?? 0
            let free = try connection.number("PRAGMA freelist_count") ?? 0
            state.withLock { $0.usedPages = pages - free }
        }

        // MARK: Who writes

        /// A batch on top of the latest commit. Waits for a compaction's end.
        func begin(_ collections: [CollectionID]) throws -> SQLiteBatch {
            try take(.batch)
            do {
                // A log that nobody reads is started over.
                snapshots.renew()
                if try room.isLogLarge() { try checkpoint(truncating: true) }
                return SQLiteBatch(
                    try transaction(), state.withLock { $0.catalog }, writing: collections, self)
            } catch {
                release()
                throw reported(error)
            }
        }

        /// The connection's new transaction, which has the writer until it ends.
        private func transaction() throws -> SQLiteTransaction {
            try connection.execute("BEGIN IMMEDIATE")
            return SQLiteTransaction(connection) { [self] in
                connection.resetRunning()
                if connection.isInTransaction { try? connection.execute("ROLLBACK") }
                release()
            }
        }

        private func take(_ use: Use) throws {
            let result: Result<Void, any Error>? = state.wait { state in
                if let failure = state.failure { return .failure(Self.refused(failure)) }
                switch state.use {
                case .nobody:
                    state.use = use
                    return .success(())
                case .batch:
                    return .failure(
                        OfflineError(
                            .storageUnavailable, "another batch is open; there is one at a time"))
                case .maintenance: return nil
                }
            }
            try result?.get()
        }

        private func release() {
            state.withLock { $0.use = .nobody }
            state.wakeAll()
        }

        // MARK: Committing

        /// Commits the batch whose transaction this is, on the queue.
        func commit(
            _ transaction: SQLiteTransaction, _ catalog: SQLiteCatalog,
            _ changes: SQLiteBatch.Changes
        ) async throws {
            try await queue.run { [self] in
                defer { transaction.end() }
                // The store may have been closed, or the disk have failed, since the batch began.
                if let failure = state.withLock({ $0.failure }) { throw Self.refused(failure) }
                do {
                    for id in changes.collections.sorted() {
                        try catalog.writeCollection(id, connection)
                    }
                    try catalog.writeStore(connection)
                    try room.check(connection, changes)
                } catch {
                    throw reported(error)
                }
                try commit(catalog)
            }
        }

        private func commit(_ catalog: SQLiteCatalog) throws {
            // Cursors of the batch that are still there are of no use any more.
            connection.resetRunning()
            do throws(EngineError) { try connection.execute("COMMIT") } catch {
                // It is rolled back, and so are pages in the log that no commit mark follows.
                if error.code == .storageFull { throw reported(error) }
                fail(error)
                throw EngineError(
                    .outcomeUnknown,
                    "the disk failed before the commit was durable (\(error.message)); open the store "
                        + "again to see whether it is there", file: error.file)
            }
            state.withLock { state in
                state.catalog = catalog
                state.isBehind = durability != .full
            }
            snapshots.renew(catalog)
            // What can't be read now is told by whatever comes next.
            try? countPages()
            if room.isCheckpointDue(logPages: connection.logPages) {
                // The commit is there. A disk that fails here is told by whatever comes next.
                try? checkpoint(truncating: false)
            }
            if case .periodic(let interval) = durability { scheduleFlush(after: interval) }
        }

        /// Copies the log into the database, as far as readers allow.
        private func checkpoint(truncating: Bool) throws {
            do throws(EngineError) {
                try connection.checkpoint(truncating: truncating)
            } catch {
                // A full disk may have room the next time: what can't be copied stays in the log.
                if error.code == .storageFull { return }
                fail(error)
                throw error
            }
        }

        // MARK: Failing

        private func fail(_ failure: EngineError) {
            state.withLock { if $0.failure == nil { $0.failure = failure } }
        }

        private static func refused(_ failure: EngineError) -> EngineError {
            if failure.code == .closed { return failure }
            return EngineError(
                .readOnly,
                "the store is read-only since the disk failed (\(failure.message)); open it again",
                file: failure.file)
        }

        /// A failure as callers see it: the store's own limit isn't the device's.
        func reported(_ error: any Error) -> any Error { room.reported(error) }

        // MARK: Durability

        /// Makes all commits durable. On the queue.
        func flush() throws {
            let isBehind = try state.withLock { state in
                if let failure = state.failure { throw Self.refused(failure) }
                defer { state.isBehind = false }
                return state.isBehind
            }
            guard isBehind else { return }
            do throws(EngineError) {
                try io { () throws(FileSystemError) in try syncLog() }
            } catch {
                fail(error)
                throw error
            }
        }

        /// What was in the log before a checkpoint began it anew is in the database, and synced there.
        private func syncLog() throws(FileSystemError) {
            let file: any File
            do throws(FileSystemError) {
                file = try folder.system.open(folder.path(SQLiteFiles.log), .readWrite)
            } catch {
                if error.number == SystemErrorNumber.noEntry { return }
                throw error
            }
            defer { file.close() }
            try file.sync()
        }

        private func scheduleFlush(after interval: Duration) {
            let isNew = state.withLock { state in
                defer { state.isFlushScheduled = true }
                return !state.isFlushScheduled
            }
            guard isNew else { return }
            queue.schedule(after: interval) { [weak self] in
                guard let self else { return }
                state.withLock { $0.isFlushScheduled = false }
                // A disk that fails here is told by whatever comes next.
                try? flush()
            }
        }

        /// Makes everything durable and takes no more. On the queue.
        func close() throws {
            defer { fail(EngineError(.closed, "the store is closed")) }
            if state.withLock({ $0.failure != nil }) { return }
            try flush()
            if state.withLock({ $0.use == .nobody }) { try checkpoint(truncating: true) }
        }
    }

    // MARK: - Definitions and compaction

    extension SQLiteWriter {
        /// `StorageBackend.define`.
        func define(
            _ changes: [StoredCollection], version: UInt64, deriver: any KeyDeriver,
            validate: (_ reader: any BackendReader, _ newTrees: [TreeID]) throws -> Void
        ) throws {
            try take(.maintenance)
            snapshots.renew()
            let old = state.withLock { $0.catalog }
            do {
                let transaction: SQLiteTransaction
                do { transaction = try self.transaction() } catch {
                    release()
                    throw error
                }
                defer { transaction.end() }
                var definition = SQLiteDefinition(old, connection, deriver)
                for change in changes {
                    try deriver.load(change)
                    try definition.define(change)
                }
                try validate(SQLiteReader(transaction, definition.catalog), definition.newTrees)
                definition.catalog.version = version
                definition.catalog.commits += 1
                try definition.catalog.writeStore(connection)
                try commit(definition.catalog)
            } catch {
                for collection in old.stored() { try deriver.load(collection) }
                throw reported(error)
            }
        }

        /// Gives space back; whether nothing is left in the files of what was replaced. On the queue. While a batch is open only the log is
        /// copied: it goes on with what it sees.
        func compact() throws -> Bool {
            let isMine = try state.withLock { state in
                if let failure = state.failure { throw Self.refused(failure) }
                guard state.use == .nobody else { return false }
                state.use = .maintenance
                return true
            }
            guard isMine else {
                try checkpoint(truncating: false)
                return false
            }
            defer { release() }
            snapshots.renew()
            try checkpoint(truncating: true)
            let (commits, compacted) = state.withLock { ($0.catalog.commits, $0.compacted) }
            if commits == compacted { return try isLogEmpty() }
            let pages = try connection.number("PRAGMA page_count") ?? 0
            let free = try connection.number("PRAGMA freelist_count") ?? 0
            // A cursor that outlives its batch reads on this connection.
            if connection.isReading { return false }
            guard try room.hasRoom(for: (pages - free) * SQLiteRoom.pageSize) else { return false }
            do throws(EngineError) { try connection.execute("VACUUM") } catch {
                // Nothing has changed. Without room for the copy there is nothing to give back now.
                if error.code == .storageFull || error.code == .locked { return false }
                if error.code == .unavailable { fail(error) }
                throw error
            }
            state.withLock { state in
                state.compacted = commits
                state.isBehind = durability != .full
            }
            snapshots.renew()
            try checkpoint(truncating: true)
            return try isLogEmpty()
        }

        /// Else the database has pages still that the log replaces.
        private func isLogEmpty() throws -> Bool {
            let found = try io { () throws(FileSystemError) in
                try folder.system.information(folder.path(SQLiteFiles.log))
            }
            return found?.size ?? 0 == 0
        }
    }
#endif
