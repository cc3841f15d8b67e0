// What a store on SQLite promises beyond the conformance suite: other openers, other files in its place, durability, held
// readers, what the sqlite3 shell sees.
import Foundation
import OfflineBytes
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

#if SQLite
    @Suite struct SQLiteBackendTests {
        private let fixture: SQLiteFixture

        init() throws { fixture = try SQLiteFixture() }

        @Test
        func `a second writer is locked out, a reader sees what was there until it refreshes`()
            async throws
        {
            defer { fixture.folder.remove() }
            let writer = try await fixture.open()
            try await writer.commit([[1]: [1]])
            await expectError(.databaseLocked) { _ = try await fixture.open() }
            let reader = try await fixture.open(readOnly: true)
            try await writer.commit([[2]: [2]])
            #expect(try reader.records() == [[1]: [1]])
            try await reader.backend.refresh()
            #expect(try reader.records() == [[1]: [1], [2]: [2]])
            await expectError(.readOnly) { try await reader.commit([[3]: [3]]) }
            #expect(try await reader.backend.verify().problems == [])
            try await reader.backend.close()
            try await writer.backend.close()
            await expectError(.notOpen) { try await writer.commit([[3]: [3]]) }
            // Closed, it is one file, and nobody else's.
            let names = try FileManager.default.contentsOfDirectory(atPath: fixture.path)
            #expect(names.sorted() == ["LOCK", "store.sqlite"])
            let mode = try FileManager.default.attributesOfItem(atPath: fixture.database)
            #expect(mode[.posixPermissions] as? Int == 0o600)
        }

        @Test func `a folder has one kind of store`() async throws {
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            try await store.backend.close()
            let configuration = BackendConfiguration(
                path: fixture.path, deriver: StoreKeyDeriver())
            for other in [LogBackend(), FileBackend()] as [any StorageBackend] {
                let error = await expectError(.invalidOptions) {
                    try await other.initialize(configuration)
                }
                #expect(error?.message.contains(".sqlite") == true)
            }
            let file = try SQLiteFixture()
            let backend = FileBackend()
            try await backend.initialize(
                BackendConfiguration(path: file.path, deriver: StoreKeyDeriver()))
            try await backend.close()
            await expectError(.invalidOptions) { _ = try await file.open() }
            file.folder.remove()
        }

        /// What is in the place of a store's database, and what opening it says.
        static let strangers: [(sql: String, code: OfflineError.Code)] = [
            ("PRAGMA application_id = 7", .corrupted),
            ("PRAGMA user_version = 2", .unsupportedFormat),
            ("PRAGMA user_version = 0", .corrupted),
            ("DROP TABLE names", .corrupted),
            ("DROP TABLE records_1", .corrupted),
            ("DROP INDEX keys_1", .corrupted),
            ("ALTER TABLE records_1 ADD COLUMN more", .corrupted),
            ("CREATE TRIGGER t AFTER INSERT ON records_1 BEGIN SELECT 1; END", .corrupted),
            ("CREATE VIEW v AS SELECT 1", .corrupted),
            ("DELETE FROM store", .corrupted),
            ("UPDATE store SET next_sequence = 1", .corrupted),
            ("UPDATE collections SET definition = x'7B'", .corrupted),
            ("UPDATE collections SET number = 2", .corrupted),
            ("INSERT INTO indexes VALUES (1, 7)", .corrupted),
            ("INSERT INTO names VALUES (1, 0, 'x', 0)", .corrupted),
            ("INSERT INTO names VALUES (9, 0, 'x', 0)", .corrupted),
        ]

        @Test(arguments: strangers)
        func `a database that isn't the store's is refused`(
            sql: String, code: OfflineError.Code
        ) async throws {
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            try await store.commit([[1]: [1]])
            try await store.backend.close()
            try fixture.execute(sql)
            for readOnly in [false, true] {
                let error = await expectError(code, "\(sql)") {
                    let opened = try await fixture.open(readOnly: readOnly)
                    try await opened.backend.close()
                }
                #expect(error?.message.contains("store.sqlite") == true)
            }
        }

        @Test func `what isn't a database is refused by name`() async throws {
            defer { fixture.folder.remove() }
            await expectError(.storageUnavailable) {
                _ = try await fixture.open(readOnly: true)
            }
            let manager = FileManager.default
            try manager.createDirectory(
                atPath: fixture.path, withIntermediateDirectories: true)
            await expectError(.storageUnavailable) {
                _ = try await fixture.open(readOnly: true)
            }
            for bytes in [[UInt8](repeating: 7, count: 5_000), Array("SQLite format 3\0".utf8)] {
                try fixture.setBytes("store.sqlite", bytes)
                let error = await expectError(.corrupted) { _ = try await fixture.open() }
                #expect(error?.message.contains("store.sqlite") == true)
                #expect(try fixture.bytes("store.sqlite") == bytes)
            }
            try manager.removeItem(atPath: fixture.database)
            for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
                try manager.createSymbolicLink(
                    atPath: fixture.path + "/" + name, withDestinationPath: "elsewhere")
                await expectError(.permissionDenied) { _ = try await fixture.open() }
                try manager.removeItem(atPath: fixture.path + "/" + name)
            }
            try manager.createDirectory(
                atPath: fixture.database, withIntermediateDirectories: false)
            await expectError(.storageUnavailable) { _ = try await fixture.open() }
            try manager.removeItem(atPath: fixture.database)
            // An empty file is what a process leaves that was killed while it made the store.
            try fixture.setBytes("store.sqlite", [])
            let store = try await fixture.open()
            try await store.backend.close()
        }

        @Test func `names are durable before the first commit, and a flush syncs the log`()
            async throws
        {
            defer { fixture.folder.remove() }
            let files = RecordingFileSystem(PosixFileSystem())
            let store = try await fixture.open(
                SQLiteBackend(system: files), durability: .relaxed)
            #expect(files.count(.syncDirectory, path: "store.offline") == 1)
            try await store.commit([[1]: [1]])
            #expect(files.count(.sync, path: "-wal") == 0)
            try await store.backend.flush()
            #expect(files.count(.sync, path: "-wal") == 1)
            try await store.backend.flush()
            #expect(files.count(.sync, path: "-wal") == 1)
            try await store.backend.close()
            files.reset()
            let periodic = try await fixture.open(
                SQLiteBackend(system: files), durability: .periodic(.milliseconds(1)))
            for round in UInt8(1)..<4 {
                try await periodic.commit([[round]: [round]])
                while files.count(.sync, path: "-wal") < Int(round) { await Task.yield() }
            }
            try await periodic.backend.close()
            // The database itself is never opened besides SQLite: closing it would drop SQLite's locks.
            #expect(files.count(.open, path: "store.sqlite") == 0)
        }

        @Test func `after a failed sync nothing more is written until the store is opened again`()
            async throws
        {
            defer { fixture.folder.remove() }
            let fails = Protected(false)
            let files = OpeningFileSystem(PosixFileSystem()) {
                (base, path, mode) throws(FileSystemError) in
                // Where a sync would fail, so does this: the backend opens the log for nothing else.
                if fails.withLock({ $0 }), path.hasSuffix("-wal") {
                    throw FileSystemError(.sync, path, SystemErrorNumber.inputOutput)
                }
                return try base.open(path, mode)
            }
            let store = try await fixture.open(SQLiteBackend(system: files))
            try await store.commit([[1]: [1]])
            fails.withLock { $0 = true }
            await expectEngineError(.unavailable) { try await store.backend.flush() }
            fails.withLock { $0 = false }
            await expectEngineError(.readOnly) { try await store.commit([[2]: [2]]) }
            await expectEngineError(.readOnly) { try await store.backend.flush() }
            #expect(try store.records() == [[1]: [1]])
            try await store.backend.close()
            let again = try await fixture.open()
            try await again.commit([[2]: [2]])
            try await again.backend.close()
        }

        @Test func `an abandoned batch is rolled back, and a second one is refused`() async throws {
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            let id = PlainStore.collection
            do {
                let batch = try store.backend.begin([id], reading: [])
                try batch.put(id, key: [1], record: [1])
                await expectError(.storageUnavailable) {
                    _ = try store.backend.begin([id], reading: [])
                }
                let reading = try store.backend.begin([], reading: [id])
                #expect(try reading.count(TreeID(id), in: .all) == 0)
                reading.rollback()
                withExtendedLifetime(batch) {}
            }
            try await store.commit([[2]: [2]])
            #expect(try store.records() == [[2]: [2]])
            try await store.backend.close()
        }

        @Test func `a batch that is open at the end commits nothing`() async throws {
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            let batch = try store.backend.begin([PlainStore.collection], reading: [])
            try batch.put(PlainStore.collection, key: [1], record: [1])
            try await store.backend.close()
            await expectEngineError(.closed) {
                try await batch.commit(appended: {}, committed: { _ in })
            }
            let again = try await fixture.open()
            #expect(try again.records() == [:])
            try await again.backend.close()
        }

        @Test func `a batch's cursor that outlives it throws, and disturbs nobody`() async throws {
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            let id = PlainStore.collection
            try await store.commit([[1]: [1], [2]: [2]])
            let batch = try store.backend.begin([id], reading: [])
            try batch.put(id, key: [3], record: [3])
            let cursor = try batch.cursor(TreeID(id), in: .all, descending: false)
            #expect(try cursor.next())
            try await batch.commit(appended: {}, committed: { _ in })
            #expect(throws: OfflineError.self) { _ = try cursor.next() }
            try await store.backend.compact()
            try await store.commit([[4]: [4]])
            #expect(try store.records().count == 4)
            try await store.backend.close()
        }

        @Test func `held readers keep their state over compactions and the end`() async throws {
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            var held: [(reader: any BackendReader, records: PlainStore.Records)] = []
            for round in UInt8(0)..<20 {
                try await store.commit([[round]: [UInt8](repeating: round, count: 9_000)])
                held.append((try store.backend.snapshot().kept(), try store.records()))
                if round % 7 == 3 { try await store.backend.compact() }
            }
            let space = try store.backend.space()
            #expect(space.pinnedBytes > 0 && space.usedBytes >= space.logBytes + space.treeBytes)
            try await store.commit([:], removing: (UInt8(0)..<20).map { [$0] })
            try await store.backend.compact()
            try await store.backend.close()
            for (reader, records) in held { #expect(try store.records(reader) == records) }
            held = []
            let again = try await fixture.open()
            #expect(try again.records() == [:])
            try await again.backend.compact()
            #expect(try again.backend.space().usedBytes < 200_000)
            try await again.backend.close()
        }

        @Test func `readers beside a writer see whole commits only`() async throws {
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            try await store.commit(
                Dictionary(uniqueKeysWithValues: (UInt8(0)..<8).map { ([$0], [0]) }))
            try await withThrowingTaskGroup { group in
                for _ in 0..<6 {
                    group.addTask {
                        var newest: UInt8 = 0
                        while newest < 60 {
                            let records = try store.records()
                            let values = Set(records.values)
                            #expect(records.count == 8 && values.count == 1)
                            let value = values.first?.first ?? 0
                            #expect(value >= newest)
                            newest = max(value, newest)
                            await Task.yield()
                        }
                    }
                }
                for round in UInt8(1)...60 {
                    try await store.commit(
                        Dictionary(uniqueKeysWithValues: (UInt8(0)..<8).map { ([$0], [round]) }))
                }
                try await group.waitForAll()
            }
            try await store.backend.close()
        }

        @Test func `who has seen a commit gets no older snapshot, told of the commit or not`()
            async throws
        {
            defer { fixture.folder.remove() }
            let store = try await fixture.open()
            // These hear of no commit, as all do between a commit and its news.
            let snapshots = SQLiteSnapshots(path: fixture.database, readyMax: 4)
            for round in UInt8(0)..<3 {
                snapshots.renew()
                var held = [try snapshots.snapshot()]
                let old = held[0].catalog.commits
                try await store.commit([[round]: [round]])
                // While the first is in use, another one is made, which has the commit.
                let new = try snapshots.snapshot().catalog.commits
                #expect(new > old)
                held = []
                for _ in 0..<8 {
                    held.append(try snapshots.snapshot())
                    #expect(held.last?.catalog.commits == new)
                }
            }
            snapshots.close()
            try await store.backend.close()
        }

        /// All statements in FORMAT.md.
        private static func formatStatements() throws -> [String] {
            let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(5)
            let path = root.joined(separator: "/") + "/FORMAT.md"
            let text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
            let blocks = text.components(separatedBy: "```sql\n").dropFirst()
            return blocks.flatMap { block in
                (block.components(separatedBy: "```").first ?? "").split(separator: "\n")
                    .map { String($0.dropLast()) }
            }
        }

        @Test func `FORMAT.md has the tables as they are made`() throws {
            let id = CollectionID(3)
            let made =
                SQLiteTables.creation + SQLiteTables.creation(of: id)
                + [SQLiteTables.creation(of: TreeID(id, 1))]
            #expect(try Array(Self.formatStatements().prefix(made.count)) == made)
        }

        @Test func `the sqlite3 shell reads a store`() async throws {
            defer { fixture.folder.remove() }
            let store = try await OfflineStore.open(
                StorageOptions(
                    databaseName: "store", directory: fixture.folder.url, storageBackend: .sqlite,
                    storageSchema: TestStore.schema))
            for name in ["ada", "bob"] {
                try await store.create("users", ["id": .string(name), "email": "\(name)@x.org"])
            }
            try await store.close()
            let number = try fixture.texts(
                """
                SELECT number FROM collections
                WHERE json_extract(CAST(definition AS TEXT), '$.name') = 'users'
                """)
            let users = try #require(number.first)
            for query in try Self.formatStatements().suffix(2) {
                let rows = try fixture.texts(
                    query.replacingOccurrences(of: "records_3", with: "records_\(users)"))
                #expect(!rows.isEmpty, "\(query)")
            }
            #expect(
                try fixture.texts("SELECT count(*) FROM records_\(users)") == ["2"])
            #expect(
                try fixture.texts("SELECT name FROM names WHERE collection = \(users)")
                    .contains("email"))
        }
    }
#endif
