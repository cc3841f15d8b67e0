// The file KEYS: replaced as a whole whatever is cut off when, and read as long as one copy is as it was.
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
}
