// A tree whose counts contradict its entries: a cursor says so and never gives an entry twice.
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

struct LogCursorTests {
    /// A cursor over three records whose root says that there are `count`.
    private func cursor(count: UInt64, descending: Bool) async throws -> LogCursor {
        let backend = LogBackend(system: SimulatedFileSystem())
        let store = try await PlainStore.open(backend, at: "/counts.offline")
        try await store.commit([[1]: [1], [2]: [2], [3]: [3]])
        let version = try #require(backend.engineInUse?.version(PlainStore.collection.value))
        var root = version.primary
        root.count = count
        let altered = version.with(primary: root, indexes: [])
        let reader = try #require(TreeReader(altered, index: 0))
        return try LogCursor(reader, in: .all, descending: descending)
    }

    @Test(arguments: [false, true])
    func `a tree with fewer entries than it counts is damaged`(descending: Bool) async throws {
        let sound = try await cursor(count: 3, descending: descending)
        for _ in 0..<3 { #expect(try sound.next()) }
        #expect(try !sound.next())
        let lying = try await cursor(count: 4, descending: descending)
        for _ in 0..<3 { #expect(try lying.next()) }
        await expectError(.corrupted) { _ = try lying.next() }
    }
}
