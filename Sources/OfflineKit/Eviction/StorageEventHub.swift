// Events about the space that a store takes, and who wants them. Without anyone nothing is kept.
internal import OfflineBytes

/// What happens to the space that a store takes.
public enum StorageEvent: Sendable, Hashable {
    /// Less than a tenth of the limit is left for writing. Told once, until there is half as much again.
    ///
    /// The log backend keeps an eighth of the limit back for what frees space, which isn't for writing.
    case nearLimit(usedBytes: Int64, limit: Int64)
    /// A write was refused because it would have taken the store over its limit. Told once, until a write succeeds again.
    case overLimit(usedBytes: Int64, limit: Int64)
    /// Records were evicted.
    case evicted(collection: String, records: Int)
    /// A write was refused because the device is full. Told once, until a write succeeds again.
    case full
    /// A write succeeded again.
    case writableAgain
}

/// Hands events on to all who listen; what a listener doesn't take in time is lost to it, the oldest first.
final class StorageEventHub: Sendable {
    private struct State {
        var listeners: [UInt64: AsyncStream<StorageEvent>.Continuation] = [:]
        var next: UInt64 = 0
        var isClosed = false
    }
    private let state = Protected(State())
    /// So many events wait for a listener.
    private static let bufferMax = 256

    /// The events from now on; none of a store that is closed.
    func events() -> AsyncStream<StorageEvent> {
        let (stream, continuation) = AsyncStream<StorageEvent>.makeStream(
            bufferingPolicy: .bufferingNewest(Self.bufferMax))
        let number = state.withLock { state -> UInt64? in
            if state.isClosed { return nil }
            state.next += 1
            state.listeners[state.next] = continuation
            return state.next
        }
        if let number {
            continuation.onTermination = { [weak self] _ in self?.remove(number) }
        } else {
            continuation.finish()
        }
        return stream
    }

    private func remove(_ number: UInt64) {
        state.withLock { _ = $0.listeners.removeValue(forKey: number) }
    }

    /// How many listen.
    var listenerCount: Int { state.withLock { $0.listeners.count } }

    func tell(_ event: StorageEvent) {
        for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield(event) }
    }

    /// Nothing follows.
    func close() {
        let listeners = state.withLock { state in
            state.isClosed = true
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }
}
