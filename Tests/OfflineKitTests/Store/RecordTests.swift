import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct RecordTests {
    @Test(arguments: TestBackend.allCases)
    func `a record is created, read, updated and deleted`(backend: TestBackend) async throws {
        try await TestStore.with(backend) { store in
            try await store.create(
                "users",
                [
                    "id": "user123", "name": "John Doe", "email": "john@example.com",
                    "role": "customer",
                ])
            var user = try #require(try await store.get("users", "user123"))
            user["role"] = "admin"
            try await store.update("users", user)
            #expect(try await store.get("users", "user123")?["role"] == "admin")
            #expect(try await store.delete("users", "user123"))
            #expect(try await store.get("users", "user123") == nil)
            #expect(try await !store.delete("users", "user123"))
        }
    }

    @Test func `create returns the stored record and refuses a key that is there`() async throws {
        try await TestStore.with { store in
            let stored = try await store.create("order_items", ["id": "a", "n": 1])
            #expect(stored == ["id": "a", "n": 1])
            let error = await expectError(.alreadyExists) {
                try await store.create("order_items", ["id": "a", "n": 2])
            }
            #expect(error?.collection == "order_items")
            #expect(error?.key == "a")
            #expect(try await store.get("order_items", "a")?["n"] == 1)
        }
    }

    @Test func `a replace drops what the document lacks, a merge keeps it`() async throws {
        try await TestStore.with { store in
            try await store.create("users", ["id": "u", "name": "A", "age": 3, "city": "Rome"])
            let merged = try await store.update(
                "users", ["id": "u", "age": 4, "city": .null], mode: .merge)
            #expect(merged == ["id": "u", "name": "A", "age": 4, "city": .null])
            let replaced = try await store.update("users", ["id": "u", "name": "B"])
            #expect(replaced == ["id": "u", "name": "B"])
            #expect(try await store.get("users", "u") == replaced)
        }
    }

    @Test func `an update of an absent record is notFound, an upsert adds it`() async throws {
        try await TestStore.with { store in
            for mode in [UpdateMode.replace, .merge] {
                let error = await expectError(.notFound) {
                    try await store.update("users", ["id": "u", "name": "A"], mode: mode)
                }
                #expect(error?.key == "u")
            }
            #expect(
                try await store.upsert("users", ["id": "u", "name": "A"]) == [
                    "id": "u", "name": "A",
                ])
            #expect(
                try await store.upsert("users", ["id": "u", "age": 1]) == ["id": "u", "age": 1])
            #expect(try await store.count("users") == 1)
            let generated = try await store.upsert("users", ["name": "C"])
            #expect(generated["id"]?.stringValue?.count == 36)
        }
    }

    @Test func `keys of every allowed type, and of equal numbers`() async throws {
        try await TestStore.with { store in
            let date = Date(timeIntervalSinceReferenceDate: 1.5)
            let keys: [Value] = ["text", 7, .data(Data([0, 1])), .date(date), .int(.max), ""]
            for key in keys { try await store.create("orders", ["id": key]) }
            for key in keys { #expect(try await store.get("orders", key)?["id"] == key) }
            #expect(try await store.get("orders", 7.0)?["id"] == 7)
            await expectError(.alreadyExists) { try await store.create("orders", ["id": 7.0]) }
            #expect(try await store.get("orders", "7") == nil)
        }
    }

    static let badKeys: [Value] = [
        .double(.nan), 1.5, .double(.infinity), 1e300, true, ["a"], ["a": 1], [],
        .string(String(repeating: "k", count: 1100)),
    ]

    @Test(arguments: badKeys)
    func `a key that may be none is refused, and nothing is stored`(key: Value) async throws {
        try await TestStore.with { store in
            await expectError(.invalidDocument) { try await store.create("users", ["id": key]) }
            await expectError(.invalidDocument) { try await store.update("users", ["id": key]) }
            await expectError(.invalidDocument) { try await store.upsert("users", ["id": key]) }
            await expectError(.invalidDocument) { _ = try await store.get("users", key) }
            await expectError(.invalidDocument) { _ = try await store.delete("users", key) }
            let count = try await store.count("users")
            #expect(count == 0)
        }
    }

    @Test func `a missing or null key is generated on create and refused on update`() async throws {
        try await TestStore.with { store in
            let first = try await store.create("users", ["name": "A"])
            let second = try await store.create("users", ["id": .null, "name": "B"])
            let firstKey = try #require(first["id"]?.stringValue)
            let secondKey = try #require(second["id"]?.stringValue)
            #expect(firstKey < secondKey)
            #expect(try await store.get("users", firstKey)?["name"] == "A")
            for document: Document in [["name": "C"], ["id": .null]] {
                await expectError(.invalidDocument) { try await store.update("users", document) }
            }
            await expectError(.invalidDocument) { _ = try await store.get("users", Value.null) }
            let none: String? = nil
            await expectError(.invalidDocument) { _ = try await store.get("users", none) }
        }
    }

    @Test func `without automatic keys a record needs its own`() async throws {
        let schema = [CollectionSchema(name: "c", keyPath: "meta.id", autoKey: .none)]
        try await TestStore.with(.memory, schema) { store in
            let error = await expectError(.invalidDocument) {
                try await store.create("c", ["a": 1])
            }
            #expect(error?.message.contains("meta.id") == true)
            try await store.create("c", ["meta": ["id": 5], "a": 1])
            #expect(try await store.get("c", 5)?["a"] == 1)
        }
    }

    @Test func `a generated key is put at a dotted path, unless something is in its way`()
        async throws
    {
        let schema = [CollectionSchema(name: "c", keyPath: "meta.id")]
        try await TestStore.with(.memory, schema) { store in
            let stored = try await store.create("c", ["meta": ["by": "me"]])
            let key = try #require(stored.value(at: "meta.id")?.stringValue)
            #expect(stored.value(at: "meta.by") == "me")
            #expect(try await store.get("c", key) == stored)
            await expectError(.invalidDocument) { try await store.create("c", ["meta": 5]) }
            #expect(try await store.count("c") == 1)
        }
    }

    @Test func `a sequence begins at 1 and goes on from the greatest integer`() async throws {
        let schema = [CollectionSchema(name: "c", autoKey: .sequence)]
        try await TestStore.with(.memory, schema) { store in
            #expect(try await store.create("c", [:])["id"] == 1)
            try await store.create("c", ["id": 41])
            try await store.create("c", ["id": "text"])
            try await store.create("c", ["id": -7])
            let batch = try await store.createBatch("c", [[:], ["id": 100], [:], ["id": .null]])
            #expect(batch.map { $0["id"] } == [42, 100, 101, 102])
            try await store.create("c", ["id": .int(.max)])
            await expectError(.invalidDocument) { try await store.create("c", [:]) }
        }
    }

    @Test func `a compound key is the array of its parts, ordered by the first`() async throws {
        let schema = [CollectionSchema(name: "c", keyPaths: ["country", "code"])]
        try await TestStore.with(.memory, schema) { store in
            try await store.create("c", ["country": "DE", "code": 2, "name": "x"])
            try await store.create("c", ["country": "AT", "code": 9, "name": "y"])
            try await store.create("c", ["country": "DE", "code": 1, "name": "z"])
            let key: [Value] = ["DE", 1]
            #expect(try await store.get("c", key)?["name"] == "z")
            #expect(try await store.get("c", ["DE", 3] as [Value]) == nil)
            #expect(try await store.query("c").map { $0["name"] } == ["y", "z", "x"])
            try await store.update("c", ["country": "DE", "code": 1, "size": 4], mode: .merge)
            #expect(try await store.get("c", key)?["name"] == "z")
            for document: Document in [["country": "DE"], ["country": "DE", "code": .null], [:]] {
                await expectError(.invalidDocument) { try await store.create("c", document) }
            }
            for wrong: Value in [["DE"], ["DE", 1, 2], "DE", [["DE"], 1]] {
                await expectError(.invalidDocument) { _ = try await store.get("c", wrong) }
            }
        }
    }

    @Test func `too deep and too large records are refused with collection and key`() async throws {
        try await TestStore.with { store in
            var deep: Value = 1
            for _ in 0..<101 { deep = [deep] }
            let error = await expectError(.invalidDocument) {
                try await store.create("users", ["id": "d", "deep": deep])
            }
            #expect(error?.collection == "users")
            #expect(error?.key == "d")
            let large = Value.data(Data(count: 16 << 20))
            await expectError(.invalidDocument) {
                try await store.create("users", ["id": "l", "data": large])
            }
            let count = try await store.count("users")
            #expect(count == 0)
        }
    }

    @Test func `an unknown collection is named with the known ones`() async throws {
        try await TestStore.with { store in
            let error = await expectError(.unknownCollection) {
                _ = try await store.get("user", "u")
            }
            #expect(error?.message.contains("orders, products") == true)
            await expectError(.unknownCollection) { try await store.create("user", [:]) }
            await expectError(.unknownCollection) { try await store.createBatch("user", []) }
            await expectError(.unknownCollection) { _ = try await store.query("user") }
        }
    }

    @Test func `field order and every kind of value come back`() async throws {
        try await TestStore.with { store in
            let document: Document = [
                "z": 1, "id": "k", "a": [1, 2.5, "x", .null, true], "nested": ["b": ["c": .null]],
                "double": 0.1, "negative": .int(.min), "data": .data(Data([1, 2, 3])),
                "date": .date(Date(timeIntervalSinceReferenceDate: -0.25)), "é": "ü", "": "empty",
            ]
            try await store.create("users", document)
            let read = try #require(try await store.get("users", "k"))
            #expect(read == document)
            #expect(read.fieldNames == document.fieldNames)
        }
    }
}
