// A store's keys while it is open: what counts after each way in which a change of them may end.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Field vault") struct FieldVaultTests {
    private static let files = "/store"

    private static func vault(
        _ system: SimulatedFileSystem, _ provider: EncryptionKeyProvider
    ) async throws -> FieldVault {
        let options = EncryptionOptions(encryptionKeyProvider: provider)
        let vault = try await FieldVault.open(
            options, KeyFile(StoreFolder(system, files)), isReadOnly: false, needsKeys: false)
        return try #require(vault)
    }

    @Test(arguments: [false, true], [Fault.Effect.nothing, .takesEffect])
    func `whichever envelope counts after a failure too late to tell, nothing is done by the other`(
        _ addsKey: Bool, _ effect: Fault.Effect
    ) async throws {
        let system = SimulatedFileSystem()
        let vault = try await Self.vault(system, KeyEnvelopeTests.key(1))
        let sealing = try CollectionSealing(vault, collection: "c", ["a"])
        let before = try sealing.seal(["a": 1], key: [1])
        let fault = Fault([.syncDirectory], error: SystemErrorNumber.inputOutput, effect: effect)
        system.inject(fault)
        await expectCode(.outcomeUnknown) {
            try await vault.rotate(to: KeyEnvelopeTests.key(2), addingKey: addsKey)
        }
        system.removeFaults()
        // What is sealed now opens with either envelope.
        let after = try sealing.seal(["a": 2], key: [1])
        #expect(try sealing.open(before, key: [1]) == ["a": 1])
        for key in [1, 2] as [UInt8] {
            await expectError(.outcomeUnknown) {
                try await vault.rotate(to: KeyEnvelopeTests.key(key))
            }
        }
        vault.lock()
        let error = await expectError(.outcomeUnknown) { try await vault.unlock() }
        #expect(error?.message.contains("opened again") == true, "\(error?.message ?? "")")
        #expect(vault.isLocked)
        var opened = 0
        for key in [1, 2] as [UInt8] {
            guard let vault = try? await Self.vault(system, KeyEnvelopeTests.key(key)) else {
                continue
            }
            opened += 1
            let sealing = try CollectionSealing(vault, collection: "c", ["a"])
            #expect(try sealing.open(before, key: [1]) == ["a": 1])
            #expect(try sealing.open(after, key: [1]) == ["a": 2])
        }
        #expect(opened == 1)
    }

    private func expectCode(
        _ code: EngineError.Code, _ body: () async throws -> Void
    ) async {
        do {
            try await body()
            Issue.record("nothing was thrown")
        } catch {
            #expect((error as? EngineError)?.code == code, "\(error)")
        }
    }

    @Test
    func `eight data keys are live at most, and older ones can be dropped without anybody's key`()
        async throws
    {
        let system = SimulatedFileSystem()
        let asked = Protected(0)
        let provider = EncryptionKeyProvider.applicationKey {
            asked.withLock { $0 += 1 }
            return [UInt8](repeating: 1, count: 32)
        }
        let vault = try await Self.vault(system, provider)
        for count in 2...8 {
            try await vault.rotate(to: provider, addingKey: true)
            #expect(try vault.ring().keys.count == count)
            #expect(vault.hasOlderKeys)
        }
        let error = await expectError(.quotaExceeded) {
            try await vault.rotate(to: provider, addingKey: true)
        }
        #expect(error?.message.contains("8 data keys") == true)
        let sealing = try CollectionSealing(vault, collection: "c", ["a"])
        let sealed = try sealing.seal(["a": "kept"], key: [1])
        #expect(sealed["a"]?.sealed?.keyID == 8)
        let before = asked.withLock { $0 }
        try await vault.dropKeys(below: 7)
        #expect(try vault.ring().keys.map(\.id) == [7, 8])
        try await vault.dropKeys(below: 8)
        #expect(!vault.hasOlderKeys)
        #expect(asked.withLock { $0 } == before)
        let again = try await Self.vault(system, provider)
        #expect(try again.ring().keys.map(\.id) == [8])
        #expect(
            try CollectionSealing(again, collection: "c", ["a"]).open(sealed, key: [1])
                == ["a": "kept"])
        // The next key has a number of its own.
        try await again.rotate(to: provider, addingKey: true)
        #expect(try again.ring().keys.map(\.id) == [8, 9])
    }

    @Test func `a store that closes waits for no key, and none is written afterwards`() async throws
    {
        let system = SimulatedFileSystem()
        let vault = try await Self.vault(system, KeyEnvelopeTests.key(1))
        await vault.close()
        await expectError(.notOpen) { try await vault.rotate(to: KeyEnvelopeTests.key(2)) }
        _ = try await Self.vault(system, KeyEnvelopeTests.key(1))
    }

    @Test func `who locks while the provider is asked finds the store locked`() async throws {
        let system = SimulatedFileSystem()
        let vault = try await Self.vault(system, KeyEnvelopeTests.key(1))
        func locking(_ key: UInt8) -> EncryptionKeyProvider {
            .applicationKey {
                vault.lock()
                return [UInt8](repeating: key, count: 32)
            }
        }
        try await vault.rotate(to: locking(2), addingKey: true)
        #expect(vault.isLocked)
        #expect(vault.hasOlderKeys)
        try await vault.unlock()
        #expect(vault.isLocked)
        let again = try await Self.vault(system, KeyEnvelopeTests.key(2))
        #expect(try again.ring().keys.map(\.id) == [1, 2])
    }

    @Test func `a store that is closed while the provider is asked keeps its key`() async throws {
        let place = try TestStore(.file)
        defer { place.remove() }
        let store = try await Rotation.open(place)
        try await store.create("users", Rotation.record(1))
        await expectError(.notOpen) {
            try await store.rotateKey(
                to: .applicationKey {
                    try await store.close()
                    return [UInt8](repeating: 2, count: 32)
                }, reencrypt: true)
        }
        let again = try await Rotation.open(place)
        let found = try await again.get("users", 1)
        #expect(found == Rotation.record(1))
        try await again.close()
    }

    @Test func `a reader beside a writer finds the keys that were added`() async throws {
        let system = SimulatedFileSystem()
        let writer = try await Self.vault(system, KeyEnvelopeTests.key(1))
        let options = EncryptionOptions(encryptionKeyProvider: KeyEnvelopeTests.key(1))
        let file = KeyFile(StoreFolder(system, Self.files))
        let opened = try await FieldVault.open(options, file, isReadOnly: true, needsKeys: false)
        let reader = try #require(opened)
        try await writer.rotate(to: KeyEnvelopeTests.key(1), addingKey: true)
        #expect(try await reader.refresh())
        #expect(try await !reader.refresh())
        #expect(try reader.ring().keys.map(\.id) == [1, 2])
        // Another provider's key is no matter as long as nothing else is new.
        try await writer.rotate(to: KeyEnvelopeTests.key(2))
        #expect(try await reader.refresh())
        #expect(try await !reader.refresh())
        try await writer.rotate(to: KeyEnvelopeTests.key(2), addingKey: true)
        await expectError(.wrongKey) { _ = try await reader.refresh() }
        #expect(try reader.ring().keys.map(\.id) == [1, 2])
    }

    @Test func `uses end one after another, when nobody holds them`() async throws {
        let vault = try await FieldVault.forTests()
        let ended = Protected<[Int]>([])
        func end(_ number: Int) { vault.whenUsesEnd { ended.withLock { $0.append(number) } } }
        end(1)
        #expect(ended.withLock { $0 } == [1])
        var first: KeyUse? = vault.use
        end(2)
        var second: KeyUse? = vault.use
        end(3)
        #expect(first != nil && second != nil)
        second = nil
        #expect(ended.withLock { $0 } == [1])
        first = nil
        #expect(ended.withLock { $0 } == [1, 2, 3])
        end(4)
        #expect(ended.withLock { $0 } == [1, 2, 3, 4])
    }
}
