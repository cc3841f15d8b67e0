// The file store that FORMAT.md shows is, byte for byte, what the code writes.
import OfflineBytes
import OfflineKit
import StorageSimulation
import Testing

struct FileStoreExampleTests {
    private final class NoKeys: KeyDeriver {
        func load(_ collection: StoredCollection) throws {}
        func extendDictionary(of collection: CollectionID, with names: [String]) throws {}
        func deriveKeys(
            of collection: CollectionID, key: RawSpan, record: RawSpan, into keys: inout DerivedKeys
        ) throws {}
    }

    @Test func `the example of a file store has the bytes that the document shows`() async throws {
        let system = SimulatedFileSystem()
        let backend = FileBackend(system: system)
        try await backend.initialize(BackendConfiguration(path: "/s.offline", deriver: NoKeys()))
        let notes = CollectionID(1)
        try await backend.define(
            [StoredCollection(id: notes, definition: Array("{}".utf8), indexes: [1], names: [])],
            version: 1, validate: { _, _ in })
        for (key, record, entry) in [("a", "first", "blue a"), ("b", "second", "red b")] {
            let batch = try backend.begin([notes], reading: [])
            try batch.put(notes, key: Array(key.utf8), record: Array(record.utf8))
            let entry = Array(entry.utf8)
            try unsafe batch.insert(TreeID(notes, 1), key: entry.span.bytes)
            if key == "a" { try batch.extendNames(of: notes, with: ["id", "tag"]) }
            try await batch.commit(appended: {}, committed: { _ in })
        }
        try await backend.close()
        #expect(system.filePaths == ["/s.offline/LOCK", "/s.offline/STATE"])
        let written = try system.bytes(of: "/s.offline/STATE")
        let example = try #require(try FormatDocument.examples("hex", "file").first)
        #expect(example.start == 0)
        for row in example.rows {
            let offset = try #require(row.offset)
            let found = written.dropFirst(offset).prefix(row.bytes.count)
            #expect(
                row.bytes.elementsEqual(found),
                "FORMAT.md, line \(row.line): the code writes \(FormatDocument.hex(found))")
        }
        #expect(example.bytes.count == written.count, "\(FormatDocument.hex(written))")
    }
}
