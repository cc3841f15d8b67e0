import OfflineBytes

@testable import OfflineKit

/// A clock that a test moves: what is due happens inside `advance`.
final class ManualClock: StoreClock {
    private struct State {
        var now = ContinuousClock.now
        var milliseconds: UInt64 = 1_700_000_000_000
        var wakes: [(instant: ContinuousClock.Instant, body: @Sendable () -> Void)] = []
    }
    private let state = Protected(State())

    var now: ContinuousClock.Instant { state.withLock { $0.now } }

    var milliseconds: UInt64 { state.withLock { $0.milliseconds } }

    func wake(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.wakes.append((instant, body)) }
    }

    /// How many wakes are asked for.
    var pendingCount: Int { state.withLock { $0.wakes.count } }

    /// Moves the time and does what is due by then, also what is asked for while doing it.
    func advance(by duration: Duration) {
        state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let (seconds, attoseconds) = duration.components
            state.milliseconds +=
                UInt64(seconds) * 1_000 + UInt64(attoseconds) / 1_000_000_000_000_000
        }
        while let body = nextDue() { body() }
    }

    private func nextDue() -> (@Sendable () -> Void)? {
        state.withLock { state in
            let now = state.now
            guard let index = state.wakes.firstIndex(where: { $0.instant <= now }) else {
                return nil
            }
            return state.wakes.remove(at: index).body
        }
    }
}
