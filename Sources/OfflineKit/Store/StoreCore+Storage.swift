// What a store does about the space it takes, besides evicting.

extension StoreCore {
    /// Empties collections.
    func clear(_ names: [String], for access: SessionAccess? = nil) async throws {
        let collections = try Transaction.states(of: names, in: schema)
        if collections.isEmpty { return }
        var open = try await begin(
            writing: collections, reading: [], deletes: false, as: "a clear", for: access)
        open.batch.useReserve()
        do {
            try open.writer.clear(collections)
        } catch {
            rollback(open)
            throw error
        }
        try await commit(open)
    }

    /// Gives back all space that can be given back.
    func compact() async throws {
        if options.isReadOnly {
            throw OfflineError(.readOnly, "the store was opened for reading only")
        }
        do {
            try await backend.compact()
        } catch {
            throw ErrorMapping.publicError(error)
        }
    }
}
