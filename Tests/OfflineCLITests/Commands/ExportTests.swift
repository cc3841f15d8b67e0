internal import Foundation
internal import OfflineKit
internal import Testing

@testable internal import OfflineCLI

@Suite struct ExportTests {
    /// Records that plain JSON would lose something of.
    private static let records: [Document] = [
        [
            "id": 1, "date": .date(Date(timeIntervalSinceReferenceDate: 1.0 / 3)),
            "far": .date(Date(timeIntervalSinceReferenceDate: 1e300)),
            "data": .data(Data([0, 255])),
            "numbers": [
                .double(.nan), .double(.infinity), -0.0, 1.0, 1, .int(.max),
                .double(.leastNonzeroMagnitude),
            ],
        ],
        ["id": 2, "tag": ["$date": "no date"], "deep": [["$data": .null], ["$object": [:]]]],
        ["id": 3, "text": "line\nbreak \u{0} \u{1F600} e\u{301}", "": "", "null": .null],
    ]

    @Test func `what is exported is imported without loss`() async throws {
        let folder = try TemporaryFolder()
        let store = try await OfflineStore.open(
            StorageOptions(
                databaseName: "one", directory: folder.url,
                storageSchema: [CollectionSchema(name: "c")]))
        try await store.createBatch("c", Self.records)
        try await store.close()
        let export = await offline("export", folder.path("one.offline"), "c")
        #expect(export.exitCode == 0 && export.lines.count == 3)
        let file = try folder.write("c.jsonl", export.output)
        let run = await offline("import", folder.path("two.offline"), "c", file)
        #expect(run.exitCode == 0, "\(run.diagnostics)")
        let again = await offline("export", folder.path("two.offline"), "c")
        #expect(again.output == export.output)
        let copy = try await OfflineStore.open(
            StorageOptions(
                databaseName: "two", directory: folder.url,
                storageSchema: [CollectionSchema(name: "c")]))
        let found = try await copy.query("c")
        #expect(found == Self.records)
        for (record, original) in zip(found, Self.records) {
            #expect(record.fieldNames == original.fieldNames)
        }
        try await copy.close()
    }

    @Test func `a filter, and a collection that isn't there`() async throws {
        let folder = try TemporaryFolder()
        let path = try await SmallStore.make(in: folder)
        let run = await offline("export", path, "users", "--filter", #"{"city": "London"}"#)
        #expect(run.lines.count == 1)
        let none = await offline("export", path, "users", "--filter", #"{"city": "Bonn"}"#)
        #expect(none.exitCode == 0 && none.output.isEmpty)
        let unknown = await offline("export", path, "people")
        #expect(unknown.exitCode == 1 && unknown.diagnostics.contains("notes, users"))
    }

    @Test func `damage ends it, and says where`() async throws {
        let folder = try TemporaryFolder()
        var files = try StoreFiles(of: try await SmallStore.make(in: folder))
        let text = Array("seven".utf8)
        func place(in bytes: [UInt8]) -> Int? {
            bytes.indices.first { bytes[$0...].starts(with: text) }
        }
        let name = try #require(
            files.files.keys.first { place(in: files.files[$0] ?? []) != nil })
        files.invert(name, try #require(place(in: files.files[name] ?? [])))
        let path = try files.write(into: folder, as: "damaged.offline")
        let run = await offline("export", path, "notes")
        #expect(run.exitCode == 1)
        #expect(run.diagnostics.contains("corrupted"))
    }
}
