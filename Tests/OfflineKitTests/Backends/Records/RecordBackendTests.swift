import OfflineBytes
import OfflineDocuments
import OfflineTesting
import Testing

@testable import OfflineKit

/// Stores of records as storage.
@Suite struct RecordBackendTests {
    enum Kind: String, CaseIterable, Sendable {
        case memory
        case folder
    }

    @Test(arguments: Kind.allCases, BackendConformance.cases)
    func `a store of records keeps the contract of a storage backend`(
        kind: Kind, one: BackendConformance.Case
    ) async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        let memory = MemoryRecords()
        try await BackendConformance(folder: folder.path) { _ in
            switch kind {
            case .memory: RecordStorage(memory, acceptingPartialCommits: false)
            case .folder: RecordStorage(FolderRecords(), acceptingPartialCommits: true)
            }
        }.run(one)
    }

    private func open(
        _ backend: any RecordBackend, accepting: Bool = false, readOnly: Bool = false
    ) async throws -> OfflineStore {
        try await OfflineStore.open(
            StorageOptions(
                databaseName: "test",
                storageBackend: .custom(backend, acceptingPartialCommits: accepting),
                storageSchema: TestStore.schema, isReadOnly: readOnly))
    }

    @Test func `a store works on it, and finds everything again`() async throws {
        let backend = MemoryRecords()
        let store = try await open(backend)
        try await store.transaction(["users", "orders"]) { transaction in
            try await transaction.create("users", ["id": "a", "email": "a@x.org"])
            try await transaction.create("orders", ["id": "o", "user_id": "a"])
        }
        try await store.update("users", ["id": "a", "email": "b@x.org"])
        try await store.create("users", ["id": "c", "email": "c@x.org"])
        try await store.delete("users", "c")
        let pending = try await store.getChanges()
        #expect(try await store.verify().isSound)
        try await store.close()
        #expect(!backend.state.withLock { $0.isOpen })
        for readOnly in [true, false] {
            let again = try await open(backend, readOnly: readOnly)
            let found = try await again.query("users", Query(filters: Field("email") == "b@x.org"))
            #expect(found.map { $0["id"] } == ["a"])
            #expect(try await again.count("users") == 1)
            #expect(try await again.verify().isSound)
            if !readOnly { #expect(try await again.getChanges().map(\.key) == pending.map(\.key)) }
            try await again.close()
        }
    }

    @Test func `what it can't do is said when the store opens`() async throws {
        let error = await expectError(.invalidOptions) { _ = try await open(SingleRecords()) }
        #expect(error?.message.contains("SingleRecords") == true)
        #expect(error?.message.contains("acceptingPartialCommits") == true)
        let store = try await open(SingleRecords(), accepting: true)
        try await store.close()
        await expectError(.storageUnavailable) {
            _ = try await open(MemoryRecords(), readOnly: true)
        }
    }

    @Test func `a commit that fails leaves nothing where changes are made together`() async throws {
        let backend = MemoryRecords()
        let store = try await open(backend)
        try await store.create("users", ["id": "a"])
        for left in 0..<3 {
            let before = backend.state.withLock { $0.collections }
            backend.state.withLock { $0.changesLeft = left }
            let error = await expectError(.storageUnavailable) {
                try await store.createBatch("users", [["id": "b"], ["id": "c"], ["id": "d"]])
            }
            #expect(error?.message.contains("the network is down") == true)
            backend.state.withLock { $0.changesLeft = nil }
            #expect(backend.state.withLock { $0.collections } == before)
        }
        try await store.createBatch("users", [["id": "b"], ["id": "c"]])
        #expect(try await store.count("users") == 3)
        #expect(try await store.verify().isSound)
        try await store.close()
    }

    @Test func `a commit that fails in the middle ends writing where they aren't`() async throws {
        // However many calls succeed, the store opens again and is sound.
        for left in 0..<12 {
            let backend = SingleRecords()
            let store = try await open(backend, accepting: true)
            try await store.create("users", ["id": "a", "n": 1])
            backend.records.state.withLock { $0.changesLeft = left }
            do {
                try await store.createBatch("users", [["id": "b", "m": 2], ["id": "c", "k": 3]])
                #expect(left > 4)
            } catch let error as OfflineError {
                #expect(error.code == (left == 0 ? .storageUnavailable : .outcomeUnknown))
                backend.records.state.withLock { $0.changesLeft = nil }
                if left > 0 {
                    await expectError(.readOnly) { try await store.create("users", ["id": "d"]) }
                }
            }
            backend.records.state.withLock { $0.changesLeft = nil }
            #expect(try await store.get("users", "a")?["n"] == 1)
            try await store.close()
            let again = try await open(backend, accepting: true)
            #expect(try await again.verify().isSound, "after \(left) calls")
            try await again.create("users", ["id": "e"])
            #expect(try await again.get("users", "e") != nil)
            try await again.close()
        }
    }

    @Test func `a commit of one record is whole or not there`() async throws {
        for left in 0..<8 {
            let backend = SingleRecords()
            let store = try await open(backend, accepting: true)
            try await store.create("users", ["id": "a", "n": 1])
            backend.records.state.withLock { $0.changesLeft = left }
            let isCommitted = (try? await store.update("users", ["id": "a", "new": 2])) != nil
            backend.records.state.withLock { $0.changesLeft = nil }
            try await store.close()
            let again = try await open(backend, accepting: true)
            let found = try await again.get("users", "a")
            #expect(found == (isCommitted ? ["id": "a", "new": 2] : ["id": "a", "n": 1]))
            try await again.close()
        }
    }

    @Test func `what is stored is what FORMAT.md says`() async throws {
        let backend = MemoryRecords()
        let storage = RecordStorage(backend, acceptingPartialCommits: false)
        let store = try await PlainStore.open(storage, at: "/nowhere")
        let batch = try storage.begin([PlainStore.collection], reading: [])
        try batch.extendNames(of: PlainStore.collection, with: ["id", "é"])
        try batch.put(PlainStore.collection, key: [7], record: [8, 9])
        try await batch.commit(appended: {}, committed: { _ in })
        let stored = backend.state.withLock { $0.collections }
        #expect(
            stored == [
                "store": [
                    [0]: [1, 1, 2], [1, 0, 0, 0, 1]: [0],
                    [2, 0, 0, 0, 1, 0, 0, 0, 0]: Array("id".utf8),
                    [2, 0, 0, 0, 1, 0, 0, 0, 1]: Array("é".utf8),
                ],
                "records_1": [[7]: [1, 0, 0, 0, 0, 0, 0, 0, 8, 9]],
            ])
        try await store.backend.close()
    }

    /// Damage to what is stored.
    static let damages: [@Sendable (inout MemoryRecords.State) -> Void] = [
        { $0.collections["store"]?[[0]] = nil },
        { $0.collections["store"]?[[0]] = [] },
        { $0.collections["store"]?[[0]] = [2, 1, 1] },
        { $0.collections["store"]?[[0]] = [1, 1, 0] },
        { $0.collections["store"]?[[9]] = [] },
        { $0.collections["store"]?[[1, 0, 0, 0, 0]] = [0] },
        { $0.collections["store"]?[[1, 0, 0, 0, 1]] = [255] },
        { $0.collections["store"]?[[2, 0, 0, 0, 1, 0, 0, 0, 0]] = nil },
        { $0.collections["store"]?[[2, 0, 0, 0, 1, 0, 0, 0, 0]] = [0xFF] },
        { $0.collections["records_1"] = [[1]: [1, 2, 3]] },
        { $0.collections["records_1"] = [[1]: [0, 0, 0, 0, 0, 0, 0, 0, 1]] },
        { $0.collections["records_1"] = [Array(repeating: 1, count: 1_601): Array(1...9)] },
    ]

    @Test(arguments: damages.indices)
    func `damage is reported`(number: Int) async throws {
        let backend = MemoryRecords()
        let storage = RecordStorage(backend, acceptingPartialCommits: false)
        let store = try await PlainStore.open(storage, at: "/nowhere")
        try await store.commit([[1]: [1]])
        let batch = try storage.begin([PlainStore.collection], reading: [])
        try batch.extendNames(of: PlainStore.collection, with: ["a", "b"])
        try await batch.commit(appended: {}, committed: { _ in })
        #expect(try await storage.verify().problems == [])
        backend.state.withLock { Self.damages[number](&$0) }
        let problems = try await storage.verify().problems
        let opened = RecordStorage(backend, acceptingPartialCommits: false)
        await expectError(.corrupted) { _ = try await PlainStore.open(opened, at: "/nowhere") }
        #expect(!backend.state.withLock { $0.isOpen })
        // What is in memory doesn't fit any more, where it is compared.
        if number < 4 || number > 8 { #expect(!problems.isEmpty) }
    }
}
