import Foundation
import OfflineBytes

@testable import OfflineDemo
@testable import OfflineKit

/// The backends that store tests run on.
enum TestBackend: String, CaseIterable, Sendable {
    case memory
    case log
    case file
    #if SQLite
        case sqlite
    #endif

    /// Those on which transactions on different collections are open side by side.
    static let withParallelWriters = allCases.filter {
        $0.make(memory: MemoryBackend()).allowsParallelWriters
    }

    /// Whether it takes a file system of a test's.
    var isSimulated: Bool { [.memory, .log, .file].contains(self) }

    /// Bytes that a store can have.
    var capacity: Int { self == .file ? 4_900_000 : .max }

    /// A new one; in memory the same data every time.
    func make(memory: MemoryBackend) -> any StorageBackend {
        switch self {
        case .memory: memory
        case .log: LogBackend()
        case .file: FileBackend()
        #if SQLite
            case .sqlite: SQLiteBackend()
        #endif
        }
    }
}

/// Opens stores for tests, each on storage of its own.
struct TestStore {
    /// What the example of the requirements has.
    static let schema = SeedExamples.schema

    let backend: TestBackend
    private let folder: TestFolder
    private let memory = MemoryBackend()

    init(_ backend: TestBackend = .memory) throws {
        self.backend = backend
        folder = try TestFolder()
    }

    /// Options that open the same storage every time.
    func options(
        _ schema: [CollectionSchema] = TestStore.schema,
        _ change: (inout StorageOptions) -> Void = { _ in }
    ) -> StorageOptions {
        var options = StorageOptions(
            databaseName: "test", directory: folder.url, storageSchema: schema)
        options.storageBackend =
            switch backend {
            case .memory: .custom(memory)
            case .log: .log
            case .file: .file
            #if SQLite
                case .sqlite: .sqlite
            #endif
            }
        change(&options)
        return options
    }

    /// An open store.
    func open(
        _ schema: [CollectionSchema] = TestStore.schema,
        clock: any StoreClock = SystemStoreClock(),
        tombstonesMax: Int = ChangeContext.tombstonesMax,
        _ change: (inout StorageOptions) -> Void = { _ in }
    ) async throws -> OfflineStore {
        let options = options(schema) { options in
            // A test that isn't about waiting must not depend on how busy the machine is.
            if clock is SystemStoreClock { options.transactionTimeout = .seconds(3_600) }
            change(&options)
        }
        let store = OfflineStore(options, clock: clock, tombstonesMax: tombstonesMax)
        try await store.initialize()
        return store
    }

    /// Runs `body` on an open store; afterwards the store must be sound.
    static func with(
        _ backend: TestBackend = .memory, _ schema: [CollectionSchema] = TestStore.schema,
        clock: any StoreClock = SystemStoreClock(),
        _ body: (OfflineStore) async throws -> Void
    ) async throws {
        let place = try TestStore(backend)
        let store = try await place.open(schema, clock: clock)
        try await body(store)
        let report = try await store.verify()
        if !report.isSound { throw UnsoundStore(report: report) }
        try await store.close()
        place.remove()
    }

    /// Opens the same store, runs `body`, verifies and closes.
    func run(_ schema: [CollectionSchema], _ body: (OfflineStore) async throws -> Void) async throws
    {
        let store = try await open(schema)
        try await body(store)
        let report = try await store.verify()
        if !report.isSound { throw UnsoundStore(report: report) }
        try await store.close()
    }

    /// Removes what is on disk.
    func remove() { folder.remove() }
}

/// A store whose check found something.
struct UnsoundStore: Error, CustomStringConvertible {
    let report: VerificationReport
    var description: String { report.description }
}
