// Locking, and the key that the store's keys are wrapped with, as callers see them.

extension OfflineStore {
    /// Forgets the keys: sensitive fields can't be read or written until `unlock`.
    ///
    /// All else goes on: a result without a sensitive field, or with a `select` that leaves them out, is given, and a merging
    /// update that sets none keeps those that are stored, and gives the record back without them. A store without encryption,
    /// or that isn't open, has none to forget.
    public func lock() async {
        (try? core())?.vault?.lock()
    }

    /// Asks the key provider for the key again.
    ///
    /// Throws `.wrongKey` for another key than the store's, and what the provider throws; the store stays locked then, and
    /// this can be called again. Does nothing where the store isn't locked. A store that only reads shows the newest state
    /// afterwards (`refresh`) if its keys were changed beside it: those of the older state may be gone.
    public func unlock() async throws {
        do {
            let core = try core()
            guard let vault = core.vault else { return }
            if options.isReadOnly, vault.isLocked {
                // As long as it is locked nobody sees a state without its keys.
                if try await vault.refresh() { try await refresh() }
                let generation = vault.generation
                try await vault.unlock()
                if vault.generation != generation { try await refresh() }
            } else if try await vault.unlock() {
                core.scheduleResealing()
            }
        } catch {
            throw ErrorMapping.publicError(error)
        }
    }

    /// Re-wraps the data key under a new key provider at once; with `reencrypt`, a new data key too.
    ///
    /// One change of the file `KEYS`: whatever happens, the store opens with the old provider or the new one, exactly one of them.
    /// `unlock` asks the new one from then on; the options of the next opening must name it. Copies of the store that were made before still
    /// open with the old one.
    ///
    /// With `reencrypt` all that is written from then on is sealed with a new data key, and this returns. What is there already is sealed with
    /// it in the background, while reading and writing go on: that is no change of a record, so no feed and no live query shows it.
    /// `StorageInfo.resealedFraction` says how far it is. Closing or locking the store, or a crash, only interrupts it. In the end the old
    /// data key is destroyed, once no snapshot or stream is held from before; so who knows it can read old copies alone.
    ///
    /// ```swift
    /// try await store.rotateKey(to: .userPassphrase { try await askForNewPassphrase() }, reencrypt: true)
    /// ```
    ///
    /// Throws `.locked`; `.invalidOptions` where the store isn't encrypted; `.quotaExceeded` with `reencrypt` where eight data keys are in
    /// use already; `.readOnly`; `.outcomeUnknown` where the disk fails too late to tell, and then the store must be opened again; what the
    /// provider throws.
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
        try await vault.rotate(to: provider, addingKey: reencrypt)
        scheduleResealing()
    }
}
