// The wrapper around libsodium: published vectors, and that nothing but what was sealed opens.
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite("libsodium") struct SodiumTests {
    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    static func secret(_ bytes: [UInt8]) throws -> SecretBytes {
        try unsafe bytes.withUnsafeBytes { try unsafe SecretBytes(copying: $0) }
    }

    static func seal(
        _ text: [UInt8], _ algorithm: EncryptionOptions.Algorithm, _ key: SecretBytes,
        _ nonce: [UInt8], _ data: [UInt8]
    ) throws -> [UInt8] {
        try unsafe text.withUnsafeBytes { text in
            try unsafe nonce.withUnsafeBytes { nonce in
                try unsafe Sodium.seal(
                    text, algorithm, key: key, nonce: nonce, authenticating: data)
            }
        }
    }

    static func open(
        _ sealed: [UInt8], _ algorithm: EncryptionOptions.Algorithm, _ key: SecretBytes,
        _ nonce: [UInt8], _ data: [UInt8]
    ) throws -> [UInt8]? {
        var result = [UInt8](repeating: 0, count: max(0, sealed.count - Sodium.tagLength))
        let isWhole = try unsafe sealed.withUnsafeBytes { sealed in
            try unsafe nonce.withUnsafeBytes { nonce in
                try unsafe result.withUnsafeMutableBytes { result in
                    try unsafe Sodium.open(
                        sealed, algorithm, key: key, nonce: nonce, authenticating: data,
                        into: result)
                }
            }
        }
        return isWhole ? result : nil
    }

    /// draft-irtf-cfrg-xchacha-03, A.3.1.
    @Test func `XChaCha20-Poly1305 gives the published vector`() throws {
        let text = Array(
            "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
                .utf8)
        let key = try Self.secret((0x80...0x9F).map { $0 })
        let nonce: [UInt8] = (0x40...0x57).map { $0 }
        let sealed = try Self.seal(
            text, .xchacha20Poly1305, key, nonce, Self.bytes("50515253c0c1c2c3c4c5c6c7"))
        #expect(Array(sealed.prefix(16)) == Self.bytes("bd6d179d3e83d43b9576579493c0e939"))
        #expect(Array(sealed.suffix(16)) == Self.bytes("c0875924c1c7987947deafd8780acf49"))
    }

    @Test(arguments: EncryptionOptions.Algorithm.allCases)
    func `what differs in one bit doesn't open`(
        _ algorithm: EncryptionOptions.Algorithm
    ) throws {
        if algorithm == .aes256GCM, !Sodium.hasAES { return }
        let key = try SecretBytes.random(count: 32)
        let nonce = Sodium.random(count: 24)
        let data = Array("where it belongs".utf8)
        let text = Array("a secret".utf8)
        let sealed = try Self.seal(text, algorithm, key, nonce, data)
        #expect(try Self.open(sealed, algorithm, key, nonce, data) == text)
        func flipped(_ bytes: [UInt8], _ bit: Int) -> [UInt8] {
            var bytes = bytes
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            return bytes
        }
        for bit in 0..<(sealed.count * 8) {
            let opened = try Self.open(flipped(sealed, bit), algorithm, key, nonce, data)
            #expect(opened == nil, "bit \(bit) of what is sealed")
        }
        for bit in 0..<(nonce.count * 8) {
            let opened = try Self.open(sealed, algorithm, key, flipped(nonce, bit), data)
            #expect(opened == nil, "bit \(bit) of the nonce")
        }
        for bit in 0..<(data.count * 8) {
            let opened = try Self.open(sealed, algorithm, key, nonce, flipped(data, bit))
            #expect(opened == nil, "bit \(bit) of what is authenticated")
        }
        for count in 0..<sealed.count {
            let opened = try Self.open(
                Array(sealed.prefix(count)), algorithm, key, nonce, data)
            #expect(opened == nil, "the first \(count) bytes")
        }
        #expect(try Self.open(sealed, algorithm, .random(count: 32), nonce, data) == nil)
    }

    @Test func `AES-GCM says what it needs where the processor hasn't it`() throws {
        do throws(OfflineError) {
            try Sodium.check(.aes256GCM)
            #expect(Sodium.hasAES)
        } catch {
            #expect(!Sodium.hasAES)
            #expect(error.code == .invalidOptions)
        }
    }

    @Test func `no two nonces of a million are the same`() {
        var seen: Set<[UInt8]> = []
        seen.reserveCapacity(1_000_000)
        for _ in 0..<1_000_000 { seen.insert(Sodium.random(count: 24)) }
        #expect(seen.count == 1_000_000)
    }
}
