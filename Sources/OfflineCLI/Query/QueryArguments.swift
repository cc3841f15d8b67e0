// The options of a query, as `query` and `explain` share them. Each stands for a member of the query's JSON form, so what Query
// checks of that form is checked here too.
internal import ArgumentParser
internal import OfflineDocuments
internal import OfflineKit

/// A query by options.
struct QueryArguments: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Which records: \(JSONArgument.help).", valueName: "json"))
    var filter: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Fields to sort by, by commas; - before a field: descending.", valueName: "fields"))
    var sort: String?

    @Option(help: ArgumentHelp("So many records at most.", valueName: "count"))
    var limit: Int?

    @Option(help: ArgumentHelp("Pass over so many first.", valueName: "count"))
    var offset: Int?

    @Option(help: ArgumentHelp("Fields to show besides the key, by commas.", valueName: "fields"))
    var select: String?

    @Option(
        help: ArgumentHelp(
            "Relationships to include, by commas, or as a JSON array.", valueName: "names"))
    var include: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "A whole query: \(JSONArgument.help). Other options replace its members.",
            valueName: "json"))
    var query: String?

    @Flag(help: "Compare, match and sort strings whatever their case.")
    var ignoreCase = false

    func validate() throws {
        if filter == "-" && query == "-" {
            throw ValidationError("--filter and --query can't both be standard input")
        }
        if let limit, limit < 0 { throw ValidationError("--limit can't be negative") }
        if let offset, offset < 0 { throw ValidationError("--offset can't be negative") }
    }

    /// The query. Throws `ValidationError` for what is none.
    func makeQuery() throws -> Query {
        var document = Document()
        if let query {
            guard case .object(let object) = try JSONArgument.value(query, of: "query") else {
                throw ValidationError("--query takes an object")
            }
            document = object
        }
        if let filter { document["filters"] = try JSONArgument.value(filter, of: "filter") }
        if let sort { document["sort"] = .array(Self.list(sort).map(Self.sortTerm)) }
        if let limit { document["limit"] = .int(Int64(limit)) }
        if let offset { document["offset"] = .int(Int64(offset)) }
        if let select { document["select"] = .array(Self.list(select).map(Value.string)) }
        if let include {
            document["include"] =
                include.hasPrefix("[")
                ? try JSONArgument.value(include, of: "include")
                : .array(Self.list(include).map(Value.string))
        }
        if ignoreCase { document["collation"] = "case-insensitive" }
        return try Self.query(document)
    }

    /// The query of this JSON form. Throws `ValidationError` for what is none.
    static func query(_ document: Document) throws -> Query {
        do {
            return try Query(document: document)
        } catch {
            throw commandLineError(error)
        }
    }

    static func list(_ text: String) -> [String] {
        text.split(separator: ",").map(String.init)
    }

    private static func sortTerm(_ text: String) -> Value {
        let isDescending = text.hasPrefix("-")
        return [
            "field": .string(String(isDescending ? text.dropFirst() : text[...])),
            "direction": isDescending ? "desc" : "asc",
        ]
    }
}

/// The error that a user sees: where the query makes no sense, the command line doesn't.
func commandLineError(_ error: any Error) -> any Error {
    guard let error = error as? OfflineError, [.invalidQuery, .invalidJSON].contains(error.code)
    else { return error }
    return ValidationError(error.message)
}
