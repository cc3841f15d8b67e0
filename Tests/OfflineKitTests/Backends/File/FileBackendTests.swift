// What a file store promises on a disk that behaves: room, locks, readers beside a writer, other
// kinds of stores in its folder.
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite struct FileBackendTests {
    private let files = SimulatedFileSystem()
    private let path = "/store.offline"

    private func open(
        readOnly: Bool = false, durability: Durability = .full, sizeLimit: Int64? = nil
    ) async throws -> PlainStore {
        try await PlainStore.open(
            FileBackend(system: files), at: path, readOnly: readOnly, durability: durability,
            sizeLimit: sizeLimit)
    }

    private func record(_ size: Int) -> [UInt8] { [UInt8](repeating: 7, count: size) }

    @Test(
        arguments: [(nil, 5_000_000), (1 << 20, 1 << 19), (1 << 40, 5_000_000)] as [(Int64?, Int)])
    func `a commit that is too large leaves no trace, and room can be made`(
        sizeLimit: Int64?, sizeMax: Int
    ) async throws {
        let store = try await open(sizeLimit: sizeLimit)
        let half = record(sizeMax / 2)
        try await store.commit([[1]: half])
        let before = try files.bytes(of: path + "/STATE")
        await expectError(.quotaExceeded) { try await store.commit([[2]: half]) }
        await expectError(.quotaExceeded) {
            // Removing something doesn't let the rest through.
            try await store.commit([[2]: half, [3]: half], removing: [[1]])
        }
        #expect(try files.bytes(of: path + "/STATE") == before)
        #expect(files.filePaths == [path + "/LOCK", path + "/STATE"])
        #expect(try store.records() == [[1]: half])
        // Into the reserve: only a commit that removes may.
        let rest = record(sizeMax / 2 - sizeMax / 100)
        await expectError(.quotaExceeded) { try await store.commit([[2]: rest]) }
        try await store.commit([[2]: record(rest.count - sizeMax / 100)])
        try await store.commit([[3]: record(sizeMax / 100)], removing: [[0]])
        #expect(try files.bytes(of: path + "/STATE").count > sizeMax - sizeMax / 64)
        await expectError(.quotaExceeded) { try await store.commit([[4]: []]) }
        // What makes it smaller is welcome, though it isn't small.
        try await store.commit([[3]: record(sizeMax / 100 - 9)])
        try await store.commit([:], removing: [[1]])
        try await store.commit([[4]: record(1_000)])
        #expect(try files.bytes(of: path + "/STATE").count <= sizeMax)
        try await store.backend.close()
    }

    @Test func `a second writer is locked out, a reader sees what was there until it refreshes`()
        async throws
    {
        let writer = try await open()
        try await writer.commit([[1]: [1]])
        let error = await expectError(.databaseLocked) {
            do { _ = try await open() } catch { throw ErrorMapping.publicError(error) }
        }
        #expect(error?.message.isEmpty == false)
        let reader = try await open(readOnly: true)
        try await writer.commit([[2]: [2]])
        #expect(try reader.records() == [[1]: [1]])
        try await reader.backend.refresh()
        #expect(try reader.records() == [[1]: [1], [2]: [2]])
        await expectError(.readOnly) { try await reader.commit([[3]: [3]]) }
        try await writer.backend.close()
        await expectError(.notOpen) { try await writer.commit([[3]: [3]]) }
        try await reader.backend.refresh()
        #expect(try reader.records().count == 2)
        #expect(try await reader.backend.verify().problems == [])
        try await reader.backend.close()
        #expect(files.lockCount == 0 && files.openFileCount == 0)
    }

    @Test func `a reader beside a relaxed writer sees its newest commit`() async throws {
        let writer = try await open(durability: .relaxed)
        let reader = try await open(readOnly: true)
        for round in UInt8(0)..<5 {
            try await writer.commit([[round]: [round]])
            if round % 2 == 1 { try await writer.backend.flush() }
            try await reader.backend.refresh()
            #expect(try reader.records() == writer.records())
            #expect(try await writer.backend.verify().problems == [])
        }
        try await writer.backend.close()
        #expect(files.filePaths == [path + "/LOCK", path + "/STATE"])
        #expect(files.isAllDurable)
    }

    @Test func `with periodic durability a commit becomes durable by itself`() async throws {
        let store = try await open(durability: .periodic(.milliseconds(1)))
        for round in UInt8(0)..<3 {
            try await store.commit([[round]: [round]])
            while !files.isAllDurable { await Task.yield() }
        }
        let image = files.crashedKeepingNothing()
        let after = try await PlainStore.open(FileBackend(system: image), at: path)
        #expect(try after.records().count == 3)
        try await store.backend.close()
    }

    @Test func `an open batch may be committed beside another`() async throws {
        let store = try await open()
        try await store.backend.define(
            [StoredCollection(id: CollectionID(2), definition: [], indexes: [], names: [])],
            version: 1, validate: { _, _ in })
        let batch = try store.backend.begin([CollectionID(2)], reading: [])
        try batch.put(CollectionID(2), key: [9], record: [9])
        try await store.commit([[1]: [1]])
        try await batch.commit(appended: {}, committed: { _ in })
        try await store.backend.close()
        let after = try await open()
        #expect(try after.records() == [[1]: [1]])
        let kept = try after.backend.snapshot().contains(TreeID(CollectionID(2)), key: [9])
        #expect(kept)
        try await after.backend.close()
    }

    @Test func `a folder has one kind of store`() async throws {
        let store = try await open()
        try await store.backend.close()
        let configuration = BackendConfiguration(path: path, deriver: StoreKeyDeriver())
        let error = await expectError(.invalidOptions) {
            try await LogBackend(system: files).initialize(configuration)
        }
        #expect(error?.message.contains(".log") == true && error?.message.contains(".file") == true)
        #expect(files.filePaths == [path + "/LOCK", path + "/STATE"])
        let log = SimulatedFileSystem()
        let backend = LogBackend(system: log)
        try await backend.initialize(configuration)
        try await backend.close()
        await expectError(.invalidOptions) {
            try await FileBackend(system: log).initialize(configuration)
        }
    }

    @Test func `what isn't a folder with a store is refused`() async throws {
        await expectEngineError(.unavailable) { _ = try await open(readOnly: true) }
        #expect(files.filePaths == [])
        try files.setBytes(of: "/file", [1])
        await expectEngineError(.unavailable) {
            _ = try await PlainStore.open(FileBackend(system: files), at: "/file")
        }
        try files.addSymbolicLink("/link")
        await expectEngineError(.permissionDenied) {
            _ = try await PlainStore.open(FileBackend(system: files), at: "/link")
        }
        try files.createDirectory(path)
        await expectEngineError(.unavailable) { _ = try await open(readOnly: true) }
        try files.addSymbolicLink(path + "/STATE")
        await expectEngineError(.permissionDenied) { _ = try await open() }
    }
}
