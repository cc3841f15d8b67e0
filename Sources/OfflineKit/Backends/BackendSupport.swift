// What the built-in backends have in common besides their data: the errors of a closed and of a
// read-only one, and a queue for what blocks.
internal import Dispatch

extension BackendConfiguration {
    /// Throws where the backend was opened for reading.
    func checkWritable() throws(OfflineError) {
        if isReadOnly { throw OfflineError(.readOnly, "the store was opened for reading only") }
    }

    static let notOpen = OfflineError(.notOpen, "the store isn't open")
}

/// A labelled queue, so that what may block for long never holds a thread of the cooperative pool.
struct BlockingQueue: Sendable {
    let queue: DispatchQueue

    init(_ label: String) { queue = DispatchQueue(label: label) }

    /// Runs `body` there, after all that was given before.
    func run<Result: Sendable>(
        _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await unsafe withUnsafeThrowingContinuation { continuation in
            queue.async {
                unsafe continuation.resume(with: Swift.Result { try body() })
            }
        }
    }

    /// Runs `body` there once `delay` has passed.
    func schedule(after delay: Duration, _ body: @escaping @Sendable () -> Void) {
        let (seconds, attoseconds) = delay.components
        let nanoseconds = Double(seconds) * 1e9 + Double(attoseconds) / 1e9
        queue.asyncAfter(
            deadline: .now() + .nanoseconds(Int(min(nanoseconds, 1e18))), execute: body)
    }
}
