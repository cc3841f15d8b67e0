// Checks that access entries fit the records: each is that of a record that is there, says rightly whether that may be evicted, and
// stands in the order of eviction at its place and nowhere else.
//
// Entries that are missing are no damage: they are still to be made where a policy is new.
internal import OfflineBytes

/// Checks the access entries of one collection.
struct AccessVerifier {
    private let collection: CollectionState
    private let trees: AccessTrees
    private let view: ReadView
    private var reader: any BackendReader { view.adapter.reader }

    /// Nil where the collection has none.
    init?(_ collection: CollectionState, _ view: ReadView) {
        guard let trees = collection.access else { return nil }
        self.collection = collection
        self.trees = trees
        self.view = view
    }

    func check(_ problems: inout CollectionProblems) throws {
        let cursor = try StorageAdapter.mapping(collection) {
            try reader.cursor(TreeID(trees.collection), in: .all, descending: false)
        }
        var key: [UInt8] = []
        var places = DerivedKeys()
        var count = 0
        while try StorageAdapter.mapping(collection, nil, cursor.next) {
            cursor.copyKey(into: &key)
            let entry: AccessEntry
            do {
                entry = try self.entry(cursor)
            } catch {
                problems.add("access entry of \(StoreVerifier.shown(key)): \(error)")
                continue
            }
            if let problem = try problem(of: entry, key) {
                problems.add("access entry of \(StoreVerifier.shown(key)): \(problem)")
            }
            places.removeAll()
            unsafe entry.append(trees.order, key: key.span.bytes, to: &places)
            count += places.entries.count
            guard !places.entries.isEmpty else { continue }
            if try !view.adapter.contains(trees.inOrder, of: collection, key: places.bytes) {
                problems.add(
                    "access entry of \(StoreVerifier.shown(key)) lacks its key in the order of "
                        + "eviction")
            }
        }
        let found = try view.adapter.count(trees.inOrder, of: collection, in: .all)
        if found != count {
            problems.add(
                "the order of eviction has \(found) keys; \(count) derive from access entries")
        }
    }

    private func entry(_ cursor: any BackendCursor) throws -> AccessEntry {
        var entry: AccessEntry?
        try cursor.withRecord { span in
            entry = try unsafe span.withUnsafeBytes { try unsafe AccessEntry($0) }
        }
        guard let entry else { throw OfflineError(.corrupted, "it can't be read") }
        return entry
    }

    private func problem(of entry: AccessEntry, _ key: [UInt8]) throws -> String? {
        let names = view.names(of: collection).dictionary
        let record: (stamp: RecordStamp?, Void)?
        do {
            record = try unsafe view.adapter.withStored(of: collection, key: key, names: names) {
                stamp, _ in (stamp, ())
            }
        } catch let error as OfflineError where error.code == .corrupted {
            // The record's own check says so.
            return nil
        }
        guard let record else { return "there is no such record" }
        let known = try collection.changes.flatMap {
            try StorageAdapter.changeEntry(of: key, $0, collection, in: reader)
        }
        let isPending = ChangeTracker.pendingStamp(record.stamp, known) != nil
        if isPending == entry.isPending { return nil }
        return isPending
            ? "it says that the record may be evicted, which has a pending change"
            : "it says that the record has a pending change, which it hasn't"
    }
}
