// From a filter's object form to a checked condition. Every mistake is found here, before any data is touched, and is
// `.invalidQuery` with the path and the operator named; so a wrong filter fails on an empty collection too.
//
// Rules of the object form (the semantics are Predicate's):
// - Members are ANDed. A member is `{path: operand}`, or a combining operator: `$and`, `$or`, `$nor` with a
//   non-empty array of filters; and, at the top of a query's filter only, `$text`.
// - An object operand is a set of operators if all its names begin with `$` (FilterParser+Operators), and compared whole if
//   none does.
// - `{"$date": "…"}` and `{"$data": "…"}` stand for a date and for data wherever an operand may be.
// - Nesting is bounded by `depthMax`, whatever the caller built.
import OfflineDocuments

/// Reads filters.
enum FilterParser {
    /// Filters nest no deeper than this; the same bound as for records.
    static let depthMax = 100

    /// Operators that take filters instead of a path.
    private static let combiningOperators: Set<String> = ["$and", "$or", "$nor"]

    private static let textOperator = "$text"

    /// The condition that `filter` spells out, which has no `$text`. Throws `.invalidQuery`.
    static func parse(_ filter: Filter) throws -> Condition {
        try parse(filter.document, depth: 1)
    }

    /// What the filter of a query spells out. Throws `.invalidQuery`.
    static func parseQuery(_ filter: Filter) throws -> ParsedFilter {
        var document = filter.document
        guard let operand = document[textOperator] else {
            return ParsedFilter(condition: try parse(filter), text: nil)
        }
        document[textOperator] = nil
        return ParsedFilter(
            condition: try parse(document, depth: 1), text: try textSearch(operand))
    }

    private static func textSearch(_ operand: Value) throws -> TextSearch {
        guard case .object(let object) = operand, object.count == 1,
            case .string(let search)? = object["$search"]
        else {
            throw OfflineError(
                .invalidQuery, "$text takes an object like {\"$search\": \"two words\"}")
        }
        return TextSearch(search: search)
    }

    static func parse(_ document: Document, depth: Int) throws -> Condition {
        guard depth <= depthMax else {
            throw OfflineError(.invalidQuery, "the filter nests deeper than \(depthMax) levels")
        }
        var conditions: [Condition] = []
        for (name, operand) in document {
            if isOperator(name) {
                conditions.append(try combination(name, operand, depth: depth))
            } else {
                conditions.append(try member(name, operand, depth: depth))
            }
        }
        return conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    /// `$and`, `$or`, `$nor`.
    private static func combination(
        _ name: String, _ operand: Value, depth: Int
    ) throws -> Condition {
        guard combiningOperators.contains(name) else {
            throw unusable(name, place: "where a path should be")
        }
        guard case .array(let filters) = operand, !filters.isEmpty else {
            throw OfflineError(.invalidQuery, "\(name) takes a non-empty array of filters")
        }
        let conditions = try filters.map { filter in
            guard case .object(let document) = filter else {
                throw OfflineError(.invalidQuery, "\(name) takes filters (objects) only")
            }
            return try parse(document, depth: depth + 1)
        }
        return switch name {
        case "$and": .all(conditions)
        case "$or": .any(conditions)
        default: .not(.any(conditions))
        }
    }

    /// `{path: value}` or `{path: {$operator: operand, …}}`.
    private static func member(_ text: String, _ operand: Value, depth: Int) throws -> Condition {
        let path = try fieldPath(text)
        guard let object = try operatorObject(operand, path) else {
            return .test(path, .equals(try value(operand, path, "$eq")))
        }
        return try operators(object, path, depth: depth).at(path)
    }

    // MARK: What an object is

    static func isOperator(_ name: String) -> Bool { name.utf8.first == UInt8(ascii: "$") }

    /// Whether a filter may have this name where a path could be.
    static func isFilterOperator(_ name: String) -> Bool {
        combiningOperators.contains(name) || name == textOperator
    }

    /// The operand as an object whose names all are operators; nil where none is one. Throws where only some are.
    static func operatorObject(_ operand: Value, _ path: FieldPath) throws -> Document? {
        guard case .object(let object) = operand, !OperandLiteral.isLiteral(object) else {
            return nil
        }
        var operatorName: String?
        var plainName: String?
        for (name, _) in object {
            if isOperator(name) {
                operatorName = operatorName ?? name
            } else {
                plainName = plainName ?? name
            }
        }
        if let operatorName, let plainName {
            throw OfflineError(
                .invalidQuery,
                "\"\(path.text)\" mixes the operator \(operatorName) and the plain name"
                    + " \"\(plainName)\"")
        }
        return operatorName == nil ? nil : object
    }

    /// A dotted path of a filter, a sort or a selection. Throws `.invalidQuery`.
    static func fieldPath(_ text: String) throws -> FieldPath {
        do {
            return try FieldPath(text)
        } catch {
            throw OfflineError(.invalidQuery, "\"\(text)\" is no path: \(error.message)")
        }
    }

    // MARK: Mistakes

    static func wrongOperand(
        _ name: String, _ path: FieldPath, _ wanted: String
    ) -> OfflineError {
        OfflineError(.invalidQuery, "\(name) at \"\(path.text)\" takes \(wanted)")
    }

    static func unusable(_ name: String, place: String) -> OfflineError {
        if name == textOperator {
            return OfflineError(
                .invalidQuery,
                "$text can't stand \(place): it stands at the top of a query's filter only")
        }
        if valueOperators.contains(name) || combiningOperators.contains(name) {
            return OfflineError(.invalidQuery, "the operator \(name) can't stand \(place)")
        }
        return OfflineError(.invalidQuery, "unknown operator \(name) \(place)")
    }
}
