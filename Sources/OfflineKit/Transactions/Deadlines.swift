// What must happen if something else doesn't happen in time: a transaction that idles is rolled
// back, a wait gives up. One timer serves all deadlines of a store; adding and removing one, as
// each transaction does, costs a lock and no system call.
internal import OfflineBytes

/// The deadlines of one store.
final class Deadlines: Sendable {
    /// What removes a deadline.
    struct Token: Hashable, Sendable {
        fileprivate let number: UInt64
    }
    private struct Deadline {
        let instant: ContinuousClock.Instant
        let action: @Sendable () -> Void
    }
    private struct State {
        var deadlines: [UInt64: Deadline] = [:]
        var nextNumber: UInt64 = 0
        /// When the clock will wake us next; nil: not at all.
        var wakesAt: ContinuousClock.Instant?
    }
    private let state = Protected(State())
    private let clock: any StoreClock

    init(_ clock: any StoreClock) { self.clock = clock }

    var now: ContinuousClock.Instant { clock.now }

    /// Calls `action` on the clock's queue once `duration` has passed, unless it is removed before.
    func add(after duration: Duration, _ action: @escaping @Sendable () -> Void) -> Token {
        let instant = clock.now.advanced(by: min(duration, Self.longest))
        let (number, isFirst) = state.withLock { state in
            state.nextNumber += 1
            state.deadlines[state.nextNumber] = Deadline(instant: instant, action: action)
            return (state.nextNumber, Self.rearm(&state, for: instant))
        }
        if isFirst { wake(at: instant) }
        return Token(number: number)
    }

    /// Takes a deadline back.
    func remove(_ token: Token) {
        state.withLock { _ = $0.deadlines.removeValue(forKey: token.number) }
    }

    /// A duration beyond it is cut, so that no sum of instants overflows.
    private static let longest = Duration.seconds(1_000_000_000)

    /// Whether the clock must be asked to wake us at `instant`, because it wouldn't do so before.
    private static func rearm(_ state: inout State, for instant: ContinuousClock.Instant) -> Bool {
        if let wakesAt = state.wakesAt, wakesAt <= instant { return false }
        state.wakesAt = instant
        return true
    }

    private func wake(at instant: ContinuousClock.Instant) {
        clock.wake(at: instant) { [weak self] in self?.fire() }
    }

    private func fire() {
        let now = clock.now
        let (due, wakesAt) = state.withLock { state -> ([Deadline], ContinuousClock.Instant?) in
            if let planned = state.wakesAt, planned <= now { state.wakesAt = nil }
            let numbers = state.deadlines.filter { $0.value.instant <= now }.keys.sorted()
            let due = numbers.compactMap { state.deadlines.removeValue(forKey: $0) }
            guard let next = state.deadlines.values.lazy.map(\.instant).min(),
                Self.rearm(&state, for: next)
            else { return (due, nil) }
            return (due, next)
        }
        for deadline in due { deadline.action() }
        if let wakesAt { wake(at: wakesAt) }
    }
}
