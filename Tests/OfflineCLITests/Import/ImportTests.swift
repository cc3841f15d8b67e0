internal import Foundation
internal import OfflineKit
internal import Testing

@testable internal import OfflineCLI

@Suite struct ImportTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path("target.offline")
    }

    private func records(_ collection: String, _ query: Query = Query()) async throws -> [Document]
    {
        let store = try await OfflineStore.open(
            StorageOptions(databaseName: "target", directory: folder.url))
        let found = try await store.query(collection, query)
        try await store.close()
        return found
    }

    @Test func `records arrive, with their index`() async throws {
        let input = try folder.write(
            "in.jsonl", "{\"code\":\"b\",\"n\":2}\n\n  \r\n{\"code\":\"a\",\"n\":1}")
        let run = await offline(
            "import", path, "things", input, "--key-path", "code", "--index", "n")
        #expect(run.exitCode == 0)
        #expect(run.output == "2 records imported into things\n")
        #expect(run.diagnostics == "")
        #expect(try await records("things").map { $0["code"] } == ["a", "b"])
        let tree = await offline("dump", path, "--collection", "things", "--index", "n")
        #expect(tree.output.contains("1, \"a\""))
    }

    @Test func `lines that are no records are left out, with their numbers`() async throws {
        let lines = [
            #"{"id":"a"}"#, #"{"id":"b""#, "[1]", #"{"id":"c"}"#, #"{"id":1.5}"#, #"{"id":"a"}"#,
            #"{"id":"d"}"#,
        ]
        let input = try folder.write("in.jsonl", lines.joined(separator: "\n"))
        let run = await offline("import", path, "things", input)
        #expect(run.exitCode == 1)
        #expect(run.output == "3 records imported into things\n4 lines left out\n")
        let reported = run.diagnostics.split(separator: "\n").compactMap {
            $0.split(separator: ":").first
        }
        #expect(reported.prefix(4) == ["line 2", "line 3", "line 5", "line 6"])
        #expect(run.diagnostics.contains("alreadyExists"))
        #expect(try await records("things").map { $0["id"] } == ["a", "c", "d"])
    }

    @Test func `a unique index refuses a line, not the batch`() async throws {
        try await SmallStore.make(in: folder)
        let lines = [
            #"{"id":"x","email":"ada@example.com"}"#, #"{"id":"y","email":"y@example.com"}"#,
        ]
        let input = try folder.write("in.jsonl", lines.joined(separator: "\n"))
        let run = await offline("import", folder.path(SmallStore.name), "users", input)
        #expect(run.exitCode == 1)
        #expect(run.diagnostics.contains("line 1: uniqueViolation"))
        #expect(run.output.hasPrefix("1 record imported"))
    }

    @Test func `upsert replaces`() async throws {
        let first = try folder.write("1.jsonl", #"{"id":"a","n":1,"old":true}"#)
        let second = try folder.write("2.jsonl", #"{"id":"a","n":2}"#)
        #expect(await offline("import", path, "things", first).exitCode == 0)
        #expect(await offline("import", path, "things", second, "--upsert").exitCode == 0)
        #expect(try await records("things") == [["id": "a", "n": 2]])
    }

    @Test func `dates and data keep their types`() async throws {
        let input = try folder.write(
            "in.jsonl",
            #"{"id":1,"at":{"$date":"2024-05-06T07:08:09Z"},"bytes":{"$data":"AQI="}}"#)
        #expect(await offline("import", path, "things", input).exitCode == 0)
        let record = try #require(try await records("things").first)
        #expect(record["at"]?.dateValue == Date(timeIntervalSince1970: 1_714_979_289))
        #expect(record["bytes"]?.dataValue == Data([1, 2]))
    }

    @Test func `small batches import everything`() async throws {
        let lines = (1...25).map { #"{"id":\#($0)}"# }
        let input = try folder.write("in.jsonl", lines.joined(separator: "\n"))
        let run = await offline("import", path, "things", input, "--batch", "4")
        #expect(run.output == "25 records imported into things\n")
        #expect(try await records("things").count == 25)
    }

    @Test func `a compound key`() async throws {
        let input = try folder.write("in.jsonl", #"{"a":1,"b":"x"}"#)
        let run = await offline("import", path, "pairs", input, "--key-path", "a,b")
        #expect(run.exitCode == 0)
        let tree = await offline("dump", path, "--collection", "pairs")
        #expect(tree.output.contains(#"[1,"x"] -> "#))
    }

    @Test func `a collection that is there keeps its schema`() async throws {
        let store = try await SmallStore.make(in: folder)
        let input = try folder.write("in.jsonl", #"{"id":"n"}"#)
        let key = await offline("import", store, "users", input, "--key-path", "email")
        #expect(key.exitCode == 1)
        #expect(key.diagnostics.contains("the collection is there, with the key id"))
        let index = await offline("import", store, "users", input, "--index", "age")
        #expect(index.exitCode == 1)
        #expect(index.diagnostics.contains("without an index on age"))
        #expect(await offline("import", store, "users", input, "--index", "email").exitCode == 0)
        let stat = await offline("stat", store)
        #expect(stat.output.contains("email (unique), place"))
    }

    @Test func `a new collection joins those that are there`() async throws {
        let store = try await SmallStore.make(in: folder)
        let input = try folder.write("in.jsonl", #"{"id":"n"}"#)
        #expect(await offline("import", store, "more", input).exitCode == 0)
        let stat = await offline("stat", store)
        for name in ["users", "notes", "more"] { #expect(stat.output.contains(name)) }
    }

    @Test func `a store that somebody writes is locked`() async throws {
        let store = try await OfflineStore.open(SmallStore.options(in: folder))
        let input = try folder.write("in.jsonl", #"{"id":"n"}"#)
        let run = await offline("import", folder.path(SmallStore.name), "users", input)
        #expect(run.exitCode == 1)
        #expect(run.diagnostics.contains("databaseLocked"))
        try await store.close()
    }

    @Test func `an input or a name that can't be is said`() async throws {
        let input = try folder.write("in.jsonl", #"{"id":"n"}"#)
        let absent = await offline("import", path, "things", folder.path("absent.jsonl"))
        #expect(absent.exitCode == 1)
        #expect(absent.diagnostics.contains("absent.jsonl can't be opened"))
        let directory = await offline("import", path, "things", folder.path(""))
        #expect(directory.diagnostics.contains("is a folder"))
        let parent = await offline("import", folder.path("no/target.offline"), "things", input)
        #expect(parent.exitCode == 1)
        #expect(parent.diagnostics.contains("there is no folder"))
        let name = await offline("import", folder.path("target"), "things", input)
        #expect(name.exitCode == 1)
        #expect(name.diagnostics.contains("is named NAME.offline"))
        let collection = await offline("import", path, "", input)
        #expect(collection.exitCode == 1)
        #expect(collection.diagnostics.contains("invalidOptions"))
    }
}
