// Files of a transaction that is too large for a log file. They are log files that count only once a commit frame, the
// adoption, names them; until then nothing points to them, and an open after a crash removes them.
//
// A staged file: header (flag staged), then frames of kind staged part, each with operations like a commit's, chained from 0
// within the file. Their sequences count from 0 over all files of the transaction; the adoption frame's sequence is
// what they are relative to.
//
// Adoption body: varint count, then for each file: varint number, varint length, u32 chain value at its end.
package import OfflineBytes

/// The staged files of one transaction. Used by the transaction's thread only.
final class StagedFiles {
    private struct Part {
        var file: StoredFile
        var length: UInt64
        var chain: UInt32
        var liveBytes: Int64 = 0
    }

    private let engine: Engine
    private var parts: [Part] = []
    private var nextSequence: UInt64 = 0

    init(engine: Engine) {
        self.engine = engine
    }

    var count: Int { parts.count }

    /// Writes a body as a frame; where the frame begins.
    func append(_ frame: inout PendingFrame) throws(EngineError) -> LogPosition {
        let bodyLength = frame.bodyLength
        let length = FrameHeader.frameLength(body: bodyLength)
        // A file of its own for each body: it is written once, so nothing is prepared, and its size is known.
        let number = engine.logFiles.takeNumber()
        let position = LogPosition(file: number, offset: UInt64(FileHeader.size))
        var bytes = FileHeader(
            kind: .log, store: engine.files.store, number: number, isStaged: true
        ).encoded()
        var body = frame.bytes
        body.append(contentsOf: repeatElement(0, count: length - body.count))
        let header = FrameHeader(
            kind: .stagedPart, storeTag: engine.files.store.tag, position: position,
            bodyLength: bodyLength, sequence: nextSequence, durableThrough: nil, bodyChecksum: 0,
            operationCount: frame.operationCount, chain: 0)
        let chain = LogWriter.finish(&body, header, seals: true, isRelative: true)
        bytes.append(contentsOf: body)
        let path = engine.files.path(number, .log)
        let file = try io { () throws(FileSystemError) in
            let file = try engine.files.system.open(path, .create)
            do throws(FileSystemError) {
                try file.write(bytes, at: 0)
                return try engine.files.add(file, number, .log, length: bytes.count)
            } catch {
                file.close()
                try? engine.files.system.remove(path)
                throw error
            }
        }
        parts.append(Part(file: file, length: UInt64(bytes.count), chain: chain))
        nextSequence += UInt64(frame.operationCount)
        return position
    }

    func noteLive(_ number: FileNumber, _ bytes: Int64) {
        for index in parts.indices where parts[index].file.number == number {
            parts[index].liveBytes += bytes
        }
    }

    /// Makes all of it durable: bytes, then names.
    func finish() throws(EngineError) {
        try io { () throws(FileSystemError) in
            for part in parts { try part.file.file.sync() }
            try engine.files.system.syncDirectory(engine.files.folder)
        }
    }

    func adoptionBody() -> [UInt8] {
        var body: [UInt8] = []
        body.appendVarint(UInt64(parts.count))
        for part in parts {
            body.appendVarint(UInt64(part.file.number.value))
            body.appendVarint(part.length)
            body.appendLittle(part.chain)
        }
        return body
    }

    /// The files as the store's state knows them.
    func adopted(firstSequence: UInt64) -> [(file: FileNumber, usage: FileUsage)] {
        parts.map {
            (
                $0.file.number,
                FileUsage(
                    kind: .log, isStaged: true, length: $0.length, liveBytes: $0.liveBytes,
                    baseSequence: firstSequence)
            )
        }
    }

    /// Removes the files; nothing points to them.
    func discard() {
        for part in parts {
            let path = engine.files.path(part.file.number, .log)
            engine.files.drop(part.file.number)
            try? engine.files.system.remove(path)
        }
        parts = []
    }
}

/// A staged file as an adoption frame names it.
package struct AdoptedFile: Equatable {
    package var number: FileNumber
    package var length: UInt64
    package var chain: UInt32

    /// Reads an adoption frame's body.
    package static func decode(_ bytes: UnsafeRawBufferPointer) throws(ByteError) -> [AdoptedFile] {
        var reader = unsafe ByteReader(bytes)
        let count = try unsafe reader.count(atMost: reader.remaining)
        var files: [AdoptedFile] = []
        for _ in 0..<count {
            let number = try unsafe reader.count(atMost: Int(UInt32.max))
            let length = try unsafe reader.count(atMost: Int(Location.offsetLimit))
            files.append(
                AdoptedFile(
                    number: FileNumber(UInt32(number)), length: UInt64(length),
                    chain: try unsafe reader.little()))
        }
        try unsafe reader.expectEnd()
        return files
    }
}
