// The README's code, compiled and run. Between the two marks is what the README shows, indented once more.
internal import Foundation
internal import OfflineKit
internal import Testing

@Suite struct ReadmeTests {
    @Test func `the quick start does what it says`() async throws {
        let temporary = try TemporaryFolder()
        #expect(try await Self.quickStart(in: temporary.url) == "Ada")
    }

    private static func quickStart(in folder: URL) async throws -> String? {
        // README begins
        let store = try await OfflineStore.open(
            StorageOptions(
                databaseName: "shop", directory: folder,
                storageSchema: [
                    CollectionSchema(
                        name: "users",
                        indexes: [IndexSchema(name: "email", keyPath: "email", unique: true)]),
                    CollectionSchema(
                        name: "orders", indexes: [IndexSchema(name: "total", keyPath: "total")],
                        relationships: [
                            RelationshipSchema(
                                name: "buyer", collection: "users", type: .manyToOne,
                                foreignKey: "user")
                        ]),
                ]))
        try await store.transaction(["users", "orders"]) { transaction in
            try await transaction.create(
                "users", ["id": "u1", "name": "Ada", "email": "ada@example.com"])
            try await transaction.create("orders", ["id": "o1", "user": "u1", "total": 99.5])
        }
        let large = try await store.query(
            "orders",
            Query(filters: Field("total") > 50, sort: [.descending("total")], include: ["buyer"]))
        let buyer = large[0]["buyer"]?["name"]?.stringValue  // "Ada"
        try await store.close()
        // README ends
        return buyer
    }

    @Test func `the README shows this code`() throws {
        let readme = try Self.text("README.md")
        let source = try Self.text("Tests/OfflineCLITests/ReadmeTests.swift")
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        let begin = try #require(lines.firstIndex { $0.hasSuffix("// README begins") })
        let end = try #require(lines.firstIndex { $0.hasSuffix("// README ends") })
        let code = lines[(begin + 1)..<end].map { $0.dropFirst(8) }.joined(separator: "\n")
        #expect(readme.contains("import OfflineKit\n\n\(code)\n```"))
    }

    private static func text(_ path: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
