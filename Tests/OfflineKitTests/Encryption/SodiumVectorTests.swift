// Published values of the hashes and ciphers, and values of our own constructions over them that OpenSSL and Python's hashlib
// gave.
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite("libsodium's values") struct SodiumVectorTests {
    private static func hash(_ message: [UInt8], key: [UInt8], count: Int) throws -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        let key = try SodiumTests.secret(key)
        unsafe message.withUnsafeBytes { message in
            unsafe result.withUnsafeMutableBytes {
                unsafe Sodium.hash(message, key: key, into: $0)
            }
        }
        return result
    }

    private static func bytes(of secret: SecretBytes) -> [UInt8] {
        unsafe secret.withBytes { unsafe Array($0) }
    }

    /// From the vectors of the BLAKE2 reference implementation.
    @Test func `keyed BLAKE2b gives the published hash`() throws {
        let expected = SodiumTests.bytes(
            """
            33d0825dddf7ada99b0e7e307104ad07ca9cfd9692214f1561356315e784f3e5
            a17e364ae9dbb14cb2036df932b77f4b292761365fb328de7afdc6d8998f5fc1
            """)
        #expect(try Self.hash([0, 1, 2], key: [UInt8](0..<64), count: 64) == expected)
    }

    @Test func `a subkey is the hash of its label`() throws {
        let subkey = try Sodium.subkey(
            of: SodiumTests.secret([UInt8](0x80..<0xA0)), Array("test".utf8))
        #expect(
            Self.bytes(of: subkey)
                == SodiumTests.bytes(
                    "7efc968796152761fa29b5cc821672b3352155fb2fe465820b5722252c7a2718"))
    }

    @Test(arguments: [
        (
            "password", "somesaltsomesalt", PassphraseCost(passes: 1, kibibytes: 8),
            "05b6ca8f8038b683887ad4916533858b49cb52040126c134f4c6e9d8711b8c09"
        ),
        (
            "123", "ABCDEFGHIJKLMNOP", PassphraseCost(passes: 5, kibibytes: 1_024),
            "3c5d010180ba0cf5b6b858cba23b318e42d33088983c404598599c3b029ecac6"
        ),
        (
            "123", "ABCDEFGHIJKLMNOP", PassphraseCost(passes: 2, kibibytes: 8_192),
            "3ee950488d26ce691657b1d753f562139857b61a58f234d6cb0ce84c4cc27328"
        ),
    ])
    func `Argon2id gives what other implementations give`(
        _ passphrase: String, _ salt: String, _ cost: PassphraseCost, _ expected: String
    ) throws {
        let key = try Sodium.stretch(
            SodiumTests.secret(Array(passphrase.utf8)), salt: Array(salt.utf8), cost)
        #expect(Self.bytes(of: key) == SodiumTests.bytes(expected))
    }

    @Test func `memory that isn't there is an error, not a crash`() async throws {
        let passphrase = try SodiumTests.secret([1])
        await expectError(.storageUnavailable) {
            _ = try Sodium.stretch(
                passphrase, salt: [UInt8](repeating: 0, count: 16),
                PassphraseCost(passes: 1, kibibytes: .max))
        }
    }

    /// draft-irtf-cfrg-xchacha-03, A.3.1; and AES-256-GCM of a zero nonce under keyed BLAKE2b of the nonce.
    @Test(arguments: [
        (
            EncryptionOptions.Algorithm.xchacha20Poly1305,
            """
            bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb
            731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452
            2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9
            21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780a
            cf49
            """
        ),
        (
            .aes256GCM,
            """
            182a4e72fb7e8243c0be35da03ef89f8a5cf28e896763f3afeac920d58526e0c
            453f15f8e99c1641234dc4305432217908a1435e94d690f044f5dc9ef1345dfd
            751b1cc46a36b11ab497948eb51430822126f5aea33ab48eecb51474b2449edc
            24bbf95d7109ecfbd4e8e49ecac8741f55ea9f601969f03cd62e291c365bc52e
            c3f9
            """
        ),
    ])
    func `both ciphers seal the draft's text as others do`(
        _ algorithm: EncryptionOptions.Algorithm, _ expected: String
    ) throws {
        if algorithm == .aes256GCM, !Sodium.hasAES { return }
        let text = Array(
            """
            Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
            future, sunscreen would be it.
            """.utf8)
        let key = try SodiumTests.secret([UInt8](0x80..<0xA0))
        let nonce = [UInt8](0x40..<0x58)
        let data = SodiumTests.bytes("50515253c0c1c2c3c4c5c6c7")
        let sealed = try SodiumTests.seal(text, algorithm, key, nonce, data)
        #expect(sealed == SodiumTests.bytes(expected))
        #expect(try SodiumTests.open(sealed, algorithm, key, nonce, data) == text)
    }

    @Test(arguments: EncryptionOptions.Algorithm.allCases)
    func `no bytes can be sealed too`(_ algorithm: EncryptionOptions.Algorithm) throws {
        if algorithm == .aes256GCM, !Sodium.hasAES { return }
        let key = try SecretBytes.random(count: 32)
        let nonce = Sodium.random(count: 24)
        let sealed = try SodiumTests.seal([], algorithm, key, nonce, [])
        #expect(sealed.count == 16)
        #expect(try SodiumTests.open(sealed, algorithm, key, nonce, []) == [])
        #expect(try SodiumTests.open(sealed, algorithm, key, nonce, [0]) == nil)
    }
}
