// The two forms of a transaction, and what else a store does besides reading and writing records.

extension StoreCore {
    /// A transaction that its owner ends.
    func beginTransaction(_ writing: [String], reading: [String]) async throws -> Transaction {
        let transaction = try await Transaction.begin(self, writing, reading: reading)
        register(transaction)
        return transaction
    }

    /// A transaction for the length of a closure.
    func transaction<Result>(
        _ writing: [String], reading: [String], for access: SessionAccess? = nil,
        _ body: (Transaction) async throws -> Result
    ) async throws -> Result {
        let transaction = try await Transaction.begin(self, writing, reading: reading, for: access)
        do {
            let result = try await OwnTransaction.run(transaction, of: self, body)
            try Task.checkCancellation()
            try await transaction.finish()
            return result
        } catch {
            try await transaction.rollback()
            throw error
        }
    }

    /// Makes all commits that returned durable.
    func flush() async throws {
        do {
            try await backend.flush()
        } catch {
            throw ErrorMapping.publicError(error)
        }
    }

    /// Moves a read-only store to the newest committed state, whose schema may be another one; a
    /// store that writes always shows it.
    func refreshed() async throws -> StoreCore {
        guard options.isReadOnly else { return self }
        do {
            // The keys come first: who reads meanwhile finds those of the state that is shown before, and of the one that is shown then.
            _ = try await vault?.refresh()
            repeat { try await backend.refresh() } while try await vault?.refresh() == true
            vault?.forgetDroppedKeys()
            let schema = try SchemaState(
                stored: backend.snapshot(), strategy: options.evictionStrategy, vault: vault)
            return StoreCore(
                backend, schema, options, clock: clock, changes: changes,
                liveQueries: liveQueries, snapshots: snapshots, events: events, vault: vault)
        } catch {
            throw ErrorMapping.publicError(error)
        }
    }
}
