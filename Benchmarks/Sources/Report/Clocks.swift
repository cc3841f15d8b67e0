// The clocks: wall time, and processor time of all threads.
#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

enum Clocks {
    /// Nanoseconds from any point in the past.
    static func wall() -> UInt64 { read(CLOCK_MONOTONIC) }
    /// Nanoseconds that all threads of the process ran.
    static func process() -> UInt64 { read(CLOCK_PROCESS_CPUTIME_ID) }
    /// Nanoseconds that the calling thread ran.
    static func thread() -> UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// Waits until no other thread of the process has run for 20 ms, ten seconds at most: what a store does in the
    /// background is then done. Returns the nanoseconds that the waiting itself took of the processor.
    static func settle() -> UInt64 {
        let start = thread()
        let end = wall() + 10_000_000_000
        var quietPolls = 0
        var last = process() - thread()
        while quietPolls < 10, wall() < end {
            usleep(2_000)
            let others = process() - thread()
            quietPolls = others < last + 50_000 ? quietPolls + 1 : 0
            last = others
        }
        return thread() - start
    }
}
