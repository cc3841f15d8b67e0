internal import Foundation
internal import OfflineKit
internal import Testing

@testable internal import OfflineCLI

@Suite struct DumpSelectionTests {
    private let folder: TemporaryFolder
    private let path: String

    init() async throws {
        folder = try TemporaryFolder()
        path = try await SmallStore.make(in: folder)
    }

    /// The offset of the first line of the whole dump that contains `text`, below the line that begins with `file`.
    private func offset(of text: String, in file: String) async throws -> String {
        let lines = await offline("dump", path).lines.drop { !$0.hasPrefix(file) }
        let line = try #require(lines.first { $0.contains(text) })
        return String(try #require(line.split(separator: " ").first))
    }

    @Test func `one file`() async throws {
        let run = await offline("dump", path, "--file", "2")
        #expect(run.exitCode == 0)
        #expect(run.lines.first?.hasPrefix("00000002.log") == true)
        #expect(!run.output.contains("SUPERBLOCK"))
        #expect(!run.output.contains(".tree  "))
        #expect(run.lines.last?.contains("end of the log in this file") == true)
    }

    @Test func `one frame, with the names that earlier frames tell`() async throws {
        let offset = try await offset(of: "commit 4-5", in: "00000002.log")
        let run = await offline("dump", path, "--file", "2", "--offset", offset)
        #expect(run.exitCode == 0)
        #expect(run.lines.count == 3)
        #expect(run.lines.first?.contains("commit 4-5") == true)
        #expect(run.lines.last?.contains(#"put    notes 7  {"number":7,"text":"seven""#) == true)
    }

    @Test func `one record, in the middle of a frame`() async throws {
        let offset = try await offset(of: #"put    users "u2""#, in: "00000002.log")
        let run = await offline("dump", path, "--file", "2", "--offset", offset)
        #expect(run.exitCode == 0)
        #expect(run.lines.count == 1)
        #expect(run.output.contains(#""city":"New York""#))
    }

    @Test func `one node`() async throws {
        let run = await offline("dump", path, "--file", "5", "--offset", "64")
        #expect(run.exitCode == 0)
        #expect(run.lines.first?.contains("leaf of users, records: 1 entry") == true)
        #expect(run.lines.count == 2)
    }

    @Test(arguments: [
        ("2", "72"), ("2", "0"), ("2", "65535"), ("2", "70000"), ("2", "18446744073709551615"),
        ("5", "72"), ("5", "3"), ("5", "99999"), ("5", "17179869184"),
    ])
    func `where nothing begins, that is said`(file: String, offset: String) async throws {
        let run = await offline("dump", path, "--file", file, "--offset", offset)
        #expect(run.exitCode == 1)
        #expect(run.output.contains("DAMAGED"))
        #expect(run.output.contains("begins here"))
    }

    @Test func `one collection`() async throws {
        let run = await offline("dump", path, "--collection", "users")
        #expect(run.exitCode == 0)
        #expect(
            run.lines.first?.hasPrefix("users, records: 1 entry at the last checkpoint") == true)
        #expect(run.output.contains(#""u1" -> 2:"#))
        #expect(run.lines.count == 3)
    }

    @Test func `one index`() async throws {
        let run = await offline("dump", path, "--collection", "users", "--index", "place")
        #expect(run.exitCode == 0)
        #expect(run.lines.last?.contains(#""GB", "London", "u1""#) == true)
    }

    @Test func `an unknown collection names the known ones`() async throws {
        let run = await offline("dump", path, "--collection", "user")
        #expect(run.exitCode == 1)
        #expect(run.diagnostics.contains("unknownCollection"))
        #expect(run.diagnostics.contains("notes, users"))
    }

    @Test func `an unknown index names the known ones`() async throws {
        let run = await offline("dump", path, "--collection", "users", "--index", "mail")
        #expect(run.exitCode == 1)
        #expect(run.diagnostics.contains("unknownIndex"))
        #expect(run.diagnostics.contains("email, place"))
    }

    @Test func `an unknown file names the known ones`() async throws {
        let run = await offline("dump", path, "--file", "77")
        #expect(run.exitCode == 1)
        #expect(
            run.diagnostics.contains("there is no file 77; there are 00000001.tree, 00000002.log"))
    }

    @Test func `beside a running writer, what it has committed is shown`() async throws {
        let store = try await OfflineStore.open(SmallStore.options(in: folder))
        try await store.create("users", ["id": "u9", "email": "kay@example.com", "nick": "k"])
        let tree = await offline("dump", path, "--collection", "users")
        #expect(tree.exitCode == 0)
        #expect(tree.output.contains(#""u1" -> 2:"#))
        #expect(tree.output.contains("what isn't in the tree yet"))
        #expect(
            tree.output.contains(
                #"put    users "u9"  {"id":"u9","email":"kay@example.com","nick":"k"}"#))
        let index = await offline("dump", path, "--collection", "users", "--index", "email")
        #expect(index.output.contains("1 operation in the log since the last checkpoint"))
        let all = await offline("dump", path)
        #expect(all.exitCode == 0)
        #expect(all.output.contains(#""nick":"k""#))
        try await store.close()
    }
}
