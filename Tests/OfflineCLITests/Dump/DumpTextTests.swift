internal import Foundation
internal import Testing

@testable internal import OfflineCLI

@Suite struct DumpTextTests {
    @Test func `a whole store is shown`() async throws {
        let folder = try TemporaryFolder()
        let run = await offline("dump", try await SmallStore.make(in: folder))
        #expect(Self.masked(run.output) == Self.wholeStore)
        #expect(run.diagnostics == "")
        #expect(run.exitCode == 0)
    }

    @Test func `a long record is cut to its line, and whole on demand`() async throws {
        let folder = try TemporaryFolder()
        let text = String(repeating: "abc ", count: 100)
        let input = try folder.write("in.jsonl", #"{"id":"x","text":"\#(text)"}"#)
        let path = folder.path("long.offline")
        #expect(await offline("import", path, "notes", input).exitCode == 0)
        let cut = await offline("dump", path, "--collection", "notes")
        #expect(!cut.output.contains(text))
        #expect(cut.lines.contains { $0.hasSuffix("…") })
        #expect(cut.lines.allSatisfy { $0.count <= 120 })
        let whole = await offline("dump", path, "--collection", "notes", "--full")
        #expect(whole.output.contains(text))
    }

    @Test func `colours are shown only where there are some`() async throws {
        let folder = try TemporaryFolder()
        let path = try await SmallStore.make(in: folder)
        let plain = await offline(["dump", path])
        let colored = await offline(["dump", path], hasColors: true)
        #expect(!plain.output.contains("\u{1B}["))
        #expect(colored.output.contains("\u{1B}["))
    }

    @Test func `a reader that goes away ends it quietly`() async throws {
        let folder = try TemporaryFolder()
        let lines = (0..<2_000).map {
            #"{"id":\#($0),"text":"\#(String(repeating: "x", count: 90))"}"#
        }
        let input = try folder.write("in.jsonl", lines.joined(separator: "\n"))
        let path = folder.path("many.offline")
        #expect(await offline("import", path, "notes", input).exitCode == 0)
        let run = await offline(["dump", path], readBytes: 100)
        #expect(run.exitCode == 0)
        #expect(run.diagnostics == "")
        #expect(run.output.utf8.count < 100_000)
    }

    /// The text without what differs from run to run: the store's identity and the checksums that it enters into.
    static func masked(_ text: String) -> String {
        text.replacing(/store [0-9a-f]{32}/, with: "store ID")
            .replacing(/chain [0-9a-f]{8}/, with: "chain SUM")
    }

    private static let wholeStore = """
        SUPERBLOCK
                0  slot 0: generation 4, store ID
                   catalog at 3:64, log from 0:0 (chain SUM)
                   operations up to 1 durable, closed cleanly
             4096  slot 1: generation 5, store ID
                   catalog at 5:432, log from 2:1192 (chain SUM)
                   operations up to 7 durable, closed cleanly
              432  catalog: schema version 1, next operation 7, next file 6
                     collection 1 "users", key id, 1 record from 5:64, 4 field names
                       index 1 "email" on email, unique, 1 entry from 5:152
                       index 2 "place" on country, city, 1 entry from 5:248
                     collection 2 "notes", key number, 1 record from 5:336, 3 field names
                     file 00000001.tree: 144 bytes in use, 0 live
                     file 00000002.log: 1,192 bytes in use, 168 live
                     file 00000003.tree: 592 bytes in use, 0 live
                     file 00000005.tree: 1,016 bytes in use, 368 live

        00000001.tree  144 bytes, node segment
               64  catalog: schema version 0, next operation 1, next file 2
                     file 00000001.tree: 144 bytes in use, 0 live

        00000002.log  65,536 bytes, log
               64  catalog: schema version 1, next operation 1, next file 4
                     collection 1 "users", key id, 0 records, 0 field names
                       index 1 "email" on email, unique, 0 entries
                       index 2 "place" on country, city, 0 entries
                     collection 2 "notes", key number, 0 records, 0 field names
              584  commit 1-3, 240 bytes
              648    names  users + id, email, country, city
              704    put    users "u1"  {"id":"u1","email":"ada@example.com","country":"GB","city":"London"}
              792    put    users "u2"  {"id":"u2","email":"grace@example.com","country":"US","city":"New York"}
              888  commit 4-5, 136 bytes, durable through 2:888
              952    names  notes + number, text, tags
             1008    put    notes 7  {"number":7,"text":"seven","tags":["a","b"]}
             1088  commit 6, 40 bytes, durable through 2:1088
             1152    remove users "u2"
             1192  end of the log in this file: nothing was written here; 64,344 bytes left

        00000003.tree  592 bytes, node segment
               64  catalog: schema version 1, next operation 1, next file 4
                     collection 1 "users", key id, 0 records, 0 field names
                       index 1 "email" on email, unique, 0 entries
                       index 2 "place" on country, city, 0 entries
                     collection 2 "notes", key number, 0 records, 0 field names
                     file 00000001.tree: 144 bytes in use, 0 live
                     file 00000003.tree: 592 bytes in use, 0 live

        00000004.log  65,536 bytes, prepared and not used yet

        00000005.tree  1,016 bytes, node segment
               64  leaf of users, records: 1 entry, 88 bytes
                     "u1" -> 2:704  {"id":"u1","email":"ada@example.com","country":"GB","city":"London"}
              152  leaf of users, email: 1 entry, 96 bytes
                     "ada@example.com", "u1"
              248  leaf of users, place: 1 entry, 88 bytes
                     "GB", "London", "u1"
              336  leaf of notes, records: 1 entry, 96 bytes
                     7 -> 2:1008  {"number":7,"text":"seven","tags":["a","b"]}
              432  catalog: schema version 1, next operation 7, next file 6
                     collection 1 "users", key id, 1 record from 5:64, 4 field names
                       index 1 "email" on email, unique, 1 entry from 5:152
                       index 2 "place" on country, city, 1 entry from 5:248
                     collection 2 "notes", key number, 1 record from 5:336, 3 field names
                     file 00000001.tree: 144 bytes in use, 0 live
                     file 00000002.log: 1,192 bytes in use, 168 live
                     file 00000003.tree: 592 bytes in use, 0 live
                     file 00000005.tree: 1,016 bytes in use, 368 live

        """
}
