// All that a reader must keep alive: the mapped files and the arena of a store's changed nodes. Every version retains
// it, so bytes that a snapshot may read outlive the engine that wrote them.
internal import OfflineBytes

/// The files and memory of one open store.
package final class OpenFiles: Sendable {
    package let system: any FileSystem
    package let folder: String
    package let store: StoreID
    package let table = FileTable()
    package let arena: PageArena
    private let files = Protected<[FileNumber: StoredFile]>([:])

    /// `nodeBytesMax`: so much of the system's memory changed nodes may take.
    package init(
        system: any FileSystem, folder: String, store: StoreID, nodeBytesMax: Int = .max
    ) {
        self.system = system
        arena = PageArena(bytesMax: nodeBytesMax)
        self.folder = folder
        self.store = store
    }

    package func path(_ number: FileNumber, _ kind: FileNames.Kind) -> String {
        system.path(folder, FileNames.name(number, kind))
    }

    package func file(_ number: FileNumber) -> StoredFile? { files.withLock { $0[number] } }
    package var all: [StoredFile] { files.withLock { $0.values.sorted { $0.number < $1.number } } }

    /// Maps an open file and keeps it.
    @discardableResult
    package func add(
        _ file: any File, _ number: FileNumber, _ kind: FileNames.Kind, length: Int
    ) throws(FileSystemError) -> StoredFile {
        let stored = try StoredFile(
            number: number, kind: kind, file: file, length: length, table: table)
        files.withLock { $0[number] = stored }
        return stored
    }

    /// Lets go of a file that no location points into.
    package func drop(_ number: FileNumber) {
        let dropped = files.withLock { $0.removeValue(forKey: number) }
        withExtendedLifetime(dropped) {}
    }

    /// Opens an existing file, checks that it says what its name says, and maps `length` bytes of it (all if nil).
    @discardableResult
    package func open(
        _ number: FileNumber, _ kind: FileNames.Kind, length: UInt64?, writable: Bool = false
    ) throws(EngineError) -> StoredFile {
        let name = FileNames.name(number, kind)
        let path = system.path(folder, name)
        let information = try io { () throws(FileSystemError) in try system.information(path) }
        guard let information else {
            throw .corrupted("a file that the store needs is missing", file: name, offset: 0)
        }
        guard information.kind == .file else {
            throw .corrupted("something stands where a file should be", file: name, offset: 0)
        }
        let wanted = length ?? information.size
        guard information.size >= wanted, wanted < Location.offsetLimit else {
            throw .corrupted(
                "the file has \(information.size) bytes where \(wanted) are expected", file: name,
                offset: information.size)
        }
        return try io { () throws(FileSystemError) in
            let file = try system.open(path, writable ? .readWrite : .read)
            return try add(file, number, kind, length: Int(wanted))
        }
    }
}
