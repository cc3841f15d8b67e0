import OfflineBytes

@testable import OfflineKit

/// A memory backend with one writer at a time, whose calls can be made to fail.
final class ControlledBackend: StorageBackend {
    struct Broken: Error, CustomStringConvertible {
        var description: String { "the disk is on fire" }
    }
    struct Control {
        /// How many more index insertions succeed; nil: all.
        var insertionsLeft: Int?
        var failsCommits = false
        var openBatches = 0
        var openBatchesMax = 0
    }
    let control = Protected(Control())
    private let memory = MemoryBackend()

    var allowsParallelWriters: Bool { false }
    func initialize(_ configuration: BackendConfiguration) async throws {
        try await memory.initialize(configuration)
    }
    func close() async throws { try await memory.close() }
    func flush() async throws { try await memory.flush() }
    func refresh() async throws {}
    func snapshot() throws -> any BackendReader { try memory.snapshot() }
    func verify() async throws -> BackendVerification { try await memory.verify() }
    func space() throws -> BackendSpace { try memory.space() }
    func compact() async throws { try await memory.compact() }

    func begin(
        _ collections: [CollectionID], reading: [CollectionID]
    ) throws -> any BackendBatch {
        control.withLock { control in
            control.openBatches += 1
            control.openBatchesMax = max(control.openBatchesMax, control.openBatches)
        }
        return ControlledBatch(try memory.begin(collections, reading: reading), self)
    }

    func define(
        _ changes: [StoredCollection], version: UInt64,
        validate: (_ reader: any BackendReader, _ newTrees: [TreeID]) throws -> Void
    ) async throws {
        try await memory.define(changes, version: version, validate: validate)
    }
}

private final class ControlledBatch: BackendBatch {
    private let batch: any BackendBatch
    private let backend: ControlledBackend
    private let isOpen = Protected(true)

    init(_ batch: any BackendBatch, _ backend: ControlledBackend) {
        self.batch = batch
        self.backend = backend
    }

    private func end() {
        let wasOpen = isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        if wasOpen { backend.control.withLock { $0.openBatches -= 1 } }
    }

    var storedVersion: UInt64 { batch.storedVersion }
    var nextSequence: UInt64 { batch.nextSequence }
    func sequence(of collection: CollectionID, key: [UInt8]) throws -> UInt64? {
        try batch.sequence(of: collection, key: key)
    }
    func collections() -> [StoredCollection] { batch.collections() }
    func names(of collection: CollectionID) -> [String] { batch.names(of: collection) }
    func nameCount(of collection: CollectionID) -> Int { batch.nameCount(of: collection) }
    func withRecord(
        _ collection: CollectionID, key: [UInt8], _ body: (RawSpan) throws -> Void
    ) throws -> Bool { try batch.withRecord(collection, key: key, body) }
    func contains(_ tree: TreeID, key: [UInt8]) throws -> Bool {
        try batch.contains(tree, key: key)
    }
    func firstKey(_ tree: TreeID, from key: RawSpan, into buffer: inout [UInt8]) throws -> Bool {
        try batch.firstKey(tree, from: key, into: &buffer)
    }
    func count(_ tree: TreeID, in range: KeyRange) throws -> Int {
        try batch.count(tree, in: range)
    }
    func bytes(of collection: CollectionID) throws -> CollectionBytes {
        try batch.bytes(of: collection)
    }
    func cursor(
        _ tree: TreeID, in range: KeyRange, descending: Bool
    ) throws -> any BackendCursor { try batch.cursor(tree, in: range, descending: descending) }
    func put(_ collection: CollectionID, key: [UInt8], record: [UInt8]) throws -> UInt64 {
        try batch.put(collection, key: key, record: record)
    }
    func remove(_ collection: CollectionID, key: [UInt8]) throws {
        try batch.remove(collection, key: key)
    }
    func insert(_ tree: TreeID, key: RawSpan) throws {
        let mayInsert = backend.control.withLock { control in
            guard let left = control.insertionsLeft else { return true }
            control.insertionsLeft = left - 1
            return left > 0
        }
        guard mayInsert else { throw ControlledBackend.Broken() }
        try batch.insert(tree, key: key)
    }
    func remove(_ tree: TreeID, key: RawSpan) throws { try batch.remove(tree, key: key) }
    func clear(_ collection: CollectionID) throws { try batch.clear(collection) }
    func extendNames(of collection: CollectionID, with names: [String]) throws {
        try batch.extendNames(of: collection, with: names)
    }
    func commit(
        appended: () -> Void, committed: @escaping @Sendable (Range<UInt64>) -> Void
    ) async throws {
        defer { end() }
        if backend.control.withLock({ $0.failsCommits }) { throw ControlledBackend.Broken() }
        try await batch.commit(
            appended: {
                end()
                appended()
            }, committed: committed)
    }
    func rollback() {
        end()
        batch.rollback()
    }
}
