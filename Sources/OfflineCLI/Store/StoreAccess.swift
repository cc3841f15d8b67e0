// Opening a store the way an application does, with the schema that it has.
internal import Foundation
internal import OfflineKit

/// Opens stores through OfflineKit.
enum StoreAccess {
    /// The options for the store in the folder at `path`, whose name must be a store's.
    static func options(path: String) throws -> StorageOptions {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        guard name.hasSuffix(StoreFolder.suffix), name.count > StoreFolder.suffix.count else {
            throw OfflineError(
                .invalidOptions,
                "a store's folder is named NAME\(StoreFolder.suffix); \"\(name)\" isn't")
        }
        return StorageOptions(
            databaseName: String(name.dropLast(StoreFolder.suffix.count)),
            directory: URL(filePath: path).deletingLastPathComponent())
    }

    /// Opens it to read, beside a writer too.
    static func openForReading(_ folder: StoreFolder) async throws -> OfflineStore {
        var options = try options(path: folder.path)
        options.isReadOnly = true
        // Whatever version of the application wrote it.
        options.version = .max
        return try await OfflineStore.open(options)
    }

    /// Runs `body` with the store in the folder that a command's argument means, opened to read.
    static func reading(
        _ argument: String, _ body: (OfflineStore) async throws -> Void
    ) async throws {
        let store = try await openForReading(StoreFolder(argument))
        do {
            try await body(store)
        } catch {
            // The first error counts.
            try? await store.close()
            throw commandLineError(error)
        }
        try await store.close()
    }
}
