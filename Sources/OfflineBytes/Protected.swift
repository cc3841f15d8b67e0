// The one lock of the package: a pthread mutex around a value. (Not `Synchronization.Mutex`: ThreadSanitizer reports
// false races on it on Linux.)
#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A value that is only reached with its lock held. Not recursive. Never held across a suspension.
@safe
package final class Protected<Value>: @unchecked Sendable {
    // @unchecked: `value` is only touched inside `withLock`, whose mutex orders all uses; what leaves it is the
    // caller's to send safely.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    package init(_ value: Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        self.value = value
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Runs `body` with the lock held. `body` must not block on I/O unless the lock's owner says so.
    @inline(always)
    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
