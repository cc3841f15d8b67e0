import Foundation
import OfflineBytes
import OfflineEngine
import StorageSimulation

@testable import OfflineKit

#if SQLite
    /// A folder with a database of SQLite's, and what tests do with it besides the backend.
    struct SQLiteFixture {
        let folder: TestFolder
        var path: String { folder.path + "/store.offline" }
        var database: String { path + "/store.sqlite" }

        init() throws { folder = try TestFolder() }

        func open(
            _ backend: SQLiteBackend = SQLiteBackend(), readOnly: Bool = false,
            durability: Durability = .relaxed, sizeLimit: Int64? = nil
        ) async throws -> PlainStore {
            do {
                return try await PlainStore.open(
                    backend, at: path, readOnly: readOnly, durability: durability,
                    sizeLimit: sizeLimit)
            } catch {
                throw ErrorMapping.publicError(error)
            }
        }

        /// Runs statements on the closed database, as the sqlite3 shell would.
        func execute(_ sql: String) throws {
            try SQLiteConnection(path: database, .writing(.full)).execute(sql)
        }

        /// The first column of each row, as text.
        func texts(_ sql: String) throws -> [String] {
            var result: [String] = []
            try SQLiteConnection(path: database, .reading).rows(sql) { row throws(EngineError) in
                result.append(try row.text(0))
            }
            return result
        }

        /// The bytes of all files.
        func usedBytes() throws -> Int64 {
            try StoreFolder(PosixFileSystem(), path).space().usedBytes
        }

        /// A copy of the database and its log as they are now: what a killed process leaves.
        func copy() throws -> SQLiteFixture {
            let copy = try SQLiteFixture()
            let manager = FileManager.default
            try manager.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
            for name in ["store.sqlite", "store.sqlite-wal"]
            where manager.fileExists(atPath: path + "/" + name) {
                try manager.copyItem(atPath: path + "/" + name, toPath: copy.path + "/" + name)
            }
            return copy
        }

        func bytes(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
        }

        func setBytes(_ name: String, _ bytes: [UInt8]) throws {
            try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
        }
    }
#endif
