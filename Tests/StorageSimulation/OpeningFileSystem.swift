// A file system that passes everything on to another one, with something of a test's own at each opening of a file.
package import OfflineEngine

/// Passes on what it is asked; opens files by a closure.
package final class OpeningFileSystem: FileSystem {
    package typealias Open =
        @Sendable (_ base: any FileSystem, _ path: String, _ mode: FileMode)
        throws(FileSystemError) -> any File
    private let base: any FileSystem
    private let opening: Open

    package init(_ base: any FileSystem, _ opening: @escaping Open) {
        self.base = base
        self.opening = opening
    }

    package func open(_ path: String, _ mode: FileMode) throws(FileSystemError) -> any File {
        try opening(base, path, mode)
    }

    package func createDirectory(_ path: String) throws(FileSystemError) {
        try base.createDirectory(path)
    }

    package func claimFolder(
        _ path: String, forWriting: Bool
    ) throws(FileSystemError) -> Bool { try base.claimFolder(path, forWriting: forWriting) }

    package func information(_ path: String) throws(FileSystemError) -> FileInformation? {
        try base.information(path)
    }

    package func list(_ path: String) throws(FileSystemError) -> [String] { try base.list(path) }

    package func remove(_ path: String) throws(FileSystemError) { try base.remove(path) }

    package func rename(_ source: String, to target: String) throws(FileSystemError) {
        try base.rename(source, to: target)
    }

    package func syncDirectory(_ path: String) throws(FileSystemError) {
        try base.syncDirectory(path)
    }

    package func lock(_ path: String) throws(FileSystemError) -> any FileLock {
        try base.lock(path)
    }

    package func availableBytes(_ path: String) throws(FileSystemError) -> UInt64 {
        try base.availableBytes(path)
    }
}
