// A field becomes sensitive in a store that is damaged, full, or has records that don't fit then: it opens whenever it opened before, and
// what couldn't be done is known to be left.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Newly sensitive fields, hindered") struct NewlySensitiveFailureTests {
    private static func options(
        _ files: SimulatedFileSystem, isSensitive: Bool
    ) -> StorageOptions {
        NewlySensitiveTests.options(
            StorageOptions(
                databaseName: "store", directory: URL(filePath: "/"),
                storageBackend: .custom(DiskBackend.log.make(files))),
            isSensitive: isSensitive)
    }

    private static func isMarked(_ store: OfflineStore) throws -> Bool {
        try store.core().backend.snapshot().collections().contains {
            guard case .records(let definition) = try StoredKind($0.definition) else {
                return false
            }
            return definition.isUnsealed
        }
    }

    @Test func `a record that is too large when it is sealed is named, and nothing has changed`()
        async throws
    {
        let place = try TestStore(.log)
        defer { place.remove() }
        let plain = NewlySensitiveTests.options(place.options(), isSensitive: false)
        let wanted = NewlySensitiveTests.options(place.options(), isSensitive: true)
        var large = NewlySensitiveTests.record(7)
        large["notes"] = .array((0..<40).map { ["text": .string("\($0)")] })
        large["blob"] = .data(Data(count: RecordLimits.byteCountMax - 2_000))
        var store = try await OfflineStore.open(plain)
        try await store.create("users", NewlySensitiveTests.record(1))
        try await store.create("users", large)
        try await store.close()
        let error = await expectError(.invalidOptions) { _ = try await OfflineStore.open(wanted) }
        #expect(error?.key == 7)
        // The way back.
        store = try await OfflineStore.open(plain)
        let found = try await store.get("users", 7)
        #expect(found == large)
        large["blob"] = nil
        try await store.update("users", large, mode: .replace)
        try await store.close()
        store = try await OfflineStore.open(wanted)
        #expect(try Rotation.sealed(store).plain == 0)
        #expect(try !Self.isMarked(store))
        try await store.close()
    }

    @Test func `a record that has no room for the token of a new index is named`() async throws {
        let place = try TestStore(.log)
        defer { place.remove() }
        func options(_ isIndexed: Bool) -> StorageOptions {
            var options = Rotation.options(place.options())
            options.storageSchema = [
                CollectionSchema(
                    name: "users",
                    indexes: isIndexed ? [IndexSchema(name: "ssn", keyPath: "ssn")] : [],
                    sensitiveFields: ["ssn"])
            ]
            options.encryption = EncryptionOptions(
                encryptionKeyProvider: KeyEnvelopeTests.key(1),
                unsearchableFields: isIndexed ? [] : ["ssn"])
            return options
        }
        let store = try await OfflineStore.open(options(false))
        var record: Document = ["id": 1, "ssn": "s", "blob": .data(Data(count: 15 << 20))]
        try await store.create("users", record)
        let core = try store.core()
        var length = 0
        _ = try core.backend.snapshot().withRecord(
            core.schema.collection("users").id, key: KeyEncoder.key(1)
        ) { length = $0.byteCount }
        // No more is left than the stamp takes, if there is one; a token has 16 bytes.
        record["blob"] = .data(Data(count: (15 << 20) + RecordLimits.byteCountMax - length))
        try await store.update("users", record, mode: .replace)
        try await store.close()
        let error = await expectError(.invalidOptions) {
            _ = try await OfflineStore.open(options(true))
        }
        #expect(error?.key == 1)
        let again = try await OfflineStore.open(options(false))
        let found = try await again.get("users", 1)
        #expect(found == record)
        try await again.close()
    }

    @Test func `a damaged record is stepped over, and sealed by the opening that can read it`()
        async throws
    {
        let files = SimulatedFileSystem()
        var records = (1...30).map { NewlySensitiveTests.record($0) }
        records[4]["mark"] = "damage me"
        var store = try await OfflineStore.open(Self.options(files, isSensitive: false))
        for record in records { try await store.create("users", record) }
        try await store.close()
        let place = try #require(try Rotation.place(of: "damage me", in: files))
        try files.flipBit(place.bit, of: place.path)
        for _ in 0..<2 {
            store = try await OfflineStore.open(Self.options(files, isSensitive: true))
            #expect(try Self.isMarked(store))
            await expectError(.corrupted) { _ = try await store.get("users", 5) }
            for id in [4, 6, 30] as [Int64] {
                let found = try await store.get("users", .int(id))
                #expect(found == records[Int(id) - 1])
                let core = try store.core()
                let users = try core.schema.collection("users").id
                var bytes: [UInt8] = []
                let isThere = try core.backend.snapshot().withRecord(
                    users, key: KeyEncoder.key(.int(id))
                ) { bytes.append($0) }
                #expect(isThere && !FieldEncryptionTests.finds(in: bytes), "\(id)")
            }
            try await store.close()
        }
        try files.flipBit(place.bit, of: place.path)
        store = try await OfflineStore.open(Self.options(files, isSensitive: true))
        #expect(try !Self.isMarked(store))
        #expect(try Rotation.sealed(store).plain == 0)
        let all = try await store.query("users")
        #expect(all == records)
        try await store.close()
        try NewlySensitiveTests.expectNoMarker(files, "in the end")
    }

    @Test(arguments: [1, 5, .max])
    func `as long as the files have anything unsealed, the mark stays`(_ failing: Int) async throws
    {
        var index = 1
        var isDone = false
        var left = 0
        while !isDone {
            let files = SimulatedFileSystem()
            let context: Comment = "\(failing) calls, from \(index)"
            let (records, changes) = try await NewlySensitiveTests.make(
                NewlySensitiveFailureTests.bare(files), 12)
            for number in 0..<min(failing, 5) {
                files.inject(
                    Fault(
                        [.write, .create, .truncate], first: index + number,
                        isSticky: failing == .max, error: SystemErrorNumber.noSpace))
            }
            let opened = try? await OfflineStore.open(Self.options(files, isSensitive: true))
            isDone = files.firedFaultCount == 0
            files.removeFaults()
            let isMarked = try opened.map { try Self.isMarked($0) } ?? true
            try? await opened?.close()
            if isMarked {
                left += 1
            } else {
                try NewlySensitiveTests.expectNoMarker(files, context)
            }
            let store = try await OfflineStore.open(Self.options(files, isSensitive: true))
            try await NewlySensitiveTests.expectSealed(store, records, changes, context)
            try await store.close()
            try NewlySensitiveTests.expectNoMarker(files, context)
            index += 2
        }
        #expect(left > 0)
    }

    private static func bare(_ files: SimulatedFileSystem) -> StorageOptions {
        StorageOptions(
            databaseName: "store", directory: URL(filePath: "/"),
            storageBackend: .custom(DiskBackend.log.make(files)))
    }

    @Test func `a store of a newer version gets no keys`() async throws {
        let files = SimulatedFileSystem()
        var newer = Self.options(files, isSensitive: false)
        newer.version = 2
        try await OfflineStore.open(newer).close()
        await expectError(.versionTooNew) {
            _ = try await OfflineStore.open(Self.options(files, isSensitive: true))
        }
        #expect(try !files.list("/store.offline").contains("KEYS"))
    }
}
