// The file KEYS: replaced as a whole whatever is cut off when, and read as long as one copy is as it was.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Key file") struct KeyFileTests {
    private static func envelope(_ generation: UInt64) async throws -> KeyEnvelope {
        try await KeyRing.make().envelope(generation: generation, KeyEnvelopeTests.key(1))
    }

    private static func store() throws -> (SimulatedFileSystem, KeyFile) {
        let system = SimulatedFileSystem()
        try system.makeStoreFolder("/store")
        return (system, KeyFile(StoreFolder(system, "/store")))
    }

    @Test func `there is none at first, then the one that was written last`() async throws {
        let (_, file) = try Self.store()
        #expect(try file.read() == nil)
        for generation in 1...3 {
            let envelope = try await Self.envelope(UInt64(generation))
            try file.write(envelope)
            #expect(try file.read() == envelope)
        }
    }

    @Test func `one damaged copy is no matter, two are`() async throws {
        let (system, file) = try Self.store()
        let envelope = try await Self.envelope(1)
        try file.write(envelope)
        func flip(_ offset: UInt64) throws {
            let file = try system.open("/store/KEYS", .readWrite)
            defer { file.close() }
            let byte = try file.readArray(count: 1, at: offset)
            try file.write([byte[0] ^ 1], at: offset)
        }
        for (first, second) in [(0, 4096), (4096, 0), (100, 4196), (8191, 4095)]
            as [(UInt64, UInt64)]
        {
            try flip(first)
            #expect(try file.read() == envelope)
            try flip(second)
            let error = #expect(throws: OfflineError.self) { try file.read() }
            #expect(error?.code == .corrupted)
            try flip(first)
            try flip(second)
        }
        #expect(try file.read() == envelope)
    }

    /// What may have happened to a file that has one whole copy still.
    enum Damage: CaseIterable {
        case first, second, longer, shorter, unreadableFirst, unreadableSecond

        func apply(_ system: SimulatedFileSystem) throws {
            let path = "/store/KEYS"
            switch self {
            case .first: try system.flipBit(800, of: path)
            case .second: try system.flipBit(5_000 * 8, of: path)
            case .longer: try system.damage(path) { $0 += [1, 2, 3] }
            case .shorter: try system.cut(path, to: 4_096)
            case .unreadableFirst: try system.failReads(of: path, in: 0..<512)
            case .unreadableSecond: try system.failReads(of: path, in: 4_096..<8_192)
            }
        }
    }

    @Test(arguments: Damage.allCases)
    func `one whole copy is enough, and who writes the store makes two again`(
        _ damage: Damage
    ) async throws {
        let (system, file) = try Self.store()
        let envelope = try await Self.envelope(1)
        try file.write(envelope)
        try damage.apply(system)
        #expect(try file.read() == envelope)
        let options = EncryptionOptions(encryptionKeyProvider: KeyEnvelopeTests.key(1))
        let calls = system.mutationCount
        _ = try await FieldVault.open(options, file, isReadOnly: true, needsKeys: true)
        #expect(system.mutationCount == calls)
        _ = try await FieldVault.open(options, file, isReadOnly: false, needsKeys: true)
        #expect(try system.bytes(of: "/store/KEYS") == envelope.encoded + envelope.encoded)
        #expect(try file.read() == envelope)
    }

    @Test func `a file that is replaced while it is being read is read again`() async throws {
        let (system, file) = try Self.store()
        try file.write(try await Self.envelope(1))
        let next = try await Self.envelope(2)
        // Replaced once, right after it was opened.
        let isDue = Protected(true)
        let slow = OpeningFileSystem(system) { (base, path, mode) throws(FileSystemError) in
            let opened = try base.open(path, mode)
            let isNow = isDue.withLock { isDue in
                defer { isDue = isDue && mode != .read }
                return isDue && mode == .read
            }
            if isNow { try? file.write(next) }
            return opened
        }
        #expect(try KeyFile(StoreFolder(slow, "/store")).read() == next)
    }

    @Test func `a backup that was made by linking keeps its bytes`() async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        let file = KeyFile(StoreFolder(PosixFileSystem(), folder.path))
        let (old, new) = (try await Self.envelope(1), try await Self.envelope(2))
        try file.write(old)
        let backup = folder.url.appending(path: "backup")
        try FileManager.default.linkItem(
            at: folder.url.appending(path: KeyFile.name), to: backup)
        try file.write(new)
        #expect(try [UInt8](Data(contentsOf: backup)) == old.encoded + old.encoded)
        #expect(try file.read() == new)
    }
}
