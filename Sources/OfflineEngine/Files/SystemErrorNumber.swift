// The system's error numbers by name, and what each means to the engine.
#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Error numbers that the engine tells apart.
package enum SystemErrorNumber {
    package static let noEntry: Int32 = ENOENT
    package static let exists: Int32 = EEXIST
    package static let again: Int32 = EAGAIN
    package static let noSpace: Int32 = ENOSPC
    package static let quota: Int32 = EDQUOT
    package static let tooBig: Int32 = EFBIG
    package static let inputOutput: Int32 = EIO
    package static let access: Int32 = EACCES
    package static let notPermitted: Int32 = EPERM
    package static let readOnlyFileSystem: Int32 = EROFS
    package static let badDescriptor: Int32 = EBADF
    package static let isDirectory: Int32 = EISDIR
    package static let notDirectory: Int32 = ENOTDIR
    package static let loop: Int32 = ELOOP
    package static let tooManyFiles: Int32 = EMFILE
    package static let noMemory: Int32 = ENOMEM
    package static let interrupted: Int32 = EINTR
    package static let invalid: Int32 = EINVAL

    /// None of the system's: the store's own size limit.
    package static let ownLimit: Int32 = -1

    /// The system's words for it.
    package static func text(_ number: Int32) -> String {
        if number == ownLimit { return "the store's size limit is reached" }
        guard let text = unsafe strerror(number) else { return "error \(number)" }
        return unsafe String(cString: text)
    }

    /// The device or a quota of the system is full: the write isn't there, and may work later.
    package static func isFull(_ number: Int32) -> Bool {
        number == noSpace || number == quota || number == tooBig
    }
}

extension EngineError {
    /// A failed call as the engine reports it, by what the caller can do about it.
    package init(_ error: FileSystemError) {
        let name = error.path.split(separator: "/").last.map(String.init)
        let text = "\(error.operation.rawValue) failed: \(SystemErrorNumber.text(error.number))"
        switch error.number {
        case SystemErrorNumber.ownLimit:
            self.init(.quotaExceeded, SystemErrorNumber.text(error.number), file: name)
        case let number where SystemErrorNumber.isFull(number):
            self.init(.storageFull, text + "; free some space and try again", file: name)
        case SystemErrorNumber.access, SystemErrorNumber.notPermitted:
            self.init(.permissionDenied, text, file: name)
        case SystemErrorNumber.readOnlyFileSystem:
            self.init(.permissionDenied, text + "; the volume is mounted read-only", file: name)
        case SystemErrorNumber.again where error.operation == .lock:
            self.init(
                .locked, "another process or instance has this store open for writing", file: name)
        case SystemErrorNumber.loop:
            self.init(.permissionDenied, text + "; symbolic links are refused", file: name)
        default:
            self.init(.unavailable, text, file: name)
        }
    }
}

/// Runs file system calls and throws what fails as the engine's error.
package func io<Result>(
    _ calls: () throws(FileSystemError) -> Result
) throws(EngineError) -> Result {
    do throws(FileSystemError) { return try calls() } catch { throw EngineError(error) }
}
