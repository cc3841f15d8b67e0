internal import Foundation
internal import OfflineKit
internal import Testing

@testable internal import OfflineCLI

/// `query` and `explain`.
@Suite struct QueryCommandTests {
    /// A store with people and pets; its path.
    private func make(in folder: TemporaryFolder) async throws -> String {
        let store = try await OfflineStore.open(Self.options(in: folder))
        try await store.createBatch(
            "people",
            [
                ["id": 1, "name": "Ada", "age": 36, "born": .date(Date(timeIntervalSince1970: 0))],
                ["id": 2, "name": "bob", "age": 17], ["id": 3, "name": "Cy", "age": 36],
            ])
        try await store.createBatch(
            "pets",
            [["id": "p1", "owner": 1, "kind": "cat"], ["id": "p2", "owner": 1, "kind": "dog"]])
        try await store.close()
        return folder.path("app.offline")
    }

    private static func options(in folder: TemporaryFolder) -> StorageOptions {
        StorageOptions(
            databaseName: "app", directory: folder.url,
            storageSchema: [
                CollectionSchema(
                    name: "people", indexes: [IndexSchema(name: "age", keyPath: "age")],
                    relationships: [
                        RelationshipSchema(
                            name: "pets", collection: "pets", type: .oneToMany,
                            foreignKey: "owner")
                    ]), CollectionSchema(name: "pets"),
            ])
    }

    @Test func `all records, one a line, in key order`() async throws {
        let folder = try TemporaryFolder()
        let run = await offline("query", try await make(in: folder), "people")
        #expect(run.exitCode == 0)
        #expect(
            run.output == """
                {"id":1,"name":"Ada","age":36,"born":{"$date":"1970-01-01T00:00:00Z"}}
                {"id":2,"name":"bob","age":17}
                {"id":3,"name":"Cy","age":36}

                """)
    }

    @Test(
        arguments: [
            (["--filter", #"{"age": {"$gte": 18}}"#], [1, 3]),
            (["--filter", #"{"born": {"$date": "1970-01-01T00:00:00Z"}}"#], [1]),
            (["--sort", "age,-name"], [2, 3, 1]), (["--sort", "-age"], [1, 3, 2]),
            (["--sort", "name", "--ignore-case"], [1, 2, 3]), (["--sort", "name"], [1, 3, 2]),
            (["--limit", "1", "--offset", "1"], [2]), (["--limit", "0"], []),
            (
                [
                    "--query",
                    #"{"filters": {"age": 36}, "sort": [{"field": "id", "direction": "desc"}]}"#,
                ], [3, 1]
            ),
            (["--query", #"{"filters": {"age": 36}, "limit": 9}"#, "--limit", "1"], [1]),
        ] as [([String], [Int])])
    func `options select and order`(options: [String], expected: [Int]) async throws {
        let folder = try TemporaryFolder()
        let run = await offline(["query", try await make(in: folder), "people"] + options)
        #expect(run.exitCode == 0, "\(run.diagnostics)")
        let ids = try run.lines.map { try Document(json: $0)["id"]?.intValue ?? -1 }
        #expect(ids == expected)
    }

    @Test func `fields, includes, and a line a field`() async throws {
        let folder = try TemporaryFolder()
        let path = try await make(in: folder)
        let first = [#"--filter"#, #"{"id": 1}"#, "--select", "name"]
        let named = await offline(["query", path, "people", "--include", "pets"] + first)
        #expect(
            named.output == #"""
                {"id":1,"name":"Ada","pets":[{"id":"p1","owner":1,"kind":"cat"},{"id":"p2","owner":1,"kind":"dog"}]}

                """#)
        let limited = await offline(
            ["query", path, "people", "--include", #"[{"path": "pets", "limit": 0}]"#, "--pretty"]
                + first)
        #expect(limited.output == "{\n  \"id\": 1,\n  \"name\": \"Ada\",\n  \"pets\": []\n}\n")
    }

    @Test func `a filter may be in a file`() async throws {
        let folder = try TemporaryFolder()
        let path = try await make(in: folder)
        let file = try folder.write("filter.json", #"{"age": 17}"#)
        let run = await offline("query", path, "people", "--filter", "@" + file)
        #expect(run.lines == [#"{"id":2,"name":"bob","age":17}"#])
    }

    @Test func `numbers in a filter are as they are written, also beyond the range of doubles`()
        async throws
    {
        let folder = try TemporaryFolder()
        let path = try await make(in: folder)
        for (filter, ids) in [
            (#"{"age": {"$lt": 1e999}}"#, 3), (#"{"age": {"$gt": 1e999}}"#, 0),
            (#"{"age": {"$gt": -1e999}}"#, 3), (#"{"age": {"$lt": 9007199254740993}}"#, 3),
        ] {
            let run = await offline("query", path, "people", "--filter", filter)
            #expect(run.exitCode == 0 && run.lines.count == ids, "\(filter): \(run.output)")
        }
    }

    @Test func `mistakes are told apart: of the command line, and of the store's content`()
        async throws
    {
        let folder = try TemporaryFolder()
        let path = try await make(in: folder)
        let operators = await offline(
            "query", path, "people", "--filter", #"{"age": {"$near": 1}}"#)
        #expect(operators.exitCode == 64 && operators.diagnostics.contains("$near"))
        let collection = await offline("query", path, "peple")
        #expect(collection.exitCode == 1)
        #expect(collection.diagnostics.contains("people, pets"))
        let relationship = await offline("query", path, "people", "--include", "cars")
        #expect(relationship.exitCode == 1 && relationship.diagnostics.contains("cars"))
        #expect(collection.output.isEmpty && relationship.output.isEmpty)
    }

    @Test func `explain says which index, and what it read`() async throws {
        let folder = try TemporaryFolder()
        let path = try await make(in: folder)
        let arguments = ["explain", path, "people", "--filter", #"{"age": 17}"#]
        let plan = await offline(arguments)
        #expect(plan.exitCode == 0)
        #expect(plan.lines[0] == "access: index age")
        #expect(!plan.output.contains("ran:"))
        let analyzed = await offline(arguments + ["--analyze"])
        #expect(
            analyzed.output.contains("ran: examined 1 index entry and 1 record, returned 1 record"))
        let unknown = await offline("explain", path, "nothing")
        #expect(unknown.exitCode == 1)
    }

    @Test(arguments: ["query", "export"])
    func `beside a writer it shows what is committed`(command: String) async throws {
        let folder = try TemporaryFolder()
        let path = try await make(in: folder)
        let store = try await OfflineStore.open(Self.options(in: folder))
        try await store.create("people", ["id": 4])
        let run = await offline(command, path, "people", "--filter", #"{"id": 4}"#)
        #expect(run.lines == [#"{"id":4}"#])
        try await store.close()
    }

    @Test func `it ends quietly when nobody reads on`() async throws {
        let folder = try TemporaryFolder()
        let store = try await OfflineStore.open(Self.options(in: folder))
        try await store.createBatch("pets", (0..<5_000).map { ["id": .int($0), "kind": "ant"] })
        try await store.close()
        let run = await offline(
            ["query", folder.path("app.offline"), "pets"], readBytes: 10_000)
        #expect(run.exitCode == 0 && run.diagnostics.isEmpty)
    }
}
