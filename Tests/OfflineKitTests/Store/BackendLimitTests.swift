import Foundation
import OfflineBytes
import Testing

@testable import OfflineKit

/// What a backend can't do is said when a store opens, and names what it is about.
@Suite struct BackendLimitTests {
    struct Limit: Sendable, CustomStringConvertible {
        let description: String
        let code: OfflineError.Code
        let named: String
        let change: @Sendable (inout StorageOptions) -> Void

        init(
            _ description: String, _ code: OfflineError.Code, _ named: String,
            _ change: @escaping @Sendable (inout StorageOptions) -> Void
        ) {
            self.description = description
            self.code = code
            self.named = named
            self.change = change
        }
    }

    static let limits: [Limit] =
        [
            Limit("memory has no disk to limit", .invalidOptions, "sizeLimit") {
                $0.storageBackend = .memory
                $0.sizeLimit = 1 << 20
            },
            Limit("memory has nothing to read", .invalidOptions, "isReadOnly") {
                $0.storageBackend = .memory
                $0.isReadOnly = true
            },
            Limit("records without atomic changes", .invalidOptions, "acceptingPartialCommits") {
                $0.storageBackend = .custom(SingleRecords())
            },
            Limit("what records take isn't known", .invalidOptions, "sizeLimit") {
                $0.storageBackend = .custom(MemoryRecords())
                $0.sizeLimit = 1 << 20
            },
            Limit("a limit below a file store's needs", .invalidOptions, "sizeLimit") {
                $0.storageBackend = .file
                $0.sizeLimit = 1 << 10
            },
            Limit("no file store to read", .storageUnavailable, "no store") {
                $0.storageBackend = .file
                $0.isReadOnly = true
            },
            Limit("no log store to read", .storageUnavailable, "store") {
                $0.storageBackend = .log
                $0.isReadOnly = true
            },
        ] + sqlite

    #if SQLite
        static let sqlite = [
            Limit("no database to read", .storageUnavailable, "no store") {
                $0.storageBackend = .sqlite
                $0.isReadOnly = true
            },
            Limit("a limit below a database's needs", .invalidOptions, "sizeLimit") {
                $0.storageBackend = .sqlite
                $0.sizeLimit = 1 << 10
            },
        ]
    #else
        static let sqlite = [
            Limit("SQLite isn't linked", .invalidOptions, "trait SQLite") {
                $0.storageBackend = .sqlite
            }
        ]
    #endif

    @Test(arguments: limits)
    func `what a backend can't do is a clear error at initialize`(limit: Limit) async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        var options = StorageOptions(
            databaseName: "test", directory: folder.url, storageSchema: TestStore.schema)
        limit.change(&options)
        let error = await expectError(limit.code) {
            try await OfflineStore(options).initialize()
        }
        #expect(error?.message.contains(limit.named) == true, "\(error?.message ?? "")")
        // Nothing was made.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test(arguments: TestBackend.allCases)
    func `a second writer is refused wherever there are files`(backend: TestBackend) async throws {
        if backend == .memory { return }
        let place = try TestStore(backend)
        let store = try await place.open()
        await expectError(.databaseLocked) { _ = try await place.open() }
        try await store.close()
        place.remove()
    }
}
