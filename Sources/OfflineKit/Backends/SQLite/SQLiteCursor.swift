// Walking a range: one prepared statement that is stepped, and begun anew where a position is jumped to.
internal import OfflineBytes

#if SQLite
    /// Walks a range of a tree.
    final class SQLiteCursor: BackendCursor {
        /// Nil: there is no such tree.
        private let tree: TreeID?
        private let transaction: SQLiteTransaction
        private let isDescending: Bool
        /// What is ahead of the running statement, or, before its first step, of the next one.
        private var range: KeyRange
        /// The lower bound itself isn't in the range any more.
        private var isLowerExcluded = false
        private var running: (statement: SQLiteStatement, verb: SQLiteVerb)?
        private var isAtEnd: Bool
        /// Entries to pass over before the next one.
        private var skipped = 0
        /// Fewer are stepped over than a new statement costs.
        private static let steppedMax = 16

        init(
            _ tree: TreeID?, in range: KeyRange, descending: Bool,
            _ transaction: SQLiteTransaction
        ) {
            self.tree = tree
            self.range = range
            isDescending = descending
            isAtEnd = tree == nil
            self.transaction = transaction
        }

        deinit { stop() }

        func next() throws -> Bool {
            guard !isAtEnd else { return false }
            try transaction.check()
            if running != nil, skipped > Self.steppedMax { restartBehindCurrent() }
            var steps = 1
            if running != nil {
                steps += skipped
                skipped = 0
            }
            let statement = try running?.statement ?? start()
            for _ in 0..<steps where try !statement.step() {
                isAtEnd = true
                stop()
                return false
            }
            return true
        }

        func skip(_ count: Int) throws {
            guard count > 0 else { return }
            let (sum, isTooLarge) = skipped.addingReportingOverflow(count)
            skipped = isTooLarge ? Int.max : sum
        }

        func seek(_ key: [UInt8]) throws -> Bool {
            // Past the next entry at least, and past those that are to be skipped.
            guard try next() else { return false }
            if try ByteOrder.compare(current(), key) >= 0 { return true }
            stop()
            range.lower = key
            isLowerExcluded = false
            return try next()
        }

        func copyKey(into buffer: inout [UInt8]) {
            if let running {
                running.statement.copyBytes(0, into: &buffer)
            } else {
                buffer.removeAll(keepingCapacity: true)
            }
        }

        func withRecord(_ body: (RawSpan) throws -> Void) throws {
            guard let statement = running?.statement else { return }
            try transaction.check()
            let checksum = statement.integer(2)
            try statement.withBytes(0) { key in
                try statement.withBytes(1) { record in
                    try SQLiteRecord.check(key: key, record: record, checksum)
                    try body(record)
                }
            }
        }

        private func current() throws -> [UInt8] {
            var key: [UInt8] = []
            copyKey(into: &key)
            return key
        }

        private func restartBehindCurrent() {
            var key: [UInt8] = []
            copyKey(into: &key)
            stop()
            if isDescending {
                range.upper = key
            } else {
                range.lower = key
                isLowerExcluded = true
            }
        }

        private func start() throws -> SQLiteStatement {
            guard let tree else { throw SQLiteTransaction.closed }
            let walk = SQLiteWalk(
                lower: range.lower == nil ? .none : isLowerExcluded ? .after : .from,
                hasUpper: range.upper != nil, isDescending: isDescending)
            let verb = SQLiteVerb.walk(tree, walk)
            let statement = try transaction.connection.take(verb)
            running = (statement, verb)
            if let lower = range.lower { try statement.bind(1, lower) }
            if let upper = range.upper { try statement.bind(2, upper) }
            try statement.bind(3, Int64(skipped))
            skipped = 0
            return statement
        }

        private func stop() {
            guard let (statement, verb) = running.take() else { return }
            transaction.connection.give(statement, verb)
        }
    }
#endif
