internal import Foundation
internal import OfflineKit
internal import StorageSimulation
internal import Testing

@testable internal import OfflineCLI

/// A transaction that is too large for a log file is in files of its own.
@Suite struct StagedDumpTests {
    private let folder: TemporaryFolder
    private let path: String
    /// More than a megabyte, however well it is compressed.
    private let text: String

    init() async throws {
        var random = SeededRandom(seed: 1)
        let letters = random.bytes(3 << 19).map { 0x30 + $0 % 64 }
        let text = "0123" + String(decoding: letters, as: UTF8.self)
        self.text = text
        folder = try TemporaryFolder()
        path = folder.path("large.offline")
        let store = try await OfflineStore.open(
            StorageOptions(
                databaseName: "large", directory: folder.url,
                storageSchema: [CollectionSchema(name: "blobs")]))
        try await store.create("blobs", ["id": 0, "first": true])
        try await store.createBatch(
            "blobs",
            (1...6).map { number in
                ["id": .int(number), "text": .string(text), "name\(number)": .int(number)]
            })
        try await store.create("blobs", ["id": 7, "name6": "seven", "last": true])
        try await store.close()
    }

    @Test func `its files are shown like all others`() async throws {
        let run = await offline("dump", path)
        #expect(run.exitCode == 0, "\(run.lines.filter { $0.contains("DAMAGED") })")
        #expect(run.output.contains("takes into the store: "))
        #expect(run.output.contains("staged log"))
        #expect(run.output.contains("part of a large commit"))
        // Records in the log behind it use names that the dictionary got from it.
        #expect(run.output.contains(#"put    blobs 7  {"id":7,"name6":"seven","last":true}"#))
    }

    @Test func `its records are in their tree`() async throws {
        let run = await offline("dump", path, "--collection", "blobs", "--json")
        #expect(run.exitCode == 0)
        let records = try run.lines.compactMap { try Document(json: $0)["record"] }
        #expect(records.compactMap { $0["id"]?.intValue } == [0, 1, 2, 3, 4, 5, 6, 7])
        #expect(records[3]["text"]?.stringValue == text)
        #expect(records[3]["name3"] == 3)
    }

    @Test func `one of its frames is shown alone`() async throws {
        let all = await offline("dump", path)
        let heading = try #require(all.lines.first { $0.contains("staged log") })
        let number = try #require(Int(heading.prefix(8)))
        let run = await offline("dump", path, "--file", "\(number)", "--offset", "64")
        #expect(run.exitCode == 0)
        #expect(run.output.contains("part of a large commit"))
        #expect(run.output.contains(#"put    blobs 1  deflated {"id":1,"text":"0123"#))
    }
}
