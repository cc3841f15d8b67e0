import Foundation
import OfflineTesting
import Testing

@testable import OfflineKit

/// The example of the documentation.
@Suite struct MyCustomStorageTests {
    @Test(arguments: BackendConformance.cases)
    func `the documented example keeps the contract`(one: BackendConformance.Case) async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        try await BackendConformance(folder: folder.path, records: { _ in MyCustomStorage() })
            .run(one)
    }

    @Test func `the article shows the example as it is tested`() throws {
        let components = URL(filePath: #filePath).pathComponents
        let root = "/" + components.dropFirst().dropLast(5).joined(separator: "/")
        let article = try String(
            contentsOf: URL(
                filePath: root
                    + "/Sources/OfflineKit/OfflineKit.docc/WritingAStorageBackend.md"),
            encoding: .utf8)
        let example = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "MyCustomStorage.swift"), encoding: .utf8)
        #expect(article.contains("```swift\n" + example + "```\n"))
        #expect(example.split(separator: "\n", omittingEmptySubsequences: false).count < 150)
    }

    @Test func `a store finds its records again, also behind a torn line`() async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        func open() async throws -> OfflineStore {
            try await OfflineStore.open(
                StorageOptions(
                    databaseName: "app", directory: folder.url,
                    storageBackend: .custom(MyCustomStorage()),
                    storageSchema: [CollectionSchema(name: "users")]))
        }
        let store = try await open()
        try await store.create("users", ["id": "a", "name": "Ada"])
        try await store.close()
        let file = folder.url.appending(path: "app.offline/records.jsonl")
        let whole = try Data(contentsOf: file)
        try (whole + Data("[{\"collection\":\"rec".utf8)).write(to: file)
        let again = try await open()
        #expect(try await again.get("users", "a")?["name"] == "Ada")
        try await again.create("users", ["id": "b"])
        try await again.close()
        let last = try await open()
        #expect(try await last.count("users") == 2)
        #expect(try await last.verify().isSound)
        try await last.close()
    }
}
