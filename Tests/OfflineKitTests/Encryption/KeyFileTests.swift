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
        let slow = InterruptedFileSystem(system) { try? file.write(next) }
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

/// Has something else done once, right after a file was opened for reading.
private final class InterruptedFileSystem: FileSystem {
    private let base: SimulatedFileSystem
    private let interruption: Protected<(@Sendable () -> Void)?>

    init(_ base: SimulatedFileSystem, _ interruption: @escaping @Sendable () -> Void) {
        self.base = base
        self.interruption = Protected(interruption)
    }

    func open(_ path: String, _ mode: FileMode) throws(FileSystemError) -> any File {
        let file = try base.open(path, mode)
        if mode == .read { interruption.withLock { $0.take() }?() }
        return file
    }

    func createDirectory(_ path: String) throws(FileSystemError) { try base.createDirectory(path) }

    func claimFolder(_ path: String, forWriting: Bool) throws(FileSystemError) -> Bool {
        try base.claimFolder(path, forWriting: forWriting)
    }

    func information(_ path: String) throws(FileSystemError) -> FileInformation? {
        try base.information(path)
    }

    func list(_ path: String) throws(FileSystemError) -> [String] { try base.list(path) }

    func remove(_ path: String) throws(FileSystemError) { try base.remove(path) }

    func rename(_ source: String, to target: String) throws(FileSystemError) {
        try base.rename(source, to: target)
    }

    func syncDirectory(_ path: String) throws(FileSystemError) { try base.syncDirectory(path) }

    func lock(_ path: String) throws(FileSystemError) -> any FileLock { try base.lock(path) }

    func availableBytes(_ path: String) throws(FileSystemError) -> UInt64 {
        try base.availableBytes(path)
    }
}
