// How near a store is to its limit: what listeners are told of it, and when it is worth trying to make room.
//
// What counts is how much may still be written: a backend may keep a part of the limit back for what frees space.
internal import OfflineBytes

/// Watches one store's room.
final class SpaceWatch: Sendable {
    private struct State {
        var isNear = false
        /// A write was refused for the limit, or for the device, and none has succeeded since.
        var isOver = false
        var isFull = false
        /// Commits that added data, and what may have freed some, since room was last tried to be made.
        var adding = 0
        var freeing = 0
        /// That gave nothing.
        var wasFutile = false
    }
    private let state = Protected(State())
    let limit: Int64
    private let events: StorageEventHub

    /// After so many commits it is tried again, whatever they did.
    private static let futileCommitsMax = 64

    init(limit: Int64, _ events: StorageEventHub) {
        self.limit = limit
        self.events = events
    }

    /// So much may still be written. Whether that is near the limit.
    @discardableResult
    func note(room: Int64) -> Bool {
        let (isNear, isNew) = state.withLock { state in
            let wasNear = state.isNear
            if room < limit / 10 { state.isNear = true }
            if room > limit / 20 * 3 { state.isNear = false }
            return (state.isNear, state.isNear && !wasNear)
        }
        if isNew { events.tell(.nearLimit(usedBytes: limit - room, limit: limit)) }
        return isNear
    }

    /// A commit succeeded. `added`: it may have added data.
    func succeeded(added: Bool) {
        let isNew = state.withLock { state in
            if added { state.adding += 1 } else { state.freeing += 1 }
            guard added, state.isOver || state.isFull else { return false }
            state.isOver = false
            state.isFull = false
            return true
        }
        if isNew { events.tell(.writableAgain) }
    }

    /// A transaction has ended, which may have had what could be evicted.
    func released() { state.withLock { $0.freeing += 1 } }

    /// A write was refused.
    func refused(_ code: OfflineError.Code, room: Int64?) {
        switch code {
        case .quotaExceeded:
            let isNew = state.withLock { state in
                defer { state.isOver = true }
                return !state.isOver
            }
            if isNew {
                events.tell(.overLimit(usedBytes: limit - min(room ?? 0, limit), limit: limit))
            }
        case .storageFull:
            let isNew = state.withLock { state in
                defer { state.isFull = true }
                return !state.isFull
            }
            if isNew { events.tell(.full) }
        default: break
        }
    }

    /// Whether to try to make room: not again where it gave nothing and nothing has changed since.
    func mayTry() -> Bool {
        state.withLock { state in
            !state.wasFutile || state.freeing > 0 || state.adding >= Self.futileCommitsMax
        }
    }

    /// It was tried. `gained`: there is more room than before.
    func tried(gained: Bool) {
        state.withLock { state in
            state.wasFutile = !gained
            state.adding = 0
            state.freeing = 0
        }
    }
}
