// Locking, and the key that the store's keys are wrapped with, as callers see them.

extension OfflineStore {
    /// Forgets the keys: sensitive fields can't be read or written until `unlock`.
    ///
    /// All else goes on: a result without a sensitive field, or with a `select` that leaves them out, is given, and a merging
    /// update that sets none keeps those that are stored. A store without encryption, or that isn't open, has none to forget.
    public func lock() async {
        (try? core())?.vault?.lock()
    }

    /// Asks the key provider for the key again.
    ///
    /// Throws `.wrongKey` for another key than the store's, and what the provider throws; the store stays locked then, and
    /// this can be called again. Does nothing where the store isn't locked.
    public func unlock() async throws {
        do {
            try await core().vault?.unlock()
        } catch {
            throw ErrorMapping.publicError(error)
        }
    }

    /// Re-wraps the data key under a new key provider at once.
    ///
    /// One change of the file `KEYS`: whatever happens, the store opens with the old provider or the new one, exactly one of them.
    /// `unlock` asks the new one from then on; the options of the next opening must name it. Copies of the store that were made before still
    /// open with the old one.
    ///
    /// Throws `.locked`; `.invalidOptions` where the store isn't encrypted, and for `reencrypt`, which isn't in this build;
    /// `.readOnly`; what the provider throws.
    public func rotateKey(
        to provider: EncryptionKeyProvider, reencrypt: Bool = false
    ) async throws {
        do {
            try await core().rotateKey(to: provider, reencrypt: reencrypt)
        } catch {
            throw ErrorMapping.publicError(error)
        }
    }
}

extension StoreCore {
    fileprivate func rotateKey(
        to provider: EncryptionKeyProvider, reencrypt: Bool
    ) async throws {
        guard let vault else {
            throw OfflineError(
                .invalidOptions, "the store isn't encrypted, so it has no key to rotate")
        }
        if options.isReadOnly {
            throw OfflineError(.readOnly, "the store was opened for reading only")
        }
        if reencrypt { throw OptionValidation.notBuilt("reencrypt") }
        try await vault.rotate(to: provider)
    }
}
