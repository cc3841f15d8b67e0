import Foundation
import OfflineEngine
import StorageSimulation

@testable import OfflineKit

/// The backends that reach the disk through the engine's `FileSystem`.
enum DiskBackend: CaseIterable {
    case log
    case file

    /// With files so small that a few commits fill them, are staged and are followed by a checkpoint; `tuning` may change that.
    func make(
        _ system: any FileSystem,
        tuning: @escaping @Sendable (inout EngineOptions) -> Void = { _ in }
    ) -> any StorageBackend {
        switch self {
        case .log:
            LogBackend(system: system) { options in
                options.logFileBytesMin = 8 << 10
                options.stagedTransactionBytes = 6 << 10
                options.checkpointOperations = 40
                tuning(&options)
            }
        case .file: FileBackend(system: system)
        }
    }
}

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
