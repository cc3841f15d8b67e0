// From a folder to an engine: lock, recovery or creation, and the parts that run.
//
// Creation: folder (and its name in the parent), lock, an empty catalog in the first node segment, then the superblock,
// then its name. A crash anywhere leaves nothing or a folder without a superblock, which the next open makes again.
internal import OfflineBytes

extension Engine {
    /// Opens the store in `folder`, creating it where there is none. Blocks; not for a thread of the cooperative pool.
    ///
    /// Throws `.locked` where somebody else writes it, `.corrupted` with file and offset, `.unsupportedFormat`,
    /// `.permissionDenied`, `.storageFull`, `.unavailable`.
    package static func open(
        _ system: any FileSystem, folder: String, options: EngineOptions,
        derivation: any IndexDerivation
    ) throws(EngineError) -> Engine {
        if let limit = options.sizeLimit, limit < Limits.sizeLimitMin {
            throw EngineError(.limit, "a size limit is at least \(Limits.sizeLimitMin) bytes")
        }
        return options.isReadOnly
            ? try openReadOnly(system, folder, options, derivation)
            : try openForWriting(system, folder, options, derivation)
    }

    // MARK: - Writing

    private static func openForWriting(
        _ system: any FileSystem, _ folder: String, _ options: EngineOptions,
        _ derivation: any IndexDerivation
    ) throws(EngineError) -> Engine {
        try system.makeStoreFolder(folder)
        let lock = try io { () throws(FileSystemError) in
            try system.lock(system.path(folder, FileNames.lock))
        }
        do throws(EngineError) {
            let metered = try io { () throws(FileSystemError) in
                try MeteredFileSystem(system, folder: folder, limit: options.sizeLimit)
            }
            let recovery = Recovery(
                system: metered, folder: folder, isReadOnly: false, derivation: derivation,
                nodeBytesMax: options.nodeBytesMax, meter: metered.meter)
            var recovered: Recovered
            if let found = try recovery.run() {
                recovered = found
            } else {
                try create(metered, folder)
                guard let made = try recovery.run() else {
                    throw EngineError(.unavailable, "the store that was just made isn't there")
                }
                recovered = made
                recovered.report.isNew = true
            }
            let file = try io { () throws(FileSystemError) in
                try SuperblockFile.open(metered, folder)
            }
            let engine = Engine(
                recovered, options: options, derivation: derivation, lock: lock)
            let checkpointer = Checkpointer(
                engine: engine, file: file, superblock: recovered.superblock)
            engine.attach(checkpointer)
            // A slot that a power cut tore, or that somebody damaged, is made whole while the other one is.
            if recovered.hasBadSlot { try checkpointer.rewriteSuperblock() }
            engine.didAppend(operations: recovered.report.replayedOperations, bytes: 0)
            return engine
        } catch {
            lock.release()
            throw error
        }
    }

    /// An empty store: a node segment with an empty catalog, and the superblock.
    private static func create(
        _ system: any FileSystem, _ folder: String
    ) throws(EngineError) {
        // What an earlier, cut off creation left: nothing else can be here, recovery has looked.
        for name in try io({ () throws(FileSystemError) in try system.list(folder) })
        where FileNames.parse(name) != nil {
            try io { () throws(FileSystemError) in try system.remove(system.path(folder, name)) }
        }
        let files = OpenFiles(system: system, folder: folder, store: try StoreID.random())
        var segment = try NodeSegmentWriter(files: files, number: FileNumber(1))
        var state = StoreState(
            position: LogPosition(file: FileNumber(0), offset: 0), chain: 0, nextSequence: 1)
        let (body, _) = segment.catalogNamingItself(&state, nextFileNumber: 2, live: LiveBytes())
        let catalog = try segment.finish(catalog: body, sequence: 1)
        try io { () throws(FileSystemError) in
            let file = try SuperblockFile.open(system, folder)
            defer { file.close() }
            for generation: UInt64 in [1, 2] {
                try file.write(
                    Superblock(
                        store: files.store, generation: generation, catalog: catalog,
                        replayPosition: state.position, replayChain: 0, isCleanClose: true,
                        durableSequence: 1))
            }
            try system.syncDirectory(folder)
        }
    }

    // MARK: - Reading

    /// How often a read-only open begins again because the writer moved on.
    private static let readOnlyAttemptsMax = 20

    private static func openReadOnly(
        _ system: any FileSystem, _ folder: String, _ options: EngineOptions,
        _ derivation: any IndexDerivation
    ) throws(EngineError) -> Engine {
        try system.checkStoreFolder(folder)
        let recovery = Recovery(
            system: system, folder: folder, isReadOnly: true, derivation: derivation,
            nodeBytesMax: options.nodeBytesMax)
        var attempt = 1
        while true {
            let before = try io { () throws(FileSystemError) in
                try SuperblockFile.read(system, folder)
            }
            do throws(EngineError) {
                guard let recovered = try recovery.run() else {
                    throw EngineError(.unavailable, "there is no store at this path")
                }
                return Engine(recovered, options: options, derivation: derivation, lock: nil)
            } catch {
                // A file that went or changed while it was opened is no damage if the superblock has moved on.
                let after = try io { () throws(FileSystemError) in
                    try SuperblockFile.read(system, folder)
                }
                attempt += 1
                if before == after || attempt > readOnlyAttemptsMax { throw error }
            }
        }
    }
}
