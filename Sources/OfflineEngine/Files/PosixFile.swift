// A file of the operating system, read and written at given offsets with pread and pwrite.
//
// Invariants:
// - Short transfers and EINTR are ridden out here; after any other error the call throws, and what an interrupted write
//   left in the file is unknown to the caller.
// - A failed sync is reported once and never repeated here.
internal import COfflinePlatform

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// An open regular file.
final class PosixFile: File {
    private let path: String
    private let isWritable: Bool
    private let descriptor: Descriptor

    /// Systems refuse or shorten a transfer of 2 GiB and more.
    private static let transferMax = 1 << 30

    init(_ descriptor: Descriptor, path: String, isWritable: Bool) {
        self.descriptor = descriptor
        self.path = path
        self.isWritable = isWritable
    }

    func size() throws(FileSystemError) -> UInt64 {
        try descriptor.use(.information, path) { number throws(FileSystemError) in
            try PosixStatus(of: number, .information, path).size
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64)
        throws(FileSystemError) -> Int
    {
        try descriptor.use(.read, path) { number throws(FileSystemError) in
            var done = 0
            while done < buffer.count, let base = buffer.baseAddress {
                // No file reaches beyond the largest offset, so there is nothing to read there.
                guard let position = off_t(exactly: offset.addingClamped(done)) else { break }
                let wanted = min(buffer.count - done, Self.transferMax)
                guard wanted <= off_t.max - position else { break }
                let count = unsafe pread(number, base + done, wanted, position)
                if count > 0 {
                    done += count
                } else if count == 0 {
                    break
                } else if errno != EINTR {
                    throw FileSystemError(.read, path, errno)
                }
            }
            return done
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileSystemError) {
        try descriptor.use(.write, path) { number throws(FileSystemError) in
            try checkWritable(.write)
            var done = 0
            while done < bytes.count, let base = bytes.baseAddress {
                let wanted = min(bytes.count - done, Self.transferMax)
                guard let position = off_t(exactly: offset.addingClamped(done)),
                    wanted <= off_t.max - position
                else { throw FileSystemError(.write, path, EFBIG) }
                let count = unsafe pwrite(number, base + done, wanted, position)
                if count > 0 {
                    done += count
                } else if count == 0 {
                    // Not to be expected of a regular file; an error rather than a loop without end.
                    throw FileSystemError(.write, path, EIO)
                } else if errno != EINTR {
                    throw FileSystemError(.write, path, errno)
                }
            }
        }
    }

    func sync() throws(FileSystemError) {
        let failure = try descriptor.use(.sync, path) { offline_sync_file($0) }
        if failure != 0 { throw FileSystemError(.sync, path, failure) }
    }

    func truncate(to size: UInt64) throws(FileSystemError) {
        try descriptor.use(.truncate, path) { number throws(FileSystemError) in
            try checkWritable(.truncate)
            guard let length = off_t(exactly: size) else {
                throw FileSystemError(.truncate, path, EFBIG)
            }
            while ftruncate(number, length) != 0 {
                if errno != EINTR { throw FileSystemError(.truncate, path, errno) }
            }
        }
    }

    func map(length: Int) throws(FileSystemError) -> any FileMap {
        try descriptor.use(.map, path) { number throws(FileSystemError) in
            let size = try PosixStatus(of: number, .map, path).size
            guard length >= 0, UInt64(length) <= size else {
                throw FileSystemError(.map, path, EINVAL)
            }
            return try MappedFile(number, length: length, path: path)
        }
    }

    func close() { descriptor.close() }

    private func checkWritable(_ operation: FileSystemError.Operation) throws(FileSystemError) {
        if !isWritable { throw FileSystemError(operation, path, EBADF) }
    }
}

extension UInt64 {
    /// Plus a count, at most the largest number.
    fileprivate func addingClamped(_ count: Int) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(UInt64(count))
        return overflow ? .max : sum
    }
}
