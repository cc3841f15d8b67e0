// What a dump shows for each selection.
internal import OfflineDocuments
internal import OfflineEngine

/// Shows a store, or a part of it.
struct StoreDump {
    private let context: DumpContext

    init(_ context: DumpContext) { self.context = context }

    // MARK: - All

    /// Superblock, catalog, then every file.
    func all() throws {
        try superblock()
        let catalog = try context.readCatalog()
        if let (catalog, position) = catalog {
            let file = NumberedFile(number: position.file, kind: .tree)
            try context.show(catalog, file, position)
        }
        let ends = try vouchedEnds(catalog?.catalog)
        for file in try context.folder.numberedFiles() { try walk(file, ends) }
        try missingFiles(catalog?.catalog)
    }

    private func superblock() throws {
        let contents: SuperblockFile.Contents?
        do throws(OfflineError) {
            contents = try context.folder.superblock()
        } catch {
            return try problem("the file can't be read: \(error.message)")
        }
        guard let contents else { return try problem("the file is missing") }
        for (number, slot) in contents.slots.enumerated() {
            try context.emit(.slot(number, slot))
            let offset = UInt64(number * Superblock.slotSize)
            switch slot {
            case .superblock: break
            case .bad(let reason): try problem(reason, at: offset)
            case .unsupported(let version):
                try problem("this build doesn't know format version \(version)", at: offset)
            }
        }
    }

    /// Reports damage of the superblock.
    private func problem(_ reason: String, at offset: UInt64? = nil) throws {
        let place = DumpPlace(file: FileNames.superblock, offset: offset)
        try context.emit(.problem(place, reason, bytes: []))
    }

    private func missingFiles(_ catalog: Catalog?) throws {
        let there = Set(try context.folder.numberedFiles())
        for file in catalog?.files ?? [] {
            let file = NumberedFile(number: file.number, kind: file.kind)
            if !there.contains(file) { try context.problem("the file is missing", file) }
        }
    }

    // MARK: - One file

    /// A file, or with `offset` what begins there.
    func file(_ number: FileNumber, at offset: UInt64?) throws {
        let all = try context.folder.numberedFiles()
        guard let file = all.first(where: { $0.number == number }) else {
            let known = all.map(\.name).joined(separator: ", ")
            throw OfflineError(
                .storageUnavailable,
                "there is no file \(number); there are \(known.isEmpty ? "none" : known)")
        }
        let catalog = try context.readCatalog()?.catalog
        guard let offset else { return try walk(file, vouchedEnds(catalog)) }
        switch file.kind {
        case .log: try LogFileWalk(context, file, vouchedEnd: 0).show(at: offset)
        case .tree: try NodeFileWalk(context, file).show(at: offset)
        }
    }

    private func walk(_ file: NumberedFile, _ ends: [FileNumber: UInt64]) throws {
        switch file.kind {
        case .tree: try NodeFileWalk(context, file).run()
        case .log: try LogFileWalk(context, file, vouchedEnd: ends[file.number] ?? 0).run()
        }
    }

    /// How far something says that each log file was written: the catalog, the superblock, the header of the file after it.
    private func vouchedEnds(_ catalog: Catalog?) throws -> [FileNumber: UInt64] {
        var ends: [FileNumber: UInt64] = [:]
        func note(_ end: LogPosition) { ends[end.file] = max(end.offset, ends[end.file] ?? 0) }
        for file in catalog?.files ?? [] {
            note(LogPosition(file: file.number, offset: file.length))
        }
        if let superblock = context.superblock { note(superblock.replayPosition) }
        for file in try context.folder.numberedFiles() where file.kind == .log {
            guard let open = try? context.open(file),
                case .header(let header)? = try? FileHeader.read(open),
                header.store == context.store
            else { continue }
            if let end = header.previousEnd { note(end) }
        }
        return ends
    }

    // MARK: - One tree

    /// A collection's records, or one of its indexes.
    func tree(_ collectionName: String, index indexName: String?) throws {
        guard let catalog = try context.readCatalog()?.catalog else {
            throw OfflineError(
                .corrupted, "no catalog can be read, so no collection can be found by its name")
        }
        let collections = catalog.collections.map { (stored: $0, summary: CollectionSummary($0)) }
        guard let found = collections.first(where: { $0.summary.name == collectionName }) else {
            throw OfflineError(
                .unknownCollection,
                "there is no collection \"\(collectionName)\""
                    + known(
                        collections.filter { $0.summary.kind == .records }.map(\.summary.name)))
        }
        let number = try treeNumber(indexName, of: found.summary)
        guard let entry = found.stored.trees.first(where: { $0.index == number }) else {
            throw OfflineError(
                .corrupted, "the catalog has no tree \(number) for it", collection: collectionName)
        }
        var walk = TreeWalk(context, collection: found.stored.id, tree: number)
        try walk.run(entry.root)
        try logSince(catalog, found.stored.id, shows: number == 0)
    }

    private func treeNumber(_ name: String?, of collection: CollectionSummary) throws -> UInt32 {
        guard let name else { return 0 }
        if name == CollectionSummary.changesTreeName, let number = collection.changesTree {
            return number
        }
        if name == CollectionSummary.evictionTreeName, let tree = collection.evictionTree {
            return tree.number
        }
        guard let index = collection.indexes.first(where: { $0.name == name }) else {
            throw OfflineError(
                .unknownIndex,
                "there is no index \"\(name)\"" + known(collection.indexes.map(\.name)),
                collection: collection.name)
        }
        return index.number
    }

    private func known(_ names: [String]) -> String {
        names.isEmpty ? ": there is none" : "; there are \(names.sorted().joined(separator: ", "))"
    }

    /// What the log has for a collection that isn't in its trees yet.
    private func logSince(_ catalog: Catalog, _ collection: UInt32, shows: Bool) throws {
        var count = 0
        try LogTail(context, catalog).forEach { operation, file, offset in
            guard operation.header.collection == collection, operation.header.kind != .names else {
                return
            }
            if count == 0 {
                try context.emit(
                    .note(
                        DumpPlace(file: file.name, offset: offset),
                        "from here on the log has what isn't in the tree yet"))
            }
            count += 1
            if shows { try context.show(operation, file, at: offset) }
        }
        if count > 0 && !shows {
            let place = DumpPlace(file: FileNames.superblock, offset: nil)
            let text = Figures.counted(count, "operation")
            try context.emit(.note(place, "\(text) in the log since the last checkpoint"))
        }
    }
}
