// The store's own engine as a backend: a thin translation between the two vocabularies.
//
// What may block for long (open, close, schema changes, verification) runs on a queue of its own, never on a thread of the
// cooperative pool. Reads and writes run where the caller runs.
internal import OfflineBytes
package import OfflineEngine

/// The log-structured engine: large, indexed, crash-safe.
package final class LogBackend: StorageBackend {
    let system: any FileSystem
    private let tuning: @Sendable (inout EngineOptions) -> Void
    private let opened = Protected<(engine: Engine, configuration: BackendConfiguration)?>(nil)
    private let queue = BlockingQueue("offline.store.maintenance")

    /// `tuning` changes the engine's bounds; for tests and benchmarks.
    package init(
        system: any FileSystem = PosixFileSystem(),
        tuning: @escaping @Sendable (inout EngineOptions) -> Void = { _ in }
    ) {
        self.system = system
        self.tuning = tuning
    }

    package var allowsParallelWriters: Bool { true }

    /// The engine, for the tools' physical views; nil while closed.
    package var engineInUse: Engine? { opened.withLock { $0?.engine } }

    package func initialize(_ configuration: BackendConfiguration) async throws {
        let engine = try await queue.run { try self.open(configuration) }
        opened.withLock { $0 = (engine, configuration) }
    }

    private func open(_ configuration: BackendConfiguration) throws -> Engine {
        try StoreFolder(system, configuration.path).checkContents(for: .log)
        var options = EngineOptions()
        options.isReadOnly = configuration.isReadOnly
        options.sizeLimit = configuration.sizeLimit
        options.automaticCompaction = configuration.compactsByItself
        switch configuration.durability {
        case .full: options.durability = .full
        case .periodic(let interval): options.durability = .periodic(interval)
        case .relaxed: options.durability = .relaxed
        }
        tuning(&options)
        return try Engine.open(
            system, folder: configuration.path, options: options,
            derivation: LogDerivation(configuration.deriver))
    }

    package func close() async throws {
        guard
            let engine = opened.withLock({ opened in
                defer { opened = nil }
                return opened?.engine
            })
        else { return }
        // It has the queue, and may have much to do.
        engine.stopCompacting()
        try await queue.run { try engine.close() }
    }

    package func flush() async throws {
        let engine = try engine
        try await unsafe withUnsafeThrowingContinuation { continuation in
            do throws(EngineError) {
                try engine.flush { failure in unsafe continuation.resume(with: failure) }
            } catch {
                unsafe continuation.resume(throwing: error)
            }
        }
    }

    package func snapshot() throws -> any BackendReader {
        let engine = try engine
        return LogReader(engine.stateNow, of: engine)
    }

    package func begin(
        _ collections: [CollectionID], reading: [CollectionID]
    ) throws -> any BackendBatch {
        let engine = try engine
        return LogBatch(
            try engine.begin(collections.map(\.value), reading: reading.map(\.value)),
            on: engine.stateNow)
    }

    package func define(
        _ changes: [StoredCollection], version: UInt64,
        validate: (_ reader: any BackendReader, _ newTrees: [TreeID]) throws -> Void
    ) async throws {
        let engine = try engine
        // The caller waits for this; schema changes happen while a store opens, with nobody else on it.
        try withoutActuallyEscaping(validate) { validate in
            try engine.define(changes.map(\.described), applicationVersion: version) {
                old, changed in
                var newTrees: [TreeID] = []
                for change in changes {
                    let known = old.version(change.id.value)?.indexes.map(\.index) ?? []
                    newTrees += change.indexes.filter { !known.contains($0) }
                        .map { TreeID(change.id, $0) }
                }
                try validate(LogReader(changed), newTrees)
            }
        }
    }

    package func verify() async throws -> BackendVerification {
        let engine = try engine
        return try await queue.run {
            let found = try engine.verify()
            var result = BackendVerification()
            result.problems = found.findings.map(\.description)
            result.recordsChecked = found.recordsChecked
            result.bytesChecked = found.bytesChecked
            return result
        }
    }

    package var room: Int64? {
        guard let (engine, configuration) = opened.withLock({ $0 }), configuration.sizeLimit != nil
        else { return nil }
        return engine.files.room
    }

    package func space() throws -> BackendSpace {
        guard let (engine, configuration) = opened.withLock({ $0 }) else {
            throw BackendConfiguration.notOpen
        }
        var space = try StoreFolder(system, configuration.path).space()
        space.reclaimableBytes = engine.reclaimableBytes
        space.pinnedBytes = engine.files.retiredBytes
        return space
    }

    package func compact() async throws { _ = try await compactTellingRest() }

    func compactTellingRest() async throws -> Bool {
        let engine = try engine
        return try await queue.run { try engine.compact() }
    }

    package func refresh() async throws {
        guard let (engine, configuration) = opened.withLock({ $0 }) else {
            throw BackendConfiguration.notOpen
        }
        guard configuration.isReadOnly else { return }
        let fresh = try await queue.run { try self.open(configuration) }
        opened.withLock { $0 = (fresh, configuration) }
        try engine.close()
    }

    private var engine: Engine {
        get throws {
            guard let engine = opened.withLock({ $0?.engine }) else {
                throw BackendConfiguration.notOpen
            }
            return engine
        }
    }

    private static let notOpen = OfflineError(.notOpen, "the store isn't open")
}

extension UnsafeContinuation where T == Void, E == any Error {
    /// Resumes with what the engine reported.
    func resume(with failure: EngineError?) {
        if let failure { unsafe resume(throwing: failure) } else { unsafe resume() }
    }
}

extension StoredCollection {
    var described: CollectionDescription {
        CollectionDescription(
            id: id.value, definition: definition, indexes: indexes.sorted(), names: names)
    }

    init(_ version: CollectionVersion) {
        self.init(
            id: CollectionID(version.id), definition: version.definition,
            indexes: version.indexes.map(\.index), names: version.names.names)
    }
}

/// The store's deriver in the engine's terms.
private final class LogDerivation: IndexDerivation {
    private let deriver: any KeyDeriver

    init(_ deriver: any KeyDeriver) { self.deriver = deriver }

    func load(_ collection: CollectionDescription) throws {
        try deriver.load(
            StoredCollection(
                id: CollectionID(collection.id), definition: collection.definition,
                indexes: collection.indexes, names: collection.names))
    }

    func extendNames(of collection: UInt32, with names: [String]) throws {
        try deriver.extendDictionary(of: CollectionID(collection), with: names)
    }

    func derive(
        collection: UInt32, key: UnsafeRawBufferPointer, record: UnsafeRawBufferPointer,
        into entries: inout IndexEntries
    ) throws {
        var keys = DerivedKeys()
        try unsafe deriver.deriveKeys(
            of: CollectionID(collection), key: key.bytes, record: record.bytes, into: &keys)
        for entry in keys.entries {
            entries.append(index: entry.index, key: keys.bytes[entry.range])
        }
    }
}
