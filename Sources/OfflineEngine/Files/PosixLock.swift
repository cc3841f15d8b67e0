// The lock of one writing process: an exclusive lock on an open file description, which another close of the file in
// this process doesn't drop, and which the system drops when the process dies.
internal import COfflinePlatform

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A held lock on a file.
final class PosixLock: FileLock {
    private let descriptor: Descriptor
    private let path: String
    private let owner: pid_t

    /// Takes the lock without waiting; EAGAIN where another holds it.
    init(_ descriptor: Descriptor, path: String) throws(FileSystemError) {
        self.descriptor = descriptor
        self.path = path
        owner = getpid()
        let failure = try descriptor.use(.lock, path) { offline_lock_exclusive($0) }
        if failure != 0 { throw FileSystemError(.lock, path, failure) }
    }

    deinit { release() }

    /// Unlocks before it closes, since a child that is between fork and exec still holds a copy of the descriptor. In a
    /// forked child it only closes: the lock is its parent's.
    func release() {
        if getpid() == owner {
            // Throws once released before; then there is nothing to do.
            _ = try? descriptor.use(.lock, path) { flock($0, LOCK_UN) }
        }
        descriptor.close()
    }
}
