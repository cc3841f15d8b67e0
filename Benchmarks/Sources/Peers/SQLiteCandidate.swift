// SQLite at its best: the C interface, prepared statements, a column a field.

/// One connection, used by one thread at a time.
final class SQLiteCandidate: Candidate {
    let name = "sqlite"
    private let path: String
    private var session: Session?

    init(directory: String) { path = directory + "/people.sqlite" }

    /// What is open: the statements go before their connection.
    private final class Session {
        let insert, delete, twoFields, all, range, count, page, filtered, scanned,
            total: SQLiteStatement
        let connection: SQLiteConnection

        init(path: String, durability: CommitDurability) throws {
            connection = try SQLiteConnection(path: path)
            try connection.execute("PRAGMA journal_mode = WAL")
            for pragma in SQLiteTuning.pragmas { try connection.execute(pragma) }
            try connection.execute(SQLiteTuning.synchronous(durability))
            for sql in SQLiteCandidate.schema { try connection.execute(sql) }
            insert = try connection.prepare(
                "INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            delete = try connection.prepare("DELETE FROM people WHERE id = ?")
            twoFields = try connection.prepare("SELECT email, createdAt FROM people WHERE id = ?")
            all = try connection.prepare("SELECT * FROM people WHERE id = ?")
            range = try connection.prepare(
                "SELECT * FROM people WHERE score >= ? ORDER BY score LIMIT ?")
            count = try connection.prepare(
                "SELECT count(*) FROM people WHERE score >= ? AND score < ?")
            page = try connection.prepare("SELECT * FROM people ORDER BY score LIMIT ? OFFSET ?")
            filtered = try connection.prepare(
                "SELECT * FROM people WHERE role = ? AND age > ? ORDER BY name, id LIMIT 10")
            scanned = try connection.prepare("SELECT count(*) FROM people WHERE createdAt > ?")
            total = try connection.prepare("SELECT count(*) FROM people")
        }
    }

    private static let schema = [
        """
        CREATE TABLE IF NOT EXISTS people (
            id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, role TEXT NOT NULL,
            age INTEGER NOT NULL, score REAL NOT NULL, active INTEGER NOT NULL, city TEXT NOT NULL,
            createdAt INTEGER NOT NULL, bio TEXT NOT NULL)
        """,
        "CREATE INDEX IF NOT EXISTS byRole ON people (role)",
        "CREATE INDEX IF NOT EXISTS byAge ON people (age)",
        "CREATE INDEX IF NOT EXISTS byScore ON people (score)",
    ]

    func open(_ durability: CommitDurability) throws {
        session = try Session(path: path, durability: durability)
    }

    func close() { session = nil }

    private func opened() throws -> Session {
        guard let session else { throw BenchError("sqlite is not open") }
        return session
    }
}

// MARK: - Writing

extension SQLiteCandidate {
    func insertBatch(_ people: [Person]) throws {
        let session = try opened()
        try session.connection.execute("BEGIN IMMEDIATE")
        for person in people { try insert(person, session.insert) }
        try session.connection.execute("COMMIT")
    }

    func insertEach(_ people: [Person]) throws {
        let session = try opened()
        for person in people { try insert(person, session.insert) }
    }

    func deleteBatch(_ keys: [String]) throws {
        let session = try opened()
        try session.connection.execute("BEGIN IMMEDIATE")
        for key in keys {
            session.delete.bind(1, key)
            _ = try session.delete.step()
        }
        try session.connection.execute("COMMIT")
    }

    private func insert(_ person: Person, _ statement: SQLiteStatement) throws {
        statement.bind(1, person.id)
        statement.bind(2, person.name)
        statement.bind(3, person.email)
        statement.bind(4, person.role)
        statement.bind(5, person.age)
        statement.bind(6, person.score)
        statement.bind(7, person.active ? 1 : 0)
        statement.bind(8, person.city)
        statement.bind(9, person.createdAt)
        statement.bind(10, person.bio)
        _ = try statement.step()
    }
}

// MARK: - Reading

extension SQLiteCandidate {
    func readTwoFields(_ keys: [String]) throws -> Digest {
        let statement = try opened().twoFields
        var digest = Digest()
        for key in keys {
            statement.bind(1, key)
            while try statement.step() {
                digest.add(statement.text(0))
                digest.add(statement.int(1))
            }
        }
        return digest
    }

    func readAll(_ keys: [String]) throws -> Digest {
        let statement = try opened().all
        var digest = Digest()
        for key in keys {
            statement.bind(1, key)
            try addPeople(statement, to: &digest)
        }
        return digest
    }

    func readRanges(from bounds: [Double], limit: Int) throws -> Digest {
        let statement = try opened().range
        var digest = Digest()
        for bound in bounds {
            statement.bind(1, bound)
            statement.bind(2, limit)
            try addPeople(statement, to: &digest)
        }
        return digest
    }

    func countRanges(_ ranges: [Range<Double>]) throws -> Digest {
        let statement = try opened().count
        var digest = Digest()
        for range in ranges {
            statement.bind(1, range.lowerBound)
            statement.bind(2, range.upperBound)
            try addNumbers(statement, to: &digest)
        }
        return digest
    }

    func readPages(at offsets: [Int], limit: Int) throws -> Digest {
        let statement = try opened().page
        var digest = Digest()
        for offset in offsets {
            statement.bind(1, limit)
            statement.bind(2, offset)
            try addPeople(statement, to: &digest)
        }
        return digest
    }

    func readFiltered(_ queries: [RoleQuery]) throws -> Digest {
        let statement = try opened().filtered
        var digest = Digest()
        for query in queries {
            statement.bind(1, query.role)
            statement.bind(2, query.olderThan)
            try addPeople(statement, to: &digest)
        }
        return digest
    }

    func countScanned(createdAfter moments: [Int]) throws -> Digest {
        let statement = try opened().scanned
        var digest = Digest()
        for moment in moments {
            statement.bind(1, moment)
            try addNumbers(statement, to: &digest)
        }
        return digest
    }

    func person(_ key: String) throws -> Person? {
        let statement = try opened().all
        statement.bind(1, key)
        defer { statement.reset() }
        return try statement.step() ? person(statement) : nil
    }

    func count() throws -> Int {
        let statement = try opened().total
        defer { statement.reset() }
        return try statement.step() ? statement.int(0) : 0
    }

    private func addPeople(_ statement: SQLiteStatement, to digest: inout Digest) throws {
        while try statement.step() { digest.add(person(statement)) }
    }

    private func addNumbers(_ statement: SQLiteStatement, to digest: inout Digest) throws {
        while try statement.step() { digest.add(statement.int(0)) }
    }

    private func person(_ row: SQLiteStatement) -> Person {
        Person(
            id: row.text(0), name: row.text(1), email: row.text(2), role: row.text(3),
            age: row.int(4),
            score: row.double(5), active: row.int(6) != 0, city: row.text(7), createdAt: row.int(8),
            bio: row.text(9))
    }
}
