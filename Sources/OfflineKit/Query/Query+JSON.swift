// A query from JSON: the form of the requirements. Members are checked here; filters and paths are checked when the query
// is used, as for a query that was built in code.
public import Foundation
import OfflineDocuments

extension Query {
    /// The query that a JSON object spells out.
    ///
    /// ```json
    /// {"filters": {"age": {"$gt": 25}}, "sort": [{"field": "name", "direction": "asc"}], "limit": 10, "offset": 20,
    ///  "include": ["orders"], "select": ["name"], "collation": "binary"}
    /// ```
    /// In operands, `{"$date": "ISO 8601"}` and `{"$data": "base64"}` stand for dates and data. Throws `.invalidJSON`
    /// for what is no JSON object, and `.invalidQuery` for a member that is unknown or of the wrong kind.
    public init(json: Data) throws {
        try self.init(document: Document(json: json))
    }

    /// The query that an object of this form spells out. Throws `.invalidQuery` likewise.
    package init(document: Document) throws {
        self.init()
        for (name, value) in document {
            switch name {
            case "filters": filters = try Query.filter(value, name)
            case "sort": sort = try Query.sort(value)
            case "limit": limit = try Query.limit(value)
            case "offset": offset = value.isNull ? 0 : try Query.integer(value, name)
            case "include": include = try Query.array(value, name).map(Query.include)
            case "select":
                select = value.isNull ? nil : try Query.array(value, name).map(Query.path)
            case "collation": collation = try Query.collation(value)
            default:
                throw OfflineError(.invalidQuery, "a query has no member \"\(name)\"")
            }
        }
    }

    private static func filter(_ value: Value, _ name: String) throws -> Filter {
        switch value {
        case .null: return .all
        case .object(let document): return Filter(document)
        default: throw OfflineError(.invalidQuery, "\"\(name)\" takes an object")
        }
    }

    private static func array(_ value: Value, _ name: String) throws -> [Value] {
        switch value {
        case .null: return []
        case .array(let elements): return elements
        default: throw OfflineError(.invalidQuery, "\"\(name)\" takes an array")
        }
    }

    private static func integer(_ value: Value, _ name: String) throws -> Int {
        switch value {
        case .int, .double:
            if let integer = value.intValue { return integer }
        default: break
        }
        throw OfflineError(.invalidQuery, "\"\(name)\" takes a whole number")
    }

    private static func limit(_ value: Value) throws -> Int? {
        value.isNull ? nil : try integer(value, "limit")
    }

    private static func path(_ value: Value) throws -> String {
        guard case .string(let path) = value else {
            throw OfflineError(.invalidQuery, "\"select\" takes paths (strings)")
        }
        return path
    }

    private static func sort(_ value: Value) throws -> [Sort] {
        try array(value, "sort").map { element in
            guard case .object(let term) = element, case .string(let field)? = term["field"] else {
                throw OfflineError(
                    .invalidQuery,
                    "\"sort\" takes objects like {\"field\": \"name\", \"direction\": \"asc\"}")
            }
            for name in term.fieldNames where name != "field" && name != "direction" {
                throw OfflineError(.invalidQuery, "a member of \"sort\" has no member \"\(name)\"")
            }
            guard let direction = term["direction"], !direction.isNull else {
                return .ascending(field)
            }
            guard let known = direction.stringValue.flatMap(Sort.Direction.init(rawValue:)) else {
                throw OfflineError(
                    .invalidQuery,
                    "the direction of the sort by \"\(field)\" is \"asc\" or \"desc\"")
            }
            return Sort(field: field, direction: known)
        }
    }

    private static func include(_ value: Value) throws -> Include {
        if case .string(let path) = value { return Include(path) }
        guard case .object(let object) = value, case .string(let path)? = object["path"] else {
            throw OfflineError(
                .invalidQuery, "\"include\" takes names, or objects like {\"path\": \"orders\"}")
        }
        var include = Include(path)
        for (name, value) in object where name != "path" {
            switch name {
            case "filters": include.filters = try filter(value, name)
            case "sort": include.sort = try sort(value)
            case "limit": include.limit = try limit(value)
            default:
                throw OfflineError(
                    .invalidQuery, "the include \"\(path)\" has no member \"\(name)\"")
            }
        }
        return include
    }

    private static func collation(_ value: Value) throws -> Collation {
        switch value.stringValue {
        case "binary": return .binary
        case "case-insensitive": return .caseInsensitive
        default:
            throw OfflineError(
                .invalidQuery, "\"collation\" is \"binary\" or \"case-insensitive\"")
        }
    }
}
