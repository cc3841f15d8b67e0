// No value is ever sealed with a nonce that another one was sealed with: not in one store, and not in copies of it, which have the same
// keys. OFFLINE_NONCES sets how many values are sealed (30,000 by default; 1,000,000 by hand).
import Foundation
import OfflineBytes
import OfflineDocuments
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Nonces") struct NonceTests {
    private static let count =
        ProcessInfo.processInfo.environment["OFFLINE_NONCES"].flatMap(Int.init) ?? 30_000

    @Test(arguments: EncryptionOptions.Algorithm.allCases)
    func `no nonce comes twice, in copies of a store neither`(
        _ algorithm: EncryptionOptions.Algorithm
    ) async throws {
        if algorithm == .aes256GCM, !Sodium.hasAES { return }
        let disk = SimulatedFileSystem()
        let options = EncryptionOptions(
            encryptionKeyProvider: KeyEnvelopeTests.key(1), encryptionAlgorithm: algorithm)
        var vaults: [FieldVault] = []
        for _ in 0..<3 {
            let file = KeyFile(StoreFolder(disk, "/store"))
            vaults.append(
                try #require(
                    try await FieldVault.open(options, file, isReadOnly: false, needsKeys: false)))
        }
        let id = try vaults[0].ring().storeID
        #expect(try vaults.allSatisfy { try $0.ring().storeID == id })
        var nonces: Set<[UInt8]> = []
        var sealed = 0
        var statement = 0
        while sealed < Self.count {
            let vault = vaults[statement % vaults.count]
            // A statement of one record, or of many.
            let records = statement % 7 == 0 ? 1 : 1 + statement % 90
            statement += 1
            let sealing = try CollectionSealing(vault, collection: "users", ["a", "list.b"])
            let sealer = RecordSealer(sealing)
            var encoder = RecordEncoder(dictionary: .empty, sealer: sealer)
            for record in 0..<records {
                sealer.key = KeyEncoder.key(.int(Int64(record)))
                let bytes = try encoder.encode(["a": 1, "list": [["b": 1], ["b": 1]]])
                let document = Document(record: bytes, names: encoder.dictionary)
                let list = document["list"]?.arrayValue ?? []
                for value in [document["a"]] + list.map({ $0["b"] }) {
                    let payload = try #require(value?.sealed).payload
                    nonces.insert(Array(payload[5..<29]))
                    sealed += 1
                }
            }
        }
        #expect(nonces.count == sealed)
    }
}
