// A store's folder as the tool finds it: nothing is opened by the engine here, so everything works on damaged stores and beside
// a running writer.
internal import Foundation
internal import OfflineDocuments
internal import OfflineEngine
internal import OfflineKit

/// A folder that is, or was, a store.
struct StoreFolder {
    /// The folders that OfflineKit makes end with this.
    static let suffix = ".offline"

    /// Absolute.
    let path: String
    let system = PosixFileSystem()

    /// The folder that a command's argument means. Throws where there is none, or what is there can't be a store.
    init(_ argument: String) throws {
        path = Self.absolutePath(argument)
        switch try toolErrors({ () throws(FileSystemError) in try system.information(path)?.kind })
        {
        case .directory: break
        case nil:
            throw OfflineError(.storageUnavailable, "there is nothing at \(path)")
        case .symbolicLink:
            throw OfflineError(
                .storageUnavailable, "\(path) is a symbolic link; name the folder that it leads to")
        case .file, .other:
            throw OfflineError(
                .storageUnavailable, "\(path) is no folder; a store is a folder NAME\(Self.suffix)")
        }
        try checkThatItIsAStore()
    }

    /// Against the working directory, without `.`, `..` and a slash at the end.
    static func absolutePath(_ argument: String) -> String {
        URL(filePath: argument).standardizedFileURL.path(percentEncoded: false)
            .trimmingSlashAtEnd
    }

    private func checkThatItIsAStore() throws {
        let names = try fileNames()
        if names.contains(where: { $0 == FileNames.superblock || FileNames.parse($0) != nil }) {
            return
        }
        if let backend = StoredBackend.name(ofFolderWith: names) {
            throw OfflineError(
                .storageUnavailable,
                "\(path) is a store of the backend .\(backend); this tool reads those of .log")
        }
        let stores = names.filter { $0.hasSuffix(Self.suffix) }.sorted()
        let hint =
            stores.isEmpty ? "" : "; there are stores in it: \(stores.joined(separator: ", "))"
        throw OfflineError(
            .storageUnavailable,
            "\(path) is no store: it has neither a superblock nor log files\(hint)")
    }

    /// Names of all that is in the folder.
    func fileNames() throws -> [String] {
        try toolErrors { () throws(FileSystemError) in try system.list(path) }
    }

    /// The numbered files, ascending.
    func numberedFiles() throws -> [NumberedFile] {
        try fileNames().compactMap { name in
            FileNames.parse(name).map { NumberedFile(number: $0.number, kind: $0.kind) }
        }.sorted { $0.number < $1.number }
    }

    /// Both slots of the superblock; nil where the file is missing.
    func superblock() throws(OfflineError) -> SuperblockFile.Contents? {
        try toolErrors { () throws(FileSystemError) in try SuperblockFile.read(system, path) }
    }

    /// Opens a numbered file for reading.
    func open(_ file: NumberedFile) throws(FileSystemError) -> any File {
        try system.open(system.path(path, file.name), .read)
    }
}

/// A log file or a node segment, by its name.
struct NumberedFile: Hashable {
    let number: FileNumber
    let kind: FileNames.Kind
    var name: String { FileNames.name(number, kind) }
}

extension String {
    fileprivate var trimmingSlashAtEnd: String {
        count > 1 && hasSuffix("/") ? String(dropLast()) : self
    }
}

/// Runs what calls the file system; what it throws becomes the error that a user sees.
func toolErrors<Result>(
    _ body: () throws(FileSystemError) -> Result
) throws(OfflineError) -> Result {
    do {
        return try body()
    } catch {
        let isRefusal = error.number == EACCES || error.number == EPERM
        throw OfflineError(
            isRefusal ? .permissionDenied : .storageUnavailable, error.description)
    }
}
