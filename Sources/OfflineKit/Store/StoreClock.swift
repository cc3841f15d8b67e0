// The time, as a store sees it: one clock that only goes on, for deadlines, and the time of day, for records.
internal import Dispatch
internal import Foundation

/// Where a store gets the time from; tests have their own.
protocol StoreClock: Sendable {
    /// For deadlines.
    var now: ContinuousClock.Instant { get }
    /// The time of day, in milliseconds since 1970. May go back.
    var milliseconds: UInt64 { get }
    /// Calls `body` once, at or after `instant`.
    func wake(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void)
}

/// The system's clocks, and a Dispatch queue.
struct SystemStoreClock: StoreClock {
    private static let queue = DispatchQueue(label: "offline-store.deadlines")

    var now: ContinuousClock.Instant { ContinuousClock.now }

    var milliseconds: UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1_000)) }

    func wake(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void) {
        let wait = max(.zero, instant - now).components
        let nanoseconds = min(wait.seconds, 1_000_000_000) * 1_000_000_000
        Self.queue.asyncAfter(
            deadline: .now() + .nanoseconds(Int(nanoseconds + wait.attoseconds / 1_000_000_000)),
            execute: body)
    }
}
