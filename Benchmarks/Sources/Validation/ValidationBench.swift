// What a schema costs a write: batches of new records in a collection that has a JSON Schema, beside one that has none.
internal import Foundation
internal import OfflineKit

/// Measures inserts with and without a schema.
struct ValidationBench {
    private static let batchCount = 200
    private static let batchSize = 1_000
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run() async throws -> String {
        let folder = try BenchFolder(parent: options.directory)
        defer { folder.remove() }
        var stores: [OfflineStore] = []
        for (name, schema) in [("plain", nil), ("schema", Self.schema)] {
            let path = try folder.make(name)
            stores.append(
                try await OfflineStore.open(
                    StorageOptions(
                        databaseName: "validation",
                        directory: URL(filePath: path, directoryHint: .isDirectory),
                        storageSchema: [CollectionSchema(name: "people", validation: schema)],
                        durability: .relaxed)))
        }
        var ratios: [Double] = []
        var times: [[Double]] = [[], []]
        for batch in 0..<Self.batchCount {
            let documents = (0..<Self.batchSize).map { Self.document(batch * Self.batchSize + $0) }
            var both = [0.0, 0.0]
            for turn in 0..<2 {
                let store = (batch + turn) % 2
                let start = Clocks.process()
                try await stores[store].createBatch("people", documents)
                both[store] = Double(Clocks.process() - start) / Double(Self.batchSize)
                times[store].append(both[store])
            }
            ratios.append(both[1] / both[0])
        }
        for store in stores { try await store.close() }
        return String(
            format:
                "insert: %.0f ns without a schema, %.0f ns with one, ratio %.3f (processor time)",
            times[0].median, times[1].median, ratios.median)
    }

    /// What an application would say of its people.
    private static let schema: Document = [
        "required": ["id", "name", "email"],
        "properties": [
            "id": ["type": "string"], "name": ["type": "string", "minLength": 1, "maxLength": 100],
            "email": ["type": "string", "pattern": "^[^@ ]+@[^@ ]+$"],
            "role": ["enum": ["customer", "clerk", "chief"]],
            "age": ["type": "integer", "minimum": 0, "maximum": 150],
            "score": ["type": "number", "multipleOf": 0.25],
            "tags": ["type": "array", "items": ["type": "string"], "uniqueItems": true],
            "address": [
                "type": "object", "required": ["city"],
                "properties": ["city": ["type": "string"], "zip": ["pattern": "^[0-9]{5}$"]],
            ],
        ],
        "additionalProperties": false,
    ]

    private static func document(_ number: Int) -> Document {
        [
            "id": .string("person\(number)"), "name": .string("Name \(number * 7_919 % 10_007)"),
            "email": .string("person\(number)@example.com"),
            "role": .string(["customer", "clerk", "chief"][number % 3]),
            "age": .int(Int64(number % 90)), "score": .double(Double(number % 1_000) / 4),
            "tags": ["new", "eu", .string("segment\(number % 50)")],
            "address": ["city": .string("City \(number % 200)"), "zip": "12345"],
        ]
    }
}
