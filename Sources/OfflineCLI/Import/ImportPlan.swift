// What an import does to the schema: a collection that is there stays as it is, a missing one is made.
internal import OfflineEngine
internal import OfflineKit

/// How the store is opened for an import.
struct ImportPlan {
    private(set) var options: StorageOptions

    /// `keyPaths` nil: not said.
    init(
        path: String, collection: String, keyPaths: [String]?, indexes: [String]
    ) async throws {
        let absolute = StoreFolder.absolutePath(path)
        options = try StoreAccess.options(path: absolute)
        if let stored = try Self.storedCatalog(absolute) {
            options.version = max(1, try await Self.storedVersion(absolute))
            let summaries = stored.collections.map { CollectionSummary($0) }
            if let known = summaries.first(where: { $0.name == collection }) {
                try Self.check(known, keyPaths, indexes)
                return
            }
        }
        let indexes = indexes.map { IndexSchema(name: $0, keyPath: $0) }
        let keyPaths = keyPaths ?? ["id"]
        options.storageSchema = [
            keyPaths.count == 1
                ? CollectionSchema(name: collection, keyPath: keyPaths[0], indexes: indexes)
                : CollectionSchema(name: collection, keyPaths: keyPaths, indexes: indexes)
        ]
    }

    /// The version of the data of a store that is there: where migrations were cut off, its catalog has an older one.
    private static func storedVersion(_ path: String) async throws -> Int {
        let store = try await StoreAccess.openForReading(StoreFolder(path))
        let version = try store.schemaVersion
        try await store.close()
        return version
    }

    /// The catalog of a store that is there; nil for a new one, and for a damaged one (which opening reports).
    private static func storedCatalog(_ path: String) throws -> Catalog? {
        let system = PosixFileSystem()
        func kind(_ path: String) throws -> FileInformation.Kind? {
            try toolErrors { () throws(FileSystemError) in try system.information(path)?.kind }
        }
        if try kind(path) == nil {
            let parent = StoreFolder.absolutePath(path + "/..")
            guard try kind(parent) != nil else {
                throw OfflineError(.storageUnavailable, "there is no folder \(parent)")
            }
            return nil
        }
        return try DumpContext(StoreFolder(path), ProblemList()).readCatalog()?.catalog
    }

    private static func check(
        _ collection: CollectionSummary, _ keyPaths: [String]?, _ indexes: [String]
    ) throws {
        if let keyPaths, keyPaths != collection.keyPaths {
            throw OfflineError(
                .invalidOptions,
                "the collection is there, with the key \(collection.keyPaths.joined(separator: ", "))",
                collection: collection.name)
        }
        let missing = indexes.filter { path in
            !collection.indexes.contains {
                $0.keyPaths == [path] && !$0.isPartial && !$0.isFullText
            }
        }
        if let first = missing.first {
            throw OfflineError(
                .invalidOptions,
                "the collection is there, without an index on \(first); an import adds none",
                collection: collection.name)
        }
    }
}
