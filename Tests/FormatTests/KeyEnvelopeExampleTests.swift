// The key envelope that FORMAT.md shows, which libsodium made without the code under test, opens with it.
import OfflineBytes
import Testing

@testable import OfflineKit

struct KeyEnvelopeExampleTests {
    @Test func `the example of a key envelope opens to the keys that the document says`()
        async throws
    {
        let example = try #require(try FormatDocument.examples("hex", "keys").first)
        #expect(example.start == 0)
        let envelope = try KeyEnvelope(example.bytes)
        #expect(envelope.encoded == example.bytes)
        #expect(envelope.generation == 3)
        let ring = try await KeyRing.open(
            envelope, .applicationKey { [UInt8](0..<32) })
        #expect(ring.storeID == Array("OFFLINE-EXAMPLE!".utf8))
        #expect(ring.keys.map(\.id) == [1, 2])
        #expect(ring.current.id == 2)
        for (key, byte) in zip(ring.keys, [UInt8(0xA1), 0xA2]) {
            let bytes = unsafe key.data.withBytes { unsafe Array($0) }
            #expect(bytes == [UInt8](repeating: byte, count: 32))
        }
    }
}
