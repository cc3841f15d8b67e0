// Which fields are sealed, how, and where the key comes from.

/// Which fields are sealed, with what, and who holds the key.
public struct EncryptionOptions: Sendable {
    /// The cipher that seals fields.
    public enum Algorithm: String, Sendable, Hashable, CaseIterable {
        /// Runs everywhere.
        case xchacha20Poly1305 = "XChaCha20-Poly1305"
        /// Only where the processor has AES instructions; elsewhere `.invalidOptions`.
        case aes256GCM = "AES-GCM"
    }
    /// Whether anything is sealed.
    public let isEnabled: Bool
    /// Paths whose values are sealed, in every collection.
    ///
    /// Of records that are there already they are sealed when the store opens, which takes as long as writing them again; what they
    /// were leaves the files before the store is open. Where the disk or `sizeLimit` has no room for that, or something is damaged, the
    /// store opens all the same with as much done as could be; the rest is in the files still, and each opening tries again. A record that
    /// would be over 16 MiB when it is sealed is `.invalidOptions`, and nothing has changed then. A path that was sensitive once stays so.
    public let sensitiveFields: [String]
    /// Who holds the key; nil only where nothing is sealed.
    public let encryptionKeyProvider: EncryptionKeyProvider?
    /// The cipher.
    public let encryptionAlgorithm: Algorithm
    /// Sensitive fields without a blind index: equality leaks nothing, and scans. It says what is written from now on; what is sealed
    /// already keeps its token until its record is written again.
    public let unsearchableFields: [String]

    /// Nothing is sealed.
    public static var disabled: EncryptionOptions { EncryptionOptions() }

    private init() {
        isEnabled = false
        sensitiveFields = []
        encryptionKeyProvider = nil
        encryptionAlgorithm = .xchacha20Poly1305
        unsearchableFields = []
    }

    /// Seals `sensitiveFields` with a key that `encryptionKeyProvider` wraps.
    public init(
        enabled: Bool = true,
        sensitiveFields: [String] = [],
        encryptionKeyProvider: EncryptionKeyProvider,
        encryptionAlgorithm: Algorithm = .xchacha20Poly1305,
        unsearchableFields: [String] = []
    ) {
        self.isEnabled = enabled
        self.sensitiveFields = sensitiveFields
        self.encryptionKeyProvider = encryptionKeyProvider
        self.encryptionAlgorithm = encryptionAlgorithm
        self.unsearchableFields = unsearchableFields
    }
}

/// Who holds the key that wraps the store's data key.
public struct EncryptionKeyProvider: Sendable {
    /// The forms a provider takes.
    package enum Source: Sendable {
        case passphrase(@Sendable () async throws -> String)
        case key(@Sendable () async throws -> [UInt8])
        case service(
            wrap: @Sendable ([UInt8]) async throws -> [UInt8],
            unwrap: @Sendable ([UInt8]) async throws -> [UInt8])
    }
    package let source: Source
    /// What a passphrase's hash costs, of new envelopes exactly and of others at least.
    package var cost = PassphraseCost.moderate

    private init(source: Source) { self.source = source }

    /// Argon2id over the passphrase; asked for on initialize and on unlock.
    public static func userPassphrase(
        _ ask: @escaping @Sendable () async throws -> String
    ) -> EncryptionKeyProvider {
        EncryptionKeyProvider(source: .passphrase(ask))
    }

    /// 32 bytes that the application holds, or takes from the platform's key store.
    public static func applicationKey(
        _ key: @escaping @Sendable () async throws -> [UInt8]
    ) -> EncryptionKeyProvider {
        EncryptionKeyProvider(source: .key(key))
    }

    /// A service (KMS, HSM) that wraps and unwraps the store's data key; the store keeps only what
    /// it wrapped.
    public static func keyService(
        wrap: @escaping @Sendable ([UInt8]) async throws -> [UInt8],
        unwrap: @escaping @Sendable ([UInt8]) async throws -> [UInt8]
    ) -> EncryptionKeyProvider {
        EncryptionKeyProvider(source: .service(wrap: wrap, unwrap: unwrap))
    }
}
