// The folder of a database, which every built-in backend has: made once, written by one process, and of one backend for
// life.
internal import OfflineEngine

/// Tells stores apart without opening them.
package enum StoredBackend {
    /// The backend of the store whose folder has these names, as options call it; nil where there is no store.
    package static func name(ofFolderWith names: [String]) -> String? {
        StoreFolder.Kind.allCases.first { names.contains($0.mark) }?.rawValue
    }
}

/// A database's own folder.
struct StoreFolder: Sendable {
    /// The backends with files.
    enum Kind: String, CaseIterable {
        case log
        case file
        case sqlite

        /// The file that is there as soon as anything of such a store is.
        var mark: String {
            switch self {
            case .log: FileNames.superblock
            case .file: StateFiles.state
            case .sqlite: "store.sqlite"
            }
        }
    }
    let system: any FileSystem
    let path: String

    init(_ system: any FileSystem, _ path: String) {
        self.system = system
        self.path = path
    }

    func path(_ name: String) -> String { system.path(path, name) }

    /// Throws where a store of another kind lives here, which would be neither seen nor spared.
    func checkContents(for kind: Kind) throws {
        for other in Kind.allCases where other != kind {
            let found = try io { () throws(FileSystemError) in
                try system.information(path(other.mark))
            }
            if found == nil { continue }
            throw OfflineError(
                .invalidOptions,
                "storageBackend is .\(kind.rawValue), but the store at \(path) was made with "
                    + ".\(other.rawValue)")
        }
    }

    /// Makes the folder if need be, durably.
    func make() throws(EngineError) {
        try system.makeStoreFolder(path)
    }

    /// Throws where there is no folder to read.
    func checkThere() throws(EngineError) {
        try system.checkStoreFolder(path)
    }

    /// Writes a file that is to replace another one, in the place of what an earlier attempt left under its name. Where this throws
    /// nothing is left.
    func writeNew(
        _ name: String, _ bytes: [UInt8], durably: Bool
    ) throws(EngineError) {
        let path = path(name)
        do throws(FileSystemError) {
            let file: any File
            do throws(FileSystemError) { file = try system.open(path, .create) } catch {
                guard error.number == SystemErrorNumber.exists else { throw error }
                try system.remove(path)
                file = try system.open(path, .create)
            }
            defer { file.close() }
            try file.write(bytes, at: 0)
            if durably { try file.sync() }
        } catch {
            try? system.remove(path)
            throw EngineError(error)
        }
    }

    /// The sizes of all files, and what the device has room for; what goes meanwhile isn't counted.
    func space() throws -> BackendSpace {
        var space = BackendSpace()
        for name in try io({ () throws(FileSystemError) in try system.list(path) }) {
            let found = try io { () throws(FileSystemError) in
                try system.information(path(name))
            }
            guard let found, found.kind == .file else { continue }
            let size = Int64(clamping: found.size)
            space.usedBytes += size
            switch FileNames.parse(name)?.kind {
            case .log: space.logBytes += size
            case .tree: space.treeBytes += size
            case nil: break
            }
        }
        space.availableBytes = Int64(
            clamping: try io { () throws(FileSystemError) in try system.availableBytes(path) })
        return space
    }

    /// The right to write; `.locked` where somebody else has it.
    func lock() throws(EngineError) -> any FileLock {
        try io { () throws(FileSystemError) in try system.lock(path(FileNames.lock)) }
    }

    static var nothing: EngineError { EngineError(.unavailable, "there is no store at this path") }
}
