// GRDB as an application uses it for documents: JSON text, and the fields that queries need as columns beside it.
internal import Foundation
internal import GRDB

/// A pool in WAL mode. Statements are cached; coders are kept.
final class GRDBCandidate: Candidate {
    let name = "grdb"
    private let path: String
    private var pool: DatabasePool?
    private let encoder = JSONEncoder()
    private let decoder = JSONDecoder()

    init(directory: String) { path = directory + "/people.grdb" }

    func open(_ durability: CommitDurability) throws {
        var configuration = Configuration()
        configuration.prepareDatabase { database in
            for pragma in SQLiteTuning.pragmas { try database.execute(sql: pragma) }
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        // Opening a pool sets `synchronous` to NORMAL after `prepareDatabase`; only the writer's connection counts.
        try pool.writeWithoutTransaction { database in
            try database.execute(sql: SQLiteTuning.synchronous(durability))
        }
        try pool.write { database in
            for sql in GRDBCandidate.schema { try database.execute(sql: sql) }
        }
        self.pool = pool
    }

    func close() throws {
        // Else its log stays beside the database.
        _ = try pool?.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        try pool?.close()
        pool = nil
    }

    private static let schema = [
        """
        CREATE TABLE IF NOT EXISTS people (
            id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, age INTEGER NOT NULL,
            score REAL NOT NULL, body TEXT NOT NULL)
        """,
        "CREATE INDEX IF NOT EXISTS byRole ON people (role)",
        "CREATE INDEX IF NOT EXISTS byAge ON people (age)",
        "CREATE INDEX IF NOT EXISTS byScore ON people (score)",
    ]

    private func opened() throws -> DatabasePool {
        guard let pool else { throw BenchError("grdb is not open") }
        return pool
    }
}

// MARK: - Writing

extension GRDBCandidate {
    func insertBatch(_ people: [Person]) throws {
        try opened().write { database in
            for person in people { try insert(person, database) }
        }
    }

    func insertEach(_ people: [Person]) throws {
        let pool = try opened()
        for person in people {
            try pool.write { database in try insert(person, database) }
        }
    }

    func deleteBatch(_ keys: [String]) throws {
        try opened().write { database in
            let statement = try database.cachedStatement(sql: "DELETE FROM people WHERE id = ?")
            for key in keys { try statement.execute(arguments: [key]) }
        }
    }

    private func insert(_ person: Person, _ database: Database) throws {
        let body = String(decoding: try encoder.encode(person), as: UTF8.self)
        let statement = try database.cachedStatement(
            sql: "INSERT INTO people VALUES (?, ?, ?, ?, ?, ?)")
        try statement.execute(arguments: [
            person.id, person.name, person.role, person.age, person.score, body,
        ])
    }
}

// MARK: - Reading

extension GRDBCandidate {
    func readTwoFields(_ keys: [String]) throws -> Digest {
        let pool = try opened()
        let sql = "SELECT body ->> '$.email', body ->> '$.createdAt' FROM people WHERE id = ?"
        var digest = Digest()
        for key in keys {
            try pool.read { database in
                let statement = try database.cachedStatement(sql: sql)
                guard let row = try Row.fetchOne(statement, arguments: [key]) else { return }
                digest.add(row[0] as String)
                digest.add(row[1] as Int)
            }
        }
        return digest
    }

    func readAll(_ keys: [String]) throws -> Digest {
        var digest = Digest()
        for key in keys {
            try addPeople("SELECT body FROM people WHERE id = ?", [key], to: &digest)
        }
        return digest
    }

    func readRanges(from bounds: [Double], limit: Int) throws -> Digest {
        let sql = "SELECT body FROM people WHERE score >= ? ORDER BY score LIMIT ?"
        var digest = Digest()
        for bound in bounds { try addPeople(sql, [bound, limit], to: &digest) }
        return digest
    }

    func countRanges(_ ranges: [Range<Double>]) throws -> Digest {
        let sql = "SELECT count(*) FROM people WHERE score >= ? AND score < ?"
        var digest = Digest()
        for range in ranges {
            digest.add(try number(sql, [range.lowerBound, range.upperBound]))
        }
        return digest
    }

    func readPages(at offsets: [Int], limit: Int) throws -> Digest {
        let sql = "SELECT body FROM people ORDER BY score LIMIT ? OFFSET ?"
        var digest = Digest()
        for offset in offsets { try addPeople(sql, [limit, offset], to: &digest) }
        return digest
    }

    func readFiltered(_ queries: [RoleQuery]) throws -> Digest {
        let sql = "SELECT body FROM people WHERE role = ? AND age > ? ORDER BY name, id LIMIT 10"
        var digest = Digest()
        for query in queries { try addPeople(sql, [query.role, query.olderThan], to: &digest) }
        return digest
    }

    func countScanned(createdAfter moments: [Int]) throws -> Digest {
        let sql = "SELECT count(*) FROM people WHERE body ->> '$.createdAt' > ?"
        var digest = Digest()
        for moment in moments { digest.add(try number(sql, [moment])) }
        return digest
    }

    func person(_ key: String) throws -> Person? {
        try opened().read { database in
            try String.fetchOne(
                database, sql: "SELECT body FROM people WHERE id = ?", arguments: [key])
        }.map(person(body:))
    }

    func count() throws -> Int { try number("SELECT count(*) FROM people", []) }

    private func addPeople(
        _ sql: String, _ arguments: StatementArguments, to digest: inout Digest
    ) throws {
        try opened().read { database in
            let statement = try database.cachedStatement(sql: sql)
            let bodies = try String.fetchCursor(statement, arguments: arguments)
            while let body = try bodies.next() { digest.add(try person(body: body)) }
        }
    }

    private func number(_ sql: String, _ arguments: StatementArguments) throws -> Int {
        try opened().read { database in
            let statement = try database.cachedStatement(sql: sql)
            return try Int.fetchOne(statement, arguments: arguments) ?? 0
        }
    }

    private func person(body: String) throws -> Person {
        try decoder.decode(Person.self, from: Data(body.utf8))
    }
}
