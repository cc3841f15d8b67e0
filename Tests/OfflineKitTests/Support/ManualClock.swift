import OfflineBytes

@testable import OfflineKit

/// A clock that a test moves: what is due happens inside `advance`.
final class ManualClock: DeadlineClock {
    private struct State {
        var now = ContinuousClock.now
        var wakes: [(instant: ContinuousClock.Instant, body: @Sendable () -> Void)] = []
    }
    private let state = Protected(State())

    var now: ContinuousClock.Instant { state.withLock { $0.now } }

    func wake(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.wakes.append((instant, body)) }
    }

    /// How many wakes are asked for.
    var pendingCount: Int { state.withLock { $0.wakes.count } }

    /// Moves the time and does what is due by then, also what is asked for while doing it.
    func advance(by duration: Duration) {
        state.withLock { $0.now = $0.now.advanced(by: duration) }
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
