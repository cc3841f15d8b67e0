// The tables of a store, and every statement on them. A statement is fixed but for the numbers in its tables' names; keys
// and records are only ever bound.
//
//     store        one row: the application's schema version, the next commit's sequence, a count of all commits
//     collections  a row a collection: its definition, and the sums of its bytes
//     indexes      a row an index tree
//     names        the collections' dictionaries
//     records_3    the records of collection 3; keys_3 is the index of their keys
//     index_3_1    the keys of its index tree 1
//
// A table of records has rowids, and an index of the keys beside it. (Measured with 400,000 records of 350 bytes, 4 KiB pages:
// WITHOUT ROWID, where rows lie in key order, inserts in random order took 51 us instead of 18, and counts 4 to 5 times as
// long, since they read past the records. A scan in an order of keys that isn't the order of insertion takes 2.3 us a row
// instead of 0.5; the store's own keys are made in ascending order.) An index tree has nothing but keys: WITHOUT ROWID.
internal import OfflineEngine

#if SQLite
    /// Names and numbers in the database file.
    enum SQLiteTables {
        /// `OFFS`: a file with another application id isn't a store.
        static let applicationID: Int64 = 0x4F46_4653
        /// PRAGMA user_version. A greater one is a newer release's.
        static let formatVersion: Int64 = 1

        /// What a new file gets, in one transaction.
        static let creation = [
            """
            CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 1), schema_version INTEGER NOT NULL, \
            next_sequence INTEGER NOT NULL, commits INTEGER NOT NULL, checksum INTEGER NOT NULL)
            """,
            """
            CREATE TABLE collections (number INTEGER PRIMARY KEY, definition BLOB NOT NULL, \
            record_bytes INTEGER NOT NULL, index_bytes INTEGER NOT NULL, checksum INTEGER NOT NULL)
            """,
            """
            CREATE TABLE indexes (collection INTEGER NOT NULL, number INTEGER NOT NULL, \
            PRIMARY KEY (collection, number)) WITHOUT ROWID
            """,
            """
            CREATE TABLE names (collection INTEGER NOT NULL, position INTEGER NOT NULL, \
            name TEXT NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (collection, position)) \
            WITHOUT ROWID
            """,
        ]

        static func records(_ collection: CollectionID) -> String { "records_\(collection.value)" }

        static func keys(_ collection: CollectionID) -> String { "keys_\(collection.value)" }

        static func entries(_ tree: TreeID) -> String {
            "index_\(tree.collection.value)_\(tree.index)"
        }

        /// The tables of a new collection.
        static func creation(of collection: CollectionID) -> [String] {
            [
                """
                CREATE TABLE \(records(collection)) (key BLOB NOT NULL, record BLOB NOT NULL, \
                sequence INTEGER NOT NULL, checksum INTEGER NOT NULL)
                """,
                "CREATE UNIQUE INDEX \(keys(collection)) ON \(records(collection)) (key)",
            ]
        }

        /// The table of a new index tree.
        static func creation(of tree: TreeID) -> String {
            "CREATE TABLE \(entries(tree)) (key BLOB PRIMARY KEY NOT NULL) WITHOUT ROWID"
        }

        static func table(_ tree: TreeID) -> String {
            tree.index == 0 ? records(tree.collection) : entries(tree)
        }

        static func clearing(_ tree: TreeID) -> String { "DELETE FROM \(table(tree))" }

        static func dropping(_ tree: TreeID) -> String { "DROP TABLE \(table(tree))" }

        /// The bytes of all keys.
        static func summing(_ tree: TreeID) -> String {
            "SELECT coalesce(sum(length(key)), 0) FROM \(table(tree))"
        }

        static func longestKey(_ tree: TreeID) -> String {
            "SELECT coalesce(max(length(key)), 0) FROM \(table(tree))"
        }

        /// Entries of index trees that are being built.
        static let temporaryCreation = "CREATE TEMP TABLE building (number INTEGER, key BLOB)"
        static let temporaryDropping = "DROP TABLE temp.building"
    }

    /// How a cursor walks.
    struct SQLiteWalk: Hashable {
        enum Lower {
            case none
            case from
            case after
        }
        /// Parameter 1.
        var lower: Lower
        /// Parameter 2, excluded; when descending.
        var hasUpper: Bool
        var isDescending: Bool
    }

    /// A statement.
    enum SQLiteVerb: Hashable {
        case readStore
        case writeStore
        case writeCollection
        case writeName
        case writeIndex
        case removeIndex
        case writeTemporary
        /// Fills an index tree from the temporary table.
        case fill(TreeID)
        /// All records, in no order.
        case scan(CollectionID)
        case verify(CollectionID)
        case record(CollectionID)
        case sequence(CollectionID)
        case recordLength(CollectionID)
        case put(CollectionID)
        case removeRecord(CollectionID)
        case contains(TreeID)
        case first(TreeID)
        case insert(TreeID)
        case removeEntry(TreeID)
        case count(TreeID, hasLower: Bool, hasUpper: Bool)
        /// Parameter 3: how many entries are passed over.
        case walk(TreeID, SQLiteWalk)

        var sql: String {
            switch self {
            case .readStore:
                "SELECT schema_version, next_sequence, commits, checksum FROM store WHERE id = 1"
            case .writeStore:
                "INSERT OR REPLACE INTO store VALUES (1, ?1, ?2, ?3, ?4)"
            case .writeCollection:
                "INSERT OR REPLACE INTO collections VALUES (?1, ?2, ?3, ?4, ?5)"
            case .writeName: "INSERT INTO names VALUES (?1, ?2, ?3, ?4)"
            case .writeIndex: "INSERT INTO indexes VALUES (?1, ?2)"
            case .removeIndex: "DELETE FROM indexes WHERE collection = ?1 AND number = ?2"
            case .writeTemporary: "INSERT INTO temp.building VALUES (?1, ?2)"
            case .fill(let tree):
                """
                INSERT OR IGNORE INTO \(SQLiteTables.entries(tree)) \
                SELECT key FROM temp.building WHERE number = ?1 ORDER BY key
                """
            case .scan(let id):
                "SELECT key, record, checksum FROM \(SQLiteTables.records(id))"
            case .verify(let id):
                "SELECT key, record, checksum, sequence FROM \(SQLiteTables.records(id))"
            case .record(let id):
                "SELECT record, checksum FROM \(SQLiteTables.records(id)) WHERE key = ?1"
            case .sequence(let id):
                "SELECT sequence FROM \(SQLiteTables.records(id)) WHERE key = ?1"
            case .recordLength(let id):
                "SELECT length(record) FROM \(SQLiteTables.records(id)) WHERE key = ?1"
            case .put(let id):
                """
                INSERT INTO \(SQLiteTables.records(id)) (key, record, sequence, checksum) \
                VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) DO UPDATE SET \
                record = excluded.record, sequence = excluded.sequence, checksum = excluded.checksum
                """
            case .removeRecord(let id): "DELETE FROM \(SQLiteTables.records(id)) WHERE key = ?1"
            case .contains(let tree): "SELECT 1 FROM \(SQLiteTables.table(tree)) WHERE key = ?1"
            case .first(let tree):
                "SELECT key FROM \(SQLiteTables.table(tree)) WHERE key >= ?1 ORDER BY key LIMIT 1"
            case .insert(let tree):
                "INSERT OR IGNORE INTO \(SQLiteTables.entries(tree)) VALUES (?1)"
            case .removeEntry(let tree):
                "DELETE FROM \(SQLiteTables.entries(tree)) WHERE key = ?1"
            case .count(let tree, let hasLower, let hasUpper):
                "SELECT count(*) FROM \(SQLiteTables.table(tree))"
                    + condition(hasLower ? .from : .none, hasUpper)
            case .walk(let tree, let walk): sql(of: walk, over: tree)
            }
        }

        private func sql(of walk: SQLiteWalk, over tree: TreeID) -> String {
            // Named, so that the planner never sorts.
            let source =
                tree.index == 0
                ? "key, record, checksum FROM \(SQLiteTables.table(tree)) INDEXED BY "
                    + SQLiteTables.keys(tree.collection)
                : "key FROM \(SQLiteTables.table(tree))"
            return "SELECT \(source)" + condition(walk.lower, walk.hasUpper)
                + " ORDER BY key\(walk.isDescending ? " DESC" : "") LIMIT -1 OFFSET ?3"
        }

        private func condition(_ lower: SQLiteWalk.Lower, _ hasUpper: Bool) -> String {
            let upper = hasUpper ? "key < ?2" : nil
            let lower: String? =
                switch lower {
                case .none: nil
                case .from: "key >= ?1"
                case .after: "key > ?1"
                }
            let conditions = [lower, upper].compactMap { $0 }
            return conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        }
    }
#endif
