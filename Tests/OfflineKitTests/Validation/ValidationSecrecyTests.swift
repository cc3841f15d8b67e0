// What a refusal tells, and whom: never a value of the record, of sensitive fields nothing at all, and a session only what follows from
// what it sees.
import Foundation
import OfflineDocuments
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Secrecy of validation") struct ValidationSecrecyTests {
    static let marker = FieldEncryptionTests.marker

    /// Rules that break on the marker in every way, by the field that breaks.
    private static let rules: [(path: String, rules: Document)] = [
        ("ssn", ["type": "integer"]), ("ssn", ["const": "other"]), ("ssn", ["enum": ["x", "y"]]),
        ("ssn", ["maxLength": 3]), ("ssn", ["pattern": "^[0-9]+$"]), ("ssn", ["not": [:]]),
        ("ssn", ["not": ["type": "string"]]), ("ssn", ["anyOf": [["type": "null"]]]),
        ("ssn", ["oneOf": [[:], [:]]]), ("ssn", ["if": [:], "then": false]),
        ("plan", ["properties": ["inner": ["type": "integer"]]]),
        ("plan", ["additionalProperties": false]), ("plan", ["required": ["MARKER"]]),
        ("plan", ["maxProperties": 1]), ("plan", ["properties": ["list": ["uniqueItems": true]]]),
        ("plan", ["properties": ["list": ["items": ["const": "MARKER"]]]]),
        (
            "cards",
            ["items": ["properties": ["number": ["const": "MARKER"]]]]
        ),
    ]

    private static let record: Document = [
        "id": "a", "name": "Ada", "ssn": .string(marker),
        "cards": [["number": .string(marker)]],
        "plan": ["inner": .string(marker), "MARKER-field": 1, "list": [1, 1.0]],
    ]

    private func open(
        _ validation: Document?, _ backend: StorageBackendOption = .memory,
        sensitive: Bool = true
    ) async throws -> OfflineStore {
        var options = FieldEncryptionTests.options(
            backend, fields: sensitive ? ["ssn", "cards.number", "plan"] : [])
        options.storageSchema = [CollectionSchema(name: "users", validation: validation)]
        let store = OfflineStore(options)
        try await store.initialize()
        return store
    }

    @Test func `a refusal over a sensitive field tells its path and the keyword alone`()
        async throws
    {
        for (field, rules) in Self.rules {
            let store = try await open(["properties": .object([:]).setting(field, rules)])
            let error = await expectError(.validationFailed, "\(rules)") {
                try await store.create("users", Self.record)
            }
            let text = "\(error.map(String.init(describing:)) ?? "")"
            #expect(!text.contains("MARKER"), "\(text)")
            #expect(!text.contains("/properties/"), "\(text)")
            #expect(!text.contains("other") && !text.contains("[0-9]"), "\(text)")
            let path = field == "cards" ? "cards.number" : field
            #expect(text.contains("\"\(path)\" breaks the rule"), "\(text)")
            try await store.close()
        }
    }

    @Test func `no refusal quotes a value of the record, sensitive or not`() async throws {
        for (field, rules) in Self.rules {
            let named = "\(rules)".contains("MARKER")
            let store = try await open(
                ["properties": .object([:]).setting(field, rules)], sensitive: false)
            let error = await expectError(.validationFailed, "\(rules)") {
                try await store.create("users", Self.record)
            }
            let text = "\(error.map(String.init(describing:)) ?? "")"
            #expect(!text.contains(Self.marker), "\(text)")
            #expect(named || !text.contains("4242"), "\(text)")
            #expect(text.contains("#/properties/\(field)"), "\(text)")
            try await store.close()
        }
    }

    @Test func `what has a sensitive field in it isn't told from the schema either`() async throws {
        let store = try await open(["properties": ["cards": ["const": ["MARKER"]]]])
        let error = await expectError(.validationFailed) {
            try await store.create("users", Self.record)
        }
        #expect(error?.message.contains("MARKER") == false)
        #expect(error?.message.contains("\"cards\" isn't what the schema says") == true)
        try await store.close()
    }

    @Test func `which elements with a sensitive field are equal isn't told`() async throws {
        let store = try await open(["properties": ["cards": ["uniqueItems": true]]])
        let card: Value = ["number": .string(Self.marker)]
        let error = await expectError(.validationFailed) {
            try await store.create("users", ["id": "twins", "cards": [card, card]])
        }
        #expect(error?.message.contains("has equal elements (") == true, "\(error?.message ?? "")")
        try await store.close()
    }

    @Test func `records that are there are named without what is sensitive in them`() async throws {
        let disk = SimulatedFileSystem()
        func backend() -> StorageBackendOption { .custom(LogBackend(system: disk)) }
        let first = try await open(nil, backend())
        try await first.create("users", Self.record)
        try await first.close()
        let rules: Document = ["properties": ["ssn": ["const": "other"]]]
        let error = await expectError(.validationFailed) { _ = try await open(rules, backend()) }
        let text = "\(error.map(String.init(describing:)) ?? "")"
        #expect(text.contains("key \"a\": \"ssn\" breaks the rule \"const\""), "\(text)")
        #expect(!text.contains("MARKER") && !text.contains("other"), "\(text)")
        // What is sealed is opened to be looked at.
        let sound: Document = ["properties": ["ssn": ["const": .string(Self.marker)]]]
        let second = try await open(sound, backend())
        await expectError(.validationFailed) {
            try await second.update("users", ["id": "a", "ssn": "x"], mode: .merge)
        }
        try await second.close()
    }

    @Test func `while locked, what is sealed was valid and stays so, and the rest is looked at`()
        async throws
    {
        let rules: Document = [
            "properties": [
                "ssn": ["type": "string", "pattern": "SECRET"], "name": ["minLength": 2],
                "plan": ["required": ["inner"]],
            ], "required": ["ssn"], "additionalProperties": true,
        ]
        let store = try await open(rules)
        try await store.create("users", Self.record)
        await store.lock()
        try await store.update("users", ["id": "a", "name": "Eve"], mode: .merge)
        await expectError(.validationFailed) {
            try await store.update("users", ["id": "a", "name": "E"], mode: .merge)
        }
        try await store.unlock()
        let read = try await store.get("users", "a")
        #expect(read?["ssn"] == .string(Self.marker) && read?["name"] == "Eve")
        try await store.close()
    }

    @Test func `while locked, what depends on a sealed field is locked`() async throws {
        let rules: [Document] = [
            ["if": ["properties": ["ssn": ["type": "string"]]], "then": ["required": ["name"]]],
            ["not": ["properties": ["ssn": ["type": "integer"]]]],
            ["anyOf": [["properties": ["ssn": ["type": "string"]]], ["required": ["x"]]]],
            ["oneOf": [["properties": ["ssn": ["type": "string"]]], false]],
            ["not": ["const": 1], "enum": [.object(Self.record)]],
        ]
        for rules in rules {
            let store = try await open(rules)
            try await store.create("users", Self.record)
            await store.lock()
            let error = await expectError(.locked, "\(rules)") {
                try await store.update("users", ["id": "a", "name": "Ada"], mode: .merge)
            }
            #expect(error?.message.contains("unlock()") == true)
            try await store.unlock()
            try await store.update("users", ["id": "a", "name": "Ada"], mode: .merge)
            try await store.close()
        }
    }

    // MARK: Sessions

    private func withSession(
        _ validation: Document, _ rules: [AccessPolicy.Rule],
        _ body: (OfflineStore, StoreSession) async throws -> Void
    ) async throws {
        let schema = [
            CollectionSchema(
                name: "notes", validation: validation, accessPolicy: AccessPolicy(rules))
        ]
        try await TestStore.with(.memory, schema) { store in
            try await store.createBatch(
                "notes",
                [
                    ["id": "n", "owner": "ann", "text": "hello", "secret": 5],
                    ["id": "o", "owner": "bob", "text": "hello", "secret": 5],
                ])
            try await body(store, store.session(as: Principal(id: "ann")))
        }
    }

    private static let mine = AccessPolicy.Rule(
        role: "*", operations: [.read, .create, .update, .delete],
        where: ["owner": "$principal"], hiddenFields: ["secret"])
    private static let open: Document = [
        "properties": ["text": ["minLength": 2], "secret": ["type": "integer"]],
        "if": ["properties": ["secret": ["minimum": 5]], "required": ["secret"]],
        "then": ["properties": ["text": ["maxLength": 8]]],
    ]

    @Test func `a session is told what is wrong with what it sees, and no more`() async throws {
        try await withSession(Self.open, [Self.mine]) { store, session in
            for mode in [UpdateMode.merge, .replace] {
                let short: Document = ["id": "n", "owner": "ann", "text": "x"]
                let seen = await expectError(.validationFailed) {
                    try await session.update("notes", short, mode: mode)
                }
                #expect(seen?.message.contains("\"text\"") == true)
                // That this is too long follows from what is hidden.
                let long: Document = ["id": "n", "owner": "ann", "text": "much too long"]
                let refused = await expectError(.accessDenied) {
                    try await session.update("notes", long, mode: mode)
                }
                #expect(refused == WriteGuard.refused("notes"))
            }
            try await session.update(
                "notes", ["id": "n", "owner": "ann", "text": "good"], mode: .replace)
            #expect(try await store.get("notes", "n")?["secret"] == 5)
        }
    }

    @Test func `what breaks the schema is refused the same whether or not there is such a record`()
        async throws
    {
        try await withSession(Self.open, [Self.mine]) { _, session in
            for key in ["o", "none"] as [Value] {
                let theirs: Document = ["id": key, "owner": "bob", "text": "x"]
                for document in [theirs, DocumentMerge.merge(["owner": "ann"], into: theirs)] {
                    let created = await expectError(.validationFailed) {
                        try await session.create("notes", document)
                    }
                    let upserted = await expectError(.validationFailed) {
                        try await session.upsert("notes", document)
                    }
                    #expect(created == upserted)
                    await expectError(.notFound) {
                        try await session.update("notes", document, mode: .replace)
                    }
                }
            }
        }
    }

    @Test func `a delete rule that would break a record out of sight is refused without a word`()
        async throws
    {
        let all = Set(AccessPolicy.Operation.allCases)
        let schema = [
            CollectionSchema(
                name: "users",
                relationships: [
                    RelationshipSchema(
                        name: "notes", collection: "notes", type: .oneToMany,
                        foreignKey: "user", onDelete: .nullify)
                ], accessPolicy: AccessPolicy([.init(role: "*", operations: all)])),
            CollectionSchema(
                name: "notes", validation: ["properties": ["user": ["type": "string"]]],
                accessPolicy: AccessPolicy([.init(role: "*", operations: [.update])])),
        ]
        try await TestStore.with(.memory, schema) { store in
            try await store.create("users", ["id": "u"])
            try await store.create("notes", ["id": 1, "user": "u"])
            let session = store.session(as: Principal(id: "ann"))
            let error = await expectError(.accessDenied) {
                _ = try await session.delete("users", "u")
            }
            #expect(error == WriteGuard.refused("users"))
            #expect(try await store.count("users") == 1)
        }
    }
}

extension Value {
    /// An object with one field more.
    fileprivate func setting(_ field: String, _ rules: Document) -> Value {
        var document = objectValue ?? [:]
        document[field] = .object(rules)
        return .object(document)
    }
}
