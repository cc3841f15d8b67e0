// A tree whose counts contradict its entries: a cursor says so and never gives an entry twice.
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

struct LogCursorTests {
    /// Derives nothing.
    private final class NoIndexes: IndexDerivation {
        func load(_ collection: CollectionDescription) throws {}
        func extendNames(of collection: UInt32, with names: [String]) throws {}
        func derive(
            collection: UInt32, key: UnsafeRawBufferPointer, record: UnsafeRawBufferPointer,
            into entries: inout IndexEntries
        ) throws {}
    }

    /// A reader of three records whose root says that there are `count`.
    private func reader(count: UInt64) throws -> TreeReader {
        let engine = try Engine.open(
            SimulatedFileSystem(), folder: "/counts.offline", options: EngineOptions(),
            derivation: NoIndexes())
        try engine.define(
            [CollectionDescription(id: 1, definition: [], indexes: [], names: [])],
            applicationVersion: 1
        ) { _, _ in }
        let transaction = try engine.begin([1])
        for number: UInt8 in 1...3 {
            try unsafe [number].withUnsafeBytes { bytes in
                _ = try unsafe transaction.put(1, key: bytes, record: bytes)
            }
        }
        try transaction.commit(appended: {}) { _ in }
        try engine.checkpoint()
        let version = try #require(engine.version(1))
        var root = version.primary
        root.count = count
        let altered = version.with(primary: root, indexes: [])
        return try #require(TreeReader(altered, index: 0))
    }

    @Test(arguments: [false, true])
    func `a tree with fewer entries than it counts is damaged`(descending: Bool) async throws {
        let sound = try LogCursor(reader(count: 3), in: .all, descending: descending)
        for _ in 0..<3 { #expect(try sound.next()) }
        #expect(try !sound.next())
        let cursor = try LogCursor(reader(count: 4), in: .all, descending: descending)
        for _ in 0..<3 { #expect(try cursor.next()) }
        await expectError(.corrupted) { _ = try cursor.next() }
    }
}
