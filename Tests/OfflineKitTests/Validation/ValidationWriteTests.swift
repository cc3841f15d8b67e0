// Every way in which a record comes to be what it is, on every backend: what breaks the collection's schema is `.validationFailed`,
// and nothing of the operation is done.
import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite("Validation of writes") struct ValidationWriteTests {
    static let rules: Document = [
        "required": ["name"],
        "properties": [
            "name": ["type": "string", "minLength": 2],
            "age": ["type": "integer", "minimum": 0, "maximum": 150],
            "code": ["pattern": "^[A-Z]{2}[0-9]+$"],
        ],
        "if": ["properties": ["kind": ["const": "member"]], "required": ["kind"]],
        "then": ["required": ["age"]],
    ]
    static let schema = [
        CollectionSchema(name: "people", validation: rules),
        CollectionSchema(name: "places"),
    ]

    private static let valid: Document = [
        "id": "a", "name": "Ada", "age": 36, "code": "AB12", "kind": "member",
    ]

    /// Changes that break it, each with the path and the rule that are told.
    private static let changes: [(fields: Document, told: [String])] = [
        (["name": "A"], ["\"name\"", "2 characters", "#/properties/name/minLength"]),
        (["name": 1], ["\"name\"", "of type string", "integer"]),
        (["age": 151], ["\"age\"", "at most 150"]),
        (["age": -1], ["\"age\"", "at least 0"]),
        (["age": 1.5], ["\"age\"", "of type integer"]),
        (["code": "ab1"], ["\"code\"", "^[A-Z]{2}[0-9]+$"]),
    ]

    private static func with(_ fields: Document) -> Document {
        DocumentMerge.merge(fields, into: valid)
    }

    /// Runs `write`, which must be refused, and looks that all is as before.
    private func expectRefused(
        _ store: OfflineStore, _ told: [String] = [], key: Value? = nil,
        sourceLocation: SourceLocation = #_sourceLocation, _ write: () async throws -> Void
    ) async throws {
        let before = try await store.query("people", Query())
        let error = await expectError(
            .validationFailed, sourceLocation: sourceLocation, write)
        #expect(error?.collection == "people", sourceLocation: sourceLocation)
        if let key { #expect(error?.key == key, sourceLocation: sourceLocation) }
        for part in told {
            #expect(
                error?.message.contains(part) == true, "\(error?.message ?? ""), \(part)",
                sourceLocation: sourceLocation)
        }
        let after = try await store.query("people", Query())
        #expect(before == after, sourceLocation: sourceLocation)
    }

    @Test(arguments: TestBackend.allCases)
    func `a record that breaks the schema isn't written, alone or in a batch`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await store.create("people", Self.valid)
            try await store.createBatch(
                "people", [["id": "b", "name": "Bob"], ["id": "c", "name": "Cleo", "age": 1]])
            for (fields, told) in Self.changes {
                var new = Self.with(fields)
                new["id"] = "new"
                try await expectRefused(store, told, key: "new") {
                    try await store.create("people", new)
                }
                try await expectRefused(store, told, key: "new") {
                    try await store.createBatch("people", [["id": "z", "name": "Zoe"], new])
                }
                try await expectRefused(store, told, key: "new") {
                    try await store.upsert("people", new)
                }
                try await expectRefused(store, told, key: "a") {
                    try await store.update("people", Self.with(fields), mode: .replace)
                }
                var merged = fields
                merged["id"] = "a"
                try await expectRefused(store, told, key: "a") {
                    try await store.update("people", merged, mode: .merge)
                }
                try await expectRefused(store, told, key: "a") {
                    try await store.upsert("people", Self.with(fields))
                }
                for mode in [UpdateMode.merge, .replace] {
                    let whole = mode == .merge ? merged : Self.with(fields)
                    try await expectRefused(store, told, key: "a") {
                        try await store.updateBatch(
                            "people", [["id": "b", "name": "Bert"], whole], mode: mode)
                    }
                }
            }
            try await expectRefused(store, ["\"name\" is required"]) {
                try await store.create("people", ["id": "d", "age": 1])
            }
            // What is merged is what counts: alone, the fields would be a record without a name.
            try await store.update("people", ["id": "a", "age": 37], mode: .merge)
            try await expectRefused(store, ["\"name\" is required"], key: "a") {
                try await store.update("people", ["id": "a", "age": 37], mode: .replace)
            }
            try await expectRefused(store, ["\"age\" is required", "#/then/required"], key: "b") {
                try await store.update("people", ["id": "b", "kind": "member"], mode: .merge)
            }
            #expect(try await store.count("people") == 3)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `a transaction goes on after a refused write and keeps the rest`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await store.transaction(["people", "places"]) { transaction in
                try await transaction.create("people", Self.valid)
                await expectError(.validationFailed) {
                    try await transaction.update("people", ["id": "a", "age": 200], mode: .merge)
                }
                await expectError(.validationFailed) {
                    try await transaction.createBatch("people", [["id": "b"], ["id": "c"]])
                }
                // A name that the dictionary has only in this transaction.
                try await transaction.create("people", ["id": "n", "new": 1, "name": "Nan"])
                await expectError(.validationFailed) {
                    try await transaction.upsert("people", ["id": "n", "new": 1, "name": 5])
                }
                try await transaction.create("places", ["id": 1, "name": 1])
            }
            #expect(try await store.get("people", "a")?["age"] == 36)
            #expect(try await store.count("people") == 2)
            #expect(try await store.count("places") == 1)
        }
    }

    private struct Person: Codable, Sendable {
        var id: String
        var name: String
        var age: Int?
    }

    @Test func `typed values and changes of a synchronization are held against it`() async throws {
        try await TestStore.with(.log, Self.schema) { store in
            let people = store.collection("people", of: Person.self)
            try await people.create(Person(id: "a", name: "Ada", age: 1))
            try await expectRefused(store, ["\"age\""], key: "b") {
                try await people.create(Person(id: "b", name: "Bob", age: 999))
            }
            try await expectRefused(store, ["\"name\""], key: "a") {
                try await people.update(Person(id: "a", name: "", age: 1))
            }
            try await store.markSynchronized(store.getChanges())
            func apply(_ changes: [RemoteChange]) async throws {
                let conflicts = try await store.applyRemote("people", changes, origin: "server")
                #expect(conflicts == [])
            }
            let sound = RemoteChange(key: "s", document: ["id": "s", "name": "Sun"])
            for bad in ["a", "new"] {
                let change = RemoteChange(
                    key: .string(bad), document: ["id": .string(bad), "name": 5])
                try await expectRefused(store, ["\"name\""], key: .string(bad)) {
                    try await apply([sound, change])
                }
            }
            try await apply([sound, RemoteChange(key: "a", document: nil)])
            #expect(try await store.query("people", Query()).map { $0["id"] } == ["s"])
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `a delete rule that would break another record's schema is refused as a whole`(
        backend: TestBackend
    ) async throws {
        let schema = [
            CollectionSchema(
                name: "users",
                relationships: [
                    RelationshipSchema(
                        name: "notes", collection: "notes", type: .oneToMany,
                        foreignKey: "user", onDelete: .nullify)
                ]),
            CollectionSchema(
                name: "notes", validation: ["properties": ["user": ["type": "string"]]]),
        ]
        try await TestStore.with(backend, schema) { store in
            try await store.createBatch("users", [["id": "u"], ["id": "v"]])
            try await store.create("notes", ["id": 1, "user": "u"])
            let error = await expectError(.validationFailed) {
                _ = try await store.deleteBatch("users", ["v", "u"])
            }
            #expect(error?.collection == "notes" && error?.key == 1)
            #expect(error?.message.contains("\"user\" must be of type string") == true)
            #expect(try await store.count("users") == 2)
            #expect(try await store.get("notes", 1)?["user"] == "u")
            #expect(try await store.delete("users", "v"))
        }
    }

    @Test func `names beyond the dictionary are found`()
        async throws
    {
        let rules: Document = [
            "properties": ["late": ["type": "integer"]], "required": ["late"],
            "additionalProperties": ["type": ["boolean", "string"]],
        ]
        let schema = [CollectionSchema(name: "c", validation: rules)]
        try await TestStore.with(.memory, schema) { store in
            // The dictionary has room for 4,096 names.
            let names = (0..<4_200).map { ("n\($0)", Value.bool(true)) }
            var many = Document(fields: [("id", "k")] + names + [("late", 1)])
            try await store.create("c", many)
            many["n4199"] = 1
            await expectError(.validationFailed) { try await store.upsert("c", many) }
            many["n4199"] = true
            many["late"] = "x"
            await expectError(.validationFailed) { try await store.upsert("c", many) }
            many["late"] = nil
            await expectError(.validationFailed) { try await store.upsert("c", many) }
        }
    }

    @Test func `the record's key and what is generated of it are a part of it`() async throws {
        let closed: Document = ["properties": ["name": [:]], "additionalProperties": false]
        try await TestStore.with(
            .memory, [CollectionSchema(name: "c", validation: closed)]
        ) { store in
            let error = await expectError(.validationFailed) {
                try await store.create("c", ["name": "x"])
            }
            #expect(error?.message.contains("\"id\" is no field that the schema has") == true)
        }
        let keyed: Document = ["required": ["id"], "properties": ["id": ["type": "string"]]]
        try await TestStore.with(
            .memory, [CollectionSchema(name: "c", validation: keyed)]
        ) { store in
            try await store.create("c", ["name": "x"])
            await expectError(.validationFailed) { try await store.create("c", ["id": 1]) }
        }
    }
}
