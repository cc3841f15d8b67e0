// A field of records that are there becomes sensitive: it is sealed everywhere before the store is open, wherever that is cut off, and
// what it was leaves the files.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Newly sensitive fields") struct NewlySensitiveTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let seeds = SeededRandom.seeds(environment["OFFLINE_SEEDS"].flatMap(Int.init) ?? 1)
    /// Images of each change of the disk.
    static let images = environment["OFFLINE_POWER_CUTS"].flatMap(Int.init) ?? 1
    static let marker = FieldEncryptionTests.marker

    static func record(_ id: Int, _ text: String = "") -> Document {
        var record = Rotation.record(id, marker + text)
        // Entries that stay where they are, beside others that go, keep what parts them in inner nodes.
        record["ssn"] = id.isMultiple(of: 2) && id > 12 ? nil : .string("\(marker) \(id)")
        return record
    }

    /// Options of the store before and after. The markers are in an index, a unique one, a compound one, records, bases and tombstones.
    static func options(
        _ options: StorageOptions, isSensitive: Bool,
        _ change: (inout CollectionSchema) -> Void = { _ in }
    ) -> StorageOptions {
        var options = Rotation.options(options)
        options.storageSchema[0].indexes.append(IndexSchema(name: "plain", keyPath: "ssn"))
        if !isSensitive {
            options.encryption = .disabled
            options.storageSchema[0].sensitiveFields = []
        }
        change(&options.storageSchema[0])
        return options
    }

    /// Makes a store with unsealed fields; its records and its pending changes.
    static func make(
        _ options: StorageOptions, _ count: Int
    ) async throws -> (records: [Document], changes: [Change]) {
        let store = try await OfflineStore.open(Self.options(options, isSensitive: false))
        try await store.createBatch("users", (1...count).map { record($0) })
        let given = try await store.getChanges()
        try await store.markSynchronized(Array(given.prefix(count / 2)))
        for id in 1...count / 4 {
            try await store.update("users", record(id, " new"), mode: .replace)
        }
        try await store.deleteBatch("users", [count / 2, count / 2 - 1, count])
        let records = try await store.query("users")
        let changes = try await store.getChanges()
        try await store.close()
        return (records, changes)
    }

    static func expectSealed(
        _ store: OfflineStore, _ records: [Document], _ changes: [Change], _ comment: Comment
    ) async throws {
        let found = try await store.query("users")
        #expect(found == records, comment)
        let pending = try await store.getChanges()
        #expect(pending == changes, comment)
        #expect(try Rotation.sealed(store).plain == 0, comment)
        #expect(try Rotation.sealed(store).counts.keys.sorted() == [1], comment)
        let collection = try store.core().backend.snapshot().collections()
        #expect(
            try collection.allSatisfy {
                guard case .records(let definition) = try StoredKind($0.definition) else {
                    return true
                }
                return !definition.isUnsealed
            }, comment)
        let report = try await store.verify()
        #expect(report.isSound, "\(comment): \(report)")
    }

    @Test(arguments: TestBackend.allCases)
    func `what becomes sensitive is sealed when the store opens, and stays so`(
        _ backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        // So many that trees have inner nodes, where that costs little.
        let (records, changes) = try await Self.make(place.options(), backend == .log ? 1_000 : 60)
        let wanted = Self.options(place.options(), isSensitive: true)
        var store = try await OfflineStore.open(wanted)
        try await Self.expectSealed(store, records, changes, "\(backend)")
        await expectError(.uniqueViolation) {
            var document = Self.record(1_000)
            document["ssn"] = .string("\(Self.marker) 7")
            try await store.create("users", document)
        }
        try await store.markSynchronized(changes)
        let left = try await store.getChanges()
        #expect(left.isEmpty)
        try await store.close()
        if backend == .memory { return }
        let folder = try #require(wanted.directory).appending(path: "test.offline")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path())
        #expect(names.contains("KEYS"))
        for name in names {
            let bytes = try [UInt8](Data(contentsOf: folder.appending(path: name)))
            #expect(!FieldEncryptionTests.finds(in: bytes), "\(name)")
        }
        // Once sensitive, always.
        var later = wanted
        later.storageSchema[0].sensitiveFields = []
        store = try await OfflineStore.open(later)
        try await store.create("users", Self.record(2_000))
        #expect(try Rotation.sealed(store).plain == 0)
        try await store.close()
    }

    @Test(arguments: DiskBackend.allCases)
    func `a power cut while it is sealed leaves what the next opening seals`(
        _ kind: DiskBackend
    ) async throws {
        for seed in Self.seeds {
            let files = SimulatedFileSystem()
            func options(_ files: SimulatedFileSystem) -> StorageOptions {
                StorageOptions(
                    databaseName: "store", directory: URL(filePath: "/"),
                    storageBackend: .custom(kind.make(files)))
            }
            let (records, changes) = try await Self.make(options(files), 12)
            let images = Protected<[(label: String, files: SimulatedFileSystem)]>([])
            files.onMutation { index, files in
                var random = SeededRandom(seed: seed &* 1_000 &+ UInt64(index))
                for _ in 0..<Self.images {
                    let choice = random.next()
                    let label = "\(kind), seed \(seed), mutation \(index), image \(choice)"
                    images.withLock { $0.append((label, files.crashed(keeping: choice))) }
                }
            }
            let store = try await OfflineStore.open(
                Self.options(options(files), isSensitive: true))
            files.onMutation(nil)
            try await Self.expectSealed(store, records, changes, "\(kind)")
            try await store.close()
            try Self.expectNoMarker(files, "\(kind)")
            for (label, image) in images.withLock(\.self) {
                let store = try await OfflineStore.open(
                    Self.options(options(image), isSensitive: true))
                try await Self.expectSealed(store, records, changes, "\(label)")
                try await store.close()
                try Self.expectNoMarker(image, "\(label)")
            }
        }
    }

    @Test func `whichever call fails while it is sealed, another opening seals it`() async throws {
        func options(_ files: SimulatedFileSystem) -> StorageOptions {
            StorageOptions(
                databaseName: "store", directory: URL(filePath: "/"),
                storageBackend: .custom(DiskBackend.log.make(files)))
        }
        var index = 1
        var failures = 0
        while true {
            let files = SimulatedFileSystem()
            let (records, changes) = try await Self.make(options(files), 4)
            files.inject(Fault(first: index, error: SystemErrorNumber.inputOutput))
            do {
                try await OfflineStore.open(Self.options(options(files), isSensitive: true))
                    .close()
            } catch {
                failures += 1
            }
            let isDone = files.firedFaultCount == 0
            files.removeFaults()
            let store = try await OfflineStore.open(
                Self.options(options(files), isSensitive: true))
            try await Self.expectSealed(store, records, changes, "call \(index)")
            try await store.close()
            try Self.expectNoMarker(files, "call \(index)")
            if isDone { break }
            // Neighbours are much the same.
            index += 7
        }
        #expect(failures > 10)
    }

    static func expectNoMarker(
        _ files: SimulatedFileSystem, _ comment: Comment
    ) throws {
        // The bytes of the reserve are nobody's and never synced: after a power cut, this disk has there what other files had.
        for name in try files.list("/store.offline") where name != FileNames.reserve {
            let file = try files.open(files.path("/store.offline", name), .read)
            defer { file.close() }
            let bytes = try file.readArray(count: Int(file.size()), at: 0)
            #expect(!FieldEncryptionTests.finds(in: bytes), "\(comment): \(name)")
        }
    }

    @Test func `a unique index that is new is built of all that is sealed with any key`()
        async throws
    {
        let place = try TestStore(.log)
        defer { place.remove() }
        func options(_ unique: Bool) -> StorageOptions {
            Self.options(place.options(), isSensitive: true) {
                $0.indexes = unique ? [IndexSchema(name: "ssn", keyPath: "ssn", unique: true)] : []
            }
        }
        var store = try await OfflineStore.open(options(false))
        try await store.create("users", Self.record(1))
        // Nothing is sealed anew in this opening.
        try store.core().resealing.close()
        try await store.rotateKey(to: KeyEnvelopeTests.key(1), reencrypt: true)
        var twin = Self.record(2)
        twin["ssn"] = Self.record(1)["ssn"]
        try await store.create("users", twin)
        #expect(try Rotation.sealed(store).counts.keys.sorted() == [1, 2])
        try await store.close()
        await expectError(.uniqueViolation) { _ = try await OfflineStore.open(options(true)) }
        store = try await OfflineStore.open(options(false))
        try await store.delete("users", 2)
        try await store.close()
        store = try await OfflineStore.open(options(true))
        await expectError(.uniqueViolation) { try await store.create("users", twin) }
        try await store.close()
    }

    @Test func `an index of a field that was unsearchable has the tokens of all values`()
        async throws
    {
        let place = try TestStore(.log)
        defer { place.remove() }
        func options(_ isSearchable: Bool) -> StorageOptions {
            var options = Self.options(place.options(), isSensitive: true) {
                $0.indexes =
                    isSearchable ? [IndexSchema(name: "ssn", keyPath: "ssn", unique: true)] : []
            }
            options.encryption = EncryptionOptions(
                encryptionKeyProvider: KeyEnvelopeTests.key(1),
                unsearchableFields: isSearchable ? [] : ["ssn"])
            return options
        }
        var store = try await OfflineStore.open(options(false))
        try await store.create("users", Self.record(1))
        try await store.close()
        store = try await OfflineStore.open(options(true))
        var twin = Self.record(2)
        twin["ssn"] = Self.record(1)["ssn"]
        let second = twin
        await expectError(.uniqueViolation) { try await store.create("users", second) }
        let found = try await store.query(
            "users", Query(filters: ["ssn": second["ssn"] ?? .null]))
        #expect(found == [Self.record(1)])
        try await store.close()
    }
}
