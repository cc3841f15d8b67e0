import Foundation
import OfflineDocuments
import OfflineKit
import Testing

@testable import OfflineCLI

@Suite struct DumpIndexTests {
    private let folder: TemporaryFolder
    private let path: String

    init() async throws {
        folder = try TemporaryFolder()
        let schema = CollectionSchema(
            name: "c",
            indexes: [
                IndexSchema(name: "tags", keyPath: "tags", unique: true, multiEntry: true),
                IndexSchema(name: "mail", keyPath: "mail", collation: .caseInsensitive),
                IndexSchema(
                    name: "new", keyPaths: ["n", "tags"],
                    where: ["at": ["$gte": .date(Date(timeIntervalSinceReferenceDate: 0))]]),
                .fullText(name: "words", keyPaths: ["text"]),
            ])
        let store = try await OfflineStore.open(
            StorageOptions(databaseName: "s", directory: folder.url, storageSchema: [schema]))
        try await store.create(
            "c",
            [
                "id": "r", "tags": ["b", "a"], "mail": "A@X", "text": "The end of the text", "n": 1,
                "at": .date(Date(timeIntervalSinceReferenceDate: 1)),
            ])
        try await store.create("c", ["id": 2, "mail": .string(String(repeating: "M", count: 600))])
        try await store.close()
        path = folder.path("s.offline")
    }

    private func entries(_ index: String) async throws -> [String] {
        let run = await offline("dump", path, "--collection", "c", "--index", index)
        #expect(run.exitCode == 0)
        return run.lines.dropFirst(2).map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private func documents(_ index: String) async throws -> [Document] {
        let run = await offline("dump", path, "--collection", "c", "--index", index, "--json")
        return try run.lines.map { try Document(json: $0) }.filter { $0["type"] == "entry" }
    }

    @Test func `entries of each kind are taken apart`() async throws {
        #expect(
            try await entries("tags") == [
                "array at tags, \"r\"", "null, 2", "\"a\", \"r\"", "\"b\", \"r\"",
            ])
        let mail = try await entries("mail")
        #expect(mail.count == 2)
        #expect(mail[0] == "\"a@x\", \"A@X\", \"r\"")
        #expect(mail[1].hasPrefix("2, cut: 0x306d6d6d"))
        #expect(try await entries("new") == ["array at tags, \"r\"", "1, [\"b\",\"a\"], \"r\""])
        #expect(
            try await entries("words") == [
                "\"end\", \"r\", 1 time, length class 4", "\"of\", \"r\", 1 time, length class 4",
                "\"text\", \"r\", 1 time, length class 4",
                "\"the\", \"r\", 2 times, length class 4",
            ])
    }

    @Test func `as objects too`() async throws {
        #expect(
            try await documents("tags") == [
                ["type": "entry", "array": "tags", "key": "r"],
                ["type": "entry", "values": [.null], "key": 2],
                ["type": "entry", "values": ["a"], "key": "r"],
                ["type": "entry", "values": ["b"], "key": "r"],
            ])
        let mail = try await documents("mail")
        #expect(mail.first == ["type": "entry", "values": ["a@x", "A@X"], "key": "r"])
        #expect(mail.last?["cut"]?.stringValue?.count == 1024)
        #expect(
            try await documents("words").last == [
                "type": "entry", "word": "the", "key": "r", "count": 2, "lengthClass": 4,
            ])
    }

    @Test func `a catalog and stat say what kind an index is`() async throws {
        let dump = await offline("dump", path)
        #expect(dump.output.contains("index 1 \"tags\" on tags, unique, multi-entry, 4 entries"))
        #expect(dump.output.contains("index 2 \"mail\" on mail, case-insensitive, 2 entries"))
        #expect(dump.output.contains("index 3 \"new\" on n, tags, partial, 2 entries"))
        #expect(dump.output.contains("index 4 \"words\" on text, full-text, 4 entries"))
        let stat = await offline("stat", path)
        #expect(stat.output.contains("tags (unique, multi-entry), mail (case-insensitive)"))
        let json = await offline("dump", path, "--json")
        let catalog = try json.lines.map { try Document(json: $0) }.last { $0["type"] == "catalog" }
        let filter = catalog?["collections"]?[0]?["definition"]?["indexes"]?[2]?["where"]
        #expect(filter == ["at": ["$gte": ["$date": "2001-01-01T00:00:00Z"]]])
    }

    @Test func `entries that are none of the index's kind are shown as bytes`() {
        let index = CollectionSummary.Index(
            number: 1, name: "i", keyPaths: ["a"], isUnique: false, isMultiEntry: false,
            isCaseInsensitive: false, isPartial: false, isFullText: true)
        for bytes: [UInt8] in [
            [], [0, 0, 0x10], [0x30], [0x30, 0x61, 0], [0x30, 0x61, 0, 1, 1], [0x10, 0x10, 1, 1],
        ] {
            guard case .bytes(bytes) = IndexEntryView(bytes, of: index) else {
                Issue.record("\(bytes)")
                continue
            }
        }
        guard case .bytes([0x10, 0x10]) = IndexEntryView([0x10, 0x10], of: nil) else {
            Issue.record("nothing is known of the index")
            return
        }
    }
}
