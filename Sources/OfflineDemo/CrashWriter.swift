// The child of the chapter on crashes: commits for ever, and says after each commit what it was promised.
internal import Foundation
internal import OfflineKit

/// Writes until it is killed.
struct CrashWriter {
    static let databaseName = "journal"
    /// Records a transaction: whole or not at all.
    static let recordsPerCommit = 10

    let folder: URL

    static func options(in folder: URL) -> StorageOptions {
        StorageOptions(
            databaseName: databaseName, directory: folder,
            storageSchema: [
                CollectionSchema(
                    name: "entries",
                    indexes: [IndexSchema(name: "commit", keyPath: "commit")])
            ])
    }

    func run() async throws {
        let store = try await OfflineStore.open(Self.options(in: folder))
        var number = 0
        for commit in 1... {
            try await store.transaction(["entries"]) { transaction in
                for _ in 0..<Self.recordsPerCommit {
                    number += 1
                    try await transaction.create(
                        "entries",
                        ["id": .int(Int64(number)), "commit": .int(Int64(commit)), "text": "kept"])
                }
            }
            // Only now, after the commit returned: this line is the promise that the parent holds the store to.
            FileHandle.standardOutput.write(Data("\(commit)\n".utf8))
        }
    }
}
