// The opened keys of a store, and how an envelope is made and opened with a key provider.
internal import OfflineBytes

/// One data key, and what is derived from it.
final class FieldKey: Sendable {
    let id: UInt32
    /// What the envelope keeps.
    let data: SecretBytes
    /// Seals values.
    let sealing: SecretBytes
    /// Makes blind tokens.
    let tokens: SecretBytes

    init(id: UInt32, _ data: SecretBytes) throws {
        self.id = id
        self.data = data
        sealing = try Sodium.subkey(of: data, Array("OfflineStore field".utf8))
        tokens = try Sodium.subkey(of: data, Array("OfflineStore token".utf8))
    }
}

/// The keys of an open, unlocked store. Immutable: a rotation makes another one.
final class KeyRing: Sendable {
    let storeID: [UInt8]
    /// All that something may be sealed with, ascending by id; never empty. Several while values are being sealed anew.
    let keys: [FieldKey]
    /// Seals new values: the newest one, but where what older ones would make of a value is asked for.
    let current: FieldKey
    /// Seals the keys in the envelope. It is kept, so that old keys can be left out of the envelope without asking anybody.
    private let envelopeKey: SecretBytes

    private init(
        storeID: [UInt8], keys: [FieldKey], current: FieldKey, envelopeKey: SecretBytes
    ) {
        self.storeID = storeID
        self.keys = keys
        self.current = current
        self.envelopeKey = envelopeKey
    }

    func key(_ id: UInt32) -> FieldKey? {
        current.id == id ? current : keys.first { $0.id == id }
    }

    /// New keys, for a store of its own.
    static func make() throws -> KeyRing {
        let key = try FieldKey(id: 1, .random(count: Sodium.keyLength))
        return KeyRing(
            storeID: Sodium.random(count: 16), keys: [key], current: key,
            envelopeKey: try .random(count: Sodium.keyLength))
    }

    // MARK: Other rings

    /// The same keys, for an envelope that another provider wraps.
    func rewrapping() throws -> KeyRing {
        KeyRing(
            storeID: storeID, keys: keys, current: current,
            envelopeKey: try .random(count: Sodium.keyLength))
    }

    /// The same, with one more data key, for new values from now on. `.quotaExceeded` where there are as many as an envelope holds.
    func addingDataKey() throws -> KeyRing {
        guard keys.count < KeyEnvelope.keyCountMax, let newest = keys.last?.id, newest < .max
        else {
            throw OfflineError(
                .quotaExceeded,
                "\(keys.count) data keys are in use, and there can't be more: rotate again without reencrypt, "
                    + "or when what older keys sealed is sealed anew")
        }
        let added = try FieldKey(id: newest + 1, .random(count: Sodium.keyLength))
        return KeyRing(
            storeID: storeID, keys: keys + [added], current: added,
            envelopeKey: try .random(count: Sodium.keyLength))
    }

    /// The keys from this one on; it isn't above the newest.
    func droppingKeys(below id: UInt32) -> KeyRing {
        KeyRing(
            storeID: storeID, keys: keys.filter { $0.id >= id }, current: current,
            envelopeKey: envelopeKey)
    }

    /// Whether these are all of the envelope's keys, and others perhaps.
    func hasKeys(of envelope: KeyEnvelope) -> Bool {
        storeID == envelope.storeID && envelope.keys.allSatisfy { key($0.id) != nil }
    }

    /// With keys besides that another ring of the store has, and that are older.
    func adding(_ other: KeyRing?) -> KeyRing {
        guard let other, other.storeID == storeID, let oldest = keys.first?.id else { return self }
        return KeyRing(
            storeID: storeID, keys: other.keys.filter { $0.id < oldest } + keys, current: current,
            envelopeKey: envelopeKey)
    }

    /// The ring as if one of its keys were the newest: what it seals has that key's tokens.
    func sealing(with key: FieldKey) -> KeyRing {
        KeyRing(storeID: storeID, keys: keys, current: key, envelopeKey: envelopeKey)
    }

    // MARK: Envelopes

    /// The envelope of these keys, wrapped by the provider.
    func envelope(
        generation: UInt64, _ provider: EncryptionKeyProvider
    ) async throws -> KeyEnvelope {
        let isPassphrase = provider.wrapping == .passphrase
        var envelope = KeyEnvelope(
            generation: generation, storeID: storeID, wrapping: provider.wrapping,
            cost: isPassphrase ? provider.cost : nil,
            salt: isPassphrase
                ? Sodium.random(count: Sodium.saltLength)
                : [UInt8](repeating: 0, count: Sodium.saltLength))
        envelope.wrapped = try await provider.wrap(envelopeKey, envelope)
        return try sealed(in: envelope)
    }

    /// The same, wrapped as another envelope of this ring's envelope key is.
    func envelope(generation: UInt64, wrappedAs other: KeyEnvelope) throws -> KeyEnvelope {
        var next = other
        next.generation = generation
        return try sealed(in: next)
    }

    private func sealed(in envelope: KeyEnvelope) throws -> KeyEnvelope {
        var envelope = envelope
        let head = envelope.head(keyCount: keys.count)
        envelope.keys = try keys.map { key in
            KeyEnvelope.DataKey(
                id: key.id,
                sealed: try Self.seal(key.data, with: envelopeKey, Self.context(head, key.id)))
        }
        return envelope
    }

    /// Opens the envelope. Throws `.wrongKey` where it was wrapped by another key, `.corrupted` where it contradicts itself.
    static func open(
        _ envelope: KeyEnvelope, _ provider: EncryptionKeyProvider
    ) async throws -> KeyRing {
        guard envelope.wrapping == provider.wrapping else {
            throw OfflineError(
                .wrongKey,
                "the store's keys are wrapped by \(envelope.wrapping.text), and encryptionKeyProvider "
                    + "is \(provider.wrapping.text)")
        }
        if let cost = envelope.cost, !cost.isAllowed(floor: provider.cost) {
            throw OfflineError(
                .corrupted,
                "KEYS asks for \(cost.passes) passes over \(cost.kibibytes) KiB to derive the key, "
                    + "which is out of bounds")
        }
        let head = envelope.head(keyCount: envelope.keys.count)
        let envelopeKey = try await provider.unwrap(envelope)
        var keys: [FieldKey] = []
        for key in envelope.keys {
            let data = try unseal(key.sealed, with: envelopeKey, context(head, key.id))
            guard let data else {
                // A service may have unwrapped something else without noticing.
                throw OfflineError(
                    envelope.wrapping == .keyService ? .wrongKey : .corrupted,
                    "data key \(key.id) doesn't open with the key that KEYS wraps")
            }
            keys.append(try FieldKey(id: key.id, data))
        }
        guard let current = keys.last else { throw OfflineError(.corrupted, "KEYS has no key") }
        return KeyRing(
            storeID: envelope.storeID, keys: keys, current: current, envelopeKey: envelopeKey)
    }

    private static func context(_ head: [UInt8], _ id: UInt32) -> [UInt8] {
        head + (0..<4).map { UInt8(truncatingIfNeeded: id >> ($0 * 8)) }
    }

    /// A key sealed: the nonce, and what is sealed behind it.
    static func seal(
        _ secret: SecretBytes, with key: SecretBytes, _ context: [UInt8]
    ) throws -> [UInt8] {
        let nonce = Sodium.random(count: Sodium.nonceLength)
        return try unsafe nonce.withUnsafeBytes { nonceBytes in
            try unsafe secret.withBytes { secret in
                nonce
                    + (try unsafe Sodium.seal(
                        secret, .xchacha20Poly1305, key: key, nonce: nonceBytes,
                        authenticating: context))
            }
        }
    }

    /// The inverse; nil where it doesn't open.
    static func unseal(
        _ sealed: [UInt8], with key: SecretBytes, _ context: [UInt8]
    ) throws -> SecretBytes? {
        guard sealed.count == KeyEnvelope.sealedKeyLength else { return nil }
        var isWhole = false
        let secret = try unsafe SecretBytes(count: Sodium.keyLength) { result in
            isWhole = try unsafe sealed.withUnsafeBytes { sealed in
                try unsafe Sodium.open(
                    UnsafeRawBufferPointer(rebasing: sealed[Sodium.nonceLength...]),
                    .xchacha20Poly1305, key: key,
                    nonce: UnsafeRawBufferPointer(rebasing: sealed[..<Sodium.nonceLength]),
                    authenticating: context, into: result)
            }
        }
        return isWhole ? secret : nil
    }
}

// MARK: - Providers

extension KeyEnvelope.Wrapping {
    fileprivate var text: String {
        switch self {
        case .passphrase: ".userPassphrase"
        case .applicationKey: ".applicationKey"
        case .keyService: ".keyService"
        }
    }
}

extension EncryptionKeyProvider {
    private static let queue = BlockingQueue("offline.store.keys")

    fileprivate var wrapping: KeyEnvelope.Wrapping {
        switch source {
        case .passphrase: .passphrase
        case .key: .applicationKey
        case .service: .keyService
        }
    }

    /// The envelope key as the envelope keeps it.
    fileprivate func wrap(
        _ key: SecretBytes, _ envelope: KeyEnvelope
    ) async throws -> [UInt8] {
        guard case .service(let wrap, _) = source else {
            return try KeyRing.seal(
                key, with: try await ownKey(envelope), envelope.wrappingContext)
        }
        var plain = unsafe key.withBytes { unsafe Array($0) }
        defer { plain.wipe() }
        let wrapped = try await wrap(plain)
        guard 1...KeyEnvelope.wrappedLengthMax ~= wrapped.count else {
            throw OfflineError(
                .invalidOptions,
                "encryptionKeyProvider: the service gave a wrapped key of \(wrapped.count) bytes; "
                    + "1 to \(KeyEnvelope.wrappedLengthMax) are kept")
        }
        return wrapped
    }

    /// The envelope key; `.wrongKey` where it was wrapped by another one.
    fileprivate func unwrap(_ envelope: KeyEnvelope) async throws -> SecretBytes {
        if case .service(_, let unwrap) = source {
            var plain = try await unwrap(envelope.wrapped)
            defer { plain.wipe() }
            guard plain.count == Sodium.keyLength else {
                throw OfflineError(
                    .wrongKey, "the key service unwrapped \(plain.count) bytes, which are no key")
            }
            return try unsafe plain.withUnsafeBytes { try unsafe SecretBytes(copying: $0) }
        }
        let own = try await ownKey(envelope)
        let key = try KeyRing.unseal(envelope.wrapped, with: own, envelope.wrappingContext)
        guard let key else {
            throw OfflineError(
                .wrongKey,
                "the \(envelope.wrapping == .passphrase ? "passphrase" : "application's key") isn't "
                    + "the one that the store's keys are wrapped with")
        }
        return key
    }

    /// The passphrase's or the application's key.
    private func ownKey(_ envelope: KeyEnvelope) async throws -> SecretBytes {
        switch source {
        case .passphrase(let ask):
            let passphrase = try await Self.secret(ask())
            let (salt, cost) = (envelope.salt, envelope.cost ?? cost)
            return try await Self.queue.run { try Sodium.stretch(passphrase, salt: salt, cost) }
        case .key(let give):
            var bytes = try await give()
            defer { bytes.wipe() }
            guard bytes.count == Sodium.keyLength else {
                throw OfflineError(
                    .invalidOptions,
                    "encryptionKeyProvider: the application's key has \(bytes.count) bytes; it is "
                        + "\(Sodium.keyLength)")
            }
            return try unsafe bytes.withUnsafeBytes { try unsafe SecretBytes(copying: $0) }
        case .service: throw OfflineError(.wrongKey, "a key service has no key of its own")
        }
    }

    private static func secret(_ passphrase: String) throws -> SecretBytes {
        guard !passphrase.isEmpty else {
            throw OfflineError(
                .invalidOptions, "encryptionKeyProvider: the passphrase is empty")
        }
        var passphrase = passphrase
        return try passphrase.withUTF8 { utf8 in
            try unsafe SecretBytes(copying: UnsafeRawBufferPointer(utf8))
        }
    }
}
