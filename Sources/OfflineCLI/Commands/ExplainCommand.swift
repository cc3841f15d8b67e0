// `offline explain`: how a query runs.
internal import ArgumentParser
internal import OfflineKit

/// Explains a query.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show which index a query uses, what it reads, and why other indexes lost.",
        discussion: """
            Takes what `query` takes. Reads only; may run beside a writer.

              offline explain app.offline users --filter '{"age": {"$gte": 18}}' --sort name --analyze
            """)

    @Argument(help: ArgumentHelp("The store's folder.", valueName: "store"))
    var path: String

    @Argument(help: "The collection.")
    var collection: String

    @OptionGroup var arguments: QueryArguments

    @Flag(help: "Run the query, and show what it really read.")
    var analyze = false

    func run() async throws {
        let query = try arguments.makeQuery()
        try await printing { output in
            try await StoreAccess.reading(path) { store in
                let plan = try await store.explain(collection, query, analyze: analyze)
                try output.line(plan.description)
            }
        }
    }
}
