// Power cuts and kills under a run of migrations: at every change of the simulated disk the disk is copied, as a kill or a power cut would
// leave it, and opened again. It is the store of one version, with exactly that version's records, and the next run brings it
// to the end.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite struct MigrationPowerCutTests {
    static let seeds = SeededRandom.seeds(2)
    /// Of the log's changes of the disk, one of so many is looked at. (The other backend makes few.)
    private static let stride =
        ProcessInfo.processInfo.environment["OFFLINE_MIGRATION_STRIDE"].flatMap(Int.init) ?? 8
    typealias Contents = [String: [Document]]

    private static let last = 5
    private static let indexed = [
        IndexSchema(name: "n", keyPath: "n"), IndexSchema(name: "t", keyPath: "t"),
    ]

    /// The schema of the application's release with this version.
    private static func schema(_ version: Int) -> [CollectionSchema] {
        var schema = [
            CollectionSchema(
                name: "a", keyPath: version < last ? "id" : "k", indexes: version < 3 ? [] : indexed
            )
        ]
        if version >= 3 {
            schema.append(
                CollectionSchema(
                    name: "b", indexes: [IndexSchema(name: "of", keyPath: "of", unique: true)]))
        }
        return schema
    }

    /// Each changes every record; one is large, and is staged.
    private static let migrations: [any Migration] = [
        TestMigration(2) { store in
            for try await var record in store.stream("a") {
                record["t"] = .string(String(repeating: "t", count: 100))
                try await store.update("a", record)
            }
        },
        TestMigration(3) { store in
            for try await record in store.stream("a") {
                try await store.create("b", ["of": record["id"] ?? .null])
            }
            try await store.delete("a", 3)
        },
        TestMigration(4) { store in
            try await store.updateBatch("a", [["id": 1, "n": 100], ["id": 2, "n": 200]])
            let keys = try await store.query("b", Query(limit: 2)).compactMap { $0["id"] }
            try await store.deleteBatch("b", keys)
        },
        TestMigration(5) { store in
            for try await var record in store.stream("a") {
                record["k"] = .string("k\(40 - (record["id"]?.intValue ?? 0))")
                try await store.update("a", record)
            }
        },
    ]

    private static func open(
        _ kind: DiskBackend, _ files: SimulatedFileSystem, _ version: Int, migrates: Bool = true,
        readOnly: Bool = false
    ) async throws -> OfflineStore {
        var options = StorageOptions(
            databaseName: "store", directory: URL(filePath: "/"), version: version,
            storageSchema: schema(version), isReadOnly: readOnly)
        options.storageBackend = .custom(kind.make(files) { $0.stagedTransactionBytes = 3 << 10 })
        if migrates { options.migrationManager = MigrationManager(migrations) }
        return try await OfflineStore.open(options)
    }

    /// All records, without the keys that were generated.
    private static func contents(_ store: OfflineStore) async throws -> Contents {
        var contents: Contents = [:]
        for name in ["a", "b"] {
            guard var found = try? await store.query(name) else { continue }
            if name == "b" {
                for index in found.indices { found[index]["id"] = nil }
            }
            contents[name] = found.isEmpty ? nil : found
        }
        return contents
    }

    private static func makeFirst(_ kind: DiskBackend, _ files: SimulatedFileSystem) async throws {
        let store = try await open(kind, files, 1)
        for id in 0..<30 as Range<Int64> {
            try await store.create("a", ["id": .int(id), "n": .int(id % 7)])
        }
        try await store.close()
    }

    /// What the store has at each version.
    private static func expected(_ kind: DiskBackend) async throws -> [Int: Contents] {
        let files = SimulatedFileSystem()
        try await makeFirst(kind, files)
        var expected: [Int: Contents] = [:]
        for version in 1...last {
            let store = try await open(kind, files, version)
            expected[version] = try await contents(store)
            try await store.close()
        }
        return expected
    }

    @Test(arguments: DiskBackend.allCases, seeds)
    func `whatever is written last, the store is one of a finished version`(
        kind: DiskBackend, seed: UInt64
    ) async throws {
        let expected = try await Self.expected(kind)
        let stride = kind == .log ? Self.stride : 1
        let files = SimulatedFileSystem()
        try await Self.makeFirst(kind, files)
        let images = Protected<(SeededRandom, [(SimulatedFileSystem, String)])>(
            (SeededRandom(seed: seed), []))
        files.onMutation { index, files in
            images.withLock { state in
                guard state.0.chance(1, in: stride) else { return }
                // A kill keeps what was written, a power cut any part of what wasn't synced.
                let choice = state.0.next()
                let isKill = choice % 3 == 0
                state.1.append(
                    (
                        isKill ? files.killed() : files.crashed(keeping: choice),
                        "mutation \(index), \(isKill ? "killed" : "image \(choice)")"
                    ))
            }
        }
        try await Self.open(kind, files, Self.last).close()
        files.onMutation(nil)
        let taken = images.withLock { $0.1 }
        var reached: Set<Int> = []
        for (image, label) in taken {
            reached.insert(
                try await Self.check(kind, image, expected, "\(kind), seed \(seed), \(label)"))
        }
        if stride == 1 { #expect(reached == [1, 2, 3, 4, 5], "\(kind), seed \(seed)") }
    }

    @Test(
        arguments: DiskBackend.allCases, [SystemErrorNumber.inputOutput, SystemErrorNumber.noSpace])
    func `whichever call fails, the store is one of a finished version`(
        kind: DiskBackend, number: Int32
    ) async throws {
        let expected = try await Self.expected(kind)
        let first = SimulatedFileSystem()
        try await Self.makeFirst(kind, first)
        var index = 1
        while true {
            let files = first.killed()
            // A disk that is full stays so.
            files.inject(
                Fault(
                    .mutating, first: index, isSticky: number == SystemErrorNumber.noSpace,
                    error: number))
            let store = try? await Self.open(kind, files, Self.last)
            try? await store?.close()
            if files.firedFaultCount == 0 { break }
            files.removeFaults()
            _ = try await Self.check(
                kind, files, expected, "\(kind), error \(number), call \(index)")
            index += kind == .log ? Self.stride : 1
        }
        #expect(index > 10)
    }

    /// Opens an image: as it is, for reading; then with its own version; then with the last one. Returns its version.
    private static func check(
        _ kind: DiskBackend, _ image: SimulatedFileSystem, _ expected: [Int: Contents],
        _ context: String
    ) async throws -> Int {
        var store = try await open(kind, image, last, migrates: false, readOnly: true)
        let found = try await contents(store)
        let version = try store.schemaVersion
        try await store.close()
        #expect(found == expected[version], "\(context): read as version \(version)")
        if version < last {
            await expectError(.versionTooNew, "\(context)") {
                if version == 1 { throw OfflineError(.versionTooNew, "there is no version 0") }
                _ = try await open(kind, image, version - 1, migrates: false)
            }
        }
        store = try await open(kind, image, version, migrates: false)
        let reopened = try await contents(store)
        #expect(reopened == expected[version], "\(context): opened as version \(version)")
        #expect(try await store.verify().problems == [], "\(context)")
        try await store.close()
        store = try await open(kind, image, last)
        let finished = try await contents(store)
        #expect(finished == expected[last], "\(context): migrated on from version \(version)")
        #expect(try await store.verify().problems == [], "\(context)")
        try await store.close()
        return version
    }
}
