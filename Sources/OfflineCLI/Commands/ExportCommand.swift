// `offline export`: a collection as JSON lines that `offline import` reads back without loss.
internal import ArgumentParser
internal import OfflineDocuments
internal import OfflineKit

/// Exports records.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a collection's records as JSON lines, which `import` reads back.",
        discussion: """
            One JSON object a line, in key order, as of one moment; dates and data are {"$date": "…"} and {"$data": "…"}, so nothing is \
            lost. Reads only; may run beside a writer.

              offline export app.offline users > users.jsonl
              offline export app.offline users --filter '{"active": true}' | gzip > active.jsonl.gz
            """)

    @Argument(help: ArgumentHelp("The store's folder.", valueName: "store"))
    var path: String

    @Argument(help: "The collection.")
    var collection: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Which records: \(JSONArgument.help).", valueName: "json"))
    var filter: String?

    func run() async throws {
        let filters = try filter.map { try JSONArgument.value($0, of: "filter") }
        let query = try QueryArguments.query(["filters": filters ?? .null])
        try await printing { output in
            try await StoreAccess.reading(path) { store in
                for try await document in store.stream(collection, query) {
                    try output.line(document.extendedJSON())
                }
            }
        }
    }
}
