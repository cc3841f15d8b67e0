// Reading takes time, and whoever waits for it may have stopped waiting.

/// Ends long synchronous work soon after its task was cancelled.
struct CancellationCheck {
    private var count: UInt8 = 0

    /// To be called for each record or entry; looks at the task every 256 of them. Throws `CancellationError`.
    @inline(__always)
    mutating func step() throws {
        count &+= 1
        if count == 0 { try Task.checkCancellation() }
    }
}
