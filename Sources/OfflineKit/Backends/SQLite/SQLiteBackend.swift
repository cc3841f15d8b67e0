// SQLite as a backend: one database file, a table a tree, bounds and order pushed into SQL.
//
//   LOCK               held by the one writing process
//   store.sqlite       the database
//   store.sqlite-wal   its log, while it is open
//   store.sqlite-shm   the log's index, while it is open
//
// Opening, commits, checkpoints, verification and compaction run on a queue of their own, never on a thread of the cooperative
// pool; reads, and the statements of a batch, run where the caller runs.
//
// Invariant: no file but the log is ever opened besides SQLite while a connection is open, since closing it would drop the
// locks that SQLite has on it (they are POSIX locks, which are a process's, not a descriptor's).
internal import OfflineBytes
internal import OfflineEngine

#if SQLite
    /// The names of the files.
    enum SQLiteFiles {
        static let database = "store.sqlite"
        static let log = "store.sqlite-wal"
        static let index = "store.sqlite-shm"
        /// Of a database that keeps no log, as one is while it is made.
        static let journal = "store.sqlite-journal"
    }

    /// A database of SQLite's.
    package final class SQLiteBackend: StorageBackend {
        private struct Opened {
            var snapshots: SQLiteSnapshots
            /// Nil: opened for reading.
            var writer: SQLiteWriter?
            var lock: (any FileLock)?
            var configuration: BackendConfiguration
        }
        let system: any FileSystem
        private let opened = Protected<Opened?>(nil)
        private let queue = BlockingQueue("offline.store.sqlite")
        /// Connections that read the newest state side by side.
        private static let readersMax = 4

        package convenience init() { self.init(system: PosixFileSystem()) }

        /// `system` has all but SQLite's own calls: of the folder, the lock, and flushes.
        init(system: any FileSystem) { self.system = system }

        package var allowsParallelWriters: Bool { false }

        package func initialize(_ configuration: BackendConfiguration) async throws {
            let new = try await queue.run { [self] in try open(configuration) }
            opened.withLock { $0 = new }
        }

        private func open(_ configuration: BackendConfiguration) throws -> Opened {
            let folder = StoreFolder(system, configuration.path)
            try folder.checkContents(for: .sqlite)
            if configuration.isReadOnly {
                try folder.checkThere()
                try SQLiteFile.check(folder)
                return try read(folder, configuration)
            }
            try folder.make()
            let lock = try folder.lock()
            do {
                return try write(folder, lock, configuration)
            } catch {
                lock.release()
                throw error
            }
        }

        private func read(
            _ folder: StoreFolder, _ configuration: BackendConfiguration
        ) throws -> Opened {
            let snapshots = SQLiteSnapshots(
                path: folder.path(SQLiteFiles.database), readyMax: 1)
            try SQLiteFile.checkFormat(try snapshots.open())
            try load(try snapshots.snapshot().catalog, configuration)
            return Opened(
                snapshots: snapshots, writer: nil, lock: nil, configuration: configuration)
        }

        private func write(
            _ folder: StoreFolder, _ lock: any FileLock, _ configuration: BackendConfiguration
        ) throws -> Opened {
            let connection = try SQLiteFile.open(folder, configuration.durability)
            let catalog = try SQLiteCatalog(reading: connection)
            try load(catalog, configuration)
            let snapshots = SQLiteSnapshots(
                path: folder.path(SQLiteFiles.database), readyMax: Self.readersMax)
            snapshots.renew(catalog)
            let writer = try SQLiteWriter(
                connection, catalog, configuration, folder, snapshots, queue)
            return Opened(
                snapshots: snapshots, writer: writer, lock: lock, configuration: configuration)
        }

        private func load(
            _ catalog: SQLiteCatalog, _ configuration: BackendConfiguration
        ) throws {
            for collection in catalog.stored() { try configuration.deriver.load(collection) }
        }

        package func close() async throws {
            try await queue.run { [self] in
                guard let opened = opened.withLock({ $0.take() }) else { return }
                defer { opened.lock?.release() }
                opened.snapshots.close()
                try opened.writer?.close()
            }
        }

        package func flush() async throws {
            guard let writer = try current().writer else { return }
            try await queue.run { try writer.flush() }
        }

        package func snapshot() throws -> any BackendReader {
            let snapshot = try current().snapshots.snapshot()
            return SQLiteReader(snapshot.transaction, snapshot.catalog)
        }

        package func begin(
            _ collections: [CollectionID], reading: [CollectionID]
        ) throws -> any BackendBatch {
            let opened = try current()
            if collections.isEmpty {
                let snapshot = try opened.snapshots.snapshot()
                let shared = snapshot.transaction
                // Ends by itself, whatever becomes of the batch's.
                let transaction = SQLiteTransaction(shared.connection) {
                    withExtendedLifetime(shared) {}
                }
                return SQLiteBatch(transaction, snapshot.catalog, writing: [], nil)
            }
            try opened.configuration.checkWritable()
            guard let writer = opened.writer else { throw BackendConfiguration.notOpen }
            return try writer.begin(collections)
        }

        package func define(
            _ changes: [StoredCollection], version: UInt64,
            validate: (_ reader: any BackendReader, _ newTrees: [TreeID]) throws -> Void
        ) async throws {
            let opened = try current()
            try opened.configuration.checkWritable()
            guard let writer = opened.writer else { throw BackendConfiguration.notOpen }
            // The caller waits for this; schema changes happen while a store opens, with nobody else on it.
            try writer.define(
                changes, version: version, deriver: opened.configuration.deriver,
                validate: validate)
        }

        package func verify() async throws -> BackendVerification {
            let opened = try current()
            return try await queue.run {
                try SQLiteVerifier(try opened.snapshots.make()).run()
            }
        }

        package var room: Int64? { opened.withLock { $0?.writer?.bytesLeft } }

        package func space() throws -> BackendSpace {
            let opened = try current()
            let folder = StoreFolder(system, opened.configuration.path)
            var space = try folder.space()
            func size(_ name: String) throws -> Int64 {
                let found = try io { () throws(FileSystemError) in
                    try system.information(folder.path(name))
                }
                return Int64(clamping: found?.size ?? 0)
            }
            space.logBytes = try size(SQLiteFiles.log)
            space.treeBytes = try size(SQLiteFiles.database)
            let snapshot = try opened.snapshots.snapshot()
            let free = try snapshot.transaction.connection.number("PRAGMA freelist_count") ?? 0
            space.reclaimableBytes = free * SQLiteRoom.pageSize
            if opened.snapshots.areOthersHeld {
                space.pinnedBytes = space.logBytes
            } else {
                space.reclaimableBytes += space.logBytes
            }
            return space
        }

        package func compact() async throws { _ = try await compactTellingRest() }

        func compactTellingRest() async throws -> Bool {
            guard let writer = try current().writer else { return false }
            return try await queue.run { try writer.compact() }
        }

        package func refresh() async throws {
            let opened = try current()
            guard opened.writer == nil else { return }
            try await queue.run { [self] in
                opened.snapshots.renew()
                try load(try opened.snapshots.snapshot().catalog, opened.configuration)
            }
        }

        private func current() throws -> Opened {
            guard let opened = opened.withLock({ $0 }) else { throw BackendConfiguration.notOpen }
            return opened
        }
    }
#endif
