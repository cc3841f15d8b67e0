// Envelopes that a forger made, with checksums that fit.
import OfflineBytes
import OfflineDocuments
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Key envelope, forged") struct KeyEnvelopeFuzzTests {
    private static func forged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = Array(bytes.dropLast(4))
        bytes.appendLittle(CRC32C.checksum(bytes))
        return bytes
    }

    private static let providers: [(name: String, provider: EncryptionKeyProvider)] = [
        ("passphrase", KeyEnvelopeTests.passphrase("open sesame")),
        ("key", KeyEnvelopeTests.key(7)),
        ("service", KeyEnvelopeTests.service(0x5A)),
    ]

    @Test(arguments: providers.map(\.name))
    func `no bit can be changed by who can make a checksum`(_ name: String) async throws {
        let provider = try #require(Self.providers.first { $0.name == name }?.provider)
        let bytes = try await KeyRing.make().envelope(generation: 1, provider).encoded
        // What costs passes and memory is for another test: here, up to three passes and 4 MiB.
        let left = Set(38 * 8 + 2..<42 * 8).union(42 * 8 + 12..<46 * 8)
        for bit in 0..<260 * 8 where !left.contains(bit) {
            var changed = bytes
            changed[bit / 8] ^= 1 << (bit % 8)
            let forged = Self.forged(changed)
            do {
                _ = try await KeyRing.open(KeyEnvelope(forged), provider)
                Issue.record("opens with bit \(bit) changed")
            } catch let error as OfflineError {
                let codes: [OfflineError.Code] = [.corrupted, .wrongKey, .unsupportedFormat]
                #expect(codes.contains(error.code), "bit \(bit): \(error)")
            }
        }
    }

    @Test(arguments: SeededRandom.seeds(4))
    func `any bytes are an envelope or an error`(_ seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        var good: [[UInt8]] = []
        for (_, provider) in Self.providers {
            good.append(try await KeyRing.make().envelope(generation: 1, provider).encoded)
        }
        var read = 0
        for round in 0..<300 {
            var bytes = good[random.below(good.count)]
            for _ in 0..<1 + random.below(3) {
                switch random.below(4) {
                case 0: bytes.patchLittle(UInt16(random.below(4_200)), at: 62)
                case 1: bytes[37] = UInt8(random.below(12))
                case 2: bytes[random.below(64)] = UInt8(random.below(256))
                default: bytes[random.below(bytes.count)] = UInt8(random.below(256))
                }
            }
            if random.chance(1, in: 10) { bytes = Array(bytes.prefix(random.below(4_200))) }
            let forged = bytes.count > 4 ? Self.forged(bytes) : bytes
            do throws(OfflineError) {
                let envelope = try KeyEnvelope(forged)
                #expect(envelope.encoded == forged, "seed \(seed), round \(round)")
                read += 1
            } catch {
                let codes: [OfflineError.Code] = [.corrupted, .unsupportedFormat]
                #expect(codes.contains(error.code), "seed \(seed), round \(round): \(error)")
            }
        }
        #expect(read > 5, "seed \(seed)")
    }

    private struct NoAnswer: Error {}

    @Test func `what the application throws goes through, and the right answer opens at once`()
        async throws
    {
        let failing: [EncryptionKeyProvider] = [
            .userPassphrase { throw NoAnswer() }, .applicationKey { throw NoAnswer() },
            .keyService(wrap: { _ in throw NoAnswer() }, unwrap: { _ in throw NoAnswer() }),
        ]
        for ((_, provider), var failing) in zip(Self.providers, failing) {
            failing.cost = .forTests
            let ring = try KeyRing.make()
            let envelope = try await ring.envelope(generation: 1, provider)
            await #expect(throws: NoAnswer.self) {
                _ = try await ring.envelope(generation: 1, failing)
            }
            await #expect(throws: NoAnswer.self) { _ = try await KeyRing.open(envelope, failing) }
            _ = try await KeyRing.open(envelope, provider)
        }
    }

    @Test func `what can't be a key is refused`() async throws {
        let refused: [(String, EncryptionKeyProvider)] = [
            ("an empty passphrase", KeyEnvelopeTests.passphrase("")),
            ("31 bytes", .applicationKey { [UInt8](repeating: 1, count: 31) }),
            ("33 bytes", .applicationKey { [UInt8](repeating: 1, count: 33) }),
            ("no bytes", .applicationKey { [] }),
            ("nothing wrapped", .keyService(wrap: { _ in [] }, unwrap: { $0 })),
            (
                "too much wrapped",
                .keyService(wrap: { _ in [UInt8](repeating: 1, count: 3_001) }, unwrap: { $0 })
            ),
        ]
        for (name, provider) in refused {
            await expectError(.invalidOptions, "\(name)") {
                _ = try await KeyRing.make().envelope(generation: 1, provider)
            }
        }
    }

    @Test func `a cheap passphrase isn't even asked for`() async throws {
        let cheap = try await KeyRing.make().envelope(
            generation: 1, KeyEnvelopeTests.passphrase("open sesame"))
        await expectError(.corrupted) {
            _ = try await KeyRing.open(
                cheap,
                .userPassphrase {
                    Issue.record("asked for a passphrase")
                    return "open sesame"
                })
        }
    }
}
