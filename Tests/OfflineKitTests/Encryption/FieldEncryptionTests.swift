// Sealed fields end to end: nothing of them reaches a disk, all that reads gives them back, and nothing that was moved opens.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Field encryption") struct FieldEncryptionTests {
    static let marker = "MARKER-4242-SECRET"

    static func options(
        _ backend: StorageBackendOption, fields: [String] = ["ssn", "cards.number", "plan"],
        algorithm: EncryptionOptions.Algorithm = .xchacha20Poly1305,
        unsearchable: [String] = [], provider: EncryptionKeyProvider = KeyEnvelopeTests.key(1)
    ) -> StorageOptions {
        StorageOptions(
            databaseName: "sealed", directory: URL(fileURLWithPath: "/"), storageBackend: backend,
            encryption: EncryptionOptions(
                sensitiveFields: fields, encryptionKeyProvider: provider,
                encryptionAlgorithm: algorithm, unsearchableFields: unsearchable),
            storageSchema: [
                CollectionSchema(
                    name: "users",
                    indexes: [
                        IndexSchema(name: "ssn", keyPath: "ssn", unique: true),
                        IndexSchema(name: "name", keyPath: "name"),
                    ], sensitiveFields: ["password"])
            ])
    }

    static func record(_ id: String, ssn: String = marker) -> Document {
        [
            "id": .string(id), "name": .string("name \(id)"), "ssn": .string(ssn),
            "password": .string(marker),
            "cards": [["number": .string(marker), "until": 2027], ["until": 2028]],
            "plan": ["inner": .string(marker), "level": 3],
        ]
    }

    /// The markers in every form in which bytes could give them away.
    static let shapes: [[UInt8]] = {
        let plain = Array(marker.utf8)
        var wide: [UInt8] = []
        var hex = ""
        for byte in plain {
            wide += [byte, 0]
            hex += String(format: "%02x", Int(byte))
        }
        var base64: [[UInt8]] = []
        for shift in 0..<3 {
            let bytes = [UInt8](repeating: 0, count: shift) + plain
            let whole = [UInt8](Data(bytes).base64EncodedString().utf8)
            base64.append([UInt8](whole.dropFirst(4).dropLast(4)))
        }
        return [plain, wide, Array(hex.utf8), Array(hex.uppercased().utf8)] + base64
    }()

    static func finds(in bytes: [UInt8]) -> Bool {
        let data = Data(bytes)
        return shapes.contains { data.range(of: Data($0)) != nil }
    }

    @Test(arguments: EncryptionOptions.Algorithm.allCases)
    func `no byte written and no text has a secret, and all that reads gives it back`(
        _ algorithm: EncryptionOptions.Algorithm
    ) async throws {
        if algorithm == .aes256GCM, !Sodium.hasAES { return }
        let disk = RecordingFileSystem(SimulatedFileSystem(), keepsWrites: true)
        func open() async throws -> OfflineStore {
            let store = OfflineStore(
                Self.options(.custom(LogBackend(system: disk)), algorithm: algorithm))
            try await store.initialize()
            return store
        }
        var store = try await open()
        let created = try await store.create("users", Self.record("a"))
        #expect(created == Self.record("a"))
        try await store.createBatch("users", [Self.record("b", ssn: "x" + Self.marker)])
        try await store.update("users", Self.record("a"), mode: .replace)
        try await store.update("users", ["id": "a", "note": "n"], mode: .merge)
        try await store.transaction(["users"]) { transaction in
            try await transaction.upsert("users", Self.record("c", ssn: "y" + Self.marker))
            let read = try await transaction.get("users", "c")
            #expect(read?["password"] == .string(Self.marker))
        }
        let twice = await expectError(.uniqueViolation) {
            try await store.create("users", Self.record("d"))
        }
        #expect(!Self.finds(in: Array("\(twice.map(String.init(describing:)) ?? "")".utf8)))
        try await store.compact()
        try await store.close()
        store = try await open()
        var expected = Self.record("a")
        expected["note"] = "n"
        let got = try await store.get("users", "a")
        #expect(got == expected)
        let queries: [(Filter, Int)] = [
            (["ssn": .string(Self.marker)], 1), (["ssn": ["$in": [.string(Self.marker), "z"]]], 1),
            (["ssn": ["$gt": "x"]], 2), (["plan.inner": .string(Self.marker)], 3),
            (["cards.number": .string(Self.marker)], 3), (["password": ["$ne": "q"]], 3),
            (["name": "name b"], 1),
        ]
        for (filter, count) in queries {
            let found = try await store.query("users", Query(filters: filter))
            #expect(found.count == count, "\(filter)")
            let counted = try await store.count("users", filter)
            #expect(counted == count, "\(filter)")
            #expect(found.allSatisfy { $0["password"] == .string(Self.marker) })
        }
        let sorted = try await store.query("users", Query(sort: [.descending("ssn")]))
        #expect(sorted.map { $0["id"]?.stringValue } == ["c", "b", "a"])
        let values = try await store.distinct("users", "password", .all)
        #expect(values == [.string(Self.marker)])
        let changes = try await store.getChanges()
        #expect(changes.allSatisfy { $0.document?["password"] == .string(Self.marker) })
        let report = try await store.verify()
        #expect(report.isSound, "\(report)")
        #expect(!Self.finds(in: Array("\(report)".utf8)))
        let plan = try await store.explain(
            "users", Query(filters: ["name": "name b"]), analyze: true)
        #expect(!Self.finds(in: Array("\(plan)".utf8)))
        try await store.close()
        #expect(!disk.writes.isEmpty)
        for write in disk.writes where Self.finds(in: write.bytes) {
            Issue.record("\(write.path) has a secret in what is written at \(write.offset)")
        }
    }

    @Test func `while locked only what has no sealed field is given, and unlock gives all again`()
        async throws
    {
        let store = OfflineStore(Self.options(.memory))
        try await store.initialize()
        try await store.create("users", Self.record("a"))
        await store.lock()
        await expectError(.locked) { _ = try await store.get("users", "a") }
        await expectError(.locked) { _ = try await store.query("users", Query()) }
        await expectError(.locked) { _ = try await store.count("users", ["ssn": "1"]) }
        await expectError(.locked) {
            _ = try await store.query("users", Query(sort: [.ascending("ssn")]))
        }
        await expectError(.locked) { try await store.create("users", Self.record("b")) }
        let names = try await store.query("users", Query(select: ["name"]))
        #expect(names.map { $0["name"] } == ["name a"])
        try await store.update("users", ["id": "a", "name": "other"], mode: .merge)
        try await store.unlock()
        var expected = Self.record("a")
        expected["name"] = "other"
        let got = try await store.get("users", "a")
        #expect(got == expected)
        try await store.close()
    }

    @Test func `sealed bytes that were moved don't open`() async throws {
        let vault = try await FieldVault.forTests()
        let users = try CollectionSealing(vault, collection: "users", ["a", "b", "list.a"])
        let key = KeyEncoder.key("k")
        let sealed = try users.seal(["a": "secret", "b": "secret"], key: key)
        #expect(try users.open(sealed, key: key) == ["a": "secret", "b": "secret"])
        let value = try #require(sealed["a"])
        func fails(_ sealing: CollectionSealing, _ document: Document, _ key: [UInt8]) {
            let error = #expect(throws: OfflineError.self) { try sealing.open(document, key: key) }
            #expect(error?.code == .decryptionFailed)
            #expect(error?.description.contains("secret") != true)
        }
        fails(users, sealed, KeyEncoder.key("other"))
        fails(users, ["b": value], key)
        fails(users, ["list": [["a": value]]], key)
        fails(try CollectionSealing(vault, collection: "others", ["a"]), ["a": value], key)
        let elsewhere = try await CollectionSealing(.forTests(), collection: "users", ["a"])
        fails(elsewhere, ["a": value], key)
        let payload = try #require(value.sealed?.payload)
        let other = try #require(sealed["b"]?.sealed?.payload)
        var moved = payload
        moved.replaceSubrange(29..<45, with: other[29..<45])
        let withToken = try #require(SealedValue(payload: moved))
        fails(users, ["a": .object(Document(sealed: withToken))], key)
        for bit in 0..<(payload.count * 8) {
            var flipped = payload
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let value = SealedValue(payload: flipped) else { continue }
            fails(users, ["a": .object(Document(sealed: value))], key)
        }
    }

    @Test func `equal values have equal tokens in one field only`() async throws {
        let sealing = try await CollectionSealing(.forTests(), collection: "users", ["a", "b"])
        func token(_ document: Document, _ field: String, _ key: String) throws -> [UInt8] {
            let sealed = try sealing.seal(document, key: KeyEncoder.key(.string(key)))
            return Array(try #require(sealed[field]?.sealed).payload[29..<45])
        }
        let one = try token(["a": 1], "a", "k")
        #expect(try token(["a": 1.0], "a", "l") == one)
        #expect(try token(["b": 1], "b", "k") != one)
        #expect(try token(["a": 2], "a", "k") != one)
    }

    @Test func `values of every kind come back as they were`() async throws {
        let sealing = try await CollectionSealing(.forTests(), collection: "users", ["a"])
        let values: [Value] = [
            true, 1, 1.0, -0.5, "text", .data(Data([0, 1])), .date(Date(timeIntervalSince1970: 1)),
            [], [1, ["b": 2]], ["z": 1, "y": ["x": .null]], "", .int(.min),
        ]
        for value in values {
            let document: Document = ["id": 1, "a": value]
            let sealed = try sealing.seal(document, key: [1])
            #expect(sealed["a"]?.sealed != nil, "\(value)")
            let opened = try sealing.open(sealed, key: [1])
            #expect(opened.json() == document.json())
            #expect(opened["a"]?.kind == value.kind)
        }
        #expect(try sealing.seal(["a": .null], key: [1]) == ["a": .null])
    }

    @Test func `the key is the store's own, and can be changed for another`() async throws {
        let disk = SimulatedFileSystem()
        func store(_ provider: EncryptionKeyProvider) -> OfflineStore {
            OfflineStore(
                Self.options(.custom(LogBackend(system: disk)), provider: provider))
        }
        let first = store(KeyEnvelopeTests.passphrase("a"))
        try await first.initialize()
        try await first.create("users", Self.record("a"))
        try await first.rotateKey(to: KeyEnvelopeTests.passphrase("b"))
        await first.lock()
        try await first.unlock()
        try await first.close()
        await expectError(.wrongKey) {
            try await store(KeyEnvelopeTests.passphrase("a")).initialize()
        }
        var disabled = Self.options(.custom(LogBackend(system: disk)))
        disabled.encryption = .disabled
        disabled.storageSchema = []
        let plain = disabled
        await expectError(.wrongKey) { try await OfflineStore(plain).initialize() }
        let second = store(KeyEnvelopeTests.passphrase("b"))
        try await second.initialize()
        let got = try await second.get("users", "a")
        #expect(got == Self.record("a"))
        try await second.close()
    }

    static let refused: [(IndexSchema, String)] = [
        (IndexSchema(name: "i", keyPath: "secret", multiEntry: true), "multi-entry"),
        (IndexSchema(name: "i", keyPath: "secret", collation: .caseInsensitive), "token"),
        (.fullText(name: "i", keyPaths: ["secret"]), "full-text"),
        (IndexSchema(name: "i", keyPath: "a", where: ["secret": 1]), "filter"),
        (IndexSchema(name: "i", keyPath: "secret.inner"), "token"),
        (IndexSchema(name: "i", keyPath: "hidden"), "token"),
    ]

    @Test(arguments: refused)
    func `an index that can't be on tokens is refused`(
        _ index: IndexSchema, _ named: String
    ) async {
        var options = Self.options(.memory, fields: ["secret", "hidden"], unsearchable: ["hidden"])
        options.storageSchema = [CollectionSchema(name: "c", indexes: [index])]
        let wanted = options
        let error = await expectError(.invalidOptions) {
            try await OfflineStore(wanted).initialize()
        }
        #expect(error?.message.contains(named) == true, "\(error?.message ?? "")")
    }

    @Test func `a key is never sensitive`() async {
        let options = Self.options(.memory, fields: ["id"])
        await expectError(.invalidOptions) { try await OfflineStore(options).initialize() }
    }
}

extension FieldVault {
    static func forTests() async throws -> FieldVault {
        let options = EncryptionOptions(encryptionKeyProvider: KeyEnvelopeTests.key(1))
        let vault = try await FieldVault.open(options, nil, isReadOnly: false, needsKeys: false)
        return try #require(vault)
    }
}
