// The size limit: what all files together may have, at every moment.
//
// A commit writes its changed pages to the log, and a checkpoint copies them to the database later, so both are counted before
// it commits: the database with its new pages, the log with this commit behind it. (`cache_spill = OFF`: no page is written
// before the commit. The price is that a batch with a limit lies in memory until then.)
//
// Room for deleting: only what removes something may use the last eighth. And a database doesn't grow into the eighth before
// that, so that a change of records that are there has room in the log even when the database is full.
internal import OfflineBytes
internal import OfflineEngine

#if SQLite
    /// The room that a store has.
    struct SQLiteRoom: Sendable {
        static let pageSize: Int64 = 4_096
        /// A page in the log.
        private static let frameSize: Int64 = pageSize + 24
        /// What no sum of bound bytes tells: pages have to be counted.
        static let unknownBytes = 1 << 40
        /// A statement that writes changes at most so many pages besides those that its bytes fill: a leaf and its
        /// neighbours, their parents, the same in an index, and the list of free pages.
        private static let pagesOfWrite: Int64 = 12
        /// Pages of the log after which a checkpoint is due, without a limit.
        private static let checkpointPages: Int64 = 1_000

        let limit: Int64?
        private let folder: StoreFolder

        init(_ limit: Int64?, _ folder: StoreFolder) {
            self.limit = limit
            self.folder = folder
        }

        private var eighth: Int64 { (limit ?? .max) / 8 }

        /// Settings of the writing connection.
        func prepare(_ connection: SQLiteConnection) throws {
            guard let limit else { return }
            try connection.execute(
                "PRAGMA cache_spill = OFF; PRAGMA max_page_count = \(max(2, limit / Self.pageSize))"
            )
        }

        /// Whether the log is so long that it should be copied into the database.
        func isCheckpointDue(logPages: Int64) -> Bool {
            logPages >= min(Self.checkpointPages, eighth / 2 / Self.frameSize)
        }

        /// Whether the log takes room that a commit may need.
        func isLogLarge() throws -> Bool {
            limit == nil ? false : try size(SQLiteFiles.log) > eighth / 2
        }

        /// Throws `.quotaExceeded` where the store would be too large after the commit.
        func check(_ connection: SQLiteConnection, _ changes: SQLiteBatch.Changes) throws {
            guard let limit else { return }
            let pages = try connection.number("PRAGMA page_count") ?? 0
            let before = try size(SQLiteFiles.database)
            let log = try size(SQLiteFiles.log)
            // LOCK, and the index of the log, which grows with it.
            let others = try folder.space().usedBytes - before - log + 32_768
            let database = max(before, pages * Self.pageSize)
            let allowed = changes.removes ? limit : limit - eighth
            let isGrowing = pages * Self.pageSize > before
            if isGrowing, !changes.removes, database > limit - 2 * eighth - others {
                throw exceeded(limit)
            }
            let rest = allowed - database - log - others
            let estimated =
                Int64(changes.bytes) * 2
                + Int64(changes.writes) * Self.pagesOfWrite * Self.frameSize
            if estimated <= rest { return }
            if connection.dirtyBytes > rest { throw exceeded(limit) }
        }

        /// What adding may still take: pages that are free are used again.
        func left(usedPages: Int64) -> Int64? {
            limit.map { $0 - 2 * eighth - 65_536 - usedPages * Self.pageSize }
        }

        /// What SQLITE_FULL means: the store's own limit, or the device's.
        func reported(_ error: any Error) -> any Error {
            guard let limit, let full = error as? EngineError, full.code == .storageFull,
                let space = try? folder.space(), space.availableBytes > 64 * Self.pageSize
            else { return error }
            return exceeded(limit)
        }

        /// Whether a copy of `bytes` has room, in the limit and on the device.
        func hasRoom(for bytes: Int64) throws -> Bool {
            let space = try folder.space()
            // SQLite makes one copy in a temporary file and one in the log.
            return bytes <= (limit ?? .max) - space.usedBytes && bytes <= space.availableBytes / 2
        }

        private func exceeded(_ limit: Int64) -> OfflineError {
            OfflineError(
                .quotaExceeded,
                "the store would be larger than its \(limit) bytes; delete some records, or compact "
                    + "it, and try again")
        }

        /// A file's size; 0 where there is none.
        private func size(_ name: String) throws -> Int64 {
            let found = try io { () throws(FileSystemError) in
                try folder.system.information(folder.path(name))
            }
            return Int64(clamping: found?.size ?? 0)
        }
    }
#endif
