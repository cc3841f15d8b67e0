// A backend that keeps everything in memory, in persistent maps: a snapshot is a copy of the state, a
// batch is a copy that is published at commit. Independent of the engine and kept simple: it is the
// reference that other backends are tested against.
//
// The data lives as long as the object, over `close` and another `initialize`, so that a test can
// reopen a store on it.
internal import OfflineBytes

/// Storage in memory.
package final class MemoryBackend: StorageBackend {
    private let store = MapStore()
    private let opened = Protected<BackendConfiguration?>(nil)

    package init() {}

    package var allowsParallelWriters: Bool { true }

    package func initialize(_ configuration: BackendConfiguration) async throws {
        for collection in store.state.stored() { try configuration.deriver.load(collection) }
        opened.withLock { $0 = configuration }
    }

    package func close() async throws { opened.withLock { $0 = nil } }

    package func flush() async throws {}

    package func refresh() async throws {}

    package func space() throws -> BackendSpace { store.state.space }

    /// What isn't used any more is freed at once.
    package func compact() async throws {}

    package func snapshot() throws -> any BackendReader { store.snapshot() }

    package func begin(
        _ collections: [CollectionID], reading: [CollectionID]
    ) throws -> any BackendBatch {
        if !collections.isEmpty { try configuration().checkWritable() }
        return store.begin(collections)
    }

    package func define(
        _ changes: [StoredCollection], version: UInt64,
        validate: (_ reader: any BackendReader, _ newTrees: [TreeID]) throws -> Void
    ) async throws {
        let configuration = try configuration()
        try configuration.checkWritable()
        try await store.define(
            changes, version: version, deriver: configuration.deriver, validate: validate)
    }

    package func verify() async throws -> BackendVerification { store.state.verify() }

    private func configuration() throws -> BackendConfiguration {
        guard let configuration = opened.withLock({ $0 }) else {
            throw BackendConfiguration.notOpen
        }
        return configuration
    }
}
