internal import Foundation
internal import OfflineKit
internal import Testing

@testable internal import OfflineCLI

@Suite struct StatTests {
    @Test func `collections and files are listed`() async throws {
        let folder = try TemporaryFolder()
        let run = await offline("stat", try await SmallStore.make(in: folder))
        #expect(run.exitCode == 0)
        #expect(run.output.contains("closed cleanly"))
        #expect(run.output.contains("users             1        0  id      email (unique), place"))
        #expect(run.output.contains("00000002.log    65,536   1,192   168"))
    }

    @Test func `the schema version is that of the last migration`() async throws {
        struct Third: Migration {
            let version = 3
            func up(_ store: any StoreWriter) async throws { throw CancellationError() }
        }
        struct Second: Migration {
            let version = 2
            func up(_ store: any StoreWriter) async throws {
                try await store.create("notes", ["number": 100])
            }
        }
        let folder = try TemporaryFolder()
        let path = try await SmallStore.make(in: folder)
        var options = SmallStore.options(in: folder)
        options.version = 3
        options.migrationManager = MigrationManager([Second(), Third()])
        await #expect(throws: OfflineError.self) { _ = try await OfflineStore.open(options) }
        let run = await offline("stat", path)
        #expect(run.output.contains("schema version 2\n"), "\(run.output)")
        // A tool that writes leaves the version as it is.
        let input = try folder.write("in.jsonl", "{\"number\":200}")
        #expect(await offline("import", path, "notes", input).exitCode == 0)
        #expect(await offline("stat", path).output.contains("schema version 2\n"))
        #expect(await offline("verify", path).exitCode == 0)
    }

    @Test func `beside a writer the counts are those of now`() async throws {
        let folder = try TemporaryFolder()
        try await SmallStore.make(in: folder)
        let store = try await OfflineStore.open(SmallStore.options(in: folder))
        try await store.create("users", ["id": "u3"])
        let run = await offline("stat", folder.path(SmallStore.name))
        #expect(run.exitCode == 0)
        #expect(run.output.contains("1 operation in the log since"))
        #expect(run.output.contains("users             2        0  id"))
        try await store.close()
    }

    @Test func `pending changes are counted`() async throws {
        let folder = try TemporaryFolder()
        let run = await offline("stat", try await TrackedStore.make(in: folder))
        #expect(run.exitCode == 0)
        // One created, one changed, one deleted since they were synchronized.
        #expect(run.output.contains("collection  records  pending  key  indexes"))
        #expect(run.output.contains("users             3        3  id"))
        #expect(run.output.contains("notes             1        0  id"))
        #expect(!run.output.contains("changes of"))
    }

    @Test func `of a store that can't be opened pending changes aren't known`() async throws {
        let folder = try TemporaryFolder()
        var files = try StoreFiles(of: try await TrackedStore.make(in: folder))
        for name in files.files.keys where name.hasSuffix(".log") { files.files[name] = [] }
        let run = await offline("stat", try files.write(into: folder, as: "damaged.offline"))
        #expect(run.exitCode == 1)
        #expect(run.output.contains("users             3           id"))
    }

    @Test func `without a catalog the files are listed all the same`() async throws {
        let folder = try TemporaryFolder()
        var files = try StoreFiles(of: try await SmallStore.make(in: folder))
        files.files["SUPERBLOCK"] = nil
        let run = await offline("stat", try files.write(into: folder, as: "damaged.offline"))
        #expect(run.exitCode == 1)
        #expect(run.output.contains("00000002.log    65,536\n"))
        #expect(run.output.contains("no catalog can be read"))
    }
}
