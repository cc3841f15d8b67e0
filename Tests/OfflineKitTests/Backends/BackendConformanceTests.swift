import OfflineTesting
import Testing

@testable import OfflineKit

@Suite struct BackendConformanceTests {
    @Test(arguments: BackendConformance.cases)
    func `the memory backend keeps the contract`(one: BackendConformance.Case) async throws {
        let memory = MemoryBackend()
        try await BackendConformance(folder: "/nowhere") { _ in memory }.run(one)
    }

    @Test(arguments: BackendConformance.cases)
    func `the log backend keeps the contract`(one: BackendConformance.Case) async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        try await BackendConformance(folder: folder.path) { _ in LogBackend() }.run(one)
    }

    @Test func `a backend that breaks the contract is found out`() async {
        let failures = await BackendConformance(folder: "/nowhere") { _ in MemoryBackend() }.run()
        #expect(failures.contains { $0.caseName == "what was committed is there after reopening" })
    }
}
