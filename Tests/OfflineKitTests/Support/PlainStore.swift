import OfflineBytes

@testable import OfflineKit

/// A backend used without a store above it: collection 1 with no index, records of plain bytes.
struct PlainStore {
    /// Derives nothing.
    private final class NoKeys: KeyDeriver {
        func load(_ collection: StoredCollection) throws {}
        func extendDictionary(of collection: CollectionID, with names: [String]) throws {}
        func deriveKeys(
            of collection: CollectionID, key: RawSpan, record: RawSpan,
            into keys: inout DerivedKeys
        ) throws {}
    }
    typealias Records = [[UInt8]: [UInt8]]
    static let collection = CollectionID(1)

    let backend: any StorageBackend

    /// Opens the backend, and defines the collection in a new store.
    static func open(
        _ backend: any StorageBackend, at path: String, readOnly: Bool = false,
        durability: Durability = .full, sizeLimit: Int64? = nil
    ) async throws -> PlainStore {
        try await backend.initialize(
            BackendConfiguration(
                path: path, isReadOnly: readOnly, durability: durability, sizeLimit: sizeLimit,
                deriver: NoKeys()))
        let store = PlainStore(backend: backend)
        if try backend.snapshot().collections().isEmpty, !readOnly {
            do { try await store.define() } catch {
                try? await backend.close()
                throw error
            }
        }
        return store
    }

    private func define() async throws {
        let collection = StoredCollection(
            id: Self.collection, definition: [], indexes: [], names: [])
        try await backend.define([collection], version: 1, validate: { _, _ in })
    }

    /// Puts records and removes others, in one batch.
    func commit(_ puts: Records, removing keys: [[UInt8]] = []) async throws {
        let batch = try backend.begin([Self.collection], reading: [])
        do {
            for key in keys { try batch.remove(Self.collection, key: key) }
            for (key, record) in puts.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                try batch.put(Self.collection, key: key, record: record)
            }
            try await batch.commit(appended: {}, committed: { _ in })
        } catch {
            batch.rollback()
            throw error
        }
    }

    /// All records.
    func records(_ reader: (any BackendReader)? = nil) throws -> Records {
        let reader = try reader ?? backend.snapshot()
        let cursor = try reader.cursor(TreeID(Self.collection), in: .all, descending: false)
        var records: Records = [:]
        var key: [UInt8] = []
        while try cursor.next() {
            cursor.copyKey(into: &key)
            try cursor.withRecord { records[key] = [UInt8]($0) }
        }
        return records
    }
}
