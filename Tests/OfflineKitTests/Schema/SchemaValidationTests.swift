import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct SchemaValidationTests {
    typealias Change = @Sendable (inout [CollectionSchema]) -> Void

    static let long = String(repeating: "n", count: 101)

    private static func pair(
        multiEntry: Bool = false, collation: Collation = .binary
    ) -> IndexSchema {
        var index = IndexSchema(name: "pair", keyPaths: ["a", "b"])
        index.isMultiEntry = multiEntry
        index.collation = collation
        return index
    }

    private static func words(
        _ name: String = "words", _ change: (inout IndexSchema) -> Void = { _ in }
    ) -> IndexSchema {
        var index = IndexSchema.fullText(name: name, keyPaths: ["title"])
        change(&index)
        return index
    }

    /// Schemas that can't work, and what the message must name.
    static let bad: [(change: Change, named: String)] = [
        ({ $0[0].name = "" }, "is empty"),
        ({ $0[0].name = long }, "101 characters"),
        ({ $0[0].name = "_hidden" }, "_hidden"),
        ({ $0[0].name = "a\0" }, "NUL"),
        ({ $0[1].name = "users" }, "\"users\" twice"),
        ({ $0[0].keyPaths = [] }, "keyPath"),
        ({ $0[0].keyPaths = [""] }, "keyPath"),
        ({ $0[0].keyPaths = ["a..b"] }, "keyPath"),
        ({ $0[0].keyPaths = ["a", "b"] }, "autoKey"),
        (
            {
                $0[0].keyPaths = ["a", "a"]
                $0[0].autoKey = .none
            }, "twice"
        ),
        ({ $0[0].keyPaths = (0..<33).map { "p\($0)" } }, "33 paths"),
        ({ $0[0].indexes[0].name = "" }, "index name"),
        ({ $0[0].indexes[1].name = "email" }, "\"email\" twice"),
        ({ $0[0].indexes[0].keyPaths = [] }, "index \"email\""),
        ({ $0[0].indexes[0].keyPaths = ["a."] }, "index \"email\""),
        ({ $0[0].indexes[0].keyPaths = ["a", "a"] }, "index \"email\""),
        (
            { schema in
                schema[0].indexes = (0..<65).map { IndexSchema(name: "i\($0)", keyPath: "p") }
            }, "65 indexes"
        ),
        ({ $0[0].indexes[0] = pair(multiEntry: true) }, "multiEntry is for an index on one path"),
        (
            { $0[0].indexes[0] = pair(collation: .caseInsensitive) },
            "collation is for an index on one path"
        ),
        ({ $0[0].indexes[0] = words { $0.isUnique = true } }, "unique is not for a full-text"),
        ({ $0[0].indexes[0] = words { $0.isMultiEntry = true } }, "multiEntry is not for a full-t"),
        (
            { $0[0].indexes[0] = words { $0.collation = .caseInsensitive } },
            "collation is not for a full-text"
        ),
        ({ $0[0].indexes[0] = words { $0.filter = .all } }, "where is not for a full-text"),
        ({ $0[0].indexes = [words("a"), words("b")] }, "\"a\" and \"b\""),
        ({ $0[0].indexes[0] = .fullText(name: "t", keyPaths: []) }, "index \"t\""),
        ({ $0[0].indexes[0].filter = ["a": ["$odd": 1]] }, "$odd"),
        ({ $0[0].indexes[0].filter = ["a..b": 1] }, "a..b"),
        ({ $0[0].indexes[0].filter = ["a": ["$regex": "x"]] }, "$regex"),
        ({ $0[0].indexes[0].filter = ["$or": [["a": ["$not": ["$regex": "x"]]]]] }, "$regex"),
        ({ $0[0].indexes[0].filter = ["$text": ["$search": "x"]] }, "$text"),
        ({ $0[0].indexes[0].filter = ["$and": [["$text": ["$search": "x"]]]] }, "$text"),
        ({ $0[0].relationships[0].name = "" }, "relationship name"),
        ({ $0[0].relationships[0].name = "a.b" }, "a.b"),
        ({ $0[0].relationships[0].name = "$a" }, "$a"),
        ({ $0[0].relationships[0].foreignKey = "" }, "foreignKey"),
        ({ $0[0].relationships[0].collection = "nowhere" }, "nowhere"),
        ({ $0[1].relationships[1].name = "user" }, "\"user\" twice"),
    ]

    @Test(arguments: bad)
    func `a schema that can't work is refused with its reason`(
        change: @escaping Change, named: String
    ) async {
        var schema = TestStore.schema
        change(&schema)
        let error = await expectError(.invalidOptions) {
            try await OfflineStore(try TestStore().options(schema)).initialize()
        }
        #expect(error?.message.contains(named) == true, "\(error?.message ?? "")")
    }

    @Test func `names, paths and indexes at their limits work`() async throws {
        let name = String(repeating: "n", count: 100)
        let schema = [
            CollectionSchema(
                name: name, keyPaths: (0..<32).map { "p\($0).q" },
                indexes: (0..<64).map { IndexSchema(name: "i\($0)", keyPath: "p\($0)") })
        ]
        let store = try await TestStore().open(schema)
        #expect(try await store.count(name) == 0)
        try await store.close()
    }
}
