internal import Foundation
internal import OfflineKit
internal import Testing

@testable internal import OfflineCLI

@Suite struct DumpJSONTests {
    @Test func `each line is one object with its type`() async throws {
        let folder = try TemporaryFolder()
        let run = await offline("dump", try await SmallStore.make(in: folder), "--json")
        #expect(run.exitCode == 0)
        let documents = try run.lines.map { try Document(json: $0) }
        let types = documents.compactMap { $0["type"]?.stringValue }
        #expect(types.count == documents.count)
        #expect(types.prefix(3) == ["superblock", "superblock", "catalog"])
        #expect(types.filter { $0 == "operation" }.count == 6)
        #expect(types.filter { $0 == "node" }.count == 4)
        #expect(
            Set(types) == [
                "superblock", "catalog", "file", "frame", "operation", "node", "entry", "note",
            ])
    }

    @Test func `records and keys are shown as they are`() async throws {
        let folder = try TemporaryFolder()
        let run = await offline("dump", try await SmallStore.make(in: folder), "--json")
        let documents = try run.lines.map { try Document(json: $0) }
        let put = documents.first { $0["kind"] == "put" && $0["key"] == "u1" }
        #expect(put?["record"]?["city"] == "London")
        #expect(put?["collection"] == "users")
        let removed = documents.first { $0["kind"] == "remove" }
        #expect(removed?["key"] == "u2")
        let entries = documents.filter { $0["values"] != nil }
        #expect(entries.map { $0["values"] } == [["ada@example.com"], ["GB", "London"]])
        #expect(entries.map { $0["key"] } == ["u1", "u1"])
        let catalog = documents.first { $0["type"] == "catalog" }
        #expect(catalog?["collections"]?[0]?["definition"]?["name"] == "users")
    }

    @Test func `damage is an object too`() async throws {
        let folder = try TemporaryFolder()
        var files = try StoreFiles(of: try await SmallStore.make(in: folder))
        files.files["SUPERBLOCK"] = nil
        let path = try files.write(into: folder, as: "damaged.offline")
        let run = await offline("dump", path, "--json")
        #expect(run.exitCode == 1)
        let first = try Document(json: try #require(run.lines.first))
        #expect(first["type"] == "problem")
        #expect(first["file"] == "SUPERBLOCK")
        #expect(first["reason"] == "the file is missing")
    }
}
