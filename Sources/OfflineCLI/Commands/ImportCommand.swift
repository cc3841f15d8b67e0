// `offline import`: JSON lines into a collection.
internal import ArgumentParser
internal import OfflineEngine
internal import OfflineKit

/// Imports records.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import JSON lines into a collection.",
        discussion: """
            One JSON object a line; {"$date": "…"} and {"$data": "…"} stand for dates and data. A record without its \
            key gets a generated one. Each batch is there whole or not at all. Lines that can't be imported are \
            reported with their number and left out. Store and collection are made if they are missing.

              offline import app.offline users users.jsonl --index email,name
              gunzip -c users.jsonl.gz | offline import app.offline users - --upsert
            """)

    @Argument(help: ArgumentHelp("The store's folder, NAME.offline.", valueName: "store"))
    var path: String

    @Argument(help: "The collection.")
    var collection: String

    @Argument(help: "A file with a JSON object a line; - for standard input.")
    var input: String

    @Option(
        help: "The key's field, or several by commas, of a collection that is made (default: id).")
    var keyPath: String?

    @Option(
        help: ArgumentHelp(
            "Fields to index, by commas, of a collection that is made.", valueName: "fields"))
    var index: String?

    @Option(help: ArgumentHelp("Lines a transaction.", valueName: "lines"))
    var batch = 1_000

    @Flag(help: "Replace records that are there instead of refusing the line.")
    var upsert = false

    /// Refused lines that are shown; the others are counted.
    private static let refusedShown = 20

    func validate() throws {
        guard (1...100_000).contains(batch) else {
            throw ValidationError("--batch is from 1 to 100000")
        }
    }

    func run() async throws {
        try await printing { output in
            let input = try ImportInput(input)
            let plan = try await ImportPlan(
                path: path, collection: collection, keyPaths: Self.list(keyPath),
                indexes: Self.list(index) ?? [])
            let store = try await OfflineStore.open(plan.options)
            let importer: Importer
            do {
                importer = try await run(store, input)
            } catch {
                // The first error counts.
                try? await store.close()
                throw error
            }
            try await store.close()
            try output.line(
                "\(Figures.counted(importer.importedCount, "record")) imported into \(collection)")
            if importer.refusedCount > 0 {
                try output.line(Figures.counted(importer.refusedCount, "line") + " left out")
                throw foundProblems
            }
        }
    }

    private func run(_ store: OfflineStore, _ input: ImportInput) async throws -> Importer {
        let diagnostics = Output.diagnostics
        var bar = ProgressBar(diagnostics, total: input.size)
        var shown = 0
        var importer = Importer(
            store, collection: collection, batchCount: batch, isUpsert: upsert
        ) { line in
            shown += 1
            if shown > Self.refusedShown { return }
            try bar.clear()
            try diagnostics.line("line \(line.number): \(line.reason)")
            if shown == Self.refusedShown {
                try diagnostics.line("(further ones are only counted)")
            }
            try diagnostics.flush()
        }
        var lines = LineReader(descriptor: input.descriptor)
        try await importer.run(&lines) { lines, importer in
            try bar.show(bytes: lines.bytesRead, records: importer.importedCount)
        }
        try bar.clear()
        return importer
    }

    private static func list(_ text: String?) -> [String]? {
        text.map { $0.split(separator: ",").map(String.init) }
    }
}
