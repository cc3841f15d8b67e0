// The log behind the last checkpoint: what a recovery would replay. Read with `pread`, beside whoever writes.
internal import OfflineBytes
internal import OfflineEngine

/// The operations that are in the log and not in the trees yet.
struct LogTail {
    private let context: DumpContext
    private let catalog: Catalog

    /// `catalog`: the one that the superblock names.
    init(_ context: DumpContext, _ catalog: Catalog) {
        self.context = context
        self.catalog = catalog
    }

    /// Calls `body` with each of them, in the log's order, its names taken in; the log's end.
    @discardableResult
    func forEach(
        _ body: (StoredOperation, NumberedFile, UInt64) throws -> Void
    ) throws -> LogPosition? {
        guard let superblock = context.superblock else { return nil }
        context.directory.beginLog(at: catalog)
        var position = superblock.replayPosition
        var chain = superblock.replayChain
        // A new store's log has no file yet.
        if position.file.value != 0 { try read(from: &position, &chain, body) }
        while let next = try continuation(of: position) {
            position = LogPosition(file: next, offset: UInt64(FileHeader.size))
            try read(from: &position, &chain, body)
        }
        return position
    }

    private func read(
        from position: inout LogPosition, _ chain: inout UInt32,
        _ body: (StoredOperation, NumberedFile, UInt64) throws -> Void
    ) throws {
        let file = NumberedFile(number: position.file, kind: .log)
        guard let reader = try? context.frameReader(file) else { return }
        while case .frame(let header, let checksum, let bytes) = try reader.frame(
            at: position.offset, chain: chain)
        {
            try read(header, bytes, file, body)
            chain = checksum
            position.offset += UInt64(header.frameLength)
        }
    }

    private func read(
        _ header: FrameHeader, _ bytes: [UInt8], _ file: NumberedFile,
        _ body: (StoredOperation, NumberedFile, UInt64) throws -> Void
    ) throws {
        let start = header.position.offset + UInt64(FrameHeader.size)
        switch header.kind {
        case .catalog:
            context.learnNames(header, bytes, before: .max)
        case .commit, .stagedPart:
            try context.forEachOperation(bytes) { operation, offset in
                // What a staged file's records use, the adoption frame has said.
                if header.kind == .commit { context.learnNames(operation) }
                try body(operation, file, start + UInt64(offset))
            } failed: { _, _ in
            }
        case .adoption:
            context.learnNames(header, bytes, before: .max)
            let staged = DumpContext.adoption(bytes)?.files.filter { $0.kind == .log } ?? []
            for part in staged { try readStaged(part, body) }
        }
    }

    private func readStaged(
        _ part: Adoption.File, _ body: (StoredOperation, NumberedFile, UInt64) throws -> Void
    ) throws {
        let file = NumberedFile(number: part.number, kind: .log)
        guard let reader = try? context.frameReader(file) else { return }
        var offset = UInt64(FileHeader.size)
        while offset < part.length,
            case .frame(let header, _, let bytes) = try reader.frame(at: offset)
        {
            if header.kind == .stagedPart { try read(header, bytes, file, body) }
            offset += UInt64(header.frameLength)
        }
    }

    /// The log file that was begun where the log ended at `position`.
    private func continuation(of position: LogPosition) throws -> FileNumber? {
        for file in try context.folder.numberedFiles()
        where file.kind == .log && file.number > position.file {
            guard let open = try? context.open(file),
                case .header(let header)? = try? FileHeader.read(open), !header.isStaged,
                header.store == context.store
            else { continue }
            let isFirst = position.file.value == 0 && header.previousEnd == nil
            if isFirst || header.previousEnd == position { return file.number }
        }
        return nil
    }
}
