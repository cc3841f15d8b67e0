// A log file from its first byte to its last frame.
//
// Steps:
// 1. The header. A file that isn't a log of this store is reported and left.
// 2. Frame by frame while they chain; in each its operations, whose names are learnt on the way.
// 3. Where no frame follows: the end, if nothing vouches for more (the superblock, the catalog, the next file's header, a
//    later frame that says it was durable); else damage, and the walk goes on at the next valid frame.
internal import OfflineEngine

/// Shows a log file.
struct LogFileWalk {
    private let context: DumpContext
    private let file: NumberedFile
    /// The file is known to be written up to here.
    private let vouchedEnd: UInt64

    init(_ context: DumpContext, _ file: NumberedFile, vouchedEnd: UInt64) {
        self.context = context
        self.file = file
        self.vouchedEnd = vouchedEnd
    }

    private var start: UInt64 { UInt64(FileHeader.size) }

    /// Shows all of it.
    func run() throws {
        try context.reportingFileErrors(file) {
            var chain: UInt32?
            switch try FileOpening(context, file).readHeader(isUsed: vouchedEnd > start) {
            case .header(let header):
                chain = header.previousChain
                if header.isStaged { context.directory.leaveLog() }
            case .damaged: break
            case .leave: return
            }
            try walk(try context.frameReader(file), chain: chain)
        }
    }

    private func walk(_ reader: FrameReader, chain: UInt32?) throws {
        var offset = start
        var chain = chain
        while true {
            switch try reader.frame(at: offset, chain: chain) {
            case .frame(let header, let checksum, let body):
                try context.show(header, body, file)
                chain = checksum
                offset += UInt64(header.frameLength)
            case .none(let reason):
                let next = try reader.findHeader(from: offset + 8) { _ in true }
                guard try isDamage(at: offset, reader) else {
                    return try noteEnd(offset, reason, reader, next)
                }
                try context.problem(reason, file, at: offset)
                guard let next else { return }
                offset = next.position.offset
                chain = nil
            }
        }
    }

    /// Whether the log should go on where no frame follows.
    private func isDamage(at offset: UInt64, _ reader: FrameReader) throws -> Bool {
        if offset < vouchedEnd { return true }
        let here = LogPosition(file: file.number, offset: offset)
        return try reader.findHeader(from: offset + 8) { header in
            header.durableThrough.map { $0 > here } ?? false
        } != nil
    }

    private func noteEnd(
        _ offset: UInt64, _ reason: String, _ reader: FrameReader, _ next: FrameHeader?
    ) throws {
        let rest = reader.size - min(offset, reader.size)
        var text = "end of the log in this file"
        if rest > 0 { text += ": \(reason); \(Figures.counted(rest, "byte")) left" }
        if next != nil { text += ", in them frames that a power cut left and that don't count" }
        try context.emit(.note(DumpPlace(file: file.name, offset: offset), text))
    }

    // MARK: - One place

    /// Shows the frame or the operation that begins at `offset`.
    func show(at offset: UInt64) throws {
        try context.reportingFileErrors(file) {
            let reader = try context.frameReader(file)
            try learnNames(reader, before: offset)
            switch try reader.frame(at: offset) {
            case .frame(let header, _, let body):
                return try context.show(header, body, file)
            case .none(let reason):
                guard let operation = try? StoredOperation(context.open(file), at: offset) else {
                    return try context.problem(
                        "neither a frame nor a record begins here: \(reason)", file, at: offset)
                }
                try context.show(operation, file, at: offset)
            }
        }
    }

    /// What the frames before `offset` say about names, as far as they can be read.
    private func learnNames(_ reader: FrameReader, before offset: UInt64) throws {
        var position = start
        while position < offset,
            case .frame(let header, _, let body) = try reader.frame(at: position)
        {
            context.learnNames(header, body, before: offset)
            position += UInt64(header.frameLength)
        }
    }
}
