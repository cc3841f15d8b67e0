// Files of a transaction that is too large for a log file: log files with its records, node segments with its nodes. They
// count only once an adoption frame names them; until then nothing points to them, and an open after a crash removes
// them. So a transaction of any size holds bounded memory.
//
// A staged log file: header (flag staged), then one frame of kind staged part, with operations like a commit's. Their
// sequences count from 0 over all files of the transaction and are relative to the adoption frame's.
// A staged node segment: header (flag staged), then nodes; no catalog.
//
// Before anything is staged a checkpoint writes all nodes that the transaction is based on, and its trees are re-pointed to
// what was written: they then lead to its own pages and to files only.
internal import OfflineBytes

/// The staged files of one transaction. Used by the transaction's thread only.
final class StagedFiles {
    private struct Part {
        var file: StoredFile
        var live: LiveBytes
    }

    private let engine: Engine
    private var parts: [Part] = []
    /// Operations in the log files.
    private(set) var operationCount = 0

    init(
        engine: Engine, _ transactionParts: inout [TransactionPart]
    ) throws(EngineError) {
        self.engine = engine
        try engine.checkpoint()
        let through = engine.completedSegment
        for index in transactionParts.indices {
            let owner = transactionParts[index].owner
            transactionParts[index].primary.root = try Tree.swap(
                transactionParts[index].primary.root, through: through, owner)
            for tree in transactionParts[index].indexes.indices {
                transactionParts[index].indexes[tree].tree.root = try Tree.swap(
                    transactionParts[index].indexes[tree].tree.root, through: through, owner)
            }
            let part = transactionParts[index]
            assert(
                ([part.primary] + part.indexes.map(\.tree)).allSatisfy {
                    Tree.hasOnlyPages(of: owner, $0.root.node)
                }, "a staged transaction's trees lead to its own pages and to files only")
        }
    }

    /// Writes a body as a frame of a file of its own; where the frame begins. The file is written once and its size is known, so
    /// nothing is written ahead.
    func append(
        _ frame: inout PendingFrame, live: LiveBytes
    ) throws(EngineError) -> LogPosition {
        try engine.files.admit(frame.bytes.count, usesReserve: frame.usesReserve)
        let number = engine.logFiles.takeNumber()
        let position = LogPosition(file: number, offset: UInt64(FileHeader.size))
        var bytes = FileHeader(
            kind: .log, store: engine.files.store, number: number, isStaged: true
        ).encoded()
        let length = FrameHeader.frameLength(body: frame.bodyLength)
        var framed = frame.bytes
        framed.append(contentsOf: repeatElement(0, count: length - framed.count))
        let header = FrameHeader(
            kind: .stagedPart, storeTag: engine.files.store.tag, position: position,
            bodyLength: frame.bodyLength, sequence: UInt64(operationCount), durableThrough: nil,
            bodyChecksum: 0, operationCount: frame.operationCount, chain: 0)
        _ = LogWriter.finish(&framed, header, seals: true, isRelative: true)
        bytes.append(contentsOf: framed)
        let path = engine.files.path(number, .log)
        let stored = try io { () throws(FileSystemError) in
            let file = try engine.files.system.open(path, .create)
            do throws(FileSystemError) {
                try file.write(bytes, at: 0)
                // Now, so that no descriptor is kept: a transaction may have any number of files.
                try file.sync()
                let stored = try engine.files.add(file, number, .log, length: bytes.count)
                stored.closeDescriptor()
                return stored
            } catch {
                file.close()
                try? engine.files.system.remove(path)
                throw error
            }
        }
        parts.append(Part(file: stored, live: live))
        operationCount += frame.operationCount
        return position
    }

    /// Writes all pages of the transaction to a node segment and lets go of them.
    func spill(_ transactionParts: inout [TransactionPart]) throws(EngineError) {
        guard transactionParts.contains(where: { unsafe !$0.owner.created.isEmpty }) else { return }
        let through = engine.completedSegment
        var segment = try NodeSegmentWriter(
            files: engine.files, number: engine.logFiles.takeNumber(), isStaged: true)
        do throws(EngineError) {
            let table = engine.files.table
            var written = transactionParts
            var live = LiveBytes()
            for index in written.indices where written[index].isChanged {
                let start = segment.length
                written[index].primary.root = try Tree.pack(
                    written[index].primary.root, files: table, through: through, into: &segment)
                for tree in written[index].indexes.indices {
                    written[index].indexes[tree].tree.root = try Tree.pack(
                        written[index].indexes[tree].tree.root, files: table, through: through,
                        into: &segment)
                }
                live.add(written[index].collection.id, segment.length - start)
            }
            let stored = try segment.finish()
            parts.append(Part(file: stored, live: live))
            // What wasn't packed is still in memory.
            for part in written where part.isChanged { part.owner.releaseCreated() }
            transactionParts = written
        } catch {
            // The pages must not be taken for written in a file that goes.
            for part in transactionParts {
                Tree.forgetLocations(part.primary.root, after: through)
                for (_, tree) in part.indexes { Tree.forgetLocations(tree.root, after: through) }
            }
            segment.discard()
            throw error
        }
    }

    /// A collection uses so much more of a file; false if it isn't a staged one.
    func note(_ number: FileNumber, _ collection: UInt32, _ bytes: Int64) -> Bool {
        guard let index = parts.firstIndex(where: { $0.file.number == number }) else {
            return false
        }
        parts[index].live.add(collection, bytes)
        return true
    }

    /// A collection has nothing in the files any more.
    func clear(_ collection: UInt32) {
        for index in parts.indices { parts[index].live.clear(collection) }
    }

    /// Makes the names durable; the bytes are.
    func finish() throws(EngineError) {
        try io { () throws(FileSystemError) in
            try engine.files.system.syncDirectory(engine.files.folder)
        }
    }

    var adopted: [Adoption.File] {
        parts.map {
            Adoption.File(
                number: $0.file.number, kind: $0.file.kind, length: UInt64($0.file.length),
                live: $0.live)
        }
    }

    /// Bytes of all files.
    var bytes: Int { parts.reduce(0) { $0 + $1.file.length } }

    /// Removes the files; nothing points to them.
    func discard() {
        for part in parts {
            let path = engine.files.path(part.file.number, part.file.kind)
            engine.files.drop(part.file.number)
            try? engine.files.system.remove(path)
        }
        parts = []
    }
}
