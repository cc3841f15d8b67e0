import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct StoredDefinitionTests {
    private let schema = CollectionSchema(
        name: "users", keyPath: "id", autoKey: .sequence,
        indexes: [
            IndexSchema(name: "email", keyPath: "email", unique: true),
            IndexSchema(name: "place", keyPaths: ["address.city", "name"]),
        ],
        relationships: [
            RelationshipSchema(
                name: "orders", collection: "orders", type: .oneToMany, foreignKey: "user_id")
        ])

    @Test func `a definition is read as it was stored`() throws {
        let definition = StoredDefinition(schema)
        #expect(try StoredDefinition(definition.bytes) == definition)
        #expect(definition.indexNumbers == [1, 2])
        var ruled = schema
        for rule in RelationshipSchema.DeleteRule.allCases {
            ruled.relationships[0].onDelete = rule
            let definition = StoredDefinition(ruled)
            #expect(try StoredDefinition(definition.bytes) == definition)
        }
        let compound = StoredDefinition(CollectionSchema(name: "c", keyPaths: ["a", "b"]))
        #expect(try StoredDefinition(compound.bytes) == compound)
    }

    @Test func `its bytes are the JSON that FORMAT describes`() {
        let text = String(decoding: StoredDefinition(schema).bytes, as: UTF8.self)
        #expect(
            text == """
                {"version":1,"derivation":1,"name":"users","keyPaths":["id"],"autoKey":"sequence",\
                "nextIndex":3,"indexes":[{"number":1,"name":"email","keyPaths":["email"],\
                "unique":true},{"number":2,"name":"place","keyPaths":["address.city","name"],\
                "unique":false}],"relationships":[{"name":"orders","collection":"orders",\
                "type":"one-to-many","foreignKey":"user_id"}],"tracksChanges":true}
                """)
    }

    @Test func `changes belong to one collection of records each`() throws {
        let changes = StoredKind.changes(of: CollectionID(1), from: 0)
        let records = StoredKind.records(StoredDefinition(schema))
        func state(_ kinds: [StoredKind]) throws -> SchemaState {
            let stored = kinds.enumerated().map { (id: CollectionID(UInt32($0 + 1)), kind: $1) }
            return try SchemaState(version: 1, stored: stored)
        }
        let sound = try state([records, changes, .store])
        #expect(sound.collections.map(\.changes?.collection) == [CollectionID(2)])
        #expect(sound.storeRecords == CollectionID(3))
        for kinds in [
            [records, changes, changes, .store], [.store, changes],
            [records, changes, .store, .store],
            [records, .changes(of: CollectionID(2), from: 0), .store],
            [records, .changes(of: CollectionID(9), from: 0), .store],
        ] {
            #expect(throws: OfflineError.self, "\(kinds)") { try state(kinds) }
        }
    }

    @Test func `an index keeps its number as long as it stays as it is`() {
        let definition = StoredDefinition(schema)
        var changed = schema
        changed.indexes.swapAt(0, 1)
        #expect(definition.changed(to: changed).indexNumbers == [2, 1])
        changed.indexes[1].isUnique = false
        changed.indexes.append(IndexSchema(name: "age", keyPath: "age"))
        let next = definition.changed(to: changed)
        #expect(next.indexNumbers == [2, 3, 4])
        #expect(next.nextIndex == 5)
        changed.indexes.removeLast()
        let last = next.changed(to: changed)
        #expect(last.indexNumbers == [2, 3])
        #expect(last.nextIndex == 5, "numbers aren't used again")
    }

    @Test func `indexes of another derivation are built anew`() {
        var definition = StoredDefinition(schema)
        definition.derivation = 2
        let changed = definition.changed(to: schema)
        #expect(changed.derivation == StoredDefinition.derivation)
        #expect(changed.indexNumbers == [3, 4])
    }

    private static let kinds = [
        IndexSchema(name: "tags", keyPath: "tags", unique: true, multiEntry: true),
        IndexSchema(
            name: "mail", keyPath: "mail", multiEntry: true, collation: .caseInsensitive,
            where: [:]),
        IndexSchema(
            name: "open", keyPaths: ["a", "b"],
            where: ["s": "open", "at": ["$gt": .date(Date(timeIntervalSinceReferenceDate: 0.1))]]),
        IndexSchema.fullText(name: "words", keyPaths: ["title", "body"]),
    ]

    @Test func `kinds of indexes are members where they aren't the default`() throws {
        let definition = StoredDefinition(CollectionSchema(name: "c", indexes: Self.kinds))
        #expect(try StoredDefinition(definition.bytes) == definition)
        #expect(
            String(decoding: definition.bytes, as: UTF8.self).contains(
                """
                [{"number":1,"name":"tags","keyPaths":["tags"],"unique":true,"multiEntry":true},\
                {"number":2,"name":"mail","keyPaths":["mail"],"unique":false,"multiEntry":true,\
                "collation":"case-insensitive","where":{}},\
                {"number":3,"name":"open","keyPaths":["a","b"],"unique":false,\
                "where":{"s":"open","at":{"$gt":{"$date":"2001-01-01T00:00:00.1Z"}}}},\
                {"number":4,"name":"words","keyPaths":["title","body"],"unique":false,\
                "type":"full-text"}]
                """))
    }

    @Test func `a filter is stored without loss, so that its index is kept`() throws {
        let filters: [Filter] = [
            ["a": ["$lt": .double(.nan)]], ["a": .double(-.infinity)], ["a": .data(Data([1, 2]))],
            ["a": ["$date": "2024-01-01T00:00:00Z"]],
            ["a": ["b": ["$date": "2024-01-01T00:00:00Z"]]],
            ["a": .date(Date(timeIntervalSinceReferenceDate: .infinity))], ["a": 1, "b": 1.5],
            ["$or": [["a": .int(.max)], ["b": .null]]],
        ]
        for filter in filters {
            let index = IndexSchema(name: "i", keyPath: "p", where: filter)
            let schema = CollectionSchema(name: "c", indexes: [index])
            let read = try StoredDefinition(StoredDefinition(schema).bytes)
            #expect(read.changed(to: schema) == read, "\(filter)")
        }
    }

    @Test func `any change of its kind builds an index anew`() {
        let plain = IndexSchema(name: "i", keyPath: "p")
        let variants = [
            plain, IndexSchema(name: "i", keyPath: "p", multiEntry: true),
            IndexSchema(name: "i", keyPath: "p", collation: .caseInsensitive),
            IndexSchema(name: "i", keyPath: "p", where: ["a": 1]),
            IndexSchema(name: "i", keyPath: "p", where: ["a": 2]),
            IndexSchema.fullText(name: "i", keyPaths: ["p"]),
        ]
        for old in variants {
            let definition = StoredDefinition(CollectionSchema(name: "c", indexes: [old]))
            for new in variants {
                let next = definition.changed(to: CollectionSchema(name: "c", indexes: [new]))
                #expect(next.indexNumbers == [old == new ? 1 : 2], "\(old) \(new)")
            }
        }
    }

    static let bad: [String] = [
        "", "{}", "[]", #"{"version":1}"#,
        #"{"version":1,"derivation":1,"name":"u","keyPaths":[],"autoKey":"none","nextIndex":1,"indexes":[],"relationships":[]}"#,
        #"{"version":1,"derivation":1,"name":"u","keyPaths":["id"],"autoKey":"odd","nextIndex":1,"indexes":[],"relationships":[]}"#,
        #"{"version":1,"derivation":1,"name":"u","keyPaths":["id"],"autoKey":"none","nextIndex":1,"indexes":[{"number":1,"name":"i","keyPaths":["a"],"unique":false}],"relationships":[]}"#,
        #"{"version":1,"derivation":1,"name":"u","keyPaths":["id"],"autoKey":"none","nextIndex":4294967295,"indexes":[],"relationships":[]}"#,
        #"{"version":1,"derivation":1,"name":"u","keyPaths":["id"],"autoKey":"none","nextIndex":1,"indexes":[],"relationships":[],"more":1}"#,
        index(#""keyPaths":["a","b"],"multiEntry":true"#),
        index(#""keyPaths":["a"],"collation":"odd""#),
        index(#""keyPaths":["a"],"type":"odd""#), index(#""keyPaths":["a"],"where":[]"#),
        index(#""keyPaths":["a"],"type":"full-text","unique":true"#),
    ]

    /// A definition with one index.
    private static func index(_ members: String) -> String {
        #"{"version":1,"derivation":1,"name":"u","keyPaths":["id"],"autoKey":"none","nextIndex":9,"#
            + #""indexes":[{"number":1,"name":"i",\#(members)}]}"#
    }

    @Test func `a filter that can't be parsed is corrupted`() throws {
        let bytes = Array(Self.index(#""keyPaths":["a"],"where":{"a":{"$odd":1}}"#).utf8)
        let definition = try StoredDefinition(bytes)
        let error = #expect(throws: OfflineError.self) {
            _ = try definition.state(id: CollectionID(1))
        }
        #expect(error?.code == .corrupted)
    }

    @Test(arguments: bad)
    func `other bytes are corrupted`(text: String) {
        let error = #expect(throws: OfflineError.self) {
            _ = try StoredDefinition(Array(text.utf8))
        }
        #expect(error?.code == .corrupted)
    }

    @Test func `a path that can't be parsed is corrupted`() throws {
        let definition = StoredDefinition(CollectionSchema(name: "c", keyPath: "a..b"))
        let error = #expect(throws: OfflineError.self) {
            _ = try StoredDefinition(definition.bytes).state(id: CollectionID(1))
        }
        #expect(error?.code == .corrupted)
        let many = StoredDefinition(
            CollectionSchema(name: "c", keyPaths: (0..<33).map { "p\($0)" }))
        #expect(throws: OfflineError.self) { _ = try StoredDefinition(many.bytes) }
    }

    @Test func `a newer layout is unsupported`() {
        let error = #expect(throws: OfflineError.self) {
            _ = try StoredDefinition(Array(#"{"version":2,"news":[]}"#.utf8))
        }
        #expect(error?.code == .unsupportedFormat)
    }
}
