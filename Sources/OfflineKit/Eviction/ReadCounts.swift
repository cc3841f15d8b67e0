// Which records were read, until that is of use: what a `get` notes.
//
// A read takes the lock of one of several buffers, which are chosen by thread, and appends the key: no lock that all cores share,
// no clock, nothing written. A full buffer is emptied into one table, which knows per record how often it was read and in
// which order; the table is asked when victims are chosen, and written to the store when it is full and when the store closes.
// What is noted is bounded: while a full buffer waits to be emptied, which happens ten times a second at most, it drops what comes.
// So of up to some 5,000 reads a second and thread all count, of more a sample.
internal import OfflineBytes
internal import Synchronization

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// Reads of one store's records.
final class ReadCounts: Sendable {
    /// What is known of one record's reads.
    struct Reads: Sendable {
        var count: UInt64
        /// When it was read last.
        var tick: UInt64
    }
    private final class Buffer: Sendable {
        /// Whether it drops what comes: asked without the lock.
        let isFull = Atomic(false)
        let keys = Protected<[(collection: CollectionID, key: [UInt8])]>([])
    }
    private struct Table {
        var records: [CollectionID: [[UInt8]: Reads]] = [:]
        var count = 0
    }
    private let buffers: [Buffer]
    private let table = Protected(Table())
    private let full = Protected<(@Sendable () -> Void)?>(nil)
    private let bufferMax: Int
    private let tableMax: Int

    init(buffers: Int = 16, bufferMax: Int = 512, tableMax: Int = 65_536) {
        self.buffers = (0..<buffers).map { _ in Buffer() }
        self.bufferMax = bufferMax
        self.tableMax = tableMax
    }

    /// Calls `body` whenever a buffer is full.
    func whenFull(_ body: @escaping @Sendable () -> Void) { full.withLock { $0 = body } }

    /// A record was read.
    @inline(__always)
    func note(_ collection: CollectionID, _ key: [UInt8]) {
        let buffer = buffers[Self.thread % buffers.count]
        if buffer.isFull.load(ordering: .relaxed) { return }
        let isFull = buffer.keys.withLock { keys in
            if keys.count >= bufferMax { return false }
            if keys.isEmpty { keys.reserveCapacity(bufferMax) }
            keys.append((collection, key))
            if keys.count < bufferMax { return false }
            buffer.isFull.store(true, ordering: .relaxed)
            return true
        }
        if isFull { full.withLock { $0 }?() }
    }

    /// A number of the calling thread.
    @inline(__always)
    private static var thread: Int {
        #if canImport(Darwin)
            let address = UInt(bitPattern: pthread_self())
        #else
            let address = UInt(pthread_self())
        #endif
        return Int(truncatingIfNeeded: (address &>> 6) &* 0x9E37_79B9_7F4A_7C15 &>> 40)
    }

    /// Empties all buffers into the table. Whether the table is full and must be written.
    ///
    /// `tick` gives out the collection's next tick; nil: reads of this collection aren't wanted any more.
    @discardableResult
    func merge(tick: (CollectionID) -> UInt64?) -> Bool {
        for buffer in buffers {
            let keys = buffer.keys.withLock { keys in
                buffer.isFull.store(false, ordering: .relaxed)
                defer { keys = [] }
                return keys
            }
            if keys.isEmpty { continue }
            for (collection, key) in keys {
                guard let tick = tick(collection) else { continue }
                table.withLock { Self.note(collection, key, tick, &$0, tableMax) }
            }
        }
        return table.withLock { $0.count >= tableMax }
    }

    private static func note(
        _ collection: CollectionID, _ key: [UInt8], _ tick: UInt64, _ table: inout Table,
        _ tableMax: Int
    ) {
        let known = table.records[collection]?[key]
        // Beyond twice the bound only what is known already counts.
        if known == nil {
            if table.count >= tableMax * 2 { return }
            table.count += 1
        }
        table.records[collection, default: [:]][key] = Reads(
            count: (known?.count ?? 0) + 1, tick: tick)
    }

    /// What is known of a record, which is forgotten.
    func take(_ collection: CollectionID, _ key: [UInt8]) -> Reads? {
        table.withLock { table in
            guard let reads = table.records[collection]?.removeValue(forKey: key) else {
                return nil
            }
            table.count -= 1
            return reads
        }
    }

    /// Forgets what is known of removed records; nil: of all of the collection. A new record under such a key begins anew.
    func forget(_ removed: [(collection: CollectionID, key: [UInt8]?)]) {
        for (collection, key) in removed {
            if let key { _ = take(collection, key) } else { _ = takeAll(collection) }
        }
    }

    /// What is known of a collection's records, oldest read first, which is forgotten.
    func takeAll(_ collection: CollectionID) -> [(key: [UInt8], reads: Reads)] {
        let records = table.withLock { table in
            let records = table.records.removeValue(forKey: collection) ?? [:]
            table.count -= records.count
            return records
        }
        return records.map { ($0.key, $0.value) }.sorted { $0.1.tick < $1.1.tick }
    }
}
