import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct UniqueIndexTests {
    private static let schema = [
        CollectionSchema(
            name: "c",
            indexes: [
                IndexSchema(name: "email", keyPath: "email", unique: true),
                IndexSchema(name: "pair", keyPaths: ["a.b", "c"], unique: true),
            ])
    ]

    @Test func `a second record with the value is refused, naming index and other key only`()
        async throws
    {
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.create("c", ["id": "first", "email": "secret@example.com"])
            let error = await expectError(.uniqueViolation) {
                try await store.create("c", ["id": "second", "email": "secret@example.com"])
            }
            #expect(error?.message.contains("\"email\"") == true)
            #expect(error?.key == "first")
            #expect(error?.description.contains("secret") == false)
            #expect(try await store.count("c") == 1)
        }
    }

    @Test func `missing and null values don't count, equal numbers do`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.create("c", ["id": 1])
            try await store.create("c", ["id": 2])
            try await store.create("c", ["id": 3, "email": .null])
            try await store.create("c", ["id": 4, "a": ["b": 1]])
            try await store.create("c", ["id": 5, "a": ["b": 1], "c": .null])
            try await store.create("c", ["id": 6, "a": ["b": 1], "c": 2])
            let error = await expectError(.uniqueViolation) {
                try await store.create("c", ["id": 7, "a": ["b": 1.0], "c": 2])
            }
            #expect(error?.key == 6)
            try await store.create("c", ["id": 8, "a": ["b": 2], "c": 2])
        }
    }

    @Test func `an update keeps its own value and may not take another's`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.create("c", ["id": 1, "email": "a"])
            try await store.create("c", ["id": 2, "email": "b"])
            try await store.update("c", ["id": 1, "email": "a", "n": 1])
            for mode in [UpdateMode.merge, .replace] {
                await expectError(.uniqueViolation) {
                    try await store.update("c", ["id": 1, "email": "b"], mode: mode)
                }
            }
            await expectError(.uniqueViolation) {
                try await store.upsert("c", ["id": 3, "email": "a"])
            }
            try await store.delete("c", 2)
            try await store.update("c", ["id": 1, "email": "b"])
            try await store.create("c", ["id": 2, "email": "a"])
        }
    }

    @Test func `within a batch values may be swapped but not doubled`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.createBatch("c", [["id": 1, "email": "a"], ["id": 2, "email": "b"]])
            try await store.updateBatch("c", [["id": 1, "email": "b"], ["id": 2, "email": "a"]])
            #expect(try await store.get("c", 1)?["email"] == "b")
            let error = await expectError(.uniqueViolation) {
                try await store.createBatch(
                    "c", [["id": 3, "email": "c"], ["id": 4], ["id": 5, "email": "c"]])
            }
            #expect(error?.key == 3)
            await expectError(.uniqueViolation) {
                try await store.updateBatch("c", [["id": 1, "email": "a"]])
            }
            #expect(try await store.count("c") == 2)
        }
    }

    @Test func `values that are cut in the index are compared in full`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let long = String(repeating: "x", count: 600)
            try await store.create("c", ["id": 1, "email": .string(long + "1")])
            try await store.create("c", ["id": 2, "email": .string(long + "2")])
            let error = await expectError(.uniqueViolation) {
                try await store.create("c", ["id": 3, "email": .string(long + "1")])
            }
            #expect(error?.key == 1)
            await expectError(.uniqueViolation) {
                try await store.createBatch(
                    "c",
                    [
                        ["id": 4, "email": .string(long + "3")],
                        ["id": 5, "email": .string(long + "4")],
                        ["id": 6, "email": .string(long + "3")],
                    ])
            }
            try await store.create("c", ["id": 7, "a": ["b": .string(long)]])
            try await store.create("c", ["id": 8, "a": ["b": .string(long)]])
            try await store.update("c", ["id": 1, "email": .string(long + "5")])
            try await store.create("c", ["id": 3, "email": .string(long + "1")])
        }
    }

    @Test func `a value that changes only behind the cut is checked`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let long = String(repeating: "x", count: 600)
            func record(_ id: Int64, _ end: String) -> Document {
                ["id": .int(id), "email": .string(long + end)]
            }
            try await store.createBatch("c", [record(1, "a"), record(2, "b")])
            let error = await expectError(.uniqueViolation) {
                try await store.update("c", record(1, "b"))
            }
            #expect(error?.key == 2)
            try await store.updateBatch("c", [record(1, "b"), record(2, "a")])
            await expectError(.uniqueViolation) {
                try await store.updateBatch("c", [record(1, "c"), record(2, "c")])
            }
            try await store.update("c", record(1, "b"), mode: .merge)
            await expectError(.uniqueViolation) { try await store.create("c", record(3, "a")) }
            try await store.create("c", record(3, "c"))
        }
    }

    @Test func `arrays are values as wholes`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.create("c", ["id": 1, "email": ["a", "b"]])
            try await store.create("c", ["id": 2, "email": ["b", "a"]])
            try await store.create("c", ["id": 3, "email": "a"])
            await expectError(.uniqueViolation) {
                try await store.create("c", ["id": 4, "email": ["a", "b"]])
            }
            try await store.create("c", ["id": 5, "a": [["b": 1]], "c": 1])
            try await store.create("c", ["id": 6, "a": [["b": 1]], "c": 1])
        }
    }
}
