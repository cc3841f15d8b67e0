// The key envelope: who opens it, and that nothing of it may change unnoticed.
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite("Key envelope") struct KeyEnvelopeTests {
    static func passphrase(_ text: String) -> EncryptionKeyProvider {
        var provider = EncryptionKeyProvider.userPassphrase { text }
        provider.cost = .forTests
        return provider
    }

    static func key(_ byte: UInt8) -> EncryptionKeyProvider {
        .applicationKey { [UInt8](repeating: byte, count: 32) }
    }

    static func service(_ mask: UInt8) -> EncryptionKeyProvider {
        .keyService(
            wrap: { key in [7] + key.map { $0 ^ mask } },
            unwrap: { wrapped in wrapped.dropFirst().map { $0 ^ mask } })
    }

    private func code(_ body: () async throws -> Void) async -> OfflineError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? OfflineError)?.code
        }
    }

    @Test(arguments: [
        ("passphrase", passphrase("a"), passphrase("b")), ("key", key(1), key(2)),
        ("service", service(1), service(2)),
    ])
    func `an envelope opens with its own key and no other`(
        _ name: String, _ own: EncryptionKeyProvider, _ other: EncryptionKeyProvider
    ) async throws {
        let ring = try KeyRing.make()
        let envelope = try await ring.envelope(generation: 1, own)
        let read = try KeyEnvelope(envelope.encoded)
        #expect(read == envelope)
        let opened = try await KeyRing.open(read, own)
        #expect(opened.storeID == ring.storeID)
        #expect(opened.current.id == 1)
        let same = unsafe opened.current.data.withBytes { a in
            unsafe ring.current.data.withBytes { unsafe Array($0) == Array(a) }
        }
        #expect(same)
        #expect(await code { _ = try await KeyRing.open(read, other) } == .wrongKey)
        let kind = name == "key" ? Self.passphrase("a") : Self.key(1)
        #expect(await code { _ = try await KeyRing.open(read, kind) } == .wrongKey)
    }

    @Test func `every flipped bit of a copy is damage`() async throws {
        let bytes = try await KeyRing.make().envelope(generation: 1, Self.key(1)).encoded
        for bit in 0..<(bytes.count * 8) {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            let code: OfflineError.Code?
            do throws(OfflineError) {
                _ = try KeyEnvelope(flipped)
                code = nil
            } catch {
                code = error.code
            }
            #expect(code == .corrupted, "bit \(bit)")
        }
    }

    @Test func `every flipped bit that a checksum was made for doesn't open`() async throws {
        let envelope = try await KeyRing.make().envelope(generation: 1, Self.key(1))
        let used = 64 + envelope.wrapped.count + 4 + 72
        for byte in 12..<used {
            var flipped = Array(envelope.encoded.dropLast(4))
            flipped[byte] ^= 1
            let sum = (0..<4).map {
                UInt8(truncatingIfNeeded: CRC32C.checksum(flipped) >> ($0 * 8))
            }
            let code = await code {
                _ = try await KeyRing.open(KeyEnvelope(flipped + sum), Self.key(1))
            }
            #expect(code == .wrongKey || code == .corrupted, "byte \(byte)")
        }
    }

    @Test(arguments: [
        PassphraseCost(passes: 0, kibibytes: 8), PassphraseCost(passes: 1, kibibytes: 7),
        PassphraseCost(passes: .max, kibibytes: 8), PassphraseCost(passes: 1, kibibytes: .max),
    ])
    func `hostile costs are refused before anything is derived`(_ cost: PassphraseCost) async throws
    {
        var envelope = KeyEnvelope(
            generation: 1, storeID: [UInt8](repeating: 1, count: 16), wrapping: .passphrase,
            cost: cost, salt: [UInt8](repeating: 2, count: 16))
        envelope.wrapped = [UInt8](repeating: 3, count: 72)
        envelope.keys = [.init(id: 1, sealed: [UInt8](repeating: 4, count: 72))]
        let read = try KeyEnvelope(envelope.encoded)
        #expect(await code { _ = try await KeyRing.open(read, Self.passphrase("a")) } == .corrupted)
    }

    @Test func `the public floor is moderate`() {
        let provider = EncryptionKeyProvider.userPassphrase { "a" }
        #expect(provider.cost == .moderate)
        #expect(!PassphraseCost.forTests.isAllowed(floor: provider.cost))
        #expect(PassphraseCost.moderate.isAllowed(floor: provider.cost))
    }

    @Test func `secrets aren't printed`() throws {
        let secret = try unsafe Array("MARKER".utf8).withUnsafeBytes {
            try unsafe SecretBytes(copying: $0)
        }
        var text = ""
        dump(secret, to: &text)
        #expect(!"\(secret) \(String(reflecting: secret)) \(text)".contains("MARKER"))
    }
}
