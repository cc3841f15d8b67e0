// Opening a store after any end: a clean one, a kill, a power cut.
//
// Steps:
// 1. The newest valid superblock, and the catalog that it names. No superblock and no commit anywhere: a new store, or
//    one whose creation was cut off, which is made again.
// 2. Every file that the catalog names is opened, checked to be the one named, and mapped.
// 3. The log is replayed from the superblock's position: frame by frame while they chain, over file borders by the
//    header that names this end.
// 4. Where no frame follows: if a later valid frame says that the log was durable beyond here, bytes are damaged:
//    `.corrupted`. Else this is the tail of a power cut, and the log ends here for ever: the next file's header says so.
// 5. Files of ours that nothing refers to are removed; a prepared log file is kept.
//
// Beside a running writer (read-only) the tail is a moving target: the end is the first frame that isn't whole. Only what
// is still not whole after a later frame vouched for it is called damaged.
internal import OfflineBytes

/// What opening yields.
struct Recovered {
    var files: OpenFiles
    var state: StoreState
    var superblock: Superblock
    var report: RecoveryReport
    /// The log file to go on in; nil: the next append begins a new one.
    var active: StoredFile?
    /// An unused log file that was found.
    var prepared: StoredFile?
    var nextFileNumber: UInt32
    /// One slot of the superblock isn't valid.
    var hasBadSlot: Bool
}

/// Opens what is in a folder.
struct Recovery {
    let system: any FileSystem
    let folder: String
    let isReadOnly: Bool
    let derivation: any IndexDerivation
    /// See EngineOptions.
    let nodeBytesMax: Int
    /// Counts what the files take, for whoever writes them.
    var meter: SpaceMeter?

    /// A tail longer than this isn't read to see whether it is still zeros: the log goes on in a new file.
    static let reusableTailBytesMax: UInt64 = 1 << 20

    /// Opens the store; nil where there is none yet.
    func run() throws(EngineError) -> Recovered? {
        let names = try io { () throws(FileSystemError) in try system.list(folder) }
        let contents = try io { () throws(FileSystemError) in
            try SuperblockFile.read(system, folder)
        }
        if let version = contents?.unsupportedVersion {
            throw EngineError(
                .unsupportedFormat,
                "the store has format version \(version); this build reads \(FormatVersion.current)",
                file: FileNames.superblock)
        }
        guard let superblock = contents?.newest else {
            try checkNothingIsLost(names, hasSuperblock: contents != nil)
            return nil
        }
        let catalog = try readCatalog(superblock)
        let files = OpenFiles(
            system: system, folder: folder, store: superblock.store,
            nodeBytesMax: nodeBytesMax, meter: meter)
        guard catalog.nextSequence <= Limits.sequenceMax else {
            throw .corrupted(
                "the catalog's next sequence is out of range",
                file: FileNames.tree(superblock.catalog.file), offset: superblock.catalog.offset)
        }
        guard catalog.nextSequence == superblock.durableSequence else {
            throw .corrupted(
                "the catalog is not the one that the superblock was written for",
                file: FileNames.tree(superblock.catalog.file), offset: superblock.catalog.offset)
        }
        var state = try open(catalog, superblock, files)
        var report = RecoveryReport()
        state = try replay(state, files, superblock, names, &report)
        var recovered = Recovered(
            files: files, state: state, superblock: superblock, report: report,
            nextFileNumber: try nextNumber(catalog, names),
            hasBadSlot: contents?.slots.contains { if case .bad = $0 { true } else { false } }
                ?? false)
        if !isReadOnly {
            try confirm(superblock)
            if state.position != superblock.replayPosition { try sync(recovered) }
            try settle(&recovered, names)
        }
        return recovered
    }

    // MARK: - Superblock and catalog

    /// No superblock counts. That is a store whose creation was cut off, unless a log holds a commit.
    private func checkNothingIsLost(
        _ names: [String], hasSuperblock: Bool
    ) throws(EngineError) {
        for name in names {
            guard let (number, kind) = FileNames.parse(name), kind == .log else { continue }
            guard let (reader, _) = try logFile(number, store: nil) else { continue }
            let commit = try io { () throws(FileSystemError) in
                try reader.findHeader(from: UInt64(FileHeader.size)) { $0.kind != .catalog }
            }
            if commit != nil {
                throw .corrupted(
                    hasSuperblock
                        ? "neither slot of the superblock is valid, but the logs hold commits; recover the store from them"
                        : "the superblock is missing, but the logs hold commits; recover the store from them",
                    file: FileNames.superblock, offset: 0)
            }
        }
    }

    private func readCatalog(_ superblock: Superblock) throws(EngineError) -> Catalog {
        let position = superblock.catalog
        let name = FileNames.tree(position.file)
        let path = system.path(folder, name)
        guard try io({ () throws(FileSystemError) in try system.information(path) }) != nil else {
            throw .corrupted("the node segment with the catalog is missing", file: name, offset: 0)
        }
        let reading = try io { () throws(FileSystemError) in
            let file = try system.open(path, .read)
            defer { file.close() }
            return try FrameReader(
                file: file, number: position.file, storeTag: superblock.store.tag
            ).frame(at: position.offset)
        }
        switch reading {
        case .frame(let header, _, let body) where header.kind == .catalog:
            do throws(ByteError) {
                return try unsafe body.withBytes { bytes throws(ByteError) in
                    try unsafe Catalog.decoded(bytes)
                }
            } catch {
                throw .corrupted(
                    "the catalog is damaged: \(error.message)", file: name,
                    offset: position.offset + UInt64(FrameHeader.size + error.offset))
            }
        case .frame:
            throw .corrupted(
                "the superblock names a frame that is no catalog", file: name,
                offset: position.offset)
        case .none(let reason):
            throw .corrupted(
                "the catalog can't be read: \(reason)", file: name, offset: position.offset)
        }
    }

    /// Maps every file of the catalog and makes the versions of all collections.
    private func open(
        _ catalog: Catalog, _ superblock: Superblock, _ files: OpenFiles
    ) throws(EngineError) -> StoreState {
        var state = StoreState(
            position: superblock.replayPosition, chain: superblock.replayChain,
            nextSequence: catalog.nextSequence, applicationVersion: catalog.applicationVersion)
        for file in catalog.files {
            // The active log file is mapped whole: the log goes on in it.
            let isActive = file.number == superblock.replayPosition.file
            try openFile(file, isActive: isActive, files)
            files.table.setBaseSequence(file.baseSequence, of: file.number)
            state.files[file.number] = FileUsage(
                kind: file.kind, isStaged: file.isStaged, length: file.length,
                live: file.live, baseSequence: file.baseSequence)
        }
        for entry in catalog.collections {
            guard let names = NameDictionary.empty.appending(stored: entry.names) else {
                throw .corrupted(
                    "the catalog's names of collection \(entry.id) are too many, too long, or not distinct",
                    file: FileNames.tree(superblock.catalog.file),
                    offset: superblock.catalog.offset)
            }
            let version = CollectionVersion(
                id: entry.id, definition: entry.definition, names: names,
                primary: entry.trees[0].root, indexes: Array(entry.trees.dropFirst()), files: files)
            state.set(version)
            try load(version)
        }
        return state
    }

    private func openFile(
        _ file: Catalog.File, isActive: Bool, _ files: OpenFiles
    ) throws(EngineError) {
        let stored = try files.open(
            file.number, file.kind, length: isActive ? nil : file.length,
            writable: isActive && !isReadOnly)
        guard UInt64(stored.length) >= file.length else {
            throw .corrupted(
                "the file has \(stored.length) bytes where \(file.length) are in use",
                file: stored.name, offset: UInt64(stored.length))
        }
        let head = try io { () throws(FileSystemError) in
            try stored.file.readArray(count: FileHeader.size, at: 0)
        }
        if !isActive || isReadOnly { stored.closeDescriptor() }
        switch unsafe head.withUnsafeBytes({ unsafe FileHeader.read($0) }) {
        case .header(let header):
            guard header.store == files.store else {
                throw .corrupted("the file belongs to another store", file: stored.name, offset: 0)
            }
            guard header.number == file.number, header.kind == file.kind,
                header.isStaged == file.isStaged
            else {
                throw .corrupted(
                    "the file's header names another file", file: stored.name, offset: 0)
            }
        case .unused: throw .corrupted("the file has no header", file: stored.name, offset: 0)
        case .bad(let reason): throw .corrupted(reason, file: stored.name, offset: 0)
        case .unsupported(let version):
            throw EngineError(
                .unsupportedFormat, "the file has format version \(version)", file: stored.name)
        }
    }

    private func load(_ version: CollectionVersion) throws(EngineError) {
        do { try derivation.load(version.description) } catch {
            throw EngineError(
                .corrupted, "the definition of collection \(version.id) can't be used: \(error)")
        }
    }

    /// Above all numbers in use. A name that says a number out of range is nothing of ours.
    private func nextNumber(
        _ catalog: Catalog, _ names: [String]
    ) throws(EngineError) -> UInt32 {
        let numbers = names.compactMap { FileNames.parse($0)?.number.value }
        let greatest = numbers.filter { $0 < Limits.fileNumberMax }.max() ?? 0
        let next = max(catalog.nextFileNumber, greatest + 1)
        guard next < Limits.fileNumberMax else {
            throw .corrupted(
                "the catalog's next file number is out of range",
                file: FileNames.superblock, offset: 0)
        }
        return next
    }

    // MARK: - The log

    /// A log file that says it is one of `store` (of any, for nil); nil for one that was never used or isn't ours.
    private func logFile(
        _ number: FileNumber, store: StoreID?
    ) throws(EngineError) -> (reader: FrameReader, header: FileHeader)? {
        let path = system.path(folder, FileNames.log(number))
        return try io { () throws(FileSystemError) in
            guard try system.information(path)?.kind == .file else { return nil }
            let file = try system.open(path, .read)
            let head = try file.readArray(count: FileHeader.size, at: 0)
            guard
                case .header(let header) = unsafe head.withUnsafeBytes({
                    unsafe FileHeader.read($0)
                }), header.number == number, header.kind == .log,
                store == nil || header.store == store
            else { return nil }
            return (
                try FrameReader(file: file, number: number, storeTag: header.store.tag), header
            )
        }
    }

    private func replay(
        _ state: StoreState, _ files: OpenFiles, _ superblock: Superblock, _ names: [String],
        _ report: inout RecoveryReport
    ) throws(EngineError) -> StoreState {
        var replay = Replay(state: state, files: files, derivation: derivation, report: report)
        var reason = ""
        var vouched: LogPosition?
        while true {
            // A new store's log has no file yet.
            if replay.state.position.file.value != 0 {
                reason = try replayFile(&replay, files, replay.state.position.file)
            }
            while let next = try continuation(replay.state, names, files) {
                reason = try replayFile(&replay, files, next)
            }
            let end = replay.state.position
            guard let witness = try witness(beyond: end, replay.state, names, files) else { break }
            // Beside a writer the frame may have been incomplete a moment ago; it was whole before the witness was
            // written, so a second look decides.
            if vouched == end {
                throw damage(
                    end, "\(reason), but the frame at \(witness) says that more was durable")
            }
            vouched = end
        }
        let end = replay.state
        report = replay.report
        report.wasClean = superblock.isCleanClose && end.position == superblock.replayPosition
        if !report.wasClean { try checkLength(end.position, superblock, files) }
        if end.position.file.value != 0, reason != FrameReader.untouched {
            report.cut = (end.position, reason)
        }
        return replay.finish()
    }

    /// A power cut doesn't shorten a log file: its size was durable before its first frame. (A clean close may, to exactly
    /// where the log ends.)
    private func checkLength(
        _ end: LogPosition, _ superblock: Superblock, _ files: OpenFiles
    ) throws(EngineError) {
        guard let (reader, header) = try logFile(end.file, store: files.store) else { return }
        reader.file.close()
        if reader.size >= header.capacity { return }
        if end == superblock.replayPosition, reader.size == end.offset { return }
        throw damage(
            LogPosition(file: end.file, offset: reader.size),
            "the file was made with \(header.capacity) bytes and has \(reader.size)")
    }

    private func damage(_ position: LogPosition, _ message: String) -> EngineError {
        .corrupted(message, file: FileNames.log(position.file), offset: position.offset)
    }

    /// Replays one file from the state's position, or from its start; why there is no further frame.
    private func replayFile(
        _ replay: inout Replay, _ files: OpenFiles, _ number: FileNumber
    ) throws(EngineError) -> String {
        guard let (reader, _) = try logFile(number, store: files.store) else {
            return "the log file can't be read"
        }
        defer { reader.file.close() }
        if replay.state.position.file != number {
            // The log goes on in its last file only.
            files.file(replay.state.position.file)?.closeDescriptor()
            replay.advance(
                to: LogPosition(file: number, offset: UInt64(FileHeader.size)),
                chain: replay.state.chain, nextSequence: replay.state.nextSequence)
        }
        while true {
            let position = replay.state.position
            let reading = try io { () throws(FileSystemError) in
                try reader.frame(at: position.offset, chain: replay.state.chain)
            }
            guard case .frame(let header, let checksum, let body) = reading else {
                if case .none(let reason) = reading { return reason }
                return ""
            }
            guard header.sequence == replay.state.nextSequence else {
                throw damage(
                    position,
                    "the frame begins with operation \(header.sequence), and the next one is "
                        + "\(replay.state.nextSequence)")
            }
            let sequences = try apply(header, body, &replay, files)
            replay.advance(
                to: LogPosition(
                    file: number, offset: position.offset + UInt64(header.frameLength)),
                chain: checksum, nextSequence: header.sequence &+ sequences)
        }
    }

    /// Applies one frame; how many sequence numbers it took.
    private func apply(
        _ header: FrameHeader, _ body: [UInt8], _ replay: inout Replay, _ files: OpenFiles
    ) throws(EngineError) -> UInt64 {
        let place = header.position
        let start = LogPosition(
            file: place.file, offset: place.offset + UInt64(FrameHeader.size))
        switch header.kind {
        case .catalog:
            return 0
        case .commit:
            if files.file(place.file) == nil {
                let stored = try files.open(
                    place.file, .log, length: nil, writable: !isReadOnly)
                if isReadOnly { stored.closeDescriptor() }
            }
            try replay.apply(body, at: start, header: header)
            return UInt64(header.operationCount)
        case .adoption:
            let adoption: Adoption
            do throws(ByteError) {
                adoption = try unsafe body.withBytes { bytes throws(ByteError) in
                    try unsafe Adoption.decoded(bytes)
                }
            } catch {
                throw .corrupted(
                    "an adoption frame is damaged: \(error.message)",
                    file: FileNames.log(place.file), offset: place.offset)
            }
            for file in adoption.files {
                try openFile(
                    Catalog.File(
                        number: file.number, kind: file.kind, isStaged: true, length: file.length,
                        live: file.live), isActive: false, files)
                files.table.setBaseSequence(header.sequence, of: file.number)
            }
            try replay.adopt(adoption, header)
            return UInt64(header.operationCount)
        case .stagedPart:
            throw .corrupted(
                "a staged part stands in the log itself", file: FileNames.log(place.file),
                offset: place.offset)
        }
    }

    /// The file whose header says that the log went on in it from exactly here.
    private func continuation(
        _ state: StoreState, _ names: [String], _ files: OpenFiles
    ) throws(EngineError) -> FileNumber? {
        for number in logNumbers(names) where number > state.position.file {
            guard let (reader, header) = try logFile(number, store: files.store) else { continue }
            reader.file.close()
            guard !header.isStaged, header.previousChain == state.chain else { continue }
            let isFirst = state.position.file.value == 0 && header.previousEnd == nil
            if isFirst || header.previousEnd == state.position { return number }
        }
        return nil
    }

    /// A valid frame anywhere that says the log was on stable storage beyond `end`.
    private func witness(
        beyond end: LogPosition, _ state: StoreState, _ names: [String], _ files: OpenFiles
    ) throws(EngineError) -> LogPosition? {
        for number in logNumbers(names) where number >= end.file {
            // The frames of a staged file vouch for nothing, and there may be gigabytes of them.
            if state.files[number]?.isStaged == true { continue }
            // Whatever its header says: that may be what is damaged.
            let path = system.path(folder, FileNames.log(number))
            guard
                try io({ () throws(FileSystemError) in try system.information(path) })?.kind
                    == .file
            else { continue }
            let reader = try io { () throws(FileSystemError) in
                try FrameReader(
                    file: try system.open(path, .read), number: number, storeTag: files.store.tag)
            }
            defer { reader.file.close() }
            let start = number == end.file ? end.offset : UInt64(FileHeader.size)
            let found = try io { () throws(FileSystemError) in
                try reader.findHeader(from: start) { header in
                    header.durableThrough.map { $0 > end } ?? false
                }
            }
            if let found { return found.position }
        }
        return nil
    }

    private func logNumbers(_ names: [String]) -> [FileNumber] {
        names.compactMap { FileNames.parse($0) }.filter { $0.kind == .log }.map(\.number).sorted()
    }
}

extension CollectionVersion {
    /// What whoever derives index keys must know.
    package var description: CollectionDescription {
        CollectionDescription(
            id: id, definition: definition, indexes: indexes.map(\.index), names: names.names)
    }
}
