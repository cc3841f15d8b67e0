// A store's keys while it is open: there, or forgotten (`lock`); and every change of its key envelope.
//
// Invariants:
// - Values are sealed with a key only once the envelope that has it is durable.
// - A key is dropped only when nothing that may have to open what it sealed is left: no record (Resealing), and nothing that was read
//   or committed before (KeyUse).
// - Where the outcome of a replacement is unknown, what is sealed and opened goes on: the keys that are there are in both envelopes. But
//   neither envelope can be taken for the store's, so nothing is unlocked or changed until the store is opened again.
internal import OfflineBytes
internal import OfflineEngine

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
        /// The envelope that was read or written last.
        var envelope: KeyEnvelope
        /// How often the keys were forgotten.
        var locks = 0
        /// Why it isn't known which envelope counts.
        var failure: OfflineError?
        var use = KeyUse()
    }
    private let state: Protected<State>
    /// Unlocks and changes of the keys, one at a time.
    private let turn = AsyncLock(())
    /// Where envelopes are written.
    private let queue = BlockingQueue("offline.store.keys")
    /// Whether the store is closed: then somebody else may have the file. Set on the queue.
    private let isClosed = Protected(false)

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
            // A store that no field was ever sensitive in has nothing that is sealed.
            guard !needsKeys else {
                throw OfflineError(
                    .wrongKey, "the store is encrypted, and the options' encryption is disabled")
            }
            return nil
        }
        try Sodium.check(options.encryptionAlgorithm)
        if let found {
            let ring = try await KeyRing.open(found, provider)
            if !isReadOnly { try? file?.repair(found) }
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

    var isLocked: Bool { ringIfUnlocked == nil }

    /// The keys; nil where they are forgotten.
    var ringIfUnlocked: KeyRing? { state.withLock { $0.ring } }

    /// Whether equal values may have different tokens, also while the store is locked: some are sealed with older keys.
    var hasOlderKeys: Bool { state.withLock { $0.envelope.keys.count > 1 } }

    /// Forgets the keys.
    func lock() {
        state.withLock { state in
            state.ring = nil
            state.locks &+= 1
        }
    }

    /// Asks for the key again; whether the store was locked.
    @discardableResult
    func unlock() async throws -> Bool {
        try await turn.withLock { _ in
            guard isLocked else { return false }
            try await readEnvelope()
            return true
        }
    }

    /// Beside a writer: takes note of keys that it has added since; whether the envelope is another one. Keys that it has dropped stay, for what
    /// was read before. Throws `.wrongKey` where it has changed the provider's key too.
    func refresh() async throws -> Bool {
        try await turn.withLock { _ in
            let (ring, known) = state.withLock { ($0.ring, $0.envelope) }
            guard let found = try file?.read(), found != known else { return false }
            // What the ring has is enough, however it is wrapped.
            if let ring, !ring.hasKeys(of: found) {
                try await readEnvelope()
            } else {
                state.withLock { $0.envelope = found }
            }
            return true
        }
    }

    private func readEnvelope() async throws {
        let before = state.withLock(\.self)
        if let failure = before.failure { throw failure }
        let envelope = try file?.read() ?? before.envelope
        let ring = try await KeyRing.open(envelope, before.provider)
        state.withLock { state in
            // Who has locked the store meanwhile wants it locked.
            if state.locks == before.locks { state.ring = ring.adding(state.ring) }
            state.envelope = envelope
        }
    }

    /// Beside a writer, once its newest state is shown: forgets keys that it has dropped, when nothing is held that was read before.
    func forgetDroppedKeys() {
        let (ring, envelope) = state.withLock { ($0.ring, $0.envelope) }
        guard let oldest = envelope.keys.first?.id, let first = ring?.keys.first?.id, first < oldest
        else { return }
        whenUsesEnd { [weak self] in
            self?.state.withLock { $0.ring = $0.ring?.droppingKeys(below: oldest) }
        }
    }

    /// Of the envelope that was read or written last.
    var generation: UInt64 { state.withLock { $0.envelope.generation } }

    // MARK: - Changing

    /// Wraps the keys with another provider, in one step: before it the old provider opens the store, from then on the new one. With
    /// `addingKey` there is another data key too from then on.
    func rotate(to provider: EncryptionKeyProvider, addingKey: Bool = false) async throws {
        try await turn.withLock { _ in
            let ring = try ring()
            let generation = try nextGeneration()
            let next = try addingKey ? ring.addingDataKey() : ring.rewrapping()
            try await replace(
                try await next.envelope(generation: generation, provider), next, provider)
        }
    }

    /// Forgets the keys below this one for good; it isn't above the newest.
    func dropKeys(below id: UInt32) async throws {
        try await turn.withLock { _ in
            let ring = try ring()
            let next = ring.droppingKeys(below: id)
            guard next.keys.count < ring.keys.count else { return }
            let (provider, envelope) = state.withLock { ($0.provider, $0.envelope) }
            try await replace(
                try next.envelope(generation: try nextGeneration(), wrappedAs: envelope), next,
                provider)
        }
    }

    /// No envelope is written any more when this returns.
    func close() async {
        _ = try? await queue.run { [self] in isClosed.withLock { $0 = true } }
    }

    private func nextGeneration() throws(OfflineError) -> UInt64 {
        let (generation, failure) = state.withLock { ($0.envelope.generation, $0.failure) }
        if let failure { throw failure }
        guard generation < .max else {
            throw OfflineError(.storageUnavailable, "KEYS can't be changed any more")
        }
        return generation + 1
    }

    /// The keys count once their envelope is durable.
    private func replace(
        _ envelope: KeyEnvelope, _ ring: KeyRing, _ provider: EncryptionKeyProvider
    ) async throws {
        try await queue.run { [self] in
            if isClosed.withLock({ $0 }) { throw OfflineError(.notOpen, "the store is closed") }
            do throws(EngineError) { try file?.write(envelope) } catch {
                if error.code == .outcomeUnknown { fail(error) }
                throw error
            }
        }
        state.withLock { state in
            state.provider = provider
            state.envelope = envelope
            // It may have been locked meanwhile.
            if state.ring != nil { state.ring = ring }
        }
    }

    private func fail(_ error: EngineError) {
        state.withLock { state in
            state.failure = OfflineError(
                .outcomeUnknown,
                "the disk failed while the keys were changed (\(error.message)), so they can't be unlocked or changed before "
                    + "the store is opened again")
        }
    }

    // MARK: - Uses

    /// Held by whatever may have to open, later, what is sealed now.
    var use: KeyUse { state.withLock { $0.use } }

    /// Has `body` done, on any thread, when no use is held that was begun before this.
    func whenUsesEnd(_ body: @escaping @Sendable () -> Void) {
        let next = KeyUse()
        // Outside the lock: what ends, ends here.
        let last = state.withLock { state in
            defer { state.use = next }
            return state.use
        }
        last.end(with: body, before: next)
    }
}

/// A time in which keys are in use: from one `whenUsesEnd` to the next. It ends when nobody holds it, and after those before it.
final class KeyUse: Sendable {
    private struct End {
        let body: @Sendable () -> Void
        /// Held, so that it doesn't end earlier.
        let next: KeyUse
    }
    private let ending = Protected<End?>(nil)

    fileprivate func end(with body: @escaping @Sendable () -> Void, before next: KeyUse) {
        ending.withLock { $0 = End(body: body, next: next) }
    }

    deinit {
        let end = ending.withLock { $0.take() }
        // The next one may end with this one.
        withExtendedLifetime(end) { end?.body() }
    }
}
