// The end of the log: the active file, where its next frame goes, and the file after it.
//
// Not synchronized: GroupCommit owns it and calls it with its lock held. Frames are written with one `pwrite` under
// that lock: a copy into the page cache, 2 to 4 us for a small commit, in exchange for a log without buffers of its own, in
// which every appended byte can be read through the file's map at once.
internal import OfflineBytes

/// A commit on its way into the log.
package struct PendingFrame {
    package var kind: FrameHeader.Kind
    /// Room for the header, then the body (operations for a commit, a list of files for an adoption).
    package var bytes: [UInt8]
    package var operationCount: Int
    /// How many sequence numbers it takes.
    package var sequenceCount: Int
    /// Dictionaries that it makes grow.
    package var names: [(collection: UInt32, names: [String])] = []

    /// It frees space in the end: it may use what is kept back of the size limit.
    package var usesReserve = false

    package var bodyLength: Int { bytes.count - FrameHeader.size }
}

/// Appends frames.
package struct LogWriter {
    private let files: OpenFiles
    private let logFiles: LogFiles
    private let storeTag: UInt64
    /// The file that is written; nil until the first append after an open that must not go on in an old one.
    private var active: StoredFile?
    /// The end of the log.
    package private(set) var position: LogPosition
    /// The header checksum of the last frame.
    package private(set) var chain: UInt32
    package private(set) var nextSequence: UInt64
    /// What each new file opens with: definitions and dictionaries as of the last append.
    package var catalog: Catalog {
        didSet { catalogFrameLength = Self.frameLength(of: catalog) }
    }
    /// Bytes of the frame that `catalog` takes: every commit asks.
    private var catalogFrameLength: Int
    /// The next file, if it is ready.
    package var prepared: StoredFile?
    /// Files with bytes that were not synced, oldest first.
    package private(set) var unsynced: [StoredFile] = []
    /// Files that the log went on from, whose descriptors aren't closed yet.
    private var full: [StoredFile] = []
    /// Everything before this position is on stable storage.
    package var durableThrough: LogPosition?
    /// A write into the log failed for another reason than room, so that nobody knows what it holds.
    package private(set) var isBroken = false
    /// Where the first frame of the file that was opened last goes.
    private var headEnd: UInt64 = 0
    /// The longest frame since the last file was made: the next one should hold a few of them.
    private var longestFrame = 0

    package init(
        files: OpenFiles, logFiles: LogFiles, active: StoredFile?, position: LogPosition,
        chain: UInt32, nextSequence: UInt64, catalog: Catalog
    ) {
        self.files = files
        self.logFiles = logFiles
        self.active = active
        self.position = position
        self.chain = chain
        self.nextSequence = nextSequence
        self.catalog = catalog
        catalogFrameLength = Self.frameLength(of: catalog)
        storeTag = files.store.tag
    }

    /// Where a frame that was appended begins, and the sequences of its operations.
    package struct Place {
        package var frame: LogPosition
        package var sequences: Range<UInt64>
    }

    /// Gives the frame its place and writes it. Throws with the log as before, be it that the disk is full or that no
    /// new file can be made, unless `isBroken` is set then: the log can't be trusted any more.
    package mutating func append(
        _ frame: inout PendingFrame, liveBytes: @autoclosure () -> Int64
    ) throws(EngineError) -> Place {
        let length = FrameHeader.frameLength(body: frame.bodyLength)
        let file = try room(for: length, liveBytes: liveBytes, frame.usesReserve)
        let place = Place(
            frame: position,
            sequences: nextSequence..<nextSequence + UInt64(frame.sequenceCount))
        longestFrame = max(longestFrame, length)
        let bodyLength = frame.bodyLength
        let padding = length - frame.bytes.count
        if padding > 0 { frame.bytes.append(contentsOf: repeatElement(0, count: padding)) }
        let seals = frame.kind == .commit
        let header = FrameHeader(
            kind: frame.kind, storeTag: storeTag, position: position, bodyLength: bodyLength,
            sequence: nextSequence, durableThrough: durableThrough, bodyChecksum: 0,
            operationCount: frame.operationCount, chain: chain)
        let sum = Self.finish(&frame.bytes, header, seals: seals)
        do throws(FileSystemError) { try file.file.write(frame.bytes, at: position.offset) } catch {
            // Whatever arrived of the frame lies behind the end that the next file's header records.
            active = nil
            full.append(file)
            frame.bytes.removeLast(max(0, padding))
            throw note(EngineError(error))
        }
        if unsynced.last !== file { unsynced.append(file) }
        position.offset += UInt64(length)
        chain = sum
        nextSequence += UInt64(frame.sequenceCount)
        for grown in frame.names {
            guard let index = catalog.collections.firstIndex(where: { $0.id == grown.collection })
            else { continue }
            catalog.collections[index].names = grown.names
        }
        return place
    }

    /// Lets the log go on in a new file, unless it has just begun one. Throws as `append` does.
    package mutating func rotate(liveBytes: Int64) throws(EngineError) {
        guard position.file.value != 0, position.offset > headEnd else { return }
        _ = try openNext(for: 0, liveBytes: liveBytes, true)
    }

    private mutating func note(_ error: EngineError) -> EngineError {
        if error.code != .storageFull { isBroken = true }
        return error
    }

    /// Fills in sequences, checksums and header; returns the header's checksum.
    static func finish(
        _ bytes: inout [UInt8], _ header: FrameHeader, seals: Bool, isRelative: Bool = false
    ) -> UInt32 {
        var header = header
        return unsafe bytes.withUnsafeMutableBytes { buffer -> UInt32 in
            guard let base = buffer.baseAddress else { return 0 }
            let body = unsafe UnsafeMutableRawBufferPointer(
                start: base + FrameHeader.size, count: header.bodyLength)
            if seals {
                unsafe LogOperation.seal(
                    body, firstSequence: header.sequence, isRelative: isRelative)
            }
            header.bodyChecksum = unsafe CRC32C.checksum(UnsafeRawBufferPointer(body))
            return unsafe header.write(to: base)
        }
    }

    /// Whether a file should be made ready now, and how large.
    package func preparation(liveBytes: Int64) -> Int? {
        guard prepared == nil else { return nil }
        return logFiles.fileBytes(
            liveBytes: liveBytes, catalog: catalogFrameLength,
            frame: min(2 * longestFrame, logFiles.fileBytesMax / 2))
    }

    /// The longest frame that a log file can take; a longer commit is staged.
    package var frameBytesMax: Int {
        logFiles.fileBytesMax - FileHeader.size - catalogFrameLength
    }

    private static func frameLength(of catalog: Catalog) -> Int {
        FrameHeader.frameLength(body: catalog.encoded(withRoots: false).count)
    }

    /// Forgets which files had unsynced bytes and returns them, for the thread that syncs.
    package mutating func takeUnsynced() -> [StoredFile] {
        defer { unsynced = [] }
        return unsynced
    }

    /// Forgets which full files need no further sync and returns them, for the thread that syncs: nobody else may close a file
    /// that it may be syncing.
    package mutating func takeFinished() -> [StoredFile] {
        let finished = full.filter { file in !unsynced.contains { $0 === file } }
        full.removeAll { file in finished.contains { $0 === file } }
        return finished
    }

    /// The active file if the frame fits it, else the next one, opened with its header and catalog.
    private mutating func room(
        for length: Int, liveBytes: () -> Int64, _ usesReserve: Bool
    ) throws(EngineError) -> StoredFile {
        if let active, position.offset + UInt64(length) <= UInt64(active.length) { return active }
        return try openNext(for: length, liveBytes: liveBytes(), usesReserve)
    }

    private mutating func openNext(
        for length: Int, liveBytes: Int64, _ usesReserve: Bool
    ) throws(EngineError) -> StoredFile {
        let body = catalog.encoded(withRoots: false)
        let catalogFrame = FrameHeader.frameLength(body: body.count)
        let needed = FileHeader.size + catalogFrame + length
        if let ready = prepared, ready.length < needed {
            prepared = nil
            logFiles.discard(ready)
        }
        let file: StoredFile
        if let ready = prepared {
            file = ready
        } else {
            let size = logFiles.fileBytes(
                liveBytes: liveBytes, catalog: catalogFrame, frame: length)
            try files.admit(size, usesReserve: usesReserve)
            file = try logFiles.make(logFiles.takeNumber(), size: size)
        }
        // Kept until its head is written, so that a full disk costs nothing but this attempt.
        prepared = file
        let header = FileHeader(
            kind: .log, store: files.store, number: file.number,
            previousEnd: position.file.value == 0 ? nil : position, previousChain: chain,
            capacity: UInt64(file.length))
        var head = header.encoded()
        var bytes = [UInt8](repeating: 0, count: FrameHeader.size) + body
        bytes.append(contentsOf: repeatElement(0, count: catalogFrame - bytes.count))
        let start = LogPosition(file: file.number, offset: UInt64(FileHeader.size))
        let sum = Self.finish(
            &bytes,
            FrameHeader(
                kind: .catalog, storeTag: storeTag, position: start, bodyLength: body.count,
                sequence: nextSequence, durableThrough: durableThrough, bodyChecksum: 0,
                operationCount: 0, chain: chain),
            seals: false)
        head.append(contentsOf: bytes)
        do throws(FileSystemError) { try file.file.write(head, at: 0) } catch {
            throw note(EngineError(error))
        }
        prepared = nil
        if let active { full.append(active) }
        active = file
        // The next file may be opened before a frame is in this one: the log's chain leads through it all the same.
        unsynced.append(file)
        headEnd = UInt64(FileHeader.size + catalogFrame)
        position = LogPosition(file: file.number, offset: headEnd)
        chain = sum
        longestFrame = 0
        return file
    }
}
