// What all walks of a dump share: the folder, the names, the writer, and whether damage was met.
internal import OfflineBytes
internal import OfflineDocuments
internal import OfflineEngine

/// A dump under way. Used by one thread.
final class DumpContext {
    let folder: StoreFolder
    var directory = StoreDirectory()
    /// Whose files are believed; nil where no superblock and no file says.
    let store: StoreID?
    /// The superblock that counts.
    let superblock: Superblock?
    private(set) var problemCount = 0
    private var writer: any DumpWriter
    private var openFiles: [NumberedFile: any File] = [:]

    /// Bytes that are shown of what can't be read.
    private static let shownBytes = 64
    /// A store may have more files than a process has descriptors.
    private static let openFilesMax = 64

    init(_ folder: StoreFolder, _ writer: any DumpWriter) throws {
        self.folder = folder
        self.writer = writer
        do throws(OfflineError) {
            superblock = try folder.superblock()?.newest
        } catch {
            // Whoever may not read it may read nothing; any other failure is damage, and the files may tell more.
            if error.code == .permissionDenied { throw error }
            superblock = nil
        }
        store = try superblock?.store ?? Self.storeByFiles(folder)
    }

    func emit(_ event: DumpEvent) throws {
        if case .problem = event { problemCount += 1 }
        try writer.write(event)
    }

    /// Reports damage, with the bytes that are there instead.
    func problem(_ reason: String, _ file: NumberedFile, at offset: UInt64? = nil) throws {
        var bytes: [UInt8] = []
        if let offset, let open = try? open(file) {
            bytes = (try? open.readArray(count: Self.shownBytes, at: offset)) ?? []
        }
        try emit(.problem(DumpPlace(file: file.name, offset: offset), reason, bytes: bytes))
    }

    /// The file. It stays open for a while, so that a tree's records don't open their log file one by one.
    func open(_ file: NumberedFile) throws(FileSystemError) -> any File {
        if let open = openFiles[file] { return open }
        let opened = try folder.open(file)
        // Whoever reads one of them still has it; it is closed when the last lets go.
        if openFiles.count >= Self.openFilesMax { openFiles.removeAll() }
        openFiles[file] = opened
        return opened
    }

    /// The catalog that the superblock names, its names taken in. Damage is reported and gives nil.
    func readCatalog() throws -> (catalog: Catalog, position: LogPosition)? {
        guard let position = superblock?.catalog else { return nil }
        let file = NumberedFile(number: position.file, kind: .tree)
        do {
            let reader = try frameReader(file)
            switch try reader.frame(at: position.offset) {
            case .frame(let header, _, let body) where header.kind == .catalog:
                let catalog = try Self.catalog(body)
                directory.add(catalog)
                return (catalog, position)
            case .frame:
                try problem(
                    "the superblock names a frame that is no catalog", file, at: position.offset)
            case .none(let reason):
                try problem("the catalog can't be read: \(reason)", file, at: position.offset)
            }
        } catch let error as ByteError {
            try problem("the catalog is damaged: \(error)", file, at: position.offset)
        } catch let error as FileSystemError {
            try problem("the catalog can't be read: \(error)", file)
        }
        return nil
    }

    func frameReader(_ file: NumberedFile) throws(FileSystemError) -> FrameReader {
        try FrameReader(file: open(file), number: file.number, storeTag: store?.tag ?? 0)
    }

    static func catalog(_ body: [UInt8]) throws(ByteError) -> Catalog {
        try unsafe body.withBytes { bytes throws(ByteError) in try unsafe Catalog.decoded(bytes) }
    }

    /// Whose store this is when the superblock doesn't tell: the first file's with a sound header.
    private static func storeByFiles(_ folder: StoreFolder) throws -> StoreID? {
        for file in try folder.numberedFiles() {
            guard let open = try? folder.open(file) else { continue }
            defer { open.close() }
            if case .header(let header)? = try? FileHeader.read(open) { return header.store }
        }
        return nil
    }
}

extension FileHeader {
    /// What the first bytes of an open file say.
    static func read(_ file: any File) throws(FileSystemError) -> Reading {
        let head = try file.readArray(count: size, at: 0)
        return unsafe head.withBytes { unsafe read($0) }
    }
}
