// Where an import's lines come from.
internal import OfflineDocuments

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A file, or standard input for `-`. Closed when it goes.
final class ImportInput {
    let descriptor: Int32
    /// Bytes of a regular file.
    let size: Int?

    init(_ path: String) throws {
        if path == "-" {
            descriptor = 0
            size = nil
            return
        }
        let opened = unsafe path.withCString { unsafe open($0, O_RDONLY | O_CLOEXEC) }
        guard opened >= 0 else {
            let code = errno
            let reason = unsafe String(cString: strerror(code))
            throw OfflineError(
                code == EACCES ? .permissionDenied : .storageUnavailable,
                "\(path) can't be opened: \(reason)")
        }
        descriptor = opened
        var status = stat()
        let isKnown = unsafe fstat(opened, &status) == 0
        if isKnown && status.st_mode & S_IFMT == S_IFDIR {
            _ = close(opened)
            throw OfflineError(.storageUnavailable, "\(path) is a folder")
        }
        size = isKnown && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    deinit { if descriptor != 0 { _ = close(descriptor) } }
}
