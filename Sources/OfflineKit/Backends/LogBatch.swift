// A batch over one of the engine's transactions.
internal import OfflineBytes
internal import OfflineEngine

/// An atomic batch on the engine.
final class LogBatch: BackendBatch, LogTrees {
    private let transaction: WriteTransaction
    let storedVersion: UInt64
    let nextSequence: UInt64

    init(_ transaction: WriteTransaction, on state: StoreState) {
        self.transaction = transaction
        storedVersion = state.applicationVersion
        nextSequence = state.nextSequence
    }

    // MARK: - Reading

    func collections() -> [StoredCollection] { transaction.bases.map { StoredCollection($0) } }

    func names(of collection: CollectionID) -> [String] {
        (try? transaction.names(collection.value))?.names ?? []
    }

    func nameCount(of collection: CollectionID) -> Int {
        (try? transaction.names(collection.value))?.count ?? 0
    }

    func withRecord(
        _ collection: CollectionID, key: [UInt8], _ body: (RawSpan) throws -> Void
    ) throws -> Bool {
        try unsafe key.withUnsafeBytes { bytes in
            try unsafe transaction.withRecord(collection.value, bytes) {
                try unsafe body($0.bytes)
            }
        }
    }

    func roots(of collection: CollectionID) -> [Catalog.TreeEntry] {
        transaction.roots(of: collection.value)
    }

    func reader(_ tree: TreeID) throws -> TreeReader? {
        try transaction.tree(tree.collection.value, index: tree.index)
    }

    // MARK: - Writing

    @discardableResult
    func put(_ collection: CollectionID, key: [UInt8], record: [UInt8]) throws -> UInt64 {
        try unsafe key.withUnsafeBytes { keyBytes in
            try unsafe record.withUnsafeBytes { recordBytes in
                try unsafe transaction.put(collection.value, key: keyBytes, record: recordBytes)
            }
        }
    }

    func remove(_ collection: CollectionID, key: [UInt8]) throws {
        _ = try unsafe key.withBytes { bytes throws(EngineError) in
            try unsafe transaction.remove(collection.value, key: bytes)
        }
    }

    func insert(_ tree: TreeID, key: RawSpan) throws {
        try unsafe key.withUnsafeBytes {
            try unsafe transaction.insert(tree.collection.value, index: tree.index, key: $0)
        }
    }

    func remove(_ tree: TreeID, key: RawSpan) throws {
        try unsafe key.withUnsafeBytes {
            try unsafe transaction.remove(tree.collection.value, index: tree.index, key: $0)
        }
    }

    func clear(_ collection: CollectionID) throws { try transaction.clear(collection.value) }

    func extendNames(of collection: CollectionID, with names: [String]) throws {
        try transaction.extendNames(collection.value, with: names)
    }

    func useReserve() { transaction.useReserve() }

    // MARK: - Ending

    func commit(
        appended: () -> Void, committed: @escaping @Sendable (Range<UInt64>) -> Void
    ) async throws {
        let transaction = transaction
        try await unsafe withUnsafeThrowingContinuation {
            (continuation: UnsafeContinuation<Void, any Error>) in
            do throws(EngineError) {
                try transaction.commit(appended: appended) { failure in
                    if failure == nil, let sequences = transaction.sequences {
                        committed(sequences)
                    }
                    // Whoever fills the disk faster than it is compacted waits here, with nothing locked.
                    transaction.whenCaughtUp { unsafe continuation.resume(with: failure) }
                }
            } catch {
                unsafe continuation.resume(throwing: error)
            }
        }
    }

    func rollback() { transaction.rollback() }
}
