// What the cases are written with: opening, short forms of the calls, expectations, a seeded
// generator, and a KeyDeriver for records that are plain bytes.
import OfflineBytes
import OfflineKit

/// One run of one case.
struct CaseContext: Sendable {
    let name: String
    let path: String
    let capacity: Int
    let makeBackend: @Sendable (_ path: String) -> any StorageBackend

    /// `size` bytes, or fewer where 16 records of that size are more than the backend's capacity.
    func recordSize(_ size: Int) -> Int { min(size, capacity / 16) }

    /// Opens the case's backend.
    func open(readOnly: Bool = false) async throws -> any StorageBackend {
        let backend = makeBackend(path)
        try await backend.initialize(
            BackendConfiguration(
                path: path, isReadOnly: readOnly, durability: .relaxed, deriver: ByteDeriver()))
        return backend
    }

    /// Opens it and defines collections 1 and 2, each with index 1.
    func openDefined() async throws -> any StorageBackend {
        let backend = try await open()
        try await backend.define(
            [Self.collection(1), Self.collection(2)], version: 1, validate: { _, _ in })
        return backend
    }

    /// A collection with a definition that tells its number.
    static func collection(_ number: UInt32, indexes: [UInt32] = [1]) -> StoredCollection {
        StoredCollection(
            id: CollectionID(number), definition: Array("collection \(number)".utf8),
            indexes: indexes, names: [])
    }

    func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
        if !condition { throw ConformanceFailure(caseName: name, message: message()) }
    }

    func expectEqual<T: Equatable>(_ found: T, _ expected: T, _ what: String) throws {
        try expect(found == expected, "\(what): expected \(expected), found \(found)")
    }

    func expectThrows(_ what: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            return
        }
        throw ConformanceFailure(caseName: name, message: "\(what) should have thrown")
    }
}

/// The entries of a record are made of its bytes: index n has the record's n-th byte (0 where it is
/// shorter), then the key.
final class ByteDeriver: KeyDeriver {
    private let indexes = Protected<[CollectionID: [UInt32]]>([:])

    func load(_ collection: StoredCollection) throws {
        indexes.withLock { $0[collection.id] = collection.indexes.sorted() }
    }

    func extendDictionary(of collection: CollectionID, with names: [String]) throws {}

    func deriveKeys(
        of collection: CollectionID, key: RawSpan, record: RawSpan, into keys: inout DerivedKeys
    ) throws {
        let record = [UInt8](copying: record)
        let key = [UInt8](copying: key)
        for index in indexes.withLock({ $0[collection] ?? [] }) {
            keys.append(index: index) { bytes in
                bytes += Self.entry(index, key, record)
            }
        }
    }

    static func entry(_ index: UInt32, _ key: [UInt8], _ record: [UInt8]) -> [UInt8] {
        let position = Int(index) - 1
        return [position < record.count ? record[position] : 0] + key
    }
}

extension BackendBatch {
    /// Puts a record and keeps the entries of index 1 right.
    func write(_ number: UInt32, _ key: [UInt8], _ record: [UInt8]) throws {
        try erase(number, key)
        try put(CollectionID(number), key: key, record: record)
        let entry = ByteDeriver.entry(1, key, record)
        try unsafe insert(TreeID(CollectionID(number), 1), key: entry.span.bytes)
    }

    /// Removes a record and its entry, if it is there.
    func erase(_ number: UInt32, _ key: [UInt8]) throws {
        guard let old = try record(number, key) else { return }
        let entry = ByteDeriver.entry(1, key, old)
        try unsafe remove(TreeID(CollectionID(number), 1), key: entry.span.bytes)
        try remove(CollectionID(number), key: key)
    }

    func commit() async throws { try await commit(appended: {}, committed: { _ in }) }
}

extension BackendReader {
    /// A copy of the record.
    func record(_ number: UInt32, _ key: [UInt8]) throws -> [UInt8]? {
        var copy: [UInt8]?
        let found = try withRecord(CollectionID(number), key: key) { copy = [UInt8](copying: $0) }
        return found ? copy : nil
    }

    /// All keys that a cursor gives.
    func keys(
        _ tree: TreeID, in range: KeyRange = .all, descending: Bool = false, skipping: Int = 0
    ) throws -> [[UInt8]] {
        let cursor = try cursor(tree, in: range, descending: descending)
        if skipping > 0 { try cursor.skip(skipping) }
        var keys: [[UInt8]] = []
        var key: [UInt8] = [9, 9, 9]
        while try cursor.next() {
            cursor.copyKey(into: &key)
            keys.append(key)
        }
        return keys
    }

    /// All keys from `sought` on that a cursor gives behind its first `count`.
    func keys(
        _ tree: TreeID, in range: KeyRange, seeking sought: [UInt8], after count: Int
    ) throws -> [[UInt8]] {
        let cursor = try cursor(tree, in: range, descending: false)
        for _ in 0..<count where try !cursor.next() { return [] }
        var keys: [[UInt8]] = []
        var key: [UInt8] = [9, 9, 9]
        var isThere = try cursor.seek(sought)
        while isThere {
            cursor.copyKey(into: &key)
            keys.append(key)
            isThere = try cursor.next()
        }
        return keys
    }

    func keys(_ number: UInt32, _ index: UInt32 = 0) throws -> [[UInt8]] {
        try keys(TreeID(CollectionID(number), index))
    }
}

extension [UInt8] {
    init(copying span: RawSpan) {
        self = unsafe span.withUnsafeBytes { unsafe Array($0) }
    }

    /// memcmp's order, the shorter first.
    func isBefore(_ other: [UInt8]) -> Bool { lexicographicallyPrecedes(other) }
}

/// SplitMix64: the same numbers everywhere for one seed.
struct CaseGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Up to `length` bytes of a few kinds, so that keys collide and share beginnings.
    mutating func bytes(upTo length: Int) -> [UInt8] {
        let count = Int.random(in: 0...length, using: &self)
        return (0..<count).map { _ in [0, 1, 97, 98, 255].randomElement(using: &self) ?? 0 }
    }
}
