import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

/// Stores whose keys are changed, and what there is to see of that.
enum Rotation {
    static let schema = CollectionSchema(
        name: "users",
        indexes: [
            IndexSchema(name: "ssn", keyPath: "ssn", unique: true),
            IndexSchema(name: "badge", keyPaths: ["office", "badge"], unique: true),
            IndexSchema(name: "name", keyPath: "name"),
        ], sensitiveFields: ["ssn", "badge", "notes.text"], tracksChanges: true)

    static func options(
        _ options: StorageOptions, _ provider: EncryptionKeyProvider = KeyEnvelopeTests.key(1)
    ) -> StorageOptions {
        var options = options
        options.encryption = EncryptionOptions(encryptionKeyProvider: provider)
        options.storageSchema = [schema]
        options.transactionTimeout = .seconds(3_600)
        return options
    }

    static func open(
        _ place: TestStore, _ provider: EncryptionKeyProvider = KeyEnvelopeTests.key(1),
        _ change: (inout StorageOptions) -> Void = { _ in }
    ) async throws -> OfflineStore {
        var options = options(place.options(), provider)
        change(&options)
        return try await OfflineStore.open(options)
    }

    static func record(_ id: Int, _ text: String = "text") -> Document {
        [
            "id": .int(Int64(id)), "name": .string("name \(id)"), "ssn": .string("ssn \(id)"),
            "office": .int(Int64(id / 10)), "badge": .int(Int64(id % 10)),
            "notes": [["text": .string("\(text) \(id)"), "open": true], ["open": false]],
        ]
    }

    /// Counts the parts of a re-sealing, and calls `body` at the end of that one.
    static func count(
        partsOf core: StoreCore, at number: Int, _ body: @escaping @Sendable (StoreCore) -> Void
    ) -> Protected<Int> {
        let parts = Protected(0)
        core.resealing.queue.watch { [unowned core] in
            let part = parts.withLock { parts in
                parts += 1
                return parts
            }
            if part == number { body(core) }
        }
        return parts
    }

    /// A store with records, and one beside it that only reads.
    static func openTwice(
        _ place: TestStore
    ) async throws -> (writer: OfflineStore, reader: OfflineStore, records: [Document]) {
        let writer = try await open(place)
        let records = (1...50).map { record($0) }
        try await writer.createBatch("users", records)
        return (writer, try await open(place) { $0.isReadOnly = true }, records)
    }

    /// Returns when nothing is done in the background any more. `held`: the test itself holds what was read before.
    static func settle(_ store: OfflineStore, held: Bool = false) async throws {
        let core = try store.core()
        await core.resealing.queue.settled()
        guard !held, let vault = core.vault, vault.hasOlderKeys,
            let newest = try? vault.ring().current.id, core.resealing.sealedWith == newest
        else { return }
        // What others still hold, for an instant: a commit that is handed on, a view that was read.
        await withCheckedContinuation { continuation in
            vault.whenUsesEnd { continuation.resume() }
        }
        await core.resealing.queue.settled()
    }

    /// Where a text is in the log files of a simulated disk.
    static func place(
        of text: String, in files: SimulatedFileSystem
    ) throws -> (path: String, bit: Int)? {
        let wanted = Array(text.utf8)
        for path in files.filePaths where !path.hasSuffix(FileNames.reserve) {
            let bytes = try files.bytes(of: path)
            guard bytes.count >= wanted.count else { continue }
            for start in 0...(bytes.count - wanted.count)
            where bytes[start] == wanted[0] && bytes[start...].starts(with: wanted) {
                return (path, start * 8)
            }
        }
        return nil
    }

    static func keys(_ store: OfflineStore) throws -> [UInt32] {
        try store.core().vault?.ring().keys.map(\.id) ?? []
    }

    /// Everything that is sealed anywhere in the store, by the id of its key; `plain` is what isn't sealed in a sensitive field.
    static func sealed(
        _ store: OfflineStore
    ) throws -> (counts: [UInt32: Int], plain: Int) {
        let core = try store.core()
        let reader = try core.backend.snapshot()
        var counts: [UInt32: Int] = [:]
        var plain = 0
        func note(_ value: Value?) {
            guard let value, !value.isNull else { return }
            if let id = value.sealed?.keyID { counts[id, default: 0] += 1 } else { plain += 1 }
        }
        func note(_ document: Document) {
            for path in schema.sensitiveFields where !path.contains(".") { note(document[path]) }
            if case .array(let notes) = document["notes"] {
                for case .object(let one) in notes { note(one["text"]) }
            }
        }
        for collection in core.schema.collections where collection.sealing != nil {
            let names = BoundNames(of: collection, in: reader).dictionary
            let cursor = try reader.cursor(TreeID(collection.id), in: .all, descending: false)
            while try cursor.next() {
                try cursor.withRecord { span in
                    try unsafe StorageAdapter.read(span, names) {
                        unsafe note(Document(copying: $0))
                    }
                }
            }
            guard let trees = collection.changes else { continue }
            let entries = try reader.cursor(trees.entries, in: .all, descending: false)
            while try entries.next() {
                try entries.withRecord { span in
                    let entry = try unsafe span.withUnsafeBytes { try unsafe ChangeEntry($0) }
                    if let base = entry.base { note(Document(record: base.record, names: names)) }
                }
            }
        }
        return (counts, plain)
    }

    /// That all is sealed with this key alone, and no other is left.
    static func expectOnly(
        _ key: UInt32, in store: OfflineStore, _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let found = try sealed(store)
        #expect(found.plain == 0, comment, sourceLocation: sourceLocation)
        #expect(
            found.counts.keys.allSatisfy { $0 == key }, comment ?? "\(found.counts)",
            sourceLocation: sourceLocation)
        #expect(try keys(store) == [key], comment, sourceLocation: sourceLocation)
        let info = try await store.getStorageInfo()
        #expect(info.resealedFraction == nil, comment, sourceLocation: sourceLocation)
        let report = try await store.verify()
        #expect(report.isSound, comment ?? "\(report)", sourceLocation: sourceLocation)
    }
}
