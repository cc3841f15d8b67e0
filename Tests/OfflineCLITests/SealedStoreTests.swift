// A store with sealed fields, as the tool shows it: sound, readable where nothing is sealed, and without a secret in any output.
import Foundation
import OfflineKit
import Testing

@testable import OfflineCLI

@Suite struct SealedStoreTests {
    private static let secret = "MARKER-4242-SECRET"
    private let folder: TemporaryFolder
    private let path: String

    init() async throws {
        folder = try TemporaryFolder()
        let store = try await OfflineStore.open(
            StorageOptions(
                databaseName: "s", directory: folder.url,
                encryption: EncryptionOptions(
                    sensitiveFields: ["ssn", "cards.number"],
                    encryptionKeyProvider: .applicationKey { [UInt8](repeating: 7, count: 32) }),
                storageSchema: [
                    CollectionSchema(
                        name: "users",
                        indexes: [IndexSchema(name: "ssn", keyPath: "ssn", unique: true)])
                ]))
        for id in 1...3 {
            try await store.create(
                "users",
                [
                    "id": .int(Int64(id)), "name": "plain", "ssn": .string("\(id) \(Self.secret)"),
                    "cards": [["number": .string(Self.secret)]],
                ])
        }
        try await store.markSynchronized(store.getChanges())
        try await store.update("users", ["id": 1, "ssn": .string(Self.secret)], mode: .merge)
        try await store.delete("users", 2)
        try await store.close()
        path = folder.path("s.offline")
    }

    private static func shapes() -> [String] {
        let data = Data(secret.utf8)
        let hex = data.map { String(format: "%02x", Int($0)) }.joined()
        // With any number of bytes before it.
        let base64 = (0..<3).map { shift in
            (Data(count: shift) + data).base64EncodedString().dropFirst(4).dropLast(4)
        }
        return [secret, hex, hex.uppercased(), hex.chunked()] + base64.map(String.init)
    }

    static let commands: [[String]] = [
        ["stat"], ["verify"], ["dump"], ["dump", "--json"], ["dump", "--collection", "users"],
        ["dump", "--collection", "users", "--index", "ssn"],
        ["dump", "--collection", "users", "--index", "ssn", "--json"],
        ["query", "users"], ["export", "users"],
        ["explain", "users", "--filter", #"{"ssn": "1"}"#],
    ]

    @Test(arguments: commands)
    func `no command shows a secret`(_ command: [String]) async throws {
        let run = await offline([command[0], path] + command.dropFirst())
        for shape in Self.shapes() {
            #expect(!run.output.contains(shape), "\(command)")
            #expect(!run.diagnostics.contains(shape), "\(command)")
        }
        // Each shows the store, or says why it can't.
        #expect(!run.output.isEmpty || run.diagnostics.contains("encrypted"), "\(run)")
    }

    @Test func `a dump shows the token in the place of a value`() async throws {
        let run = await offline("dump", path, "--collection", "users", "--index", "ssn")
        #expect(run.exitCode == 0 && run.output.contains("$sealed"), "\(run)")
    }
}

extension String {
    /// Pairs with spaces between them, as a hex dump shows bytes.
    fileprivate func chunked() -> String {
        stride(from: 0, to: count, by: 2).map { String(dropFirst($0).prefix(2)) }
            .joined(separator: " ")
    }
}
