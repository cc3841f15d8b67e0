// Migrations of sensitive fields: nothing that they write, report or fail with has a secret.
import Foundation
import OfflineDocuments
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Secrets in migrations") struct MigrationSecretTests {
    private struct Rename: Migration {
        let version = 2
        func up(_ store: any StoreWriter) async throws {
            for try await var user in store.stream("users", Query()) {
                user["note"] = user["ssn"]
                user["nickname"] = SecretScanTests.secret("nick")
                try await store.update("users", user, mode: .replace)
            }
        }
        func down(_ store: any StoreWriter) async throws {
            for try await var user in store.stream("users", Query()) {
                user["nickname"] = nil
                user["note"] = SecretScanTests.secret("n")
                try await store.update("users", user, mode: .replace)
            }
        }
    }

    /// Gives two records the same unique value.
    private struct Doubles: Migration {
        let version = 3
        func up(_ store: any StoreWriter) async throws {
            for id in ["a", "b"] {
                try await store.update(
                    "users", ["id": .string(id), "ssn": SecretScanTests.secret("twice")],
                    mode: .merge)
            }
        }
    }

    private static func options(
        _ backend: any StorageBackend, version: Int, _ migrations: [any Migration],
        _ texts: SecretScanTests.Texts
    ) -> StorageOptions {
        var options = SecretScanTests.options(
            .custom(backend), in: URL(fileURLWithPath: "/"))
        options.encryption = EncryptionOptions(
            sensitiveFields: ["ssn", "cards.number", "plan.team", "note", "nickname"],
            encryptionKeyProvider: KeyEnvelopeTests.key(1))
        options.version = version
        options.migrationManager =
            migrations.isEmpty ? nil : MigrationManager(migrations) { texts.add($0) }
        return options
    }

    @Test(arguments: [TestBackend.log, .file])
    func `no secret is in what migrations write and say`(_ backend: TestBackend) async throws {
        let disk = RecordingFileSystem(SimulatedFileSystem(), keepsWrites: true)
        let texts = SecretScanTests.Texts()
        func options(_ version: Int, _ migrations: [any Migration]) -> StorageOptions {
            let made: any StorageBackend =
                backend == .log ? LogBackend(system: disk) : FileBackend(system: disk)
            return Self.options(made, version: version, migrations, texts)
        }
        let first = try await OfflineStore.open(options(1, []))
        let users = ["a", "b", "c"].map(SecretScanTests.user)
        try await first.createBatch("users", users)
        try await first.close()

        let manager = MigrationManager([Rename(), Doubles()])
        texts.add(try await manager.rehearse(options(3, [Rename(), Doubles()])))
        await texts.refused(.migrationFailed) {
            _ = try await OfflineStore.open(options(3, [Rename(), Doubles()]))
        }
        let second = try await OfflineStore.open(options(2, [Rename()]))
        let user = try await second.get("users", "a")
        #expect(user?["note"] == SecretScanTests.secret("a"))
        #expect(user?["nickname"] == SecretScanTests.secret("nick"))
        try await second.close()
        try await MigrationManager([Rename()]).migrateDown(options(1, [Rename()]), to: 1)
        let third = try await OfflineStore.open(options(1, []))
        let last = try await third.query("users")
        #expect(last == users)
        try await third.close()

        #expect(!texts.all.isEmpty)
        for text in texts.all where FieldEncryptionTests.finds(in: Array(text.utf8)) {
            Issue.record("a secret is in: \(text)")
        }
        for write in disk.writes where FieldEncryptionTests.finds(in: write.bytes) {
            Issue.record("\(write.path) has a secret at \(write.offset)")
        }
    }
}
