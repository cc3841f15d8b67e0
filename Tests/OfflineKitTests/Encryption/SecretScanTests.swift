// Nothing of a sensitive field gets out: through every path that a value can take, a secret goes in, and no byte that is written, no file
// and no text (errors, plans, reports, events) has it in any shape.
//
// Each row is one path; it gets a store with records that have secrets, does what it is named for, and hands over the texts it
// was given. What gives values back on purpose (records, changes) is compared, not scanned.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Secrets") struct SecretScanTests {
    /// The secrets: each has the marker in it.
    static let marker = FieldEncryptionTests.marker
    static func secret(_ name: String) -> Value { .string(name + marker) }

    /// What a row was told.
    final class Texts: Sendable {
        private let found = Protected<[String]>([])
        var all: [String] { found.withLock { $0 } }

        func add(_ text: Any) {
            let both = "\(text) \(String(reflecting: text))"
            found.withLock { $0.append(both) }
        }

        /// Runs what must be refused.
        func refused(
            _ code: OfflineError.Code, sourceLocation: SourceLocation = #_sourceLocation,
            _ body: () async throws -> Void
        ) async {
            guard
                let error = await expectError(code, sourceLocation: sourceLocation, body)
            else { return }
            add(error)
            add(error.localizedDescription)
        }
    }

    struct Path: Sendable, CustomTestStringConvertible {
        let name: String
        let run: @Sendable (OfflineStore, Texts) async throws -> Void
        var testDescription: String { name }

        init(
            _ name: String, _ run: @escaping @Sendable (OfflineStore, Texts) async throws -> Void
        ) {
            self.name = name
            self.run = run
        }
    }

    // MARK: The store

    static let schema = [
        CollectionSchema(
            name: "users",
            indexes: [
                IndexSchema(name: "ssn", keyPath: "ssn", unique: true),
                IndexSchema(name: "team", keyPaths: ["plan.team", "level"]),
            ],
            relationships: [
                RelationshipSchema(
                    name: "orders", collection: "orders", type: .oneToMany,
                    foreignKey: "user_id", onDelete: .cascade)
            ],
            sensitiveFields: ["password"],
            accessPolicy: AccessPolicy([
                .init(role: "all", operations: Set(AccessPolicy.Operation.allCases)),
                .init(
                    role: "some", operations: [.read, .update], where: ["level": 1],
                    hiddenFields: ["ssn", "password"]),
            ])),
        CollectionSchema(
            name: "orders", indexes: [IndexSchema(name: "user_id", keyPath: "user_id")],
            relationships: [
                RelationshipSchema(
                    name: "user", collection: "users", type: .manyToOne, foreignKey: "user_id",
                    onDelete: .cascade)
            ]),
    ]

    static func options(_ backend: StorageBackendOption, in directory: URL) -> StorageOptions {
        StorageOptions(
            databaseName: "secrets", directory: directory, storageBackend: backend,
            encryption: EncryptionOptions(
                sensitiveFields: ["ssn", "cards.number", "plan.team", "note"],
                encryptionKeyProvider: KeyEnvelopeTests.key(1), unsearchableFields: ["note"]),
            storageSchema: schema)
    }

    static func user(_ id: String) -> Document {
        [
            "id": .string(id), "ssn": secret(id), "password": secret("p"), "level": 1,
            "cards": [["number": secret("c"), "until": 2027], ["until": 2028]],
            "plan": ["team": secret("t"), "since": 3], "note": secret("n"),
        ]
    }

    static func order(_ id: Int) -> Document {
        ["id": .int(Int64(id)), "user_id": "a", "note": secret("o"), "total": 5]
    }

    private static func fill(_ store: OfflineStore) async throws {
        try await store.createBatch("users", [user("a"), user("b"), user("c")])
        try await store.createBatch("orders", [order(1), order(2)])
    }

    /// `#expect(try …)` doesn't compile in the rows' closures.
    private static func same<T: Equatable>(
        _ found: T, _ expected: T, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(found == expected, sourceLocation: sourceLocation)
    }

    // MARK: Running a row

    @Test(arguments: paths)
    func `no secret is in what a store on simulated disks writes and says`(_ path: Path)
        async throws
    {
        for isLog in [true, false] {
            let disk = RecordingFileSystem(SimulatedFileSystem(), keepsWrites: true)
            let backend: any StorageBackend =
                isLog ? LogBackend(system: disk) : FileBackend(system: disk)
            let options = Self.options(.custom(backend), in: URL(fileURLWithPath: "/"))
            try await Self.run(path, options)
            #expect(!disk.writes.isEmpty)
            for write in disk.writes where FieldEncryptionTests.finds(in: write.bytes) {
                Issue.record("\(path.name): \(write.path) has a secret at \(write.offset)")
            }
        }
    }

    #if SQLite
        @Test(arguments: paths)
        func `no secret is in the files of a database`(_ path: Path) async throws {
            let folder = try TestFolder()
            defer { folder.remove() }
            let options = Self.options(.sqlite, in: folder.url)
            try await Self.run(path, options) {
                let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
                #expect(names.contains { $0.hasSuffix(".sqlite") })
                for name in names where !name.hasSuffix(".offline") {
                    let bytes = [UInt8](try Data(contentsOf: folder.url.appending(path: name)))
                    if FieldEncryptionTests.finds(in: bytes) {
                        Issue.record("\(path.name): \(name) has a secret")
                    }
                }
            }
        }
    #endif

    /// Runs a row on a store with records; `scan` before the store closes, and after.
    private static func run(
        _ path: Path, _ options: StorageOptions, scan: () throws -> Void = {}
    ) async throws {
        let texts = Texts()
        let store = OfflineStore(options)
        try await store.initialize()
        try await fill(store)
        try await path.run(store, texts)
        try scan()
        let report = try await store.verify()
        #expect(report.isSound, "\(path.name): \(report)")
        texts.add(report)
        texts.add(try await store.getStorageInfo())
        texts.add(store)
        texts.add(options)
        try await store.close()
        try scan()
        for text in texts.all where FieldEncryptionTests.finds(in: Array(text.utf8)) {
            Issue.record("\(path.name): a secret is in: \(text)")
        }
    }

    // MARK: The rows

    static let paths: [Path] = writing + querying + changing + refusing + managing

    static let writing: [Path] = [
        Path("create, update, upsert, delete") { store, _ in
            same(try await store.create("users", user("d")), user("d"))
            try await store.update("users", user("a"), mode: .replace)
            try await store.update("users", ["id": "b", "password": secret("q")], mode: .merge)
            try await store.upsert("users", user("e"))
            try await store.upsert("users", user("a"))
            same(try await store.delete("users", "c"), true)
            same(try await store.get("users", "a"), user("a"))
        },
        Path("batches") { store, _ in
            try await store.createBatch("users", [user("d"), user("e")])
            try await store.updateBatch("users", [user("d"), user("e")], mode: .merge)
            same(try await store.deleteBatch("users", ["a", "d"]), 2)
        },
        Path("a transaction that commits, and one that doesn't") { store, _ in
            for commits in [true, false] {
                let transaction = try await store.beginTransaction(["users", "orders"])
                try await transaction.create("users", user("d\(commits)"))
                try await transaction.create("orders", order(commits ? 7 : 8))
                same(try await transaction.get("users", "d\(commits)") == nil, false)
                same(try await transaction.count("users", ["ssn": secret("b")]), 1)
                if commits {
                    try await transaction.commit()
                } else {
                    try await transaction.rollback()
                }
            }
        },
        Path("a transaction that is staged") { store, _ in
            let filler = Value.string(String(repeating: "x", count: 300_000))
            try await store.transaction(["users"]) { transaction in
                for number in 0..<12 {
                    var user = user("staged \(number)")
                    user["filler"] = filler
                    user["plan"] = ["team": .string(marker + String(repeating: "y", count: 9_000))]
                    try await transaction.create("users", user)
                }
            }
            same(try await store.count("users"), 15)
        },
        Path("cascades") { store, _ in
            same(try await store.delete("users", "a"), true)
            same(try await store.count("orders"), 0)
        },
        Path("typed records") { store, texts in
            struct User: Codable, Sendable, Equatable {
                var id: String
                var ssn: String
                var password: String?
            }
            struct Wrong: Codable, Sendable {
                var id: String
                var ssn: Int
            }
            let new = User(id: "d", ssn: "d" + marker, password: marker)
            let users = store.collection("users", of: User.self)
            same(try await users.create(new), new)
            same(try await users.get("d"), new)
            do {
                _ = try await store.collection("users", of: Wrong.self).get("d")
                Issue.record("decoded")
            } catch {
                texts.add(error)
            }
        },
    ]

    static let querying: [Path] = [
        Path("queries, counts, explain") { store, texts in
            let filters: [(Filter, Int)] = [
                (["ssn": secret("a")], 1), (["ssn": ["$in": [secret("a"), secret("b")]]], 2),
                (["plan.team": secret("t"), "level": 1], 3), (["note": secret("n")], 3),
                (["password": ["$gt": .string("o" + marker)]], 3),
                (["cards.number": secret("c")], 3),
                (["ssn": ["$regex": .string("^a" + marker)]], 1),
                (["cards": ["$elemMatch": ["number": secret("c")]]], 3),
                (["$or": [["ssn": secret("a")], ["note": ["$contains": .string(marker)]]]], 3),
            ]
            for (filter, count) in filters {
                for sort in [[], [Sort.ascending("note")], [.descending("ssn")]] {
                    let query = Query(filters: filter, sort: sort)
                    same(try await store.query("users", query).count, count)
                    texts.add(try await store.explain("users", query, analyze: true))
                }
                same(try await store.count("users", filter), count)
            }
        },
        Path("distinct, aggregates, streams") { store, _ in
            same(try await store.distinct("users", "note", .all), [secret("n")])
            let groups = try await store.aggregate(
                "users",
                Aggregation(groupBy: ["plan.team"], measures: ["most": .maximum("ssn")]))
            #expect(groups.map { $0["most"] } == [secret("c")])
            var count = 0
            for try await user in store.stream("users", Query(sort: [.ascending("ssn")])) {
                #expect(user["ssn"]?.stringValue?.hasSuffix(marker) == true)
                count += 1
            }
            #expect(count == 3)
        },
        Path("includes") { store, texts in
            let query = Query(filters: ["id": "a"], include: ["orders"])
            let user = try await store.query("users", query).first
            #expect(user?["orders"]?.arrayValue?.first?["note"] == secret("o"))
            let order = try await store.get("orders", 1, include: ["user"])
            #expect(order?["user"]?["ssn"] == secret("a"))
            let filtered = Include(
                "orders", filters: ["note": secret("o")], sort: [.descending("note")])
            let got = try await store.get("users", "a", include: [filtered])
            #expect(got?["orders"]?.arrayValue?.count == 2)
            texts.add(try await store.explain("users", query, analyze: true))
        },
        Path("snapshots") { store, _ in
            let snapshot = try await store.snapshot()
            try await store.update("users", ["id": "a", "note": secret("later")], mode: .merge)
            same(try await snapshot.get("users", "a"), user("a"))
            same(try await snapshot.count("users", ["ssn": secret("a")]), 1)
            snapshot.close()
        },
        Path("sessions") { store, texts in
            let all = store.session(as: Principal(id: "x", roles: ["all"]))
            same(try await all.get("users", "a"), user("a"))
            same(try await all.create("users", user("s")), user("s"))
            let some = store.session(as: Principal(id: "y", roles: ["some"]))
            same(try await some.get("users", "a")?["note"], secret("n"))
            same(try await some.get("users", "a")?["ssn"], nil)
            await texts.refused(.accessDenied) {
                _ = try await some.query("users", Query(filters: ["ssn": secret("a")]))
            }
            await texts.refused(.accessDenied) {
                try await some.update("users", ["id": "a", "ssn": secret("z")], mode: .merge)
            }
            await texts.refused(.accessDenied) { try await some.create("users", user("t")) }
            texts.add(
                try await some.explain(
                    "users", Query(filters: ["note": secret("n")]), analyze: true))
        },
    ]

    static let changing: [Path] = [
        Path("changes, bases, tombstones") { store, _ in
            try await store.markSynchronized(store.getChanges())
            try await store.update("users", ["id": "a", "note": secret("new")], mode: .merge)
            try await store.delete("users", "b")
            let changes = try await store.getChanges()
            #expect(changes.map(\.base?["note"]) == [secret("n"), secret("n")])
            #expect(changes.first?.document?["note"] == secret("new"))
            try await store.markSynchronized(changes)
        },
        Path("marks of changes that are past") { store, _ in
            let given = try await store.getChanges()
            try await store.update("users", ["id": "a", "note": secret("new")], mode: .merge)
            try await store.delete("users", "b")
            try await store.markSynchronized(given)
            let left = try await store.getChanges()
            #expect(left.map(\.base?["ssn"]) == [secret("a"), secret("b")])
        },
        Path("feeds and live queries") { store, _ in
            var feed = store.changeFeed(["users"], since: 0).makeAsyncIterator()
            var live = store.observe("users", Query(filters: ["ssn": secret("a")]))
                .makeAsyncIterator()
            var lists = store.observeChanges("users", Query(sort: [.descending("note")]))
                .makeAsyncIterator()
            let first = try await live.next()
            #expect(first?.count == 1)
            let list = try await lists.next()
            #expect(list?.count == 3)
            try await store.update("users", ["id": "a", "note": secret("z")], mode: .merge)
            let next = try await live.next()
            #expect(next?.first?["note"] == secret("z"))
            let differences = try await lists.next()
            #expect(differences != nil)
            let change = try await feed.next()
            #expect(change?.document?["ssn"]?.stringValue?.hasSuffix(marker) == true)
        },
    ]

    static let refusing: [Path] = [
        Path("records that are refused") { store, texts in
            await texts.refused(.alreadyExists) { try await store.create("users", user("a")) }
            await texts.refused(.uniqueViolation) {
                var twin = user("twin")
                twin["ssn"] = secret("a")
                try await store.create("users", twin)
            }
            await texts.refused(.notFound) {
                try await store.update("users", user("nobody"), mode: .replace)
            }
            await texts.refused(.invalidDocument) {
                try await store.create("users", ["id": ["x"], "note": secret("n")])
            }
            var deep = secret("deep")
            for _ in 0..<200 { deep = ["in": deep] }
            let deepest = deep
            await texts.refused(.invalidDocument) {
                try await store.create("users", ["id": "deep", "note": deepest])
            }
            await texts.refused(.invalidDocument) {
                try await store.updateBatch("users", [user("a"), user("a")], mode: .replace)
            }
        },
        Path("filters that are refused") { store, texts in
            let wrong: [Filter] = [
                ["ssn": ["$regex": .string(marker + "(")]], ["ssn": ["$in": secret("x")]],
                ["ssn": ["$mod": [secret("x"), 1]]], ["ssn": ["$size": secret("x")]],
                ["ssn": ["$exists": secret("x")]],
                ["ssn": ["$between": [secret("x")]]], ["ssn": ["$startsWith": [secret("x")]]],
                ["ssn": ["$elemMatch": secret("x")]], ["$and": secret("x")],
                ["ssn": ["$gt": 1, "$wrong": secret("x")]],
            ]
            for filter in wrong {
                await texts.refused(.invalidQuery) { _ = try await store.count("users", filter) }
            }
        },
        Path("while locked") { store, texts in
            await store.lock()
            await texts.refused(.locked) { _ = try await store.get("users", "a") }
            await texts.refused(.locked) { try await store.create("users", user("d")) }
            await texts.refused(.locked) {
                _ = try await store.count("users", ["ssn": secret("a")])
            }
            await texts.refused(.locked) {
                try await store.update("users", ["id": "a", "note": secret("z")], mode: .merge)
            }
            await texts.refused(.locked) { _ = try await store.getChanges() }
            try await store.update("users", ["id": "a", "level": 4], mode: .merge)
            try await store.unlock()
            same(try await store.get("users", "a")?["note"], secret("n"))
        },
    ]

    static let managing: [Path] = [
        Path("compaction, clear, flush") { store, _ in
            try await store.compact()
            try await store.update("users", user("a"), mode: .replace)
            try await store.flush()
            try await store.compact()
            try await store.clear(["orders"])
            same(try await store.get("users", "a"), user("a"))
        },
        Path("eviction") { store, texts in
            try await store.markSynchronized(store.getChanges())
            _ = try await store.get("users", "b")
            var events = store.storageEvents().makeAsyncIterator()
            try await store.setEvictionPolicy("users", .lru(maxRecords: 1))
            _ = try await store.evict()
            same(try await store.count("users"), 1)
            texts.add(await events.next() as Any)
        },
        Path("everything sealed anew") { store, texts in
            try await store.markSynchronized(store.getChanges())
            try await store.update("users", ["id": "a", "note": secret("new")], mode: .merge)
            try await store.delete("users", "b")
            let transaction = try await store.beginTransaction(["users"])
            try await store.rotateKey(to: KeyEnvelopeTests.key(2), reencrypt: true)
            var twin = user("twin")
            twin["ssn"] = secret("a")
            let second = twin
            await texts.refused(.uniqueViolation) { try await transaction.create("users", second) }
            try await transaction.update("users", user("c"), mode: .replace)
            try await transaction.commit()
            try await Rotation.settle(store)
            same(try Rotation.keys(store), [2])
            same(try await store.get("users", "c"), user("c"))
            let changes = try await store.getChanges()
            #expect(changes.map(\.base?["note"]) == [secret("n"), secret("n"), secret("n")])
        },
        Path("another key for the keys") { store, texts in
            try await store.rotateKey(to: KeyEnvelopeTests.passphrase("another " + marker))
            await store.lock()
            try await store.unlock()
            same(try await store.get("users", "a"), user("a"))
            await texts.refused(.invalidOptions) {
                try await store.rotateKey(
                    to: .applicationKey { Array(marker.utf8) })
            }
        },
    ]
}
