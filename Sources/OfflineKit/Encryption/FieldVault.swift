// A store's keys while it is open: there, or forgotten (`lock`).
internal import OfflineBytes

/// Where sealing and opening get their keys.
final class FieldVault: Sendable {
    let algorithm: EncryptionOptions.Algorithm
    /// Sensitive fields without a token.
    let unsearchable: Set<String>
    /// Nil: the store is in memory.
    private let file: KeyFile?
    private struct State {
        var ring: KeyRing?
        var provider: EncryptionKeyProvider
        /// The envelope, where there is no file to keep it.
        var envelope: KeyEnvelope
    }
    private let state: Protected<State>
    /// Unlocks and rotations, one at a time.
    private let turn = AsyncLock(())

    private init(
        _ options: EncryptionOptions, _ file: KeyFile?, _ ring: KeyRing,
        _ provider: EncryptionKeyProvider, _ envelope: KeyEnvelope
    ) {
        algorithm = options.encryptionAlgorithm
        unsearchable = Set(options.unsearchableFields)
        self.file = file
        state = Protected(State(ring: ring, provider: provider, envelope: envelope))
    }

    /// The vault of a store that is being opened: with the keys of its envelope, or new ones where it has none yet. Nil: nothing is
    /// sealed.
    static func open(
        _ options: EncryptionOptions, _ file: KeyFile?, isReadOnly: Bool, needsKeys: Bool
    ) async throws -> FieldVault? {
        let found = try isReadOnly ? file?.read() : file?.readForWriting()
        guard options.isEnabled, let provider = options.encryptionKeyProvider else {
            guard found == nil, !needsKeys else {
                throw OfflineError(
                    .wrongKey, "the store is encrypted, and the options' encryption is disabled")
            }
            return nil
        }
        try Sodium.check(options.encryptionAlgorithm)
        if let found {
            let ring = try await KeyRing.open(found, provider)
            return FieldVault(options, file, ring, provider, found)
        }
        guard !needsKeys else {
            throw OfflineError(
                .corrupted, "the store has sensitive fields, and its file KEYS is missing")
        }
        guard !isReadOnly else {
            throw OfflineError(
                .readOnly, "the store isn't encrypted, and was opened for reading only")
        }
        let ring = try KeyRing.make()
        let envelope = try await ring.envelope(generation: 1, provider)
        try file?.write(envelope)
        return FieldVault(options, file, ring, provider, envelope)
    }

    /// The keys; `.locked` where they are forgotten.
    func ring() throws(OfflineError) -> KeyRing {
        guard let ring = state.withLock({ $0.ring }) else {
            throw OfflineError(
                .locked, "the store is locked, and this needs a sensitive field; unlock() it")
        }
        return ring
    }

    var isLocked: Bool { state.withLock { $0.ring == nil } }

    /// Forgets the keys.
    func lock() { state.withLock { $0.ring = nil } }

    /// Asks for the key again.
    func unlock() async throws {
        try await turn.withLock { _ in
            guard isLocked else { return }
            let (provider, kept) = state.withLock { ($0.provider, $0.envelope) }
            let ring = try await KeyRing.open(try file?.read() ?? kept, provider)
            state.withLock { $0.ring = ring }
        }
    }

    /// Wraps the keys with another provider, in one step: before it the old provider opens the store, from then on the new one.
    func rotate(to provider: EncryptionKeyProvider) async throws {
        try await turn.withLock { _ in
            let ring = try ring()
            let generation = state.withLock { $0.envelope.generation }
            guard generation < .max else {
                throw OfflineError(.storageUnavailable, "KEYS can't be changed any more")
            }
            let envelope = try await ring.envelope(generation: generation + 1, provider)
            try file?.write(envelope)
            state.withLock { state in
                state.provider = provider
                state.envelope = envelope
            }
        }
    }
}
