// A schema that is new to records that are there, and one that is stored and enforced whoever opens the store.
import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite("Validation at opening") struct ValidationOpeningTests {
    private func schema(_ validation: Document?) -> [CollectionSchema] {
        [CollectionSchema(name: "c", validation: validation), CollectionSchema(name: "d")]
    }
    private static let adult: Document = ["properties": ["age": ["minimum": 18]]]

    @Test(arguments: TestBackend.allCases)
    func `a schema that the records break is refused by their keys, and the store is as before`(
        backend: TestBackend
    ) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        try await place.run(schema(nil)) { store in
            try await store.createBatch(
                "c", (0..<40 as Range<Int64>).map { ["id": .int($0), "age": .int($0)] })
        }
        let error = await expectError(.validationFailed) {
            _ = try await place.open(schema(Self.adult))
        }
        let message = error?.message ?? ""
        #expect(error?.collection == "c" && error?.key == 0)
        #expect(message.contains("18 of the collection's records"), "\(message)")
        #expect(message.contains("key 9: \"age\" must be at least 18"), "\(message)")
        #expect(!message.contains("key 10:") && message.contains("and 8 more"), "\(message)")
        try await place.run(schema(nil)) { store in
            #expect(try await store.count("c") == 40)
            try await store.create("c", ["id": 50, "age": 1])
            _ = try await store.deleteBatch("c", [50] + Array(0..<18 as Range<Int64>))
        }
        try await place.run(schema(Self.adult)) { store in
            await expectError(.validationFailed) {
                try await store.update("c", ["id": 20, "age": 17], mode: .merge)
            }
        }
        // Another one, which they break, and no more rules at all.
        await expectError(.validationFailed) {
            _ = try await place.open(schema(["properties": ["age": ["minimum": 19]]]))
        }
        try await place.run(schema(nil)) { store in
            try await store.update("c", ["id": 20, "age": 17], mode: .merge)
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `a stored schema holds for who doesn't say it`(backend: TestBackend) async throws {
        let place = try TestStore(backend)
        defer { place.remove() }
        let odd: Document = [
            "properties": ["$date": ["$ref": "#/$defs/d"], "age": ["minimum": 18]],
            "$defs": ["d": ["type": "date"]],
        ]
        try await place.run(schema(odd)) { store in
            try await store.create("c", ["id": 1, "age": 18])
        }
        for others in [[], [CollectionSchema(name: "d")]] {
            try await place.run(others) { store in
                await expectError(.validationFailed) {
                    try await store.create("c", ["id": 2, "age": 17])
                }
                await expectError(.validationFailed) {
                    try await store.create("c", ["id": 2, "$date": 5])
                }
                try await store.setEvictionPolicy("d", .fifo(maxRecords: 9))
            }
        }
        try await place.run(schema(nil)) { store in
            try await store.create("c", ["id": 2, "age": 17])
        }
    }

    @Test func `an index and a schema that come together are both there or neither`() async throws {
        let place = try TestStore(.log)
        defer { place.remove() }
        try await place.run(schema(nil)) { store in
            try await store.createBatch("c", [["id": 1, "age": 18], ["id": 2, "age": 17]])
        }
        var both = schema(Self.adult)
        both[0].indexes = [IndexSchema(name: "age", keyPath: "age")]
        await expectError(.validationFailed) { _ = try await place.open(both) }
        try await place.run([]) { store in
            await expectError(.unknownIndex) {
                _ = try await store.query("c", Query(filters: ["$text": ["$search": "x"]]))
            }
            try await store.update("c", ["id": 2, "age": 19], mode: .merge)
        }
        try await place.run(both) { store in
            await expectError(.validationFailed) { try await store.create("c", ["age": 1]) }
        }
    }

    @Test func `a read-only opening asks nothing of the records`() async throws {
        let place = try TestStore(.log)
        defer { place.remove() }
        try await place.run(schema(nil)) { store in try await store.create("c", ["age": 1]) }
        let store = try await place.open(schema(Self.adult)) { $0.isReadOnly = true }
        #expect(try await store.count("c") == 1)
        try await store.close()
    }

    @Test func `a stored schema that this build doesn't know is damage, not a crash`() throws {
        var definition = StoredDefinition(schema(Self.adult)[0])
        definition.schema.validation = ["unknown": 1]
        let read = try StoredDefinition(definition.bytes)
        #expect(read == definition)
        let error = #expect(throws: OfflineError.self) { try read.state(id: CollectionID(1)) }
        #expect(error?.code == .corrupted)
        #expect(error?.message.contains("#/unknown") == true)
    }

    @Test func `a schema is stored without loss`() throws {
        let odd: Document = [
            "properties": [
                "$date": ["type": "date"], "a": ["const": ["$data": "x"]],
                "b": ["const": .date(Date(timeIntervalSinceReferenceDate: 0.1))],
                "c": ["enum": [.data(Data([0, 255])), 1.0, 1, -0.0]],
            ]
        ]
        let definition = StoredDefinition(schema(odd)[0])
        let read = try StoredDefinition(definition.bytes)
        #expect(read.schema.validation == odd)
        #expect(read == definition)
        #expect(
            try StoredDefinition(StoredDefinition(schema(nil)[0]).bytes).schema.validation == nil)
    }
}
