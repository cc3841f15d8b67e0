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
                "type":"one-to-many","foreignKey":"user_id"}]}
                """)
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

    static let bad: [String] = [
        "", "{}", "[]", #"{"version":1}"#,
        #"{"version":1,"derivation":1,"name":"u","keyPaths":[],"autoKey":"none","nextIndex":1,"indexes":[],"relationships":[]}"#,
        #"{"version":1,"derivation":1,"name":"u","keyPaths":["id"],"autoKey":"odd","nextIndex":1,"indexes":[],"relationships":[]}"#,
        #"{"version":1,"derivation":1,"name":"u","keyPaths":["id"],"autoKey":"none","nextIndex":1,"indexes":[{"number":1,"name":"i","keyPaths":["a"],"unique":false}],"relationships":[]}"#,
        #"{"version":1,"derivation":1,"name":"u","keyPaths":["id"],"autoKey":"none","nextIndex":4294967295,"indexes":[],"relationships":[]}"#,
        #"{"version":1,"derivation":1,"name":"u","keyPaths":["id"],"autoKey":"none","nextIndex":1,"indexes":[],"relationships":[],"more":1}"#,
    ]

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
