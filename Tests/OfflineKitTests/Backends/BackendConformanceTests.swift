import OfflineTesting
import Testing

@testable import OfflineKit

struct BackendConformanceTests {
    @Test(arguments: BackendConformance.cases)
    func `the memory backend keeps the contract`(one: BackendConformance.Case) async throws {
        let memory = MemoryBackend()
        try await BackendConformance(folder: "/nowhere") { _ in memory }.run(one)
    }
}
