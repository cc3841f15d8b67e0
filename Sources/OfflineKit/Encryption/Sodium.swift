// libsodium as the store uses it. This file and SecretBytes.swift are all that calls it.
//
//   seal       XChaCha20-Poly1305 with the 24-byte nonce as it is; or AES-256-GCM, whose nonce has 12 bytes only: there
//              each value gets a key of its own, hashed from the key and the 24-byte nonce, and a nonce of zeros
//   hash       BLAKE2b with a key
//   stretch    Argon2id, version 1.3
internal import COfflineSodium
internal import OfflineBytes

/// The ciphers and hashes.
enum Sodium {
    static let keyLength = 32
    static let nonceLength = 24
    static let tagLength = 16
    static let saltLength = 16

    private static let isStarted = sodium_init() >= 0

    /// Whether the processor has what AES-GCM needs.
    static var hasAES: Bool { isStarted && crypto_aead_aes256gcm_is_available() == 1 }

    /// Throws where the library can't be used at all.
    static func start() throws(OfflineError) {
        guard isStarted else {
            throw OfflineError(.storageUnavailable, "libsodium can't be started")
        }
    }

    @unsafe
    static func fillRandom(_ bytes: UnsafeMutableRawBufferPointer) {
        if let start = bytes.baseAddress { unsafe randombytes_buf(start, bytes.count) }
    }

    static func random(count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        unsafe bytes.withUnsafeMutableBytes { unsafe fillRandom($0) }
        return bytes
    }

    // MARK: Hashes

    /// Fills `result` (16 to 64 bytes) with the hash of the message under the key.
    @unsafe
    static func hash(
        _ message: UnsafeRawBufferPointer, key: SecretBytes,
        into result: UnsafeMutableRawBufferPointer
    ) {
        let code = unsafe key.withBytes { key in
            unsafe crypto_generichash_blake2b(
                bytes(result), result.count, bytes(message), UInt64(message.count), bytes(key),
                key.count)
        }
        precondition(code == 0, "the lengths of a keyed hash are constants")
    }

    /// A key that another key and a label stand for.
    static func subkey(of key: SecretBytes, _ label: [UInt8]) throws -> SecretBytes {
        try unsafe SecretBytes(count: keyLength) { result in
            unsafe label.withUnsafeBytes { unsafe hash($0, key: key, into: result) }
        }
    }

    /// The key that a passphrase stands for. Takes the time and memory that the cost says; `.storageUnavailable` where
    /// there isn't so much memory.
    static func stretch(
        _ passphrase: SecretBytes, salt: [UInt8], _ cost: PassphraseCost
    ) throws -> SecretBytes {
        try unsafe SecretBytes(count: keyLength) { result in
            let code = unsafe passphrase.withBytes { passphrase in
                unsafe salt.withUnsafeBytes { salt in
                    unsafe crypto_pwhash(
                        bytes(result), UInt64(result.count),
                        UnsafeRawPointer(bytes(passphrase)).assumingMemoryBound(to: CChar.self),
                        UInt64(passphrase.count), bytes(salt), UInt64(cost.passes),
                        Int(cost.kibibytes) * 1024, crypto_pwhash_ALG_ARGON2ID13)
                }
            }
            guard code == 0 else {
                throw OfflineError(
                    .storageUnavailable,
                    "there is no memory for the passphrase's hash, which takes \(cost.kibibytes) KiB"
                )
            }
        }
    }

    // MARK: Ciphers

    /// Seals the plaintext into `result`, which is `tagLength` longer: the ciphertext, and the tag behind it.
    @unsafe
    static func seal(
        _ plaintext: UnsafeRawBufferPointer, _ algorithm: EncryptionOptions.Algorithm,
        key: SecretBytes, nonce: UnsafeRawBufferPointer,
        authenticating data: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer
    ) throws {
        precondition(
            nonce.count == nonceLength && result.count == plaintext.count + tagLength,
            "who seals makes room for the tag")
        let code = try unsafe withCipher(algorithm, key, nonce) { (key, nonce) -> Int32 in
            switch algorithm {
            case .xchacha20Poly1305:
                unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
                    bytes(result), nil, bytes(plaintext), UInt64(plaintext.count), bytes(data),
                    UInt64(data.count), nil, nonce, key)
            case .aes256GCM:
                unsafe crypto_aead_aes256gcm_encrypt(
                    bytes(result), nil, bytes(plaintext), UInt64(plaintext.count), bytes(data),
                    UInt64(data.count), nil, nonce, key)
            }
        }
        precondition(code == 0, "sealing fails for no lengths that a record has")
    }

    /// The plaintext sealed, in bytes of its own.
    @unsafe
    static func seal(
        _ plaintext: UnsafeRawBufferPointer, _ algorithm: EncryptionOptions.Algorithm,
        key: SecretBytes, nonce: UnsafeRawBufferPointer, authenticating data: [UInt8]
    ) throws -> [UInt8] {
        var result = [UInt8](repeating: 0, count: plaintext.count + tagLength)
        try unsafe result.withUnsafeMutableBytes { result in
            try unsafe data.withUnsafeBytes { data in
                try unsafe seal(
                    plaintext, algorithm, key: key, nonce: nonce, authenticating: data,
                    into: result)
            }
        }
        return result
    }

    /// Opens what was sealed into `result`, which is `tagLength` shorter; false where anything of it isn't as it was.
    @unsafe
    static func open(
        _ sealed: UnsafeRawBufferPointer, _ algorithm: EncryptionOptions.Algorithm,
        key: SecretBytes, nonce: UnsafeRawBufferPointer,
        authenticating data: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer
    ) throws -> Bool {
        guard sealed.count >= tagLength, result.count == sealed.count - tagLength,
            nonce.count == nonceLength
        else { return false }
        return try unsafe withCipher(algorithm, key, nonce) { key, nonce in
            let code =
                switch algorithm {
                case .xchacha20Poly1305:
                    unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
                        bytes(result), nil, nil, bytes(sealed), UInt64(sealed.count),
                        bytes(data), UInt64(data.count), nonce, key)
                case .aes256GCM:
                    unsafe crypto_aead_aes256gcm_decrypt(
                        bytes(result), nil, nil, bytes(sealed), UInt64(sealed.count),
                        bytes(data), UInt64(data.count), nonce, key)
                }
            return code == 0
        }
    }

    /// The same, with what was authenticated in an array.
    @unsafe
    static func open(
        _ sealed: UnsafeRawBufferPointer, _ algorithm: EncryptionOptions.Algorithm,
        key: SecretBytes, nonce: UnsafeRawBufferPointer, authenticating data: [UInt8],
        into result: UnsafeMutableRawBufferPointer
    ) throws -> Bool {
        try unsafe data.withUnsafeBytes { data in
            try unsafe open(
                sealed, algorithm, key: key, nonce: nonce, authenticating: data, into: result)
        }
    }

    /// Throws `.invalidOptions` where the processor can't do it.
    static func check(_ algorithm: EncryptionOptions.Algorithm) throws(OfflineError) {
        if algorithm == .aes256GCM, !hasAES {
            throw OfflineError(
                .invalidOptions,
                "encryptionAlgorithm AES-GCM needs a processor with AES instructions, which this one "
                    + "hasn't; XChaCha20-Poly1305 runs everywhere")
        }
    }

    /// Calls `body` with the key and nonce that the cipher takes.
    private static func withCipher<Result>(
        _ algorithm: EncryptionOptions.Algorithm, _ key: SecretBytes,
        _ nonce: UnsafeRawBufferPointer,
        _ body: (UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Result
    ) throws -> Result {
        switch algorithm {
        case .xchacha20Poly1305:
            return unsafe key.withBytes { unsafe body(bytes($0), bytes(nonce)) }
        case .aes256GCM:
            try check(.aes256GCM)
            return unsafe withUnsafeTemporaryAllocation(byteCount: keyLength, alignment: 16) {
                valueKey in
                unsafe hash(nonce, key: key, into: valueKey)
                defer {
                    if let start = valueKey.baseAddress {
                        unsafe sodium_memzero(start, valueKey.count)
                    }
                }
                let zeros: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
                return unsafe zeros.withUnsafeBytes {
                    unsafe body(bytes(UnsafeRawBufferPointer(valueKey)), bytes($0))
                }
            }
        }
    }

    /// Where the bytes are. No key, nonce or value is empty.
    private static func bytes(_ buffer: UnsafeRawBufferPointer) -> UnsafePointer<UInt8> {
        guard let start = buffer.baseAddress else { preconditionFailure("no bytes") }
        return unsafe start.assumingMemoryBound(to: UInt8.self)
    }

    private static func bytes(
        _ buffer: UnsafeMutableRawBufferPointer
    ) -> UnsafeMutablePointer<UInt8> {
        guard let start = buffer.baseAddress else { preconditionFailure("no bytes") }
        return unsafe start.assumingMemoryBound(to: UInt8.self)
    }
}
