// A record backend as a storage backend: everything in memory (MapStore), each new state written through.
//
// Order of a commit's calls: new names, the next sequence, then the records. What comes before the records counts for nothing
// without them, so a commit of one record is atomic on any backend.
internal import OfflineBytes
internal import OfflineEngine

/// The store's view of a record backend.
package final class RecordStorage: StorageBackend {
    private struct Opened {
        var store: MapStore
        var configuration: BackendConfiguration
    }
    private let backend: any RecordBackend
    private let acceptsPartialCommits: Bool
    private let opened = Protected<Opened?>(nil)
    private let failure = Protected<String?>(nil)

    package init(_ backend: any RecordBackend, acceptingPartialCommits: Bool) {
        self.backend = backend
        acceptsPartialCommits = acceptingPartialCommits
    }

    package var allowsParallelWriters: Bool { true }

    package func initialize(_ configuration: BackendConfiguration) async throws {
        try check(configuration)
        try await backend.initialize(
            RecordBackendConfiguration(
                path: configuration.path, isReadOnly: configuration.isReadOnly))
        failure.withLock { $0 = nil }
        do {
            let new = try await load(configuration)
            opened.withLock { $0 = new }
        } catch {
            try? await backend.close()
            throw error
        }
    }

    /// What the backend can't do.
    private func check(_ configuration: BackendConfiguration) throws(OfflineError) {
        if configuration.sizeLimit != nil {
            throw OfflineError(
                .invalidOptions,
                "sizeLimit: what a record backend takes isn't known here; leave it out")
        }
        guard acceptsPartialCommits || backend is any AtomicRecordBackend else {
            throw OfflineError(
                .invalidOptions,
                "storageBackend: \(type(of: backend)) can't make several changes together, so a crash "
                    + "may leave a part of a transaction; conform to AtomicRecordBackend, or accept "
                    + "that with .custom(…, acceptingPartialCommits: true)")
        }
    }

    private func load(_ configuration: BackendConfiguration) async throws -> Opened {
        var catalog = RecordCatalog()
        try await backend.scan(RecordLayout.store) { try catalog.add($0, $1) }
        var state = MapState()
        if let stored = catalog.state {
            (state.version, state.nextSequence) = stored
        } else if configuration.isReadOnly {
            throw StoreFolder.nothing
        } else if !catalog.collections.isEmpty {
            throw RecordLayout.corrupted("collections without a state")
        } else {
            try await backend.create(
                RecordLayout.store, key: RecordLayout.stateKey, record: RecordLayout.state(state))
        }
        for collection in try catalog.stored() {
            try configuration.deriver.load(collection)
            state.collections[collection.id] = MapState.Collection(
                definition: collection.definition, names: collection.names,
                records: try await records(of: collection.id, below: state.nextSequence))
            // Its index trees are all new.
            _ = try state.define(collection, configuration.deriver)
        }
        let store = MapStore(state) { [weak self] step in
            guard let self else { throw BackendConfiguration.notOpen }
            try await write(step)
        }
        return Opened(store: store, configuration: configuration)
    }

    private func records(
        of id: CollectionID, below nextSequence: UInt64
    ) async throws -> PersistentMap {
        var entries: [(key: [UInt8], value: [UInt8])] = []
        try await backend.scan(RecordLayout.records(id)) { key, record in
            guard key.count <= Limits.keyBytesMax, record.count >= MapRecord.headerSize,
                (1..<nextSequence).contains(MapRecord.sequence(in: record))
            else {
                throw RecordLayout.corrupted("a record of collection \(id.value) isn't one")
            }
            entries.append((key, record))
        }
        entries.sort { ByteOrder.compare($0.key, $1.key) < 0 }
        for (one, next) in zip(entries, entries.dropFirst()) where one.key == next.key {
            throw RecordLayout.corrupted("collection \(id.value) has a key twice")
        }
        return PersistentMap(ascending: entries)
    }

    package func close() async throws {
        guard opened.withLock({ $0.take() }) != nil else { return }
        try await backend.close()
    }

    /// Each commit is written through before it returns.
    package func flush() async throws {}

    package func snapshot() throws -> any BackendReader { try current().store.snapshot() }

    package func begin(
        _ collections: [CollectionID], reading: [CollectionID]
    ) throws -> any BackendBatch {
        let opened = try current()
        if !collections.isEmpty { try checkWritable(opened) }
        return opened.store.begin(collections)
    }

    package func define(
        _ changes: [StoredCollection], version: UInt64,
        validate: (_ reader: any BackendReader, _ newTrees: [TreeID]) throws -> Void
    ) async throws {
        let opened = try current()
        try checkWritable(opened)
        try await opened.store.define(
            changes, version: version, deriver: opened.configuration.deriver, validate: validate)
    }

    /// Compares what the backend has with what is in memory.
    package func verify() async throws -> BackendVerification {
        let state = try current().store.state
        var result = state.verify()
        for (id, collection) in state.collections.sorted(by: { $0.key < $1.key }) {
            var count = 0
            var different = 0
            try await backend.scan(RecordLayout.records(id)) { key, record in
                count += 1
                result.bytesChecked += Int64(key.count + record.count)
                if collection.records.value(of: key) != record { different += 1 }
            }
            if count != collection.records.count || different > 0 {
                result.problems.append(
                    "collection \(id.value): the record backend has \(count) records, \(different) of "
                        + "them others than in memory, which has \(collection.records.count)")
            }
        }
        let stored = try await backend.get(RecordLayout.store, key: RecordLayout.stateKey)
        if stored != RecordLayout.state(state) {
            result.problems.append("the record backend has another state than memory")
        }
        return result
    }

    package func space() throws -> BackendSpace { try current().store.state.space }

    /// How space is given back is the backend's own affair.
    package func compact() async throws {}

    package func refresh() async throws {
        let opened = try current()
        guard opened.configuration.isReadOnly else { return }
        let fresh = try await load(opened.configuration)
        self.opened.withLock { $0 = fresh }
    }

    private func current() throws -> Opened {
        guard let opened = opened.withLock({ $0 }) else { throw BackendConfiguration.notOpen }
        return opened
    }

    private func checkWritable(_ opened: Opened) throws {
        try opened.configuration.checkWritable()
        guard let failure = failure.withLock({ $0 }) else { return }
        throw OfflineError(
            .readOnly,
            "the store is read-only since the storage backend failed (\(failure)); open it again")
    }
}

// MARK: - Writing through

extension RecordStorage {
    private func write(_ step: MapStep) async throws {
        // Another commit may have failed while this one waited.
        try checkWritable(try current())
        let changes = step.recordChanges()
        if let atomic = backend as? any AtomicRecordBackend {
            return try await atomic.apply(changes)
        }
        for (position, change) in changes.enumerated() {
            do {
                try await make(change)
            } catch  where position > 0 {
                failure.withLock { $0 = "\(error)" }
                throw OfflineError(
                    .outcomeUnknown,
                    "the storage backend failed in the middle of a commit (\(error)); open the store "
                        + "again to see what is there")
            }
        }
    }

    private func make(_ change: RecordBackendChange) async throws {
        switch change {
        case .create(let collection, let key, let record):
            try await backend.create(collection, key: key, record: record)
        case .update(let collection, let key, let record):
            try await backend.update(collection, key: key, record: record)
        case .delete(let collection, let key):
            try await backend.delete(collection, key: key)
        }
    }
}

extension MapStep {
    /// What makes the backend's records those of the new state.
    fileprivate func recordChanges() -> [RecordBackendChange] {
        var changes: [RecordBackendChange] = []
        for (id, collection) in new.collections.sorted(by: { $0.key < $1.key }) {
            let before = old.collections[id]
            let known = before?.names.count ?? 0
            for (position, name) in collection.names.enumerated().dropFirst(known) {
                changes.append(
                    .create(
                        collection: RecordLayout.store, key: RecordLayout.nameKey(id, position),
                        record: Array(name.utf8)))
            }
            let definition = RecordLayout.definition(collection)
            if before.map({ RecordLayout.definition($0) }) != definition {
                changes.append(
                    change(
                        in: RecordLayout.store, RecordLayout.definitionKey(id),
                        isNew: before == nil, definition))
            }
        }
        changes.append(
            .update(
                collection: RecordLayout.store, key: RecordLayout.stateKey,
                record: RecordLayout.state(new)))
        for (id, keys) in touched.sorted(by: { $0.key < $1.key }) {
            for key in keys.sorted(by: { ByteOrder.compare($0, $1) < 0 }) {
                let before = old.tree(TreeID(id)).value(of: key)
                let after = new.tree(TreeID(id)).value(of: key)
                let collection = RecordLayout.records(id)
                if let after, after != before {
                    changes.append(change(in: collection, key, isNew: before == nil, after))
                } else if after == nil, before != nil {
                    changes.append(.delete(collection: collection, key: key))
                }
            }
        }
        return changes
    }

    private func change(
        in collection: String, _ key: [UInt8], isNew: Bool, _ record: [UInt8]
    ) -> RecordBackendChange {
        isNew
            ? .create(collection: collection, key: key, record: record)
            : .update(collection: collection, key: key, record: record)
    }

    /// The keys of all records that may have changed.
    private var touched: [CollectionID: Set<[UInt8]>] {
        var keys: [CollectionID: Set<[UInt8]>] = [:]
        for id in changes.cleared {
            old.collections[id]?.records.forEach { key, _ in keys[id, default: []].insert(key) }
        }
        for (id, key) in changes.removed { keys[id, default: []].insert(key) }
        for (id, key) in changes.puts { keys[id, default: []].insert(key) }
        return keys
    }
}
