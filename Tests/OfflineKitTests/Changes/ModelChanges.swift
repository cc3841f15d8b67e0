import Foundation
import OfflineDocuments

@testable import OfflineKit

/// What change tracking promises, kept the naive way: everything of every record, in dictionaries. Written from the
/// promises, not from the code. A change's order is the model's own count.
struct ModelChanges {
    struct Record {
        var document: Document?
        /// Nil: the latest change isn't tracked; its order is `untracked` then.
        var order: Int?
        var untracked = 0
        var isPending = false
        /// The order of the creation, of a record that was never synchronized.
        var first: Int?
        var base: Document?
        var baseOrder = 0
        var time: UInt64 = 0
        var origin: String?
        var isCreation = false
    }
    struct Listed {
        var key: Value
        var collection: String
        var order: Int
        var operation: Change.Operation
        var document: Document?
        var base: Document?
        var time: UInt64
        var origin: String?
    }
    struct Collection {
        var records: [Value: Record] = [:]
        var isTracking = true
        var exposed = 0
        /// Feeds can't be resumed from before.
        var horizon = 0
    }
    var collections: [String: Collection]
    private(set) var order = 0
    /// What was made behind this order was made by the transaction that is under way.
    var begin = 0

    init(_ names: [String]) {
        collections = Dictionary(uniqueKeysWithValues: names.map { ($0, Collection()) })
    }

    subscript(name: String) -> Collection { collections[name] ?? Collection() }

    func document(_ name: String, _ key: Value) -> Document? {
        self[name].records[key]?.document
    }

    /// The application writes a record, or deletes it.
    mutating func write(_ name: String, _ key: Value, _ document: Document?, at time: UInt64) {
        guard var collection = collections[name] else { return }
        var record = collection.records[key] ?? Record()
        if record.document == nil, document == nil { return }
        defer {
            collection.records[key] = record
            collections[name] = collection
        }
        guard collection.isTracking || record.isPending else {
            order += 1
            record = Record(document: document, untracked: order)
            return
        }
        order += 1
        if record.document != nil {
            if !record.isPending {
                record.base = record.document
                record.baseOrder = record.order ?? record.untracked
                record.first = nil
            }
        } else if !record.isPending {
            record.base = nil
            record.first = order
        } else if record.base == nil {
            record.first = record.first ?? order
        }
        // A record with a base was synchronized; its creation doesn't matter any more.
        if record.base != nil { record.first = nil }
        record.isCreation =
            record.document == nil || (record.isCreation && record.order ?? 0 > begin)
        record.isPending = true
        record.document = document
        record.order = order
        record.time = time
        record.origin = nil
        if document == nil, record.base == nil, record.first ?? 0 > collection.exposed {
            record.isPending = false
        }
    }

    /// A synchronization writes a record, or deletes it; false: it conflicts.
    mutating func apply(
        _ name: String, _ key: Value, _ document: Document?, at time: UInt64, origin: String
    ) -> Bool {
        guard var collection = collections[name] else { return true }
        let old = collection.records[key] ?? Record()
        if old.isPending { return false }
        if document == nil, old.document == nil { return true }
        order += 1
        if collection.isTracking {
            collection.records[key] = Record(
                document: document, order: order, time: time, origin: origin,
                isCreation: old.document == nil)
        } else {
            collection.records[key] = Record(document: document, untracked: order)
        }
        collections[name] = collection
        return true
    }

    /// The server has the record as it was after the change with this order.
    mutating func mark(_ name: String, _ key: Value, _ order: Int, _ document: Document?) {
        guard var record = collections[name]?.records[key], let latest = record.order else {
            return
        }
        if !record.isPending {
            // Deleted with nothing to send; but the server has it after all.
            guard record.document == nil, record.origin == nil, order < latest, document != nil
            else { return }
            record.isPending = true
            record.base = document
            record.baseOrder = order
        } else if order == latest {
            record.isPending = false
            record.base = nil
            record.first = nil
        } else if latest > order, (record.base == nil ? 0 : record.baseOrder) < order {
            record.base = document
            record.baseOrder = order
            // What the server doesn't have any more begins anew, if it is there.
            if document == nil, record.document != nil { record.first = record.first ?? latest }
        }
        collections[name]?.records[key] = record
    }

    private func listed(_ name: String, _ key: Value, _ record: Record) -> Listed? {
        guard let order = record.order else { return nil }
        let operation: Change.Operation =
            record.document == nil ? .delete : record.base == nil ? .create : .update
        return Listed(
            key: key, collection: name, order: order, operation: operation,
            document: record.document, base: record.base, time: record.time,
            origin: record.origin)
    }

    /// What `getChanges` gives; what it gives is exposed from then on.
    mutating func pending(_ name: String?, after: Int, limit: Int?) -> [Listed] {
        var result: [Listed] = []
        for (collection, content) in collections where name == nil || name == collection {
            for (key, record) in content.records where record.isPending {
                guard let listed = listed(collection, key, record), listed.order > after else {
                    continue
                }
                result.append(listed)
            }
        }
        result.sort { $0.order < $1.order }
        result = Array(result.prefix(limit ?? .max))
        for listed in result where listed.operation == .create {
            let exposed = max(self[listed.collection].exposed, listed.order)
            collections[listed.collection]?.exposed = exposed
        }
        return result
    }

    /// What a feed that is resumed gives of the past.
    func latest(_ names: [String], after: Int) -> [Listed] {
        var result: [Listed] = []
        for name in names {
            for (key, record) in self[name].records {
                guard var listed = listed(name, key, record), listed.order > after else { continue }
                if record.document != nil {
                    listed.operation = record.isCreation ? .create : .update
                }
                if !record.isPending { listed.base = nil }
                result.append(listed)
            }
        }
        return result.sorted { $0.order < $1.order }
    }

    var pendingCounts: [String: Int] {
        collections.mapValues { $0.records.values.count { $0.isPending } }
    }
}
