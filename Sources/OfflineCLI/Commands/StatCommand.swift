// `offline stat`: how large a store is, and of what.
internal import ArgumentParser
internal import OfflineEngine
internal import OfflineKit

/// Shows collections, files and sizes.
struct StatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stat",
        abstract: "Show a store's collections, pending changes, files and sizes.",
        discussion: "Reads only; may run beside a writer.")

    @Argument(help: ArgumentHelp("The store's folder.", valueName: "store"))
    var path: String

    func run() async throws {
        try await printing { output in
            let folder = try StoreFolder(path)
            let problems = ProblemList()
            let context = try DumpContext(folder, problems)
            guard let superblock = context.superblock,
                let catalog = try context.readCatalog()?.catalog
            else {
                try showFiles(folder, nil, output)
                for problem in problems.problems { try output.line(problem) }
                try output.line("no catalog can be read; `offline verify` says more")
                throw foundProblems
            }
            var store: OfflineStore?
            var failure: OfflineError?
            do {
                store = try await StoreAccess.openForReading(folder)
            } catch let error as OfflineError {
                failure = error
            }
            try showHead(context, superblock, catalog, store, output)
            try await showCollections(store, catalog, output)
            try await store?.close()
            try showFiles(folder, catalog, output)
            if let failure {
                try output.line()
                try output.line(
                    "the store can't be opened, so counts are those of the last checkpoint:")
                try output.line("\(failure)")
                throw foundProblems
            }
        }
    }

    private func showHead(
        _ context: DumpContext, _ superblock: Superblock, _ catalog: Catalog,
        _ store: OfflineStore?, _ output: Output
    ) throws {
        // Where migrations were cut off, the catalog's is an older one.
        let version = try store.map { String(try $0.schemaVersion) }
        var waiting = 0
        let end = try LogTail(context, catalog).forEach { operation, _, _ in
            if operation.header.kind != .names { waiting += 1 }
        }
        try output.line(output.styled(context.folder.path, .heading))
        try output.line(
            "store \(superblock.store), format \(FormatVersion.current), schema version "
                + (version ?? "\(catalog.applicationVersion)"))
        try output.line(
            (superblock.isCleanClose ? "closed cleanly" : "open, or not closed cleanly")
                + "; checkpoint \(superblock.generation), "
                + "\(Figures.counted(waiting, "operation")) in the log since"
                + (end.map { "; the log ends at \($0)" } ?? ""))
    }

    /// Collections with their counts now; with those of the last checkpoint where the store can't be opened.
    private func showCollections(
        _ store: OfflineStore?, _ catalog: Catalog, _ output: Output
    ) async throws {
        var table = TextTable([
            ("collection", .left), ("records", .right), ("pending", .right), ("key", .left),
            ("indexes", .left),
        ])
        for collection in catalog.collections {
            let summary = CollectionSummary(collection)
            if summary.kind != .records { continue }
            let count =
                try await store?.count(summary.name)
                ?? Int(clamping: collection.trees[0].root.count)
            let pending = try await store?.pendingCount(summary.name)
            table.add([
                summary.name, Figures.grouped(count), pending.map { Figures.grouped($0) } ?? "",
                summary.keyPaths.joined(separator: ", "),
                summary.indexes.map(Self.text(of:)).joined(separator: ", "),
            ])
        }
        try show(table, output)
    }

    /// `email (unique, partial)`
    private static func text(of index: CollectionSummary.Index) -> String {
        if index.properties.isEmpty { return index.name }
        return "\(index.name) (\(index.properties.joined(separator: ", ")))"
    }

    private func showFiles(_ folder: StoreFolder, _ catalog: Catalog?, _ output: Output) throws {
        var table = TextTable([
            ("file", .left), ("bytes", .right), ("in use", .right), ("live", .right),
        ])
        var total: UInt64 = 0
        for name in try folder.fileNames().sorted() {
            let information = try toolErrors { () throws(FileSystemError) in
                try folder.system.information(folder.system.path(folder.path, name))
            }
            guard let information, information.kind == .file else { continue }
            total += information.size
            let entry = FileNames.parse(name).flatMap { parsed in
                catalog?.files.first { $0.number == parsed.number }
            }
            table.add([
                name, Figures.grouped(information.size),
                entry.map { Figures.grouped($0.length) } ?? "",
                entry.map { Figures.grouped($0.live.total) } ?? "",
            ])
        }
        table.add(["all", Figures.grouped(total)])
        try show(table, output)
    }

    private func show(_ table: TextTable, _ output: Output) throws {
        try output.line()
        for (row, line) in table.lines().enumerated() {
            try output.line(row == 0 ? output.styled(line, .faint) : line)
        }
    }
}
