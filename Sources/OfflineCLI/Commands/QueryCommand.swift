// `offline query`: the records that a query selects, as JSON lines.
internal import ArgumentParser
internal import OfflineKit

/// Runs a query.
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Show the records that a query selects, as JSON lines.",
        discussion: """
            Reads only; may run beside a writer, and then shows what is committed now. Dates and data are {"$date": "…"} and \
            {"$data": "…"}, in filters too.

              offline query app.offline users --filter '{"age": {"$gte": 18}}' --sort name,-age --limit 10
              offline query app.offline orders --include user,items --select total
              offline query app.offline users --include '[{"path": "orders", "limit": 3}]'
              offline query app.offline users --query @query.json
            """)

    @Argument(help: ArgumentHelp("The store's folder.", valueName: "store"))
    var path: String

    @Argument(help: "The collection.")
    var collection: String

    @OptionGroup var arguments: QueryArguments

    @Flag(help: "One line a field, not one a record.")
    var pretty = false

    func run() async throws {
        let query = try arguments.makeQuery()
        try await printing { output in
            try await StoreAccess.reading(path) { store in
                for try await document in store.stream(collection, query) {
                    try output.line(document.extendedJSON(pretty: pretty))
                }
            }
        }
    }
}
