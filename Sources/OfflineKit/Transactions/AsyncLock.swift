// A lock that may be held across a suspension: whoever finds it taken is suspended, not blocked.
internal import OfflineBytes

/// A value that one task at a time uses, in the order in which they asked. Not recursive. Waiting
/// for it isn't cancellable: it is held for one operation only.
final class AsyncLock<Value: Sendable>: @unchecked Sendable {
    // @unchecked: `value` is only touched by who has set `isTaken`.
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Protected(State())
    private var value: Value

    init(_ value: Value) { self.value = value }

    /// Waits for the lock and runs `body` with it.
    func withLock<Result>(
        _ body: (inout Value) async throws -> Result
    ) async rethrows -> Result {
        if !take() { await wait() }
        defer { leave() }
        return try await body(&value)
    }

    /// Runs `body` with the lock if nobody has it; else nil.
    func withLockIfFree<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result? {
        guard take() else { return nil }
        defer { leave() }
        return try body(&value)
    }

    private func take() -> Bool {
        state.withLock { state in
            if state.isTaken { return false }
            state.isTaken = true
            return true
        }
    }

    private func wait() async {
        await withCheckedContinuation { continuation in
            let isMine = state.withLock { state in
                if !state.isTaken {
                    state.isTaken = true
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isMine { continuation.resume() }
        }
    }

    /// Hands the lock to who waits longest.
    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
