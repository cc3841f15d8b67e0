// An open file descriptor and who is using it. A number that the system has given to somebody else must never be used
// again: a late write would go into a stranger's file.
//
// Invariants:
// - `close` stops new calls at once; the descriptor itself is closed exactly once, by `close` or by the last call that
//   was still running.
// - The lock is held for the bookkeeping only, never during a system call, so a slow sync blocks nobody.
internal import OfflineBytes

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The owner of one descriptor.
final class Descriptor: Sendable {
    private struct State {
        let number: Int32
        var runningCalls = 0
        var isClosed = false
    }
    private let state: Protected<State>

    /// Takes over `number`.
    init(owning number: Int32) { state = Protected(State(number: number)) }

    deinit { close() }

    /// Runs `body` with the descriptor; EBADF once it is closed.
    func use<Result>(
        _ operation: FileSystemError.Operation, _ path: String,
        _ body: (Int32) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result {
        let number: Int32? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.runningCalls += 1
            return state.number
        }
        guard let number else {
            throw FileSystemError(operation, path, SystemErrorNumber.badDescriptor)
        }
        defer { endCall() }
        return try body(number)
    }

    private func endCall() {
        let last: Int32? = state.withLock { state in
            state.runningCalls -= 1
            return state.isClosed && state.runningCalls == 0 ? state.number : nil
        }
        if let last { closeNumber(last) }
    }

    /// Idempotent. Not retried on EINTR: the number is gone either way. What a close might still report is no news:
    /// whoever needs the bytes has synced them.
    func close() {
        let idle: Int32? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.isClosed = true
            return state.runningCalls == 0 ? state.number : nil
        }
        if let idle { closeNumber(idle) }
    }
}

private func closeNumber(_ number: Int32) { _ = close(number) }
