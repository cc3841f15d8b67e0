// Whatever cuts off a replacement of KEYS, the old envelope is there or the new one, whole.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Key file, cut off") struct KeyFileFaultTests {
    /// A disk with an envelope for the passphrase "old", and one for "new" that is to replace it.
    private struct Case {
        let files = SimulatedFileSystem()
        let file: KeyFile
        let ring: KeyRing
        let old: KeyEnvelope
        let new: KeyEnvelope

        init() async throws {
            ring = try KeyRing.make()
            old = try await ring.envelope(generation: 1, KeyEnvelopeTests.passphrase("old"))
            new = try await ring.envelope(generation: 2, KeyEnvelopeTests.passphrase("new"))
            file = KeyFile(StoreFolder(files, "/store"))
            try file.write(old)
        }
    }

    private static func file(_ files: any FileSystem, _ folder: String = "/store") -> KeyFile {
        KeyFile(StoreFolder(files, folder))
    }

    private static func seal(_ ring: KeyRing, _ text: String) throws -> [UInt8] {
        try SodiumTests.seal(
            Array(text.utf8), .xchacha20Poly1305, ring.current.sealing,
            [UInt8](repeating: 1, count: 24), [])
    }

    @Test(arguments: SeededRandom.seeds(2))
    func `a power cut leaves the old key or the new one, and exactly one opens`(
        _ seed: UInt64
    ) async throws {
        let given = try await Case()
        let images = Protected<[(String, SimulatedFileSystem)]>([])
        given.files.onMutation { index, files in
            let taken = files.crashImages(20, seed: seed &* 1_000 &+ UInt64(index))
            images.withLock { $0 += taken.map { ("call \(index), \($0.label)", $0.files) } }
        }
        try given.file.write(given.new)
        given.files.onMutation(nil)
        let sealed = try Self.seal(given.ring, "sealed before")
        var opened: [String: Int] = [:]
        for (label, image) in images.withLock(\.self) {
            let context: Comment = "seed \(seed), \(label)"
            let envelope = try #require(try Self.file(image).readForWriting(), context)
            var names: [String] = []
            for name in ["old", "new"] {
                let provider = KeyEnvelopeTests.passphrase(name)
                guard let ring = try? await KeyRing.open(envelope, provider) else { continue }
                #expect(try Self.seal(ring, "sealed before") == sealed, context)
                names.append(name)
            }
            #expect(names.count == 1, context)
            opened[names.first ?? "", default: 0] += 1
            #expect(try image.list("/store") == ["KEYS"], context)
            // What the writer has read stays.
            #expect(try Self.file(image.crashedKeepingNothing()).read() == envelope, context)
        }
        #expect(opened.keys.sorted() == ["new", "old"], "\(opened)")
        for (label, image) in given.files.crashImages(20, seed: seed) {
            #expect(try Self.file(image).read() == given.new, "seed \(seed), \(label)")
        }
    }

    @Test func `what a writer has read survives where a replacement was killed`() async throws {
        let given = try await Case()
        let killed = Protected<[SimulatedFileSystem]>([])
        given.files.onMutation { _, files in killed.withLock { $0.append(files.killed()) } }
        try given.file.write(given.new)
        given.files.onMutation(nil)
        var found: Set<UInt64> = []
        for files in killed.withLock(\.self) {
            let envelope = try #require(try Self.file(files).readForWriting())
            found.insert(envelope.generation)
            #expect(try Self.file(files.crashedKeepingNothing()).read() == envelope)
        }
        #expect(found == [1, 2])
    }

    @Test(arguments: SeededRandom.seeds(2))
    func `a power cut leaves no part of the first envelope`(_ seed: UInt64) async throws {
        let envelope = try await KeyRing.make().envelope(
            generation: 1, KeyEnvelopeTests.passphrase("first"))
        let files = SimulatedFileSystem()
        let images = Protected<[(String, SimulatedFileSystem)]>([])
        files.onMutation { index, files in
            let taken = files.crashImages(20, seed: seed &* 1_000 &+ UInt64(index))
            images.withLock { $0 += taken.map { ("call \(index), \($0.label)", $0.files) } }
        }
        try Self.file(files).write(envelope)
        files.onMutation(nil)
        for (label, image) in images.withLock(\.self) {
            let found = try Self.file(image).readForWriting()
            #expect(found == nil || found == envelope, "seed \(seed), \(label)")
        }
        #expect(try Self.file(files.crashedKeepingNothing()).read() == envelope)
    }

    @Test(arguments: [Fault.Effect.nothing, .takesEffect, .prefix(10), .dropsPending])
    func `whichever call fails, the error says what counts`(_ effect: Fault.Effect) async throws {
        var index = 1
        while true {
            let given = try await Case()
            let (files, file) = (given.files, given.file)
            files.inject(
                Fault(first: index, error: SystemErrorNumber.inputOutput, effect: effect))
            var failure: EngineError?
            do throws(EngineError) { try file.write(given.new) } catch { failure = error }
            let isDone = files.firedFaultCount == 0
            files.removeFaults()
            let context: Comment = "call \(index), \(effect), \(String(describing: failure))"
            #expect(files.openFileCount == 0, context)
            let found = try file.readForWriting()
            switch failure?.code {
            case nil: #expect(found == given.new, context)
            case .outcomeUnknown: #expect(found == given.new || found == given.old, context)
            default: #expect(found == given.old, context)
            }
            #expect(try files.list("/store") == ["KEYS"], context)
            // It works again.
            try file.write(given.new)
            let kept = try Self.file(files.crashedKeepingNothing()).read()
            #expect(kept == given.new, context)
            if isDone { break }
            index += 1
        }
        #expect(index > 6)
    }

    @Test func `the old envelope's bytes are overwritten`() async throws {
        let given = try await Case()
        let handle = try given.files.open("/store/KEYS", .read)
        defer { handle.close() }
        try given.file.write(given.new)
        let left = try handle.readArray(count: 10_000, at: 0)
        #expect(left == [UInt8](repeating: 0, count: 2 * KeyEnvelope.length))
    }

    @Test func `a reader changes nothing, a writer clears away what was left`() async throws {
        let given = try await Case()
        let leftover = try given.files.open("/store/KEYS.new", .create)
        try leftover.write([1, 2, 3], at: 0)
        leftover.close()
        let calls = given.files.mutationCount
        #expect(try given.file.read() == given.old)
        #expect(given.files.mutationCount == calls)
        #expect(try given.file.readForWriting() == given.old)
        #expect(try given.files.list("/store") == ["KEYS"])
    }

    @Test func `a file that is too long or too short is damaged`() async throws {
        let given = try await Case()
        for size in [0, 1, 4_096, 8_191, 8_193, 40 << 20] as [UInt64] {
            let handle = try given.files.open("/store/KEYS", .readWrite)
            try handle.truncate(to: size)
            handle.close()
            await expectError(.corrupted, "\(size) bytes") { _ = try given.file.read() }
        }
    }

    @Test func `on a real disk it is its owner's alone, and no link is followed`() async throws {
        let folder = try TestFolder()
        defer { folder.remove() }
        let given = try await Case()
        let file = Self.file(PosixFileSystem(), folder.path)
        try file.write(given.old)
        try file.write(given.new)
        #expect(try file.readForWriting() == given.new)
        let path = folder.url.appending(path: "KEYS").path(percentEncoded: false)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect(mode as? Int == 0o600)

        let other = folder.url.appending(path: "other")
        let otherPath = other.path(percentEncoded: false)
        try Data([9, 9]).write(to: other)
        let new = folder.url.appending(path: "KEYS.new").path(percentEncoded: false)
        for link in [path, new] {
            try? FileManager.default.removeItem(atPath: link)
            try FileManager.default.createSymbolicLink(
                atPath: link, withDestinationPath: otherPath)
            await expectEngineError(.permissionDenied) { try file.write(given.old) }
            if link == path { await expectEngineError(.permissionDenied) { _ = try file.read() } }
            #expect(try Data(contentsOf: other) == Data([9, 9]))
            try FileManager.default.removeItem(atPath: link)
        }
        try file.write(given.old)
        #expect(try file.read() == given.old)
    }
}
