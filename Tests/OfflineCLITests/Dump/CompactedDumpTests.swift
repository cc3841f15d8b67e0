internal import Foundation
internal import OfflineKit
internal import Testing

@testable internal import OfflineCLI

/// A store whose records were compressed by compaction.
@Suite struct CompactedDumpTests {
    private let folder: TemporaryFolder
    private let path: String

    init() async throws {
        folder = try TemporaryFolder()
        path = folder.path("packed.offline")
        let store = try await OfflineStore.open(
            StorageOptions(
                databaseName: "packed", directory: folder.url,
                storageSchema: [CollectionSchema(name: "people", tracksChanges: false)]))
        try await store.createBatch(
            "people",
            (0..<500).map { number in
                [
                    "id": .int(number), "name": .string("Name number \(number)"),
                    "city": "A city that many live in",
                ]
            })
        try await store.compact()
        try await store.close()
    }

    @Test func `dictionaries and compressed records are shown`() async throws {
        let run = await offline("dump", path)
        #expect(run.exitCode == 0, "\(run.lines.filter { $0.contains("DAMAGED") })")
        #expect(run.lines.contains { $0.contains("dict   people, ") })
        #expect(run.output.contains(#"put    people 7  deflated {"id":7,"name":"Name number 7""#))
    }

    @Test func `compressed records are in their tree and in the export`() async throws {
        let tree = await offline("dump", path, "--collection", "people", "--json")
        #expect(tree.exitCode == 0)
        let records = try tree.lines.compactMap { try Document(json: $0)["record"] }
        #expect(records.compactMap { $0["id"]?.intValue } == Array(0..<500))
        let all = await offline("dump", path, "--json")
        let documents = try all.lines.map { try Document(json: $0) }
        #expect(documents.contains { $0["kind"] == "dictionary" && $0["bytes"] != nil })
        #expect(documents.contains { $0["isDeflated"] == true && $0["record"]?["city"] != nil })
    }
}
