// Writes one node segment: header, packed nodes, the catalog frame last. Append-only, in large writes; nothing refers to
// the file before a superblock does.
internal import OfflineBytes

/// A node segment that a checkpoint is writing.
struct NodeSegmentWriter: NodeSink {
    private let files: OpenFiles
    let number: FileNumber
    private let file: any File
    private var buffer: [UInt8]
    /// Bytes that were written before `buffer`.
    private var flushed: UInt64 = 0
    private(set) var nodeCount = 0

    private static let bufferBytes = 1 << 20

    init(
        files: OpenFiles, number: FileNumber, isStaged: Bool = false
    ) throws(EngineError) {
        self.files = files
        self.number = number
        let path = files.path(number, .tree)
        file = try io { () throws(FileSystemError) in try files.system.open(path, .create) }
        buffer = FileHeader(
            kind: .tree, store: files.store, number: number, isStaged: isStaged
        ).encoded()
    }

    /// Bytes so far.
    var length: Int64 { Int64(end) }

    private var end: UInt64 { flushed + UInt64(buffer.count) }

    mutating func place(_ length: Int) throws(EngineError) -> Location {
        guard end + UInt64(length) < Location.offsetLimit else {
            throw EngineError(.limit, "a node segment is full", file: FileNames.tree(number))
        }
        return Location(file: number, offset: end, tag: true)
    }

    mutating func append(_ node: UnsafeRawBufferPointer) throws(EngineError) {
        unsafe buffer.append(contentsOf: node)
        let padding = -buffer.count & 7
        if padding > 0 { buffer.append(contentsOf: repeatElement(0, count: padding)) }
        nodeCount += 1
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    private mutating func flush() throws(EngineError) {
        let bytes = buffer
        let offset = flushed
        try io { () throws(FileSystemError) in try file.write(bytes, at: offset) }
        flushed += UInt64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }

    /// The catalog of `state` with this file in it. The file's length depends on the catalog's, whose numbers are
    /// varints: so it is tried until it stands, which takes three rounds at most.
    func catalogNamingItself(
        _ state: inout StoreState, nextFileNumber: UInt32, live: LiveBytes
    ) -> (body: [UInt8], usage: FileUsage) {
        var body: [UInt8] = []
        while true {
            let length = end + UInt64(FrameHeader.frameLength(body: body.count))
            let usage = FileUsage(kind: .tree, length: length, live: live)
            state.files[number] = usage
            let next = state.catalog(nextFileNumber: nextFileNumber).encoded(withRoots: true)
            if next.count == body.count { return (next, usage) }
            body = next
        }
    }

    /// Appends the catalog, makes bytes and name durable, and maps the file. Where the catalog's frame is.
    mutating func finish(
        catalog body: [UInt8], sequence: UInt64
    ) throws(EngineError) -> LogPosition {
        let position = LogPosition(file: number, offset: end)
        var frame = [UInt8](repeating: 0, count: FrameHeader.size) + body
        let length = FrameHeader.frameLength(body: body.count)
        frame.append(contentsOf: repeatElement(0, count: length - frame.count))
        _ = LogWriter.finish(
            &frame,
            FrameHeader(
                kind: .catalog, storeTag: files.store.tag, position: position,
                bodyLength: body.count, sequence: sequence, durableThrough: nil, bodyChecksum: 0,
                operationCount: 0, chain: 0),
            seals: false)
        buffer.append(contentsOf: frame)
        _ = try finish()
        try io { () throws(FileSystemError) in try files.system.syncDirectory(files.folder) }
        return position
    }

    /// Writes what is left, makes it durable (its name is not), and maps the file, so that its nodes can be read.
    mutating func finish() throws(EngineError) -> StoredFile {
        try flush()
        let total = Int(flushed)
        return try io { () throws(FileSystemError) in
            try file.sync()
            let stored = try files.add(file, number, .tree, length: total)
            stored.closeDescriptor()
            return stored
        }
    }

    /// Removes the file: the checkpoint failed, and nothing refers to it.
    func discard() {
        files.drop(number)
        file.close()
        // Found and removed by the next open otherwise.
        try? files.system.remove(files.path(number, .tree))
    }
}
