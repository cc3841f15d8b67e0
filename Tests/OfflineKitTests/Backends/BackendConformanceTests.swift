import OfflineTesting
import Testing

@testable import OfflineKit

@Suite struct BackendConformanceTests {
    @Test(arguments: TestBackend.allCases, BackendConformance.cases)
    func `every backend keeps the contract`(
        backend: TestBackend, one: BackendConformance.Case
    ) async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        let memory = MemoryBackend()
        try await BackendConformance(folder: folder.path, capacity: backend.capacity) { _ in
            backend.make(memory: memory)
        }.run(one)
    }

    @Test func `a backend that breaks the contract is found out`() async {
        let failures = await BackendConformance(folder: "/nowhere") { _ in MemoryBackend() }.run()
        #expect(failures.contains { $0.caseName == "what was committed is there after reopening" })
    }
}
