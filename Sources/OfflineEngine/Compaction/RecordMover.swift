// Copies records into files of moved records, and says where each went.
internal import OfflineBytes

/// Copies records to one new file after another.
struct RecordMover {
    private let engine: Engine
    private let fileBytes: UInt64
    private var writer: MovedFileWriter?
    private var moves: [(collection: UInt32, moves: [RecordMove])] = []

    init(_ engine: Engine) {
        self.engine = engine
        fileBytes = UInt64(
            engine.logFiles.movedFileBytes(liveBytes: engine.stateNow.liveLogBytes))
    }

    /// The file has its size: `finish` it before more is copied.
    var isFull: Bool { (writer?.length ?? 0) >= fileBytes }

    /// Copies a record.
    mutating func copy(_ location: Location, of collection: UInt32) throws(EngineError) {
        let files = engine.files
        let (bytes, operation) = unsafe try RecordAccess.entry(at: location, in: files)
        guard operation.kind == .put, operation.collection == collection,
            let sequence = RecordAccess.sequence(of: operation, in: location.file, files)
        else {
            throw .corrupted(
                "a tree leads to what is no record of its collection",
                file: FileNames.log(location.file), offset: location.offset)
        }
        if writer == nil {
            writer = try MovedFileWriter(files: files, number: engine.logFiles.takeNumber())
        }
        let entry = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<operation.length])
        do throws(EngineError) {
            guard let to = unsafe try writer?.append(entry, sequence: sequence) else { return }
            if moves.last?.collection != collection { moves.append((collection, [])) }
            moves[moves.count - 1].moves.append(RecordMove(from: location, to: to))
        } catch {
            discard()
            throw error
        }
    }

    /// Makes the file durable and part of the store; what was moved, by collection. Afterwards a new one is begun.
    mutating func finish() throws(EngineError) -> [(collection: UInt32, moves: [RecordMove])] {
        guard var last = writer else { return [] }
        do throws(EngineError) {
            let stored = try last.finish()
            writer = nil
            engine.publishFile(
                stored.number,
                FileUsage(kind: .log, isStaged: true, length: UInt64(stored.length)))
        } catch {
            discard()
            throw error
        }
        defer { moves = [] }
        return moves
    }

    private mutating func discard() {
        writer?.discard()
        writer = nil
        moves = []
    }
}
