// All that a reader must keep alive: the mapped files and the arena of a store's changed nodes. Every version retains
// it, and the set of files that there was when the version was made, so bytes that a snapshot may read outlive the engine
// that wrote them, and the names of their files.
//
// Invariants:
// - A location in a version leads to a file of the version's set.
// - Files are only added to a set, but for those that no location ever led to (`drop`).
// - `retire` takes files out of the current set by making another one: they go once the last version with the old one does.
internal import OfflineBytes

/// The files that versions made at one time lead to.
package final class FileSet: Sendable {
    private let files: Protected<[FileNumber: StoredFile]>

    fileprivate init(_ files: [FileNumber: StoredFile] = [:]) { self.files = Protected(files) }

    fileprivate var all: [FileNumber: StoredFile] { files.withLock { $0 } }

    func insert(_ file: StoredFile) { files.withLock { $0[file.number] = file } }

    fileprivate func remove(_ number: FileNumber) -> StoredFile? {
        files.withLock { $0.removeValue(forKey: number) }
    }

    fileprivate func file(_ number: FileNumber) -> StoredFile? { files.withLock { $0[number] } }
}

/// The files and memory of one open store.
package final class OpenFiles: Sendable {
    package let system: any FileSystem
    package let folder: String
    package let store: StoreID
    package let table = FileTable()
    package let arena: PageArena
    let reserve: DiskReserve
    /// What the files take; nil where nothing is written.
    package let meter: SpaceMeter?
    private let state = Protected(State())

    private struct State {
        var current = FileSet()
        /// Files that are gone from the folder; those that somebody still reads are alive.
        var retired: [Retired] = []
    }

    private struct Retired {
        weak var file: StoredFile?
    }

    /// `nodeBytesMax`: so much of the system's memory changed nodes may take.
    package init(
        system: any FileSystem, folder: String, store: StoreID, nodeBytesMax: Int = .max,
        meter: SpaceMeter? = nil
    ) {
        self.meter = meter
        reserve = DiskReserve(system, folder: folder)
        self.system = system
        arena = PageArena(bytesMax: nodeBytesMax)
        self.folder = folder
        self.store = store
    }

    package func path(_ number: FileNumber, _ kind: FileNames.Kind) -> String {
        system.path(folder, FileNames.name(number, kind))
    }

    /// The files that a version made now may lead to.
    package var current: FileSet { state.withLock { $0.current } }
    package func file(_ number: FileNumber) -> StoredFile? { current.file(number) }
    package var all: [StoredFile] { current.all.values.sorted { $0.number < $1.number } }

    /// Maps an open file and keeps it.
    @discardableResult
    package func add(
        _ file: any File, _ number: FileNumber, _ kind: FileNames.Kind, length: Int
    ) throws(FileSystemError) -> StoredFile {
        let stored = try StoredFile(
            number: number, kind: kind, file: file, length: length, table: table)
        state.withLock { $0.current.insert(stored) }
        return stored
    }

    /// Lets go of a file that no location ever pointed into.
    package func drop(_ number: FileNumber) {
        let dropped = state.withLock { $0.current.remove(number) }
        withExtendedLifetime(dropped) {}
    }

    /// Takes files out of the current set: versions made from now on don't lead to them.
    func retire(_ numbers: some Sequence<FileNumber>) {
        let old = state.withLock { state -> FileSet in
            let old = state.current
            var files = old.all
            state.retired.removeAll { $0.file == nil }
            for number in numbers {
                state.retired.append(Retired(file: files.removeValue(forKey: number)))
            }
            state.current = FileSet(files)
            return old
        }
        // Files die outside the lock.
        withExtendedLifetime(old) {}
    }

    /// Bytes of files that are gone but for those who still read them.
    package var retiredBytes: Int64 {
        let alive = state.withLock { $0.retired.compactMap(\.file) }
        return alive.reduce(0) { $0 + Int64($1.length) }
    }

    /// What more data may take of the size limit, the nodes that the next checkpoint will write being counted; `Int64.max`
    /// without a limit.
    package var room: Int64 { meter?.room(pending: arena.bytesInUse) ?? .max }

    /// The size limit is near: it is worth more than usual to give space back.
    var isTight: Bool {
        guard let limit = meter?.limit else { return false }
        return room < limit / 8
    }

    /// Throws where `bytes` more, in a file or in memory, would be over what data may take; `usesReserve`: over all of it.
    func admit(_ bytes: Int, usesReserve: Bool) throws(EngineError) {
        guard let meter, let limit = meter.limit else { return }
        let rest = usesReserve ? meter.roomWithReserve - Int64(arena.bytesInUse) : room
        if Int64(bytes) > rest {
            throw EngineError(
                .quotaExceeded,
                "the size limit of \(limit) bytes is reached (\(meter.used) are in use)")
        }
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
