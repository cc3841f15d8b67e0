// Gives records that were there before their collection's policy their access entries, in key order and in parts: as used as their
// latest change is old, or, where nothing is known of that, before all others.
internal import OfflineBytes
import OfflineDocuments

/// Fills in missing entries in one batch of one collection.
struct AccessFill {
    /// So many records a batch are looked at.
    private static let stepsMax = 1_000

    /// Whether records have no entries yet. O(log n).
    static func isDue(_ collection: CollectionState, in reader: any BackendReader) throws -> Bool {
        guard let trees = collection.access else { return false }
        let adapter = StorageAdapter(reader)
        let records = try adapter.count(TreeID(collection.id), of: collection, in: .all)
        let entries = try adapter.count(TreeID(trees.collection), of: collection, in: .all)
        return records != entries
    }

    /// Fills in what is missing from `key` on; where to go on, nil at the end.
    static func fill(
        _ collection: CollectionState, _ open: OpenBatch, from key: [UInt8]
    ) throws -> [UInt8]? {
        guard var writer = AccessWriter(collection, open.batch, open.scope) else { return nil }
        let changes = try collection.changes.map {
            try ChangeEntryWriter(collection, $0, open.batch)
        }
        let missing = try missing(collection, open, from: key)
        let names = open.scope.names.names(of: collection, in: open.batch).dictionary
        for key in missing.keys {
            let stamp = try unsafe StorageAdapter(open.batch).withStored(
                of: collection, key: key, names: names
            ) { stamp, _ in stamp }
            let pending = ChangeTracker.pendingStamp(
                stamp ?? nil, try changes?.entry(of: key) ?? nil)
            try writer.fill(key, stamp ?? nil, isPending: pending != nil)
        }
        return missing.next
    }

    private static func missing(
        _ collection: CollectionState, _ open: OpenBatch, from key: [UInt8]
    ) throws -> (keys: [[UInt8]], next: [UInt8]?) {
        guard let trees = collection.access else { return ([], nil) }
        return try StorageAdapter.mapping(collection) {
            let cursor = try open.batch.cursor(
                TreeID(collection.id), in: KeyRange(lower: key, upper: nil), descending: false)
            var keys: [[UInt8]] = []
            var current: [UInt8] = []
            for _ in 0..<stepsMax {
                guard try cursor.next() else { return (keys, nil) }
                cursor.copyKey(into: &current)
                if try !open.batch.contains(TreeID(trees.collection), key: current) {
                    keys.append(current)
                }
            }
            return (keys, current + [0])
        }
    }
}
