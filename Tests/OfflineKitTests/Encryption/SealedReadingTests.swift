// What of sealed records is opened, and with what they are sealed.
import Foundation
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite("Reading sealed records") struct SealedReadingTests {
    /// Ten records, and one, named "moved", whose number was sealed for another record: whoever opens it fails.
    private func store() async throws -> OfflineStore {
        let store = try await OfflineStore.open(
            StorageOptions(
                databaseName: "sealed", directory: URL(fileURLWithPath: "/"),
                storageBackend: .memory, encryption: .forTests(["number", "parts.code"]),
                storageSchema: [CollectionSchema(name: "c")]))
        try await store.createBatch("c", (0..<10).map(Self.record))
        let core = try store.core()
        let view = ReadView(snapshot: try core.backend.snapshot(), schema: core.schema)
        let collection = try view.collection("c")
        let raw = try unsafe view.adapter.withRecord(
            of: collection, key: KeyEncoder.key("3"), names: view.names(of: collection).dictionary,
            opening: false
        ) { unsafe Document(copying: $0) }
        let sealed = try #require(raw?["number"])
        #expect(sealed.sealed != nil)
        // While it is locked nobody opens what is written.
        await store.lock()
        try await store.create(
            "c", ["id": "moved", "name": "moved", "rank": 3, "number": sealed])
        try await store.unlock()
        return store
    }

    private static func record(_ number: Int) -> Document {
        [
            "id": .string("\(number)"), "name": "kept", "rank": .int(Int64(number % 3)),
            "number": .string("secret \(number)"), "parts": [["code": .int(Int64(number))]],
        ]
    }

    @Test func `only what is asked or given out is opened`() async throws {
        let store = try await store()
        let kept: Filter = ["name": "kept"]
        let found = try await store.query("c", Query(filters: kept))
        #expect(found.map(\.description) == (0..<10).map { Self.record($0).description })
        let all = try await store.count("c", ["rank": ["$gte": 0]])
        #expect(all == 11)
        let names = try await store.query(
            "c", Query(sort: [.descending("rank")], limit: 1, select: ["name"]))
        #expect(names.map { $0["name"] } == ["moved"])
        let codes = try await store.query("c", Query(filters: ["parts.0.code": 4]))
        #expect(codes.map { $0["number"] } == ["secret 4"])
        let distinct = try await store.distinct("c", "name", .all)
        #expect(distinct == ["kept", "moved"])
        let sums = try await store.aggregate(
            "c",
            Aggregation(filters: .all, measures: ["codes": .maximum("parts.code"), "n": .count]))
        #expect(sums.map { $0["n"] } == [11])
        var streamed = 0
        for try await _ in store.stream("c", Query(select: ["rank", "parts.code"])) {
            streamed += 1
        }
        #expect(streamed == 11)
        try await store.close()
    }

    @Test func `what doesn't open is told wherever it is asked or given out`() async throws {
        let store = try await store()
        await expectError(.decryptionFailed) { _ = try await store.get("c", "moved") }
        await expectError(.decryptionFailed) { _ = try await store.query("c", Query()) }
        await expectError(.decryptionFailed) {
            _ = try await store.query("c", Query(select: ["number"]))
        }
        await expectError(.decryptionFailed) {
            _ = try await store.count("c", ["number": ["$gt": "secret"]])
        }
        await expectError(.decryptionFailed) {
            _ = try await store.query(
                "c", Query(sort: [.ascending("number")], limit: 1, select: ["name"]))
        }
        await expectError(.decryptionFailed) { _ = try await store.distinct("c", "number", .all) }
        let error = await expectError(.decryptionFailed) {
            try await store.update("c", ["id": "moved", "rank": 1], mode: .merge)
        }
        #expect(error?.key == "moved" && error?.message.contains("number") == true)
        #expect(error?.description.contains("secret") == false)
        try await store.close()
    }

    @Test
    func `what is written is given back as the caller has it, and stored without its plaintext`()
        async throws
    {
        let store = try await store()
        var record = Self.record(1)
        record["number"] = ["inner": ["deep", 1]]
        let created = try await store.upsert("c", record)
        #expect(created.description == record.description)
        let merged = try await store.update("c", ["id": "1", "rank": 9], mode: .merge)
        record["rank"] = 9
        #expect(merged.description == record.description)
        let got = try await store.get("c", "1")
        #expect(got?.description == record.description)
        // Names in a sealed value get no ids: dictionaries aren't sealed.
        let core = try store.core()
        let snapshot = try core.backend.snapshot()
        let names = snapshot.names(of: try core.schema.collection("c").id)
        #expect(!names.contains("inner") && names.contains("rank"))
        try await store.close()
    }

    @Test func `no nonce is used twice`() async throws {
        let vault = try await FieldVault.forTests()
        let sealing = try CollectionSealing(vault, collection: "c", ["a", "b", "list.a"])
        var nonces: Set<[UInt8]> = []
        var count = 0
        for _ in 0..<20 {
            let sealer = RecordSealer(sealing)
            var encoder = RecordEncoder(dictionary: .empty, sealer: sealer)
            for number in 0..<60 {
                sealer.key = KeyEncoder.key(.int(Int64(number)))
                let record = try encoder.encode([
                    "a": 1, "b": 2, "list": [["a": 1], ["a": 2], ["a": 3]],
                ])
                let document = Document(record: record, names: encoder.dictionary)
                let list = document["list"].map { [$0[0]?["a"], $0[1]?["a"], $0[2]?["a"]] } ?? []
                for value in [document["a"], document["b"]] + list {
                    let payload = try #require(value?.sealed?.payload)
                    nonces.insert(
                        Array(payload[SealedValue.nonceOffset..<SealedValue.tokenOffset]))
                    count += 1
                }
            }
        }
        #expect(count == 6_000 && nonces.count == count)
    }
}
