// Writes the files that compaction moves records to: log files in the form of staged ones, of frames of kind staged part,
// each at most a megabyte and chained within the file. An entry is the original's, byte for byte, but for its sequence,
// which is absolute, and its header's checksum.
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

    /// Takes an entry that was read whole and checked; where it is now.
    mutating func append(
        _ entry: UnsafeRawBufferPointer, sequence: UInt64
    ) throws(EngineError) -> Location {
        if operationCount == 0 { firstSequence = sequence }
        let offset = frame.count
        unsafe frame.append(contentsOf: entry)
        frame.append(contentsOf: repeatElement(0, count: -entry.count & 7))
        unsafe frame.withUnsafeMutableBytes {
            unsafe LogOperation.restate(
                UnsafeMutableRawBufferPointer(rebasing: $0[offset...]), sequence: sequence)
        }
        operationCount += 1
        let location = Location(file: number, offset: flushed + UInt64(offset), tag: false)
        if frame.count >= Self.frameBytes { try flush() }
        return location
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
