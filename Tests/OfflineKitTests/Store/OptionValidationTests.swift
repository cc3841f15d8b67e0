import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct OptionValidationTests {
    typealias Change = @Sendable (inout StorageOptions) -> Void

    /// Options that can't work, and what the message must name.
    static let bad: [(change: Change, named: String)] = [
        ({ $0.databaseName = "" }, "databaseName"),
        ({ $0.databaseName = "." }, "databaseName"),
        ({ $0.databaseName = ".." }, "databaseName"),
        ({ $0.databaseName = "a/b" }, "databaseName"),
        ({ $0.databaseName = "a\\b" }, "databaseName"),
        ({ $0.databaseName = "a\0b" }, "databaseName"),
        ({ $0.databaseName = String(repeating: "a", count: 101) }, "databaseName"),
        ({ $0.directory = URL(string: "https://example.com/x") }, "directory"),
        ({ $0.version = 0 }, "version"),
        ({ $0.version = -3 }, "version"),
        ({ $0.sizeLimit = 0 }, "sizeLimit"),
        ({ $0.sizeLimit = (1 << 20) - 1 }, "sizeLimit"),
        ({ $0.transactionTimeout = .zero }, "transactionTimeout"),
        ({ $0.durability = .periodic(.zero) }, "durability"),
        ({ $0.storageSchema[0].sensitiveFields = ["name"] }, "sensitiveFields"),
        (
            { $0.migrationManager = MigrationManager([TestMigration(2), TestMigration(4)]) },
            "migrationManager"
        ),
    ]

    @Test(arguments: bad)
    func `an option that can't work is named`(change: @escaping Change, named: String) async {
        let error = await expectError(.invalidOptions) {
            try await OfflineStore(try TestStore().options(TestStore.schema, change)).initialize()
        }
        #expect(error?.message.contains(named) == true, "\(error?.message ?? "")")
    }

    #if !SQLite
        @Test func `without SQLite in the package, the error says which trait is missing`() async {
            let error = await expectError(.invalidOptions) {
                try await OfflineStore(
                    try TestStore().options { $0.storageBackend = .sqlite }
                ).initialize()
            }
            #expect(error?.message.contains("trait SQLite") == true)
        }
    #endif

    @Test func `options at their limits work`() async throws {
        let store = try await TestStore().open {
            $0.databaseName = String(repeating: "ä", count: 100)
            $0.sizeLimit = 1 << 20
            $0.encryption = .disabled
            $0.storageSchema[0].tracksChanges = false
            $0.durability = .periodic(.milliseconds(1))
        }
        try await store.close()
    }

    @Test func `backends by name`() throws {
        for name in ["log", "indexeddb", "sqlite", "websql", "file", "localstorage", "memory"] {
            _ = try StorageBackendOption(named: name)
        }
        let error = #expect(throws: OfflineError.self) {
            _ = try StorageBackendOption(named: "IndexedDB")
        }
        #expect(error?.code == .invalidOptions)
    }

    @Test func `the database's folder is its name with a suffix`() throws {
        var options = StorageOptions(databaseName: "my_app_db")
        options.directory = URL(fileURLWithPath: "/data/apps")
        #expect(try StoreLocation.path(for: options) == "/data/apps/my_app_db.offline")
        options.directory = URL(fileURLWithPath: "/data/with space/", isDirectory: true)
        #expect(try StoreLocation.path(for: options) == "/data/with space/my_app_db.offline")
    }
}
