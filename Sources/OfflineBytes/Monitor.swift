// A lock with a condition: for the few threads of our own that wait for work.
#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A value behind a lock, and a way to wait until it is as one wants it. Not recursive. Never waited on by a thread of
/// the cooperative pool.
@safe
package final class Monitor<Value>: @unchecked Sendable {
    // @unchecked: `value` is only touched with the mutex held, which orders all uses.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    package init(_ value: Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        #if canImport(Glibc)
            // Timeouts are lengths of time, whatever happens to the time of day.
            var attributes = pthread_condattr_t()
            unsafe pthread_condattr_init(&attributes)
            unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            unsafe pthread_cond_init(condition, &attributes)
            unsafe pthread_condattr_destroy(&attributes)
        #else
            unsafe pthread_cond_init(condition, nil)
        #endif
        self.value = value
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` with the lock held.
    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&value)
    }

    /// Wakes all that wait, to look again.
    package func wakeAll() { unsafe pthread_cond_broadcast(condition) }

    /// Waits until `body`, called with the lock held, gives a result. With a timeout, nil once it has passed.
    package func wait<Result>(
        timeout: Duration? = nil, _ body: (inout Value) -> Result?
    ) -> Result? {
        let deadline = timeout.map(Self.deadline(after:))
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            if var deadline {
                let outcome = unsafe pthread_cond_timedwait(condition, mutex, &deadline)
                if outcome == ETIMEDOUT { return body(&value) }
            } else {
                unsafe pthread_cond_wait(condition, mutex)
            }
        }
    }

    private static func deadline(after timeout: Duration) -> timespec {
        var now = timespec()
        #if canImport(Glibc)
            unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        #else
            unsafe clock_gettime(CLOCK_REALTIME, &now)
        #endif
        let (seconds, attoseconds) = timeout.components
        let nanoseconds = Int64(now.tv_nsec) + attoseconds / 1_000_000_000
        now.tv_sec += Int(seconds) + Int(nanoseconds / 1_000_000_000)
        now.tv_nsec = Int(nanoseconds % 1_000_000_000)
        return now
    }
}

/// A thread of our own, outside the cooperative pool, that may block.
package enum DedicatedThread {
    /// Runs `body` on a new detached thread.
    package static func start(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
        #if canImport(Glibc)
            var thread = pthread_t()
        #else
            var thread: pthread_t?
        #endif
        let failure = unsafe pthread_create(
            &thread, nil,
            { context in
                #if canImport(Glibc)
                    guard let context = unsafe context else { return nil }
                #endif
                unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, box)
        precondition(failure == 0, "the system refuses another thread")
        #if canImport(Glibc)
            pthread_detach(thread)
        #else
            if let thread { pthread_detach(thread) }
        #endif
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
