// Reading changes in one state of the store: those of several collections merged into the one order of their sequences.
internal import Foundation
internal import OfflineBytes
import OfflineDocuments

/// Reads changes in a view of what is committed.
struct ChangeReader {
    private let view: ReadView
    private var reader: any BackendReader { view.adapter.reader }

    init(_ view: ReadView) { self.view = view }

    /// A change, and what decides about its record's future.
    struct Listed {
        var change: Change
        var collection: CollectionState
        var key: [UInt8]
        /// The change's number in its collection.
        var number: UInt64
    }

    /// The pending changes behind `sequence`, oldest first.
    func pending(
        in collections: [CollectionState], after sequence: UInt64, limit: Int
    ) throws -> [Listed] {
        try merge(
            collections, [.local(pendingOnly: true), .pendingTombstones], after: sequence,
            limit: limit
        ) { try listed($0, $1, isPending: true) }
    }

    /// The latest change of each record that was changed behind `sequence`, oldest first. `.changesExpired` where some are missing.
    func latest(
        in collections: [CollectionState], after sequence: UInt64, limit: Int
    ) throws -> [Listed] {
        for collection in collections { try checkHorizon(collection, sequence) }
        return try merge(
            collections,
            [.local(pendingOnly: false), .applied, .pendingTombstones, .settledTombstones],
            after: sequence, limit: limit
        ) { try listed($0, $1, isPending: false) }
    }

    private func merge<Result>(
        _ collections: [CollectionState], _ kinds: [ChangeSource.Kind], after sequence: UInt64,
        limit: Int, _ body: (ChangeSource, ChangeSource.Place) throws -> Result
    ) throws -> [Result] {
        var sources: [ChangeSource] = []
        for collection in collections {
            guard let trees = collection.changes else { continue }
            for kind in kinds {
                let source = try StorageAdapter.mapping(collection) {
                    try ChangeSource(collection, trees, kind, in: reader, after: sequence)
                }
                if source.current != nil { sources.append(source) }
            }
        }
        var results: [Result] = []
        while results.count < limit {
            var least: (source: ChangeSource, place: ChangeSource.Place)?
            for source in sources {
                guard let place = source.current else { continue }
                if place.sequence < least?.place.sequence ?? .max { least = (source, place) }
            }
            guard let (source, place) = least else { break }
            try Task.checkCancellation()
            results.append(try body(source, place))
            try StorageAdapter.mapping(source.collection) { try source.advance() }
        }
        return results
    }

    private func checkHorizon(
        _ collection: CollectionState, _ sequence: UInt64
    ) throws {
        guard let trees = collection.changes else { return }
        var horizon = trees.firstSequence == 0 ? 0 : trees.firstSequence - 1
        horizon = max(horizon, try StorageAdapter.horizon(trees, collection, in: reader))
        if sequence >= horizon { return }
        throw OfflineError(
            .changesExpired,
            "changes behind sequence \(sequence) aren't all kept any more, only those behind "
                + "\(horizon): read the collection anew and resume from now",
            collection: collection.name)
    }

    // MARK: Changes of a commit

    /// What a commit did to these collections, oldest first; nil where it was too much to be kept.
    func changes(of commit: Commit, in collections: [CollectionState]) throws -> [Change]? {
        var result: [Change] = []
        for collection in collections {
            guard let committed = commit.collections[collection.id], let trees = collection.changes
            else { continue }
            guard let records = committed.records else { return nil }
            if let clearing = committed.clearing, let place = clearing.place {
                result.append(
                    Change(
                        sequence: commit.sequences.lowerBound &+ place,
                        collection: collection.name, key: .null, operation: .clear, document: nil,
                        timestamp: Date(milliseconds: clearing.time)))
            }
            for record in records {
                let sequence = commit.sequences.lowerBound &+ record.number
                if let tombstone = record.tombstone {
                    let place = ChangeSource.Place(
                        key: record.key, number: tombstone.number, sequence: sequence)
                    result.append(try deletion(place, tombstone, collection, trees))
                } else if let stored = record.record {
                    let change = try presence(
                        record, stored, committed.names.dictionary, sequence, collection, trees)
                    if let change { result.append(change) }
                }
            }
        }
        return result.sorted { $0.sequence < $1.sequence }
    }

    /// Nil: the change isn't tracked.
    private func presence(
        _ record: ChangedRecord, _ stored: [UInt8], _ names: NameDictionary, _ sequence: UInt64,
        _ collection: CollectionState, _ trees: ChangeTrees
    ) throws -> Change? {
        let found = try StorageAdapter.mapping(collection, record.key) {
            try unsafe stored.withUnsafeBytes { bytes -> (RecordStamp, Document)? in
                guard let stamp = try unsafe RecordStamp(of: bytes) else { return nil }
                return try unsafe StorageAdapter.read(bytes, names) {
                    try unsafe (stamp, document($0, record.key, collection))
                }
            }
        }
        guard let (stamp, document) = found else { return nil }
        let entry = try StorageAdapter.changeEntry(of: record.key, trees, collection, in: reader)
        // The base may be a later one already.
        let base = entry?.base.flatMap { $0.sequence < sequence ? $0 : nil }
        return Change(
            sequence: sequence, collection: collection.name,
            key: try value(record.key, collection),
            operation: stamp.isCreation ? .create : .update, document: document,
            timestamp: Date(milliseconds: stamp.time),
            base: try base.map { try self.document($0, record.key, collection) },
            origin: try origin(stamp.origin, trees, collection))
    }

    // MARK: One change

    private func listed(
        _ source: ChangeSource, _ place: ChangeSource.Place, isPending: Bool
    ) throws -> Listed {
        let collection = source.collection
        let change =
            if let tombstone = place.tombstone {
                try deletion(place, tombstone, collection, source.trees)
            } else {
                try presence(place, collection, source.trees, isPending: isPending)
            }
        return Listed(
            change: change, collection: collection, key: place.key, number: place.number)
    }

    private func deletion(
        _ place: ChangeSource.Place, _ tombstone: Tombstone, _ collection: CollectionState,
        _ trees: ChangeTrees
    ) throws -> Change {
        Change(
            sequence: place.sequence, collection: collection.name,
            key: try value(place.key, collection), operation: .delete, document: nil,
            timestamp: Date(milliseconds: tombstone.time),
            base: try tombstone.base.map { try document($0, place.key, collection) },
            origin: try origin(tombstone.origin, trees, collection))
    }

    /// The change of a record that is there. A pending change is all that happened since it was synchronized, else it is what the latest
    /// commit did.
    private func presence(
        _ place: ChangeSource.Place, _ collection: CollectionState, _ trees: ChangeTrees,
        isPending: Bool
    ) throws -> Change {
        let names = view.names(of: collection).dictionary
        let stored = try unsafe view.adapter.withStored(
            of: collection, key: place.key, names: names
        ) { stamp, record in
            try unsafe (
                stamp, document(RecordView(record, names: names), place.key, collection)
            )
        }
        guard let (stamp, document) = stored, let stamp else {
            throw OfflineError(
                .corrupted, "the order of changes has a record that has no change",
                collection: collection.name, key: try? KeyDecoder.value(place.key))
        }
        let entry = try StorageAdapter.changeEntry(of: place.key, trees, collection, in: reader)
        let base = try entry?.base.map { try self.document($0, place.key, collection) }
        let isCreation = isPending ? base == nil : stamp.isCreation
        return Change(
            sequence: place.sequence, collection: collection.name,
            key: try value(place.key, collection), operation: isCreation ? .create : .update,
            document: document, timestamp: Date(milliseconds: stamp.time), base: base,
            origin: try origin(stamp.origin, trees, collection))
    }

    private func document(
        _ base: ChangeBase, _ key: [UInt8], _ collection: CollectionState
    ) throws -> Document {
        let names = view.names(of: collection).dictionary
        return try StorageAdapter.mapping(collection, key) {
            try unsafe base.record.withUnsafeBytes { bytes in
                try unsafe StorageAdapter.read(bytes, names) {
                    try unsafe document($0, key, collection)
                }
            }
        }
    }

    /// The record, its sensitive fields opened.
    @unsafe
    private func document(
        _ record: RecordView, _ key: [UInt8], _ collection: CollectionState
    ) throws -> Document {
        try unsafe collection.sealing?.document(opening: record, key: key)
            ?? Document(copying: record)
    }

    private func value(_ key: [UInt8], _ collection: CollectionState) throws -> Value {
        try StorageAdapter.mapping(collection) { try KeyDecoder.value(key) }
    }

    private func origin(
        _ id: UInt64?, _ trees: ChangeTrees, _ collection: CollectionState
    ) throws -> String? {
        guard let id else { return nil }
        let names = reader.names(of: trees.collection)
        guard id < names.count else {
            throw OfflineError(
                .corrupted, "a change's origin has no name", collection: collection.name)
        }
        return names[Int(id)]
    }
}

extension Date {
    /// To the millisecond.
    init(milliseconds: UInt64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1_000)
    }
}
