// A reader that counts what is asked of it, so that tests can prove what a query doesn't read, whatever the query says itself.
import OfflineBytes

@testable import OfflineKit

/// What was read.
struct ReadCounts: Equatable {
    /// Records looked up by their key.
    var lookups = 0
    /// Steps of cursors, and of these the ones in trees of records.
    var steps = 0
    var recordSteps = 0
    /// Jumps of cursors.
    var seeks = 0
    var cursors = 0
}

/// Passes everything on, and counts.
final class CountingReader: BackendReader {
    private let base: any BackendReader
    private let state = Protected(ReadCounts())

    init(_ base: any BackendReader) { self.base = base }

    var counts: ReadCounts { state.withLock { $0 } }

    func reset() { state.withLock { $0 = ReadCounts() } }

    fileprivate func note(_ change: (inout ReadCounts) -> Void) { state.withLock(change) }

    var storedVersion: UInt64 { base.storedVersion }
    var nextSequence: UInt64 { base.nextSequence }
    func sequence(of collection: CollectionID, key: [UInt8]) throws -> UInt64? {
        try base.sequence(of: collection, key: key)
    }
    func collections() -> [StoredCollection] { base.collections() }
    func names(of collection: CollectionID) -> [String] { base.names(of: collection) }
    func nameCount(of collection: CollectionID) -> Int { base.nameCount(of: collection) }

    func withRecord(
        _ collection: CollectionID, key: [UInt8], _ body: (RawSpan) throws -> Void
    ) throws -> Bool {
        note { $0.lookups += 1 }
        return try base.withRecord(collection, key: key, body)
    }

    func contains(_ tree: TreeID, key: [UInt8]) throws -> Bool {
        note { $0.lookups += 1 }
        return try base.contains(tree, key: key)
    }

    func firstKey(_ tree: TreeID, from key: RawSpan, into buffer: inout [UInt8]) throws -> Bool {
        note { $0.steps += 1 }
        return try base.firstKey(tree, from: key, into: &buffer)
    }

    func count(_ tree: TreeID, in range: KeyRange) throws -> Int { try base.count(tree, in: range) }

    func bytes(of collection: CollectionID) throws -> CollectionBytes {
        try base.bytes(of: collection)
    }

    func cursor(
        _ tree: TreeID, in range: KeyRange, descending: Bool
    ) throws -> any BackendCursor {
        note { $0.cursors += 1 }
        let cursor = try base.cursor(tree, in: range, descending: descending)
        return CountingCursor(cursor, self, isOfRecords: tree.index == 0)
    }
}

private final class CountingCursor: BackendCursor {
    private let base: any BackendCursor
    private let reader: CountingReader
    private let isOfRecords: Bool

    init(_ base: any BackendCursor, _ reader: CountingReader, isOfRecords: Bool) {
        self.base = base
        self.reader = reader
        self.isOfRecords = isOfRecords
    }

    func next() throws -> Bool {
        let isThere = try base.next()
        if isThere {
            reader.note {
                $0.steps += 1
                if isOfRecords { $0.recordSteps += 1 }
            }
        }
        return isThere
    }

    func skip(_ count: Int) throws { try base.skip(count) }

    func seek(_ key: [UInt8]) throws -> Bool {
        let isThere = try base.seek(key)
        reader.note {
            $0.seeks += 1
            if isThere, isOfRecords { $0.recordSteps += 1 }
        }
        return isThere
    }

    func copyKey(into buffer: inout [UInt8]) { base.copyKey(into: &buffer) }
    func withRecord(_ body: (RawSpan) throws -> Void) throws { try base.withRecord(body) }
}
