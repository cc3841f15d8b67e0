// What the disk allows: one flush of 4 KiB, written over blocks that were written before.
#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A file of zeros, on stable storage. Owns its descriptor.
final class FlushFloor {
    private static let pageSize = 4096
    private static let pageCount = 1024
    private let descriptor: Int32
    private let page = [UInt8](repeating: 0x5A, count: FlushFloor.pageSize)
    private var next = 0

    init(directory: String) throws {
        descriptor = unsafe open(directory + "/flush", O_RDWR | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw BenchError("no file in \(directory): error \(errno)") }
        for _ in 0..<FlushFloor.pageCount { try write() }
        try flush()
    }

    deinit { close(descriptor) }

    func run(_ operations: Int) throws {
        for _ in 0..<operations {
            try write()
            try flush()
        }
    }

    private func write() throws {
        let offset = off_t(next * FlushFloor.pageSize)
        next = (next + 1) % FlushFloor.pageCount
        let written = unsafe pwrite(descriptor, page, page.count, offset)
        guard written == page.count else { throw BenchError("pwrite: error \(errno)") }
    }

    private func flush() throws {
        #if canImport(Glibc)
            let code = fdatasync(descriptor)
        #else
            let code = fcntl(descriptor, F_FULLFSYNC)
        #endif
        guard code == 0 else { throw BenchError("flush: error \(errno)") }
    }
}
