// Which snapshots callers hold, and since when: what they see can't be given back before they let go.
internal import OfflineBytes

/// The snapshots of one store that are held.
final class HeldSnapshots: Sendable {
    private struct State {
        /// By number; numbers ascend in time.
        var began: [UInt64: ContinuousClock.Instant] = [:]
        var next: UInt64 = 0
    }
    private let state = Protected(State())
    private let clock: any StoreClock

    init(_ clock: any StoreClock) { self.clock = clock }

    /// Notes one that begins; its number.
    func add() -> UInt64 {
        let now = clock.now
        return state.withLock { state in
            state.next += 1
            state.began[state.next] = now
            return state.next
        }
    }

    /// One is let go of. Idempotent.
    func remove(_ number: UInt64) {
        state.withLock { _ = $0.began.removeValue(forKey: number) }
    }

    /// For how long the oldest one has been held; nil where none is. Linear in how many are.
    var oldestAge: Duration? {
        let now = clock.now
        return state.withLock { state in
            state.began.min { $0.key < $1.key }.map { max(.zero, now - $0.value) }
        }
    }
}
