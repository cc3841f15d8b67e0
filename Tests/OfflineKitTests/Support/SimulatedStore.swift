import Foundation
import OfflineEngine
import StorageSimulation

@testable import OfflineKit

/// Stores on a simulated disk, which tests crash.
enum SimulatedStore {
    static func open(
        _ system: SimulatedFileSystem, _ schema: [CollectionSchema],
        durability: Durability = .full, clock: any StoreClock = SystemStoreClock(),
        tuning: @escaping @Sendable (inout EngineOptions) -> Void = { _ in }
    ) async throws -> OfflineStore {
        var options = StorageOptions(
            databaseName: "m", directory: URL(filePath: "/"), storageSchema: schema,
            durability: durability)
        options.storageBackend = .custom(LogBackend(system: system, tuning: tuning))
        let store = OfflineStore(options, clock: clock)
        try await store.initialize()
        return store
    }
}
