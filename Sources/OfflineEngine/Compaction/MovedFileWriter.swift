// Writes the files that compaction moves records to: log files in the form of staged ones, of frames of kind staged part,
// each of one or more whole blocks (RecordBlock) and chained within the file. Sequences are absolute; a dictionary's is 0.
//
// Nothing refers to the file before it is whole and synced; until a checkpoint names it, an open removes it.
internal import OfflineBytes

/// A file of moved records that is being written.
struct MovedFileWriter {
    private let files: OpenFiles
    let number: FileNumber
    private let file: any File
    /// Room for the frame's header, and the body so far.
    private var frame: [UInt8]
    private var operationCount = 0
    private var firstSequence: UInt64 = 0
    private var chain: UInt32 = 0
    /// Bytes before `frame`.
    private var flushed: UInt64

    static let frameBytes = 1 << 20

    init(files: OpenFiles, number: FileNumber) throws(EngineError) {
        self.files = files
        self.number = number
        let path = files.path(number, .log)
        let head = FileHeader(kind: .log, store: files.store, number: number, isStaged: true)
            .encoded()
        file = try io { () throws(FileSystemError) in
            let file = try files.system.open(path, .create)
            do throws(FileSystemError) { try file.write(head, at: 0) } catch {
                file.close()
                try? files.system.remove(path)
                throw error
            }
            return file
        }
        flushed = UInt64(head.count)
        frame = [UInt8](repeating: 0, count: FrameHeader.size)
    }

    /// Bytes of the file so far.
    var length: UInt64 { flushed + UInt64(frame.count) }

    /// Takes a block; what of it is where now.
    mutating func append(_ block: RecordBlock) throws(EngineError) -> [RecordMove] {
        let body = block.body
        let sequences = block.sequences
        if operationCount > 0, frame.count + body.bytes.count > Self.frameBytes { try flush() }
        if operationCount == 0 { firstSequence = sequences.first ?? 0 }
        let start = frame.count
        frame.append(contentsOf: body.bytes)
        unsafe frame.withUnsafeMutableBytes { frame in
            let entries = unsafe UnsafeMutableRawBufferPointer(rebasing: frame[start...])
            // The dictionary, if there is one.
            if body.offsets.first != 0 { unsafe LogOperation.restate(entries, sequence: 0) }
            for (offset, sequence) in zip(body.offsets, sequences) {
                unsafe LogOperation.restate(
                    UnsafeMutableRawBufferPointer(rebasing: entries[offset...]),
                    sequence: sequence)
            }
        }
        operationCount += body.operationCount
        return block.moves(
            to: Location(file: number, offset: flushed + UInt64(start), tag: false), body.offsets)
    }

    private mutating func flush() throws(EngineError) {
        let header = FrameHeader(
            kind: .stagedPart, storeTag: files.store.tag,
            position: LogPosition(file: number, offset: flushed),
            bodyLength: frame.count - FrameHeader.size, sequence: firstSequence,
            durableThrough: nil, bodyChecksum: 0, operationCount: operationCount, chain: chain)
        chain = LogWriter.finish(&frame, header, seals: false)
        let (bytes, offset) = (frame, flushed)
        try io { () throws(FileSystemError) in try file.write(bytes, at: offset) }
        flushed += UInt64(frame.count)
        frame.removeLast(frame.count - FrameHeader.size)
        operationCount = 0
    }

    /// Makes bytes and name durable and maps the file.
    mutating func finish() throws(EngineError) -> StoredFile {
        if operationCount > 0 { try flush() }
        let length = Int(flushed)
        return try io { () throws(FileSystemError) in
            try file.sync()
            try files.system.syncDirectory(files.folder)
            let stored = try files.add(file, number, .log, length: length)
            stored.closeDescriptor()
            return stored
        }
    }

    /// Removes the file: nothing refers to it.
    func discard() {
        files.drop(number)
        file.close()
        // Found and removed by the next open otherwise.
        try? files.system.remove(files.path(number, .log))
    }
}
