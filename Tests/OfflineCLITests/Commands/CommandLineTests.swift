internal import ArgumentParser
internal import Foundation
internal import OfflineEngine
internal import OfflineKit
internal import Testing

@testable internal import OfflineCLI

@Suite struct CommandLineTests {
    @Test(arguments: [
        ["dump"], ["dump", "x", "--offset", "3"], ["dump", "x", "--index", "i"],
        ["dump", "x", "--file", "1", "--collection", "c"], ["dump", "x", "--file", "-1"],
        ["import", "x", "y"], ["import", "x", "y", "z", "--batch", "0"], ["nonsense"],
        ["verify", "x", "y"], ["query", "x"], ["query", "x", "y", "--limit", "-1"],
        ["query", "x", "y", "--filter", "{"], ["query", "x", "y", "--filter", "3"],
        ["query", "x", "y", "--filter", "@/nowhere/at/all"], ["query", "x", "y", "--query", "[]"],
        ["query", "x", "y", "--query", #"{"wrong": 1}"#],
        ["query", "x", "y", "--filter", "-", "--query", "-"], ["explain", "x"],
        ["explain", "x", "y", "--pretty"], ["export", "x"], ["export", "x", "y", "z"],
    ])
    func `a command line without sense is exit code 64`(arguments: [String]) async {
        #expect(await offline(arguments).exitCode == 64)
    }

    @Test(arguments: ["dump", "stat", "verify", "query", "explain", "export"])
    func `where there is no store, that is said`(command: String) async throws {
        let folder = try TemporaryFolder()
        let collection = ["query", "explain", "export"].contains(command) ? ["users"] : []
        let absent = await offline([command, folder.path("absent.offline")] + collection)
        #expect(absent.exitCode == 1)
        #expect(absent.diagnostics.contains("there is nothing at"))
        let file = await offline([command, try folder.write("file.offline", "text")] + collection)
        #expect(file.exitCode == 1)
        #expect(file.diagnostics.contains("is no folder"))
        try await SmallStore.make(in: folder)
        let parent = await offline([command, folder.path("")] + collection)
        #expect(parent.exitCode == 1)
        #expect(parent.diagnostics.contains("there are stores in it: file.offline, small.offline"))
    }

    @Test(arguments: ["dump", "stat", "verify", "query", "explain", "export"])
    func `a store on another backend is named as one`(command: String) async throws {
        let folder = try TemporaryFolder()
        var options = SmallStore.options(in: folder)
        options.storageBackend = .file
        try await OfflineStore.open(options).close()
        let collection = ["query", "explain", "export"].contains(command) ? ["users"] : []
        let run = await offline([command, folder.path(SmallStore.name)] + collection)
        #expect(run.exitCode == 1)
        #expect(run.diagnostics.contains("is a store of the backend .file"))
    }

    @Test func `a symbolic link is not followed`() async throws {
        let folder = try TemporaryFolder()
        let path = try await SmallStore.make(in: folder)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("link.offline"), withDestinationPath: path)
        let run = await offline("dump", folder.path("link.offline"))
        #expect(run.exitCode == 1)
        #expect(run.diagnostics.contains("is a symbolic link"))
    }

    @Test func `what the system refuses is permissionDenied`() {
        #expect {
            try toolErrors { () throws(FileSystemError) in
                throw FileSystemError(.open, "/store/SUPERBLOCK", EACCES)
            }
        } throws: { error in
            (error as? OfflineError)?.code == .permissionDenied
                && "\(error)".contains("/store/SUPERBLOCK")
        }
    }

    @Test func `the help names every command`() {
        let help = OfflineCommand.helpMessage()
        for command in ["stat", "dump", "verify", "import", "query", "explain", "export"] {
            #expect(help.contains(command))
        }
    }
}
