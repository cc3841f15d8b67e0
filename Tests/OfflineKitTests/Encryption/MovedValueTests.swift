// What is sealed opens in its own place only, wherever else it gets to; and nobody is given it sealed.
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite("Moved sealed values") struct MovedValueTests {
    private static let schema = ["users", "others"].map { name in
        CollectionSchema(
            name: name, tracksChanges: false,
            accessPolicy: AccessPolicy([
                .init(role: "all", operations: Set(AccessPolicy.Operation.allCases))
            ]))
    }

    private static let user: Document = [
        "id": "a", "name": "n", "ssn": "secret", "plan": ["team": "secret", "level": 3],
        "cards": [["number": "secret", "until": 1], ["until": 2]],
    ]

    private static func store(_ place: TestStore, key: UInt8 = 1) async throws -> OfflineStore {
        let store = try await place.open(schema) {
            $0.encryption = EncryptionOptions(
                sensitiveFields: ["ssn", "plan.team", "cards.number"],
                encryptionKeyProvider: KeyEnvelopeTests.key(key))
        }
        try await store.create("users", user)
        return store
    }

    private static func names(
        _ store: OfflineStore, _ name: String
    ) throws -> (collection: CollectionState, names: NameDictionary) {
        let core = try store.core()
        let collection = try core.schema.collection(name)
        return (collection, NameDictionary(try core.backend.snapshot().names(of: collection.id)))
    }

    /// The record as it is stored.
    private static func stored(_ store: OfflineStore) throws -> Document {
        let (collection, names) = try names(store, "users")
        let adapter = StorageAdapter(try store.core().backend.snapshot())
        let document = try unsafe adapter.withStored(
            of: collection, key: KeyEncoder.key("a"), names: names
        ) { _, record in unsafe Document(copying: RecordView(record, names: names)) }
        return try #require(document)
    }

    /// Puts a record as somebody would who can write the files.
    private static func put(
        _ record: Document, _ name: String, _ store: OfflineStore
    ) async throws {
        let (collection, names) = try names(store, name)
        var encoder = RecordEncoder(dictionary: names)
        let bytes = try encoder.encode(record)
        let batch = try store.core().backend.begin([collection.id], reading: [])
        try batch.extendNames(of: collection.id, with: encoder.newNames)
        try batch.put(
            collection.id, key: KeyEncoder.key(try #require(record["id"])), record: bytes)
        try await batch.commit(appended: {}, committed: { _ in })
    }

    @Test(arguments: TestBackend.allCases)
    func `a sealed value that was moved doesn't open`(_ backend: TestBackend) async throws {
        let (place, elsewhere) = (try TestStore(backend), try TestStore(backend))
        defer {
            place.remove()
            elsewhere.remove()
        }
        let store = try await Self.store(place)
        let other = try await Self.store(elsewhere, key: 2)
        let sealed = try #require(try Self.stored(store)["ssn"])
        #expect(sealed.sealed != nil)
        let places: [(OfflineStore, String, Document)] = [
            (store, "users", ["id": "another record", "ssn": sealed]),
            (store, "users", ["id": "another field", "plan": ["team": sealed]]),
            (store, "users", ["id": "an array", "cards": [["number": sealed]]]),
            (store, "users", ["id": "not sensitive", "name": sealed]),
            (store, "users", ["id": "in an object", "plan": ["level": sealed]]),
            (store, "others", ["id": "a", "ssn": sealed]),
            (other, "users", ["id": "a", "ssn": sealed]),
        ]
        for (store, collection, record) in places {
            try await Self.put(record, collection, store)
            let key = try #require(record["id"])
            let error = await expectError(.decryptionFailed, "\(record)") {
                _ = try await store.get(collection, key)
            }
            #expect(error?.collection == collection)
            await expectError(.decryptionFailed, "\(record)") {
                _ = try await store.query(collection, Query(filters: ["id": key]))
            }
        }
        let kept = try await store.get("users", "a")
        #expect(kept == Self.user)
        try await store.close()
        try await other.close()
    }

    @Test func `what a locked store gives back of a write can be written anywhere`() async throws {
        let place = try TestStore()
        defer { place.remove() }
        let store = try await Self.store(place)
        let session = store.session(as: Principal(id: "p", roles: ["all"]))
        await store.lock()
        let bare: Document = [
            "id": "a", "name": "m", "plan": ["level": 3], "cards": [["until": 1], ["until": 2]],
        ]
        let given = [
            try await store.update("users", ["id": "a", "name": "m"], mode: .merge),
            try await store.updateBatch("users", [["id": "a", "name": "m"]], mode: .merge)[0],
            try await store.transaction(["users"]) { transaction in
                try await transaction.update("users", ["id": "a", "name": "m"], mode: .merge)
            },
            try await session.update("users", ["id": "a", "name": "m"], mode: .merge),
        ]
        #expect(given == [bare, bare, bare, bare])
        try await store.unlock()
        for (number, document) in given.enumerated() {
            var copy = document
            copy["id"] = .int(Int64(number))
            try await store.create("users", copy)
            let got = try await store.get("users", number)
            #expect(got == copy)
        }
        var expected = Self.user
        expected["name"] = "m"
        let kept = try await store.get("users", "a")
        #expect(kept == expected)
        try await store.close()
    }
}
