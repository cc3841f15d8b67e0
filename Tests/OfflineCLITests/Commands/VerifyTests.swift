internal import Foundation
internal import OfflineKit
internal import Testing

@testable internal import OfflineCLI

@Suite struct VerifyTests {
    @Test func `a sound store is sound`() async throws {
        let folder = try TemporaryFolder()
        let run = await offline("verify", try await SmallStore.make(in: folder))
        #expect(run.exitCode == 0)
        #expect(run.output.hasPrefix("sound: 2 records and "))
    }

    @Test func `a damaged record is found, with its place`() async throws {
        let folder = try TemporaryFolder()
        var files = try StoreFiles(of: try await SmallStore.make(in: folder))
        files.invert("00000002.log", 704 + 60)
        let run = await offline("verify", try files.write(into: folder, as: "damaged.offline"))
        #expect(run.exitCode == 1)
        #expect(run.output.contains("damaged: 00000002.log at 584"))
    }

    @Test func `of a store that can't be opened all damage is listed`() async throws {
        let folder = try TemporaryFolder()
        var files = try StoreFiles(of: try await SmallStore.make(in: folder))
        files.invert("00000005.tree", 540)
        files.invert("00000002.log", 584 + 200)
        let run = await offline("verify", try files.write(into: folder, as: "damaged.offline"))
        #expect(run.exitCode == 1)
        #expect(run.output.contains("00000005.tree at 432"))
        #expect(run.output.contains("00000002.log at 584"))
        #expect(run.output.contains("the store can't be opened"))
    }

    @Test func `it runs beside a writer`() async throws {
        let folder = try TemporaryFolder()
        let store = try await OfflineStore.open(SmallStore.options(in: folder))
        try await SmallStore.fill(store)
        let run = await offline("verify", folder.path(SmallStore.name))
        #expect(run.exitCode == 0)
        #expect(run.output.hasPrefix("sound: 2 records and "))
        try await store.close()
    }

    @Test func `it changes nothing`() async throws {
        let folder = try TemporaryFolder()
        let path = try await SmallStore.make(in: folder)
        let before = try StoreFiles(of: path).files
        for command in ["verify", "dump", "stat"] {
            #expect(await offline(command, path).exitCode == 0)
        }
        #expect(try StoreFiles(of: path).files == before)
    }
}
