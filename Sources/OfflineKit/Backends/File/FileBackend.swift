// A backend for little data: everything in memory, and one file of 5 MB at most, which each commit replaces as a whole
// (StateFiles). What a commit costs grows with the store, not with the commit.
//
// Room. A commit may make the file as large as `growthMax`. One that removes records, or after which the file is smaller,
// may use the reserve above it too, so a full store can always be emptied.
internal import OfflineBytes
package import OfflineEngine

/// One small file, rewritten atomically.
package final class FileBackend: StorageBackend {
    private struct Opened {
        var store: MapStore
        /// Nil: opened for reading.
        var files: StateFiles?
        var configuration: BackendConfiguration
    }
    let system: any FileSystem
    private let opened = Protected<Opened?>(nil)
    private let queue = BlockingQueue("offline.store.file")

    package init(system: any FileSystem = PosixFileSystem()) { self.system = system }

    package var allowsParallelWriters: Bool { true }

    package func initialize(_ configuration: BackendConfiguration) async throws {
        let new = try await queue.run { [self] in try open(configuration) }
        opened.withLock { $0 = new }
    }

    private func open(_ configuration: BackendConfiguration) throws -> Opened {
        let folder = StoreFolder(system, configuration.path)
        try folder.checkContents(for: .file)
        let files: StateFiles?
        let state: MapState
        if configuration.isReadOnly {
            try folder.checkThere()
            guard let found = try StateFiles.read(folder) else { throw StoreFolder.nothing }
            (files, state) = (nil, found.state)
        } else {
            let found = try StateFiles.open(folder)
            (files, state) = (found, found.newest)
        }
        do {
            for collection in state.stored() { try configuration.deriver.load(collection) }
        } catch {
            files?.close()
            throw error
        }
        let store = MapStore(state) { [weak self] step in
            guard let self, let files else { throw BackendConfiguration.notOpen }
            try await self.queue.run {
                try self.write(
                    step.new, to: files, removes: step.changes.removes, configuration)
            }
        }
        return Opened(store: store, files: files, configuration: configuration)
    }

    package func close() async throws {
        guard let opened = opened.withLock({ $0.take() }), let files = opened.files else { return }
        try await queue.run {
            defer { files.close() }
            try files.flush()
        }
    }

    package func flush() async throws {
        guard let files = try current().files else { return }
        try await queue.run { try files.flush() }
    }

    package func snapshot() throws -> any BackendReader { try current().store.snapshot() }

    package func begin(
        _ collections: [CollectionID], reading: [CollectionID]
    ) throws -> any BackendBatch {
        let opened = try current()
        if !collections.isEmpty { try opened.configuration.checkWritable() }
        return opened.store.begin(collections)
    }

    package func define(
        _ changes: [StoredCollection], version: UInt64,
        validate: (_ reader: any BackendReader, _ newTrees: [TreeID]) throws -> Void
    ) async throws {
        let opened = try current()
        try opened.configuration.checkWritable()
        try await opened.store.define(
            changes, version: version, deriver: opened.configuration.deriver, validate: validate)
    }

    /// Reads the file again and compares what it says with what is in memory.
    package func verify() async throws -> BackendVerification {
        let opened = try current()
        let folder = StoreFolder(system, opened.configuration.path)
        return try await queue.run {
            let state = opened.files?.newest ?? opened.store.state
            var result = state.verify()
            do throws(EngineError) {
                guard let found = try StateFiles.read(folder) else { throw StoreFolder.nothing }
                let bytes = found.encoded()
                result.bytesChecked = Int64(bytes.count)
                // Beside a writer the file may be newer than what is read here.
                if opened.files != nil,
                    StateFile(state, generation: found.generation).encoded() != bytes
                {
                    result.problems.append("\(StateFiles.state) isn't what is in memory")
                }
            } catch {
                result.problems.append(error.description)
            }
            return result
        }
    }

    package var room: Int64? {
        guard let opened = opened.withLock({ $0 }), let files = opened.files else { return nil }
        let sizeMax = Self.sizeMax(opened.configuration.sizeLimit)
        return Int64(Self.growthMax(sizeMax) - files.size)
    }

    package func space() throws -> BackendSpace {
        let opened = try current()
        let folder = StoreFolder(system, opened.configuration.path)
        var space = try folder.space()
        space.treeBytes = space.usedBytes
        return space
    }

    /// Each commit writes the file anew; only a state that a flush replaces may lie beside it.
    package func compact() async throws { try await flush() }

    package func refresh() async throws {
        let opened = try current()
        guard opened.configuration.isReadOnly else { return }
        let fresh = try await queue.run { [self] in try open(opened.configuration) }
        self.opened.withLock { $0 = fresh }
    }

    private func current() throws -> Opened {
        guard let opened = opened.withLock({ $0 }) else { throw BackendConfiguration.notOpen }
        return opened
    }
}

// MARK: - On the queue

extension FileBackend {
    /// `sizeLimit` counts the file that is replaced and the one that replaces it.
    private static func sizeMax(_ limit: Int64?) -> Int {
        min(StateFiles.sizeMax, limit.map { Int(clamping: $0 / 2) } ?? .max)
    }

    private static func growthMax(_ sizeMax: Int) -> Int { sizeMax - sizeMax / 64 }

    private func write(
        _ state: MapState, to files: StateFiles, removes: Bool,
        _ configuration: BackendConfiguration
    ) throws {
        let sizeMax = Self.sizeMax(configuration.sizeLimit)
        let allowed = removes ? sizeMax : max(Self.growthMax(sizeMax), min(sizeMax, files.size - 1))
        try files.write(state, durably: configuration.durability == .full, sizeMax: allowed)
        if case .periodic(let interval) = configuration.durability {
            scheduleFlush(of: files, after: interval)
        }
    }

    private func scheduleFlush(of files: StateFiles, after interval: Duration) {
        let isNew = files.isFlushScheduled.withLock { isScheduled in
            defer { isScheduled = true }
            return !isScheduled
        }
        guard isNew else { return }
        queue.schedule(after: interval) { [weak self, weak files] in
            guard let self, let files else { return }
            files.isFlushScheduled.withLock { $0 = false }
            do throws(EngineError) {
                try files.flush()
            } catch {
                // A full disk may have room the next time; any other failure has closed the files to writes.
                if error.code == .storageFull { scheduleFlush(of: files, after: interval) }
            }
        }
    }
}
