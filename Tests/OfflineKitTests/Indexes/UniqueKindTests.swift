// What unique indexes of each kind forbid: at writes, and when they are added to records that are there.
import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct UniqueKindTests {
    /// Two records, and whether a unique index lets both be.
    struct Example: Sendable, CustomTestStringConvertible {
        var index: IndexSchema
        var first: Document
        var second: Document
        var isAllowed: Bool
        var testDescription: String { "\(index.keyPaths) \(first) \(second)" }
    }

    private static let multi = IndexSchema(
        name: "secretly", keyPath: "a", unique: true, multiEntry: true)
    private static let folded = IndexSchema(
        name: "secretly", keyPath: "a", unique: true, collation: .caseInsensitive)
    private static let both = IndexSchema(
        name: "secretly", keyPath: "a", unique: true, multiEntry: true, collation: .caseInsensitive)
    private static let partial = IndexSchema(
        name: "secretly", keyPaths: ["a", "b"], unique: true, where: ["on": true])
    private static let nested = IndexSchema(
        name: "secretly", keyPath: "a.b", unique: true, multiEntry: true)

    private static func example(
        _ index: IndexSchema, _ first: Value, _ second: Value, allowed: Bool
    ) -> Example {
        Example(index: index, first: ["a": first], second: ["a": second], isAllowed: allowed)
    }

    private static func long(_ end: String) -> Value {
        .string(String(repeating: "L", count: 600) + end)
    }
    /// Folded it fits an index key; the folded and the whole value together don't.
    private static func middle(_ end: String) -> Value {
        .string(String(repeating: "M", count: 300) + end)
    }

    static let examples: [Example] = [
        example(multi, ["x", "y"], ["z", "y"], allowed: false),
        example(multi, ["x", "y"], "y", allowed: false),
        example(multi, ["x", "y"], ["z", "Y"], allowed: true),
        example(multi, ["x", "x"], ["y", "y"], allowed: true),
        example(multi, [1], [1.0], allowed: false),
        example(multi, [.null, 1], [.null, 2], allowed: true),
        example(multi, [], [], allowed: true),
        example(multi, .null, .null, allowed: true),
        example(multi, [["x"]], ["x"], allowed: true),
        example(multi, [["x"]], [["x"], "y"], allowed: false),
        example(multi, [long("1"), long("2")], [long("3"), "y"], allowed: true),
        example(multi, [long("1"), long("2")], [long("3"), long("2")], allowed: false),
        example(multi, long("1"), [long("1")], allowed: false),
        example(folded, "Straße", "STRASSE", allowed: false),
        example(folded, "a", "b", allowed: true),
        example(folded, 1, 1, allowed: false),
        example(folded, ["A", "b"], ["a", "B"], allowed: false),
        example(folded, .null, .null, allowed: true),
        example(folded, long("x"), long("X"), allowed: false),
        example(folded, long("x"), long("y"), allowed: true),
        example(folded, middle("x"), middle("X"), allowed: false),
        example(folded, middle("x"), middle("y"), allowed: true),
        example(both, ["a", "A"], ["b", "B"], allowed: true),
        example(both, ["a", "b"], ["c", "B"], allowed: false),
        example(both, [long("x"), long("X")], [long("y")], allowed: true),
        example(both, [long("x"), long("y")], [long("Y"), "z"], allowed: false),
        example(both, [middle("x"), middle("X")], ["z", middle("x")], allowed: false),
        Example(
            index: partial, first: ["a": 1, "b": 2, "on": true],
            second: ["a": 1, "b": 2, "on": true], isAllowed: false),
        Example(
            index: partial, first: ["a": 1, "b": 2, "on": true],
            second: ["a": 1, "b": 2, "on": false], isAllowed: true),
        Example(
            index: partial, first: ["a": 1, "b": 2], second: ["a": 1, "b": 2], isAllowed: true),
        Example(
            index: partial, first: ["a": 1, "on": true], second: ["a": 1, "on": true],
            isAllowed: true),
        Example(
            index: partial, first: ["a": long("1"), "b": 2, "on": true],
            second: ["a": long("1"), "b": 2, "on": true], isAllowed: false),
        Example(
            index: partial, first: ["a": long("1"), "b": 2, "on": true],
            second: ["a": long("1"), "b": 3, "on": true], isAllowed: true),
        Example(
            index: nested, first: ["a": [["b": 1], ["b": [2, 3]]]], second: ["a": ["b": 3]],
            isAllowed: false),
        Example(
            index: nested, first: ["a": [["b": 1], [:]]], second: ["a": [["b": 2], [:]]],
            isAllowed: true),
    ]

    @Test func `each record is asked once for what is behind the cut, however many share the rest`()
        async throws
    {
        let schema = CollectionSchema(
            name: "c", indexes: [IndexSchema(name: "text", keyPath: "a", unique: true)])
        func records(_ numbers: Range<Int>) -> [Document] {
            numbers.map { ["id": .int(Int64($0)), "a": Self.long("\($0)")] }
        }
        let fixture = try await QueryFixture(schema, records(0..<50))
        let stored = try fixture.backend.snapshot()
        let collection = try SchemaState(stored: stored).collection("c")
        let batch = try fixture.backend.begin([collection.id], reading: [])
        let scope = BatchScope(
            writing: [collection], reading: [],
            changes: ChangeContext(exposed: ExposedChanges([:])) { 0 })
        var statement = try WriteStatement(collection, batch, scope)
        for record in records(50..<350) {
            try statement.create(record, key: KeyEncoder.key(record["id"] ?? .null))
        }
        try statement.check()
        #expect(try UniqueCheck(statement).run() == 350)
        // A large batch ends.
        try await fixture.create("c", records(1_000..<4_000))
        await #expect(throws: OfflineError.self) {
            try await fixture.create("c", [["id": -1, "a": Self.long("3999")]])
        }
    }

    private static func schema(_ index: IndexSchema?) -> [CollectionSchema] {
        [CollectionSchema(name: "c", indexes: index.map { [$0] } ?? [])]
    }

    private static func record(_ id: String, _ document: Document) -> Document {
        var record = document
        record["id"] = .string(id)
        return record
    }

    /// The error names the index and the other record, and no value.
    private func check(_ error: OfflineError?, other: Value, _ example: Example) {
        #expect(error?.message.contains("\"secretly\"") == true, "\(example)")
        #expect(error?.key == other, "\(example)")
        #expect(error?.description.contains("LLL") == false)
        #expect(error?.description.lowercased().contains("strasse") == false)
    }

    @Test(arguments: examples)
    func `a second record is refused, alone or in a batch`(example: Example) async throws {
        let first = Self.record("first", example.first)
        let second = Self.record("second", example.second)
        try await TestStore.with(.memory, Self.schema(example.index)) { store in
            try await store.create("c", first)
            guard !example.isAllowed else {
                try await store.create("c", second)
                return
            }
            let error = await expectError(.uniqueViolation) { try await store.create("c", second) }
            check(error, other: "first", example)
            try await store.delete("c", "first")
            try await store.create("c", second)
        }
        try await TestStore.with(.memory, Self.schema(example.index)) { store in
            guard !example.isAllowed else {
                try await store.createBatch("c", [first, second])
                return
            }
            await expectError(.uniqueViolation) {
                try await store.createBatch("c", [first, second])
            }
            #expect(try await store.count("c") == 0)
        }
    }

    @Test(arguments: examples)
    func `an index that is added is checked against what is there`(example: Example) async throws {
        for backend in TestBackend.allCases {
            let place = try TestStore(backend)
            defer { place.remove() }
            let store = try await place.open(Self.schema(nil))
            try await store.create("c", Self.record("first", example.first))
            try await store.create("c", Self.record("second", example.second))
            try await store.close()
            if example.isAllowed {
                let store = try await place.open(Self.schema(example.index))
                #expect(try await store.verify().problems == [])
                try await store.close()
                continue
            }
            let error = await expectError(.uniqueViolation) {
                _ = try await place.open(Self.schema(example.index))
            }
            #expect(error?.message.contains("\"secretly\"") == true)
            #expect(error?.key == "first" || error?.key == "second")
            // The store is as it was.
            let again = try await place.open(Self.schema(nil))
            #expect(try await again.count("c") == 2)
            #expect(try await again.verify().problems == [])
            try await again.close()
        }
    }

    @Test func `a record changes its own elements and their case`() async throws {
        try await TestStore.with(.memory, Self.schema(Self.both)) { store in
            try await store.createBatch(
                "c", [["id": 1, "a": ["x", "Y"]], ["id": 2, "a": ["z"]]])
            for elements: Value in [
                ["X", "y"], ["y"], ["Y", "y", "x"], "x", ["x", long("a")], [long("A"), "q"],
            ] {
                try await store.update("c", ["id": 1, "a": elements])
                #expect(try await store.verify().problems == [])
            }
            let error = await expectError(.uniqueViolation) {
                try await store.update("c", ["id": 2, "a": ["z", Self.long("a")]])
            }
            #expect(error?.key == 1)
            // Swapped in one statement.
            try await store.updateBatch(
                "c", [["id": 1, "a": "Z"], ["id": 2, "a": [long("a"), "Q"]]])
            await expectError(.uniqueViolation) {
                try await store.create("c", ["id": 3, "a": "z"])
            }
        }
    }

    private func long(_ end: String) -> Value { Self.long(end) }

    @Test func `an element that changes only behind the cut is checked`() async throws {
        try await TestStore.with(.memory, Self.schema(Self.multi)) { store in
            try await store.createBatch(
                "c", [["id": 1, "a": [long("1"), long("2")]], ["id": 2, "a": [long("3")]]])
            let error = await expectError(.uniqueViolation) {
                try await store.update("c", ["id": 2, "a": [long("2")]])
            }
            #expect(error?.key == 1)
            try await store.update("c", ["id": 1, "a": [long("1"), long("4")]])
            try await store.update("c", ["id": 2, "a": [long("2")]])
            await expectError(.uniqueViolation) {
                try await store.updateBatch(
                    "c", [["id": 1, "a": [long("5"), long("6")]], ["id": 2, "a": [long("6")]]])
            }
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `measuring an entry ends on any bytes`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let indexes = try [Self.multi, Self.folded, Self.partial].map {
            try IndexState(number: 1, schema: $0)
        }
        for step in 0..<4_000 {
            // Beginnings of real entries, then anything.
            var bytes = KeyEncoder.key(
                .string(random.chance(1, in: 4) ? String(repeating: "x", count: 510) : "x"))
            bytes = Array(bytes.prefix(random.below(bytes.count + 1)))
            for _ in 0..<random.below(12) {
                bytes.append([0, 0x10, 0x20, 0x30, 0x40, 0x50, 0x61, 0xFF][random.below(8)])
            }
            for index in indexes {
                guard let values = try? index.values(of: bytes) else { continue }
                let place: Comment = "seed \(seed), step \(step): \(bytes)"
                #expect(values.length <= values.keyStart && values.keyStart <= bytes.count, place)
            }
        }
    }

    @Test func `a record that comes to match the condition is checked`() async throws {
        try await TestStore.with(.memory, Self.schema(Self.partial)) { store in
            try await store.create("c", ["id": 1, "a": 1, "b": 1, "on": true])
            try await store.create("c", ["id": 2, "a": 1, "b": 1, "on": false])
            let error = await expectError(.uniqueViolation) {
                try await store.update("c", ["id": 2, "on": true], mode: .merge)
            }
            #expect(error?.key == 1)
            try await store.updateBatch("c", [["id": 1, "on": false], ["id": 2, "on": true]])
        }
    }
}
