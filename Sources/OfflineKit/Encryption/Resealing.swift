// Sealing anew in the background, after a rotation that has added a data key: all that is sealed with older ones is, part after part
// (ResealingPart), then these go from the envelope.
//
// - What has to be done isn't noted anywhere: it is due while the envelope has several keys. So a crash at any point, a lock and a full
//   disk just end it; it goes on with the next opening, unlock or rotation.
// - The older keys go when a whole pass that began after the newest one was there has found nothing that it couldn't seal, all of it
//   is on stable storage, and nothing is held that was read before (KeyUse).
// - What is damaged, or doesn't open, is stepped over, and stays as it is. A pass that has left something out isn't whole; the next
//   opening, unlock or rotation tries again.
// - It waits for collections as every writer does, and has one for the length of a part.
internal import OfflineBytes

/// How far a store's re-sealing is.
final class Resealing: Sendable {
    private struct State {
        /// All is sealed with this key or later ones.
        var sealedWith: UInt32 = 0
        /// Keys below this one aren't needed any more.
        var neededFrom: UInt32 = 0
        var seen = 0
        var total = 0
        /// Whether the last pass ended without having sealed all.
        var hasLeftOut = false
    }
    let queue = BackgroundQueue("offline.store.resealing")
    private let state = Protected(State())

    var isClosed: Bool { queue.isClosed }

    /// Nothing begins any more; what has begun ends before its next part.
    func close() { queue.close() }

    var sealedWith: UInt32 { state.withLock { $0.sealedWith } }

    var neededFrom: UInt32 { state.withLock { $0.neededFrom } }

    func begin(total: Int) {
        state.withLock { state in
            state.seen = 0
            state.total = total
            state.hasLeftOut = false
        }
    }

    func saw(_ count: Int) { state.withLock { $0.seen += count } }

    func hasLeftOut() { state.withLock { $0.hasLeftOut = true } }

    func isSealed(with key: UInt32) { state.withLock { $0.sealedWith = max($0.sealedWith, key) } }

    func isNeeded(from key: UInt32) { state.withLock { $0.neededFrom = max($0.neededFrom, key) } }

    /// How much of a pass is done, from 0 to 1; below 1 where something was left out.
    var fraction: Double {
        state.withLock { state in
            if state.total == 0 { return 0 }
            let fraction = min(1, Double(state.seen) / Double(state.total))
            return state.hasLeftOut ? min(fraction, 1.0.nextDown) : fraction
        }
    }
}

extension StoreCore {
    /// Stands for the whole store among what is due.
    private static var everything: CollectionID { CollectionID(0) }

    /// Goes on with what is to be sealed anew, if anything is.
    func scheduleResealing() {
        guard let vault, !options.isReadOnly, vault.hasOlderKeys else { return }
        resealing.queue.schedule([Self.everything]) { [weak self] _ in
            // What fails is due again later.
            try? await self?.resealAll()
        }
    }

    /// How far sealing anew is; nil: nothing is sealed with an older key.
    var resealedFraction: Double? {
        guard let vault, !options.isReadOnly, vault.hasOlderKeys else { return nil }
        return resealing.fraction
    }

    private func resealAll() async throws {
        guard let vault else { return }
        if resealing.neededFrom > 0 {
            // What was sealed anew doesn't come back with the key gone.
            try await backend.flush()
            try await vault.dropKeys(below: resealing.neededFrom)
        }
        guard vault.hasOlderKeys else { return }
        let newest = try vault.ring().current.id
        guard resealing.sealedWith < newest else { return }
        resealing.begin(total: resealingCount())
        var isWhole = true
        for collection in schema.collections where collection.sealing != nil {
            isWhole = try await reseal(collection) && isWhole
        }
        // The older keys stay for what could be opened by nobody.
        guard isWhole else { return resealing.hasLeftOut() }
        resealing.isSealed(with: newest)
        vault.whenUsesEnd { [weak self] in
            guard let self else { return }
            resealing.isNeeded(from: newest)
            scheduleResealing()
        }
    }

    /// About how much there is to look at; what is damaged can't be counted.
    private func resealingCount() -> Int {
        guard let reader = try? backend.snapshot() else { return 0 }
        return schema.collections.filter { $0.sealing != nil }.reduce(0) { sum, collection in
            let trees = [TreeID(collection.id), collection.changes?.entries].compactMap(\.self)
            return trees.reduce(sum) { $0 + ((try? reader.count($1, in: .all)) ?? 0) }
        }
    }

    /// Seals all of a collection with the newest key; whether nothing was left out.
    func reseal(_ collection: CollectionState) async throws -> Bool {
        var isWhole = true
        var place: ResealingPlace? = .records(from: [])
        while let next = place {
            do {
                let part = try await resealPartMakingRoom(collection, from: next)
                place = part.next
                isWhole = isWhole && part.isWhole
            } catch let error as OfflineError where error.code == .corrupted {
                // Its indexes, say: nothing of it can be written.
                return false
            }
        }
        return isWhole
    }

    private func resealPartMakingRoom(
        _ collection: CollectionState, from place: ResealingPlace
    ) async throws -> (next: ResealingPlace?, isWhole: Bool) {
        do {
            return try await resealPart(collection, from: place)
        } catch let error as OfflineError
            where error.code == .quotaExceeded || error.code == .storageFull
        {
            // What the parts before have replaced takes room still. A damaged store may have given back enough all the same.
            do { try await compact() } catch let error as OfflineError
                where error.code == .corrupted
            {}
            return try await resealPart(collection, from: place)
        }
    }

    private func resealPart(
        _ collection: CollectionState, from place: ResealingPlace
    ) async throws -> (next: ResealingPlace?, isWhole: Bool) {
        let open = try await begin(
            writing: [collection], reading: [], deletes: false, as: "sealing fields anew",
            .forAsLongAsItTakes)
        guard let open else { return (nil, true) }
        do {
            resealing.queue.partBegan()
            if resealing.isClosed { throw OfflineError(.notOpen, "the store is closed") }
            guard var part = ResealingPart(collection, open) else {
                rollback(open)
                return (nil, true)
            }
            let next = try part.run(from: place)
            if part.isEmpty {
                rollback(open)
            } else {
                try await commit(open, checksBounds: false, addsData: true)
            }
            resealing.saw(part.seen)
            return (next, !part.isIncomplete)
        } catch {
            rollback(open)
            throw error
        }
    }
}
