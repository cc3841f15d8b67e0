// The batch of a transaction on a store that was opened for reading only: a snapshot in the shape
// of a batch, so that such a transaction is one like any other. Backends give out no batches there.

/// A batch that reads a snapshot and can't be written.
final class ReadOnlyBatch: BackendBatch {
    private let reader: any BackendReader

    init(_ reader: any BackendReader) { self.reader = reader }

    var storedVersion: UInt64 { reader.storedVersion }

    var nextSequence: UInt64 { reader.nextSequence }

    func sequence(of collection: CollectionID, key: [UInt8]) throws -> UInt64? {
        try reader.sequence(of: collection, key: key)
    }

    func collections() -> [StoredCollection] { reader.collections() }

    func names(of collection: CollectionID) -> [String] { reader.names(of: collection) }

    func nameCount(of collection: CollectionID) -> Int { reader.nameCount(of: collection) }

    func withRecord(
        _ collection: CollectionID, key: [UInt8], _ body: (RawSpan) throws -> Void
    ) throws -> Bool {
        try reader.withRecord(collection, key: key, body)
    }

    func contains(_ tree: TreeID, key: [UInt8]) throws -> Bool {
        try reader.contains(tree, key: key)
    }

    func firstKey(_ tree: TreeID, from key: RawSpan, into buffer: inout [UInt8]) throws -> Bool {
        try reader.firstKey(tree, from: key, into: &buffer)
    }

    func count(_ tree: TreeID, in range: KeyRange) throws -> Int {
        try reader.count(tree, in: range)
    }

    func bytes(of collection: CollectionID) throws -> CollectionBytes {
        try reader.bytes(of: collection)
    }

    func cursor(
        _ tree: TreeID, in range: KeyRange, descending: Bool
    ) throws -> any BackendCursor {
        try reader.cursor(tree, in: range, descending: descending)
    }

    func put(_ collection: CollectionID, key: [UInt8], record: [UInt8]) throws -> UInt64 {
        throw Self.refusal
    }

    func remove(_ collection: CollectionID, key: [UInt8]) throws { throw Self.refusal }

    func insert(_ tree: TreeID, key: RawSpan) throws { throw Self.refusal }

    func remove(_ tree: TreeID, key: RawSpan) throws { throw Self.refusal }

    func clear(_ collection: CollectionID) throws { throw Self.refusal }

    func extendNames(of collection: CollectionID, with names: [String]) throws {
        throw Self.refusal
    }

    func commit(
        appended: () -> Void, committed: @escaping @Sendable (Range<UInt64>) -> Void
    ) async throws { appended() }

    func rollback() {}

    private static var refusal: OfflineError {
        OfflineError(.readOnly, "the store was opened for reading only")
    }
}
