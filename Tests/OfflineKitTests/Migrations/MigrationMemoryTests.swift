// What a migration over many records holds in memory: the same however many they are.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import Testing

@testable import OfflineKit

@Suite struct MigrationMemoryTests {
    /// By hand a million.
    private static let count =
        ProcessInfo.processInfo.environment["OFFLINE_MIGRATION_RECORDS"].flatMap(Int.init) ?? 4_000

    private static func options(
        _ folder: TestFolder, _ version: Int, _ backend: LogBackend, _ manager: MigrationManager?
    ) -> StorageOptions {
        StorageOptions(
            databaseName: "m", directory: folder.url, version: version,
            storageBackend: .custom(backend), storageSchema: [CollectionSchema(name: "c")],
            migrationManager: manager, durability: .relaxed)
    }

    /// Bounds that a small test reaches; those of a real store are larger.
    private static func backend() -> LogBackend {
        LogBackend { options in
            options.stagedTransactionBytes = 64 << 10
            options.stagedNodeBytes = 128 << 10
        }
    }

    /// Bytes of the process that are in memory and belong to no file; nil where the system doesn't say.
    private static var residentBytes: Int? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") })
        else { return nil }
        return line.split(separator: " ").compactMap { Int($0) }.first.map { $0 << 10 }
    }

    @Test
    func `a stream through all records, and a change of each, hold as much for many as for few`()
        async throws
    {
        let folder = try TestFolder()
        defer { folder.remove() }
        let store = try await OfflineStore.open(Self.options(folder, 1, Self.backend(), nil))
        let part = 1_000
        // So that the nodes of the whole tree take more than the bound.
        let long = String(repeating: "k", count: Self.count > 100_000 ? 8 : 200)
        for start in stride(from: 0, to: Self.count, by: part) {
            try await store.createBatch(
                "c",
                (start..<min(start + part, Self.count)).map {
                    ["id": .string("\($0 * 7_919)" + long), "text": "some more"]
                })
        }
        try await store.close()
        let backend = Self.backend()
        let peak = Protected((pages: 0, resident: 0, first: 0, seen: 0))
        let migration = TestMigration(2) { store in
            for try await var record in store.stream("c") {
                record["text"] = "some other"
                record["done"] = true
                try await store.update("c", record)
                peak.withLock { peak in
                    peak.seen += 1
                    if peak.seen % 500 != 0 { return }
                    let pages = backend.engineInUse?.files.arena.bytesInUse ?? .max
                    peak.pages = max(peak.pages, pages)
                    guard Self.count > 100_000, let resident = Self.residentBytes else { return }
                    if peak.first == 0 { peak.first = resident }
                    peak.resident = max(peak.resident, resident)
                }
            }
        }
        let migrated = try await OfflineStore.open(
            Self.options(folder, 2, backend, MigrationManager([migration])))
        let found = peak.withLock { $0 }
        #expect(found.seen == Self.count)
        // Nodes, which are spilled once they are more than the bound, and those of one statement.
        #expect(found.pages < 512 << 10)
        #expect(found.resident - found.first < 32 << 20, "\(found)")
        if Self.count > 100_000 { print("of \(Self.count) records: \(found)") }
        #expect(try await migrated.count("c", ["done": true]) == Self.count)
        try await migrated.close()
    }
}
