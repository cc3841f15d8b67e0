// Copies records into files of moved records, and says where each went.
internal import OfflineBytes

/// Copies records to one new file after another.
struct RecordMover: ~Copyable {
    private let engine: Engine
    private let fileBytes: UInt64
    /// Records of operations before this one may be deflated.
    private let coldBefore: UInt64
    private var block: RecordBlock?
    private var writer: MovedFileWriter?
    private var moves: [(collection: UInt32, moves: [RecordMove])] = []
    private var buffer = InflateBuffer()

    /// What was begun and isn't part of the store goes.
    deinit { writer?.discard() }

    /// A record is cold if so many times as many operations as there are records came after it: chosen at random, all but one
    /// in 3,000 would have been written again.
    private static let coldAge: UInt64 = 8

    /// Deflates cold records, or, if the store is to be packed, all, where that pays.
    init(_ engine: Engine, packsAll: Bool) {
        self.engine = engine
        let state = engine.stateNow
        fileBytes = UInt64(engine.logFiles.movedFileBytes(liveBytes: state.liveLogBytes))
        let records = state.collections.reduce(UInt64(0)) { $0 &+ $1.primary.count }
        let age = records.multipliedReportingOverflow(by: Self.coldAge)
        coldBefore =
            packsAll
            ? .max
            : age.overflow ? 0 : state.nextSequence - min(age.partialValue, state.nextSequence)
    }

    /// The file has its size: `finish` it before more is copied.
    var isFull: Bool { (writer?.length ?? 0) + UInt64(block?.byteCount ?? 0) >= fileBytes }

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
        if let block, block.collection != collection || block.isFull { try writeBlock() }
        let entry = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<operation.length])
        // What has its dictionary elsewhere stays deflated, where that pays here too: it was cold before.
        let record = unsafe try RecordAccess.recordNeedingDictionary(
            entry, operation, at: location, in: files, &buffer)
        var block = block.take() ?? RecordBlock(collection)
        unsafe block.add(
            entry, operation, inflated: record, from: location, sequence: sequence,
            isCold: unsafe record != nil || sequence < coldBefore)
        self.block = block
    }

    private mutating func writeBlock() throws(EngineError) {
        guard let block = block.take() else { return }
        if writer == nil {
            writer = try MovedFileWriter(files: engine.files, number: engine.logFiles.takeNumber())
        }
        do throws(EngineError) {
            guard let moved = try writer?.append(block) else { return }
            if moves.last?.collection != block.collection { moves.append((block.collection, [])) }
            moves[moves.count - 1].moves += moved
        } catch {
            discard()
            throw error
        }
    }

    /// Makes the file durable and part of the store; what was moved, by collection. Afterwards a new one is begun.
    mutating func finish() throws(EngineError) -> [(collection: UInt32, moves: [RecordMove])] {
        try writeBlock()
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
        block = nil
        moves = []
    }
}
