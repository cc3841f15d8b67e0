// The two stores whose bytes FORMAT.md shows, made by the code itself on a simulated disk. All that
// could differ from run to run is held fixed: the store's id, and the order in which the background
// takes file numbers.
import Foundation
import OfflineKit
import StorageSimulation
import Testing

@testable import OfflineEngine

/// A store of FORMAT.md.
struct ExampleStore {
    let system: SimulatedFileSystem
    let folder: String

    /// "OFFLINE-EXAMPLE!"
    static let id = StoreID(high: 0x2D45_4E49_4C46_464F, low: 0x2145_4C50_4D41_5845)

    /// The bytes of one of its files.
    func bytes(of name: String) throws -> [UInt8] {
        try system.bytes(of: system.path(folder, name))
    }

    /// Step 1 of both: an empty store, and a log file prepared.
    private init(_ name: String) throws {
        system = SimulatedFileSystem()
        folder = "/\(name).offline"
        try system.createDirectory(folder)
        let files = OpenFiles(system: system, folder: folder, store: Self.id)
        var segment = try NodeSegmentWriter(files: files, number: FileNumber(1))
        var state = StoreState(
            position: LogPosition(file: FileNumber(0), offset: 0), chain: 0, nextSequence: 1)
        let (body, _) = segment.catalogNamingItself(
            &state, nextFileNumber: 2, live: LiveBytes())
        let catalog = try segment.finish(catalog: body, sequence: 1)
        let file = try SuperblockFile.open(system, folder)
        for generation: UInt64 in [1, 2] {
            try file.write(
                Superblock(
                    store: Self.id, generation: generation, catalog: catalog,
                    replayPosition: state.position, replayChain: 0, isCleanClose: true,
                    durableSequence: 1))
        }
        file.close()
        try system.setBytes(
            of: system.path(folder, "00000002.log"), [UInt8](repeating: 0, count: 65_536))
    }

    private func open(
        _ schema: [CollectionSchema], _ tuning: @escaping @Sendable (inout EngineOptions) -> Void
    ) async throws -> OfflineStore {
        let name = folder.dropFirst().dropLast(".offline".count)
        var options = StorageOptions(
            databaseName: String(name), directory: URL(filePath: "/"), storageSchema: schema)
        options.storageBackend = .custom(LogBackend(system: system, tuning: tuning))
        return try await OfflineStore.open(options)
    }

    /// Runs `body`, then waits until the background has begun to make the next log file.
    private func preparing(_ name: String, _ body: () async throws -> Void) async throws {
        let path = system.path(folder, name)
        let (made, continuation) = AsyncStream.makeStream(of: Void.self)
        // The file has its name before its first byte is written.
        system.onMutation { _, files in
            if files.filePaths.contains(path) { continuation.yield() }
        }
        try await body()
        for await _ in made { break }
        system.onMutation(nil)
    }

    /// The example store.
    static func notes() async throws -> ExampleStore {
        let example = try ExampleStore("notes")
        let schema = CollectionSchema(
            name: "notes", indexes: [IndexSchema(name: "tag", keyPath: "tag")],
            tracksChanges: false)
        let store = try await example.open([schema]) { $0.automaticCheckpoints = false }
        try await example.preparing("00000004.log") {
            try await store.create("notes", ["id": 1, "tag": "blue", "size": 2.5])
        }
        try await store.create("notes", ["id": 2, "tag": ["blue", "red"]])
        try await store.close()
        return example
    }

    /// The second one, with long keys and a staged transaction.
    static func pages() async throws -> ExampleStore {
        let example = try ExampleStore("pages")
        let store = try await example.open([CollectionSchema(name: "pages", tracksChanges: false)])
        {
            $0.automaticCheckpoints = false
            $0.stagedTransactionBytes = 4096
        }
        let documents = ["a", "b", "c", "d", "e"].map { letter -> Document in
            ["id": .string(String(repeating: letter, count: 1_000))]
        }
        try await example.preparing("00000007.log") {
            try await store.createBatch("pages", documents)
        }
        try await store.close()
        return example
    }
}
