// Every byte of a file that FORMAT.md shows is what the code writes there.
import OfflineEngine
import StorageSimulation
import Testing

struct StoreExampleTests {
    private func check(_ example: FormatExample, in store: ExampleStore) throws {
        let name = try #require(example.words.dropFirst().first)
        let file = try store.bytes(of: name)
        for row in example.rows {
            let offset = try #require(row.offset)
            let written = file.dropFirst(offset).prefix(row.bytes.count)
            #expect(
                row.bytes.elementsEqual(written),
                "FORMAT.md, line \(row.line): the code writes \(FormatDocument.hex(written))")
        }
    }

    @Test func `the example store has the bytes that the document shows`() async throws {
        let store = try await ExampleStore.notes()
        let examples = try FormatDocument.examples("hex", "notes")
        for example in examples { try check(example, in: store) }
        #expect(examples.count >= 8)
    }

    @Test func `the second example store has the bytes that the document shows`() async throws {
        let store = try await ExampleStore.pages()
        let examples = try FormatDocument.examples("hex", "pages")
        for example in examples { try check(example, in: store) }
        #expect(examples.count >= 2)
    }

    /// Nothing but what was prepared and never used is left out.
    @Test(arguments: ["SUPERBLOCK", "00000002.log", "00000005.tree"])
    func `the document shows a whole file`(name: String) async throws {
        let store = try await ExampleStore.notes()
        let file = try store.bytes(of: name)
        var shown = Set<Int>()
        for example in try FormatDocument.examples("hex", "notes") where example.words[1] == name {
            shown.formUnion(example.start..<example.start + example.bytes.count)
        }
        // The superblock's other slot is of the generation before.
        let first = name == "SUPERBLOCK" ? try #require(shown.min()) : 0
        let last = name == "SUPERBLOCK" ? first + 4096 : file.count
        let missing = (first..<last).first { !shown.contains($0) && file[$0] != 0 }
        #expect(missing == nil)
    }

    @Test func `the files are those that the steps name`() async throws {
        let store = try await ExampleStore.notes()
        #expect(
            store.system.filePaths
                == [
                    "00000001.tree", "00000002.log", "00000003.tree", "00000004.log",
                    "00000005.tree", "LOCK", "RESERVE", "SUPERBLOCK",
                ].map { store.system.path(store.folder, $0) })
    }
}
