// Power cuts while keys are changed, with and without sealing anew: whatever is left opens with the old passphrase or the new one, never
// both and never neither, with all its records; and in the end the old key is gone.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Rotation, cut off") struct RotationPowerCutTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let seeds = SeededRandom.seeds(environment["OFFLINE_SEEDS"].flatMap(Int.init) ?? 1)
    /// Images of each change of the disk.
    static let images = environment["OFFLINE_POWER_CUTS"].flatMap(Int.init) ?? 1
    private static let records = (1...30).map { Rotation.record($0) }

    private static func open(
        _ kind: DiskBackend, _ files: SimulatedFileSystem, _ passphrase: String,
        _ durability: Durability = .full
    ) async throws -> OfflineStore {
        try await OfflineStore.open(
            Rotation.options(
                StorageOptions(
                    databaseName: "store", directory: URL(filePath: "/"),
                    storageBackend: .custom(kind.make(files)), durability: durability),
                KeyEnvelopeTests.passphrase(passphrase)))
    }

    /// What commits promise, and whether all is sealed anew.
    enum Form: CaseIterable {
        case rewrapped
        case reencrypted
        case reencryptedRelaxed
    }

    @Test(arguments: DiskBackend.allCases, Form.allCases)
    func `a power cut leaves a store that one passphrase opens`(
        kind: DiskBackend, form: Form
    ) async throws {
        let reencrypts = form != .rewrapped
        for seed in Self.seeds {
            let files = SimulatedFileSystem()
            let store = try await Self.open(
                kind, files, "old", form == .reencryptedRelaxed ? .relaxed : .full)
            try await store.createBatch("users", Self.records)
            let given = try await store.getChanges()
            try await store.markSynchronized(Array(given.prefix(20)))
            try await store.update("users", ["id": 5, "name": "name 5"], mode: .merge)
            let changes = try await store.getChanges()
            try await store.flush()
            let images = Protected<[(label: String, files: SimulatedFileSystem)]>([])
            files.onMutation { index, files in
                var random = SeededRandom(seed: seed &* 1_000 &+ UInt64(index))
                let taken = (0..<Self.images).map { _ in random.next() }
                images.withLock { images in
                    if index.isMultiple(of: 4) {
                        images.append(("seed \(seed), killed at \(index)", files.killed()))
                    }
                    for choice in taken {
                        images.append(
                            (
                                "seed \(seed), mutation \(index), image \(choice)",
                                files.crashed(keeping: choice)
                            ))
                    }
                }
            }
            try await store.rotateKey(
                to: KeyEnvelopeTests.passphrase("new"), reencrypt: reencrypts)
            try await Rotation.settle(store)
            files.onMutation(nil)
            try await Rotation.expectOnly(reencrypts ? 2 : 1, in: store)
            try await store.close()
            var opened: [String: Int] = [:]
            for (label, image) in images.withLock(\.self) {
                let name = try await Self.check(
                    kind, image, changes, reencrypts, "\(kind), \(label)")
                opened[name ?? "", default: 0] += 1
            }
            #expect(opened.keys.sorted() == ["new", "old"], "\(opened)")
        }
    }

    /// The passphrase that opens the store.
    private static func check(
        _ kind: DiskBackend, _ files: SimulatedFileSystem, _ changes: [Change],
        _ reencrypts: Bool, _ label: String
    ) async throws -> String? {
        var names: [String] = []
        for name in ["old", "new"] {
            let store: OfflineStore
            do {
                store = try await open(kind, files, name)
            } catch {
                #expect((error as? OfflineError)?.code == .wrongKey, "\(label): \(error)")
                continue
            }
            names.append(name)
            try await Rotation.settle(store)
            let found = try await store.query("users")
            #expect(found == records, "\(label)")
            let pending = try await store.getChanges()
            #expect(pending == changes, "\(label)")
            try await Rotation.expectOnly(
                name == "new" && reencrypts ? 2 : 1, in: store, "\(label)")
            try await store.close()
        }
        #expect(names.count == 1, "\(label)")
        return names.first
    }

    @Test func `whatever call fails, the store opens with one passphrase and loses nothing`()
        async throws
    {
        var index = 1
        while true {
            let files = SimulatedFileSystem()
            let store = try await Self.open(.log, files, "old")
            try await store.createBatch("users", Array(Self.records.prefix(5)))
            files.inject(Fault(first: index, error: SystemErrorNumber.inputOutput))
            _ = try? await store.rotateKey(
                to: KeyEnvelopeTests.passphrase("new"), reencrypt: true)
            try await Rotation.settle(store)
            let isDone = files.firedFaultCount == 0
            files.removeFaults()
            try? await store.close()
            var names: [String] = []
            for name in ["old", "new"] {
                guard let store = try? await Self.open(.log, files, name) else { continue }
                names.append(name)
                try await Rotation.settle(store)
                let found = try await store.query("users")
                #expect(found == Array(Self.records.prefix(5)), "call \(index)")
                try await Rotation.expectOnly(name == "new" ? 2 : 1, in: store, "call \(index)")
                try await store.close()
            }
            #expect(names.count == 1, "call \(index): \(names)")
            if isDone { break }
            index += 1
        }
        #expect(index > 10)
    }
}
