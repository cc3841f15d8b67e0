// Making room near the size limit: what is over its bound goes, then what the policies without a bound say, in parts, each given
// back by compaction before the next is looked for. A writer does it before it waits for anything, and so holds nobody up.
//
// It takes no collection that somebody has: whoever makes room may itself have begun a transaction on it.
internal import OfflineBytes

extension StoreCore {
    /// How much may still be written; nil: without limit.
    private func room() throws -> Int64? {
        guard let limit = options.sizeLimit else { return nil }
        if let room = backend.room { return room }
        return limit - (try backend.space().usedBytes)
    }

    /// A commit succeeded.
    func noteCommit(added: Bool) {
        space.succeeded(added: added)
        if let room = try? room() { space.note(room: room) }
    }

    /// Before data is added: where the limit is near, makes room.
    func prepareToAdd() async {
        guard let room = try? room(), space.note(room: room), space.mayTry() else { return }
        _ = await makeRoom()
    }

    /// What a failure means for the space, and the error with what the caller may do about it.
    func noted(_ error: any Error) -> any Error {
        guard let error = error as? OfflineError,
            error.code == .quotaExceeded || error.code == .storageFull
        else { return error }
        space.refused(error.code, room: try? room())
        guard error.code == .quotaExceeded, let pending = try? storageInfo().pendingChanges else {
            return error
        }
        let records = pending == 1 ? "1 record awaits" : "\(pending) records await"
        return OfflineError(
            error.code,
            "\(error.message); \(records) synchronization, and can't be evicted before: synchronize them, "
                + "delete or clear what isn't needed, or raise the size limit",
            collection: error.collection, key: error.key)
    }

    /// Tries to free space; whether there is more room now. One at a time.
    func makeRoom() async -> Bool {
        guard !options.isReadOnly, !eviction.isClosed else { return false }
        return await roomTurn.withLock { _ in
            // Who waited finds what the one before has made.
            guard space.mayTry(), let before = try? room() else { return true }
            let isMade = (try? await eviction.runBeside { [self] in try await freeSpace() }) != nil
            let after = (try? room()) ?? before
            let gained = isMade && after > before
            space.tried(gained: gained)
            space.note(room: after)
            return gained
        }
    }

    /// So many rounds of evicting and compacting.
    private static var roundsMax: Int { 8 }

    /// On the queue of evictions.
    private func freeSpace() async throws {
        for collection in schema.collections where collection.access != nil {
            _ = try await evictNow(collection, .bound, waits: false)
        }
        // What is dead already costs nobody anything.
        if try backend.space().reclaimableBytes > space.limit / 16 { await giveBack() }
        // Enough for a while, so that not every write has to do this.
        let wanted = space.limit / 4
        for _ in 0..<Self.roundsMax {
            guard let room = try room(), room < wanted else { return }
            let freed = try await evictUnbounded(max(wanted - room, space.limit / 32))
            if freed == 0 { return }
            await giveBack()
        }
    }

    /// Compacts. Where that fails, for want of room too, what is evicted next may still help.
    private func giveBack() async { try? await backend.compact() }

    /// Evicts about so many bytes of records, of each collection in proportion to its size; how many it was.
    private func evictUnbounded(_ bytes: Int64) async throws -> Int64 {
        let reader = try backend.snapshot()
        var sizes: [(collection: CollectionState, bytes: Int64)] = []
        for collection in schema.collections
        where collection.access != nil && collection.policy.ageMax == nil {
            sizes.append((collection, try reader.bytes(of: collection.id).recordBytes))
        }
        let sum = sizes.reduce(0) { $0 + $1.bytes }
        guard sum > 0 else { return 0 }
        var freed: Int64 = 0
        for (collection, size) in sizes where size > 0 {
            let share = Double(bytes) * Double(size) / Double(sum)
            freed += try await evictNow(collection, .bytes(Int64(share) + 1), waits: false).bytes
        }
        return freed
    }
}
