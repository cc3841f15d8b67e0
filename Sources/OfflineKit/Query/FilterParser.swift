// From a filter's object form to a checked condition. Every mistake is found here, before any data is touched, and is
// `.invalidQuery` with the path and the operator named; so a wrong filter fails on an empty collection too.
//
// Rules of the object form (the semantics are Predicate's):
// - Members are ANDed. A member is `{path: operand}`, or a combining operator: `$and`, `$or`, `$nor` with a
//   non-empty array of filters.
// - An object operand is a set of operators if all its names begin with `$`, and compared whole if none does.
// - `{"$date": "…"}` and `{"$data": "…"}` stand for a date and for data wherever an operand may be.
// - Nesting is bounded by `depthMax`, whatever the caller built.
import OfflineDocuments

/// A checked filter: what must hold of a record.
indirect enum Condition: Sendable {
    /// Each of these; true of none.
    case all([Condition])
    /// At least one of these; false of none.
    case any([Condition])
    /// The negation.
    case not(Condition)
    /// The test holds of some value at the path.
    case test(FieldPath, FieldTest)

    static var always: Condition { .all([]) }
}

/// A test of the values at one path.
enum FieldTest: Sendable {
    /// Equal in the order of values; null equals missing.
    case equals(Value)
    /// Equal to one of these.
    case isOneOf([Value])
    /// Within the operand's own type.
    case compares(Comparison, Value)
    /// There is a value, null included.
    case exists
}

/// How a value relates to an operand.
enum Comparison: Sendable {
    case less
    case lessOrEqual
    case greater
    case greaterOrEqual

    /// Whether equal values are related so.
    var includesEqual: Bool { self == .lessOrEqual || self == .greaterOrEqual }
    /// Whether greater values are related so.
    var includesGreater: Bool { self == .greater || self == .greaterOrEqual }
}

/// Reads filters.
enum FilterParser {
    /// Filters nest no deeper than this; the same bound as for records.
    static let depthMax = 100

    /// Operators of the query language that this build doesn't have yet.
    private static let laterOperators: Set<String> = [
        "$between", "$type", "$regex", "$options", "$startsWith", "$endsWith", "$contains", "$all",
        "$elemMatch", "$size", "$mod", "$text",
    ]

    /// Operators that take filters instead of a path.
    private static let combiningOperators: Set<String> = ["$and", "$or", "$nor"]

    /// The condition that `filter` spells out. Throws `.invalidQuery`.
    static func parse(_ filter: Filter) throws -> Condition {
        try parse(filter.document, depth: 1)
    }

    private static func parse(_ document: Document, depth: Int) throws -> Condition {
        guard depth <= depthMax else {
            throw OfflineError(.invalidQuery, "the filter nests deeper than \(depthMax) levels")
        }
        var conditions: [Condition] = []
        for (name, operand) in document {
            if name.utf8.first == UInt8(ascii: "$") {
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
        guard case .object(let object) = operand, !OperandLiteral.isLiteral(object),
            try isOperatorObject(object, text)
        else {
            return .test(path, .equals(try value(operand, path, "$eq")))
        }
        return try operators(object, path, depth: depth)
    }

    /// Whether all names of `object` begin with `$`; an error where only some do.
    private static func isOperatorObject(_ object: Document, _ path: String) throws -> Bool {
        var operatorName: String?
        var plainName: String?
        for (name, _) in object {
            if name.utf8.first == UInt8(ascii: "$") {
                operatorName = operatorName ?? name
            } else {
                plainName = plainName ?? name
            }
        }
        if let operatorName, let plainName {
            throw OfflineError(
                .invalidQuery,
                "\"\(path)\" mixes the operator \(operatorName) and the plain name \"\(plainName)\""
            )
        }
        return operatorName != nil
    }

    private static func operators(
        _ object: Document, _ path: FieldPath, depth: Int
    ) throws -> Condition {
        guard depth <= depthMax else {
            throw OfflineError(
                .invalidQuery, "$not at \"\(path.text)\" nests deeper than \(depthMax) levels")
        }
        var conditions: [Condition] = []
        for (name, operand) in object {
            conditions.append(try condition(name, operand, path, depth: depth))
        }
        return conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    private static func condition(
        _ name: String, _ operand: Value, _ path: FieldPath, depth: Int
    ) throws -> Condition {
        func compares(_ comparison: Comparison) throws -> Condition {
            .test(path, .compares(comparison, try value(operand, path, name)))
        }
        switch name {
        case "$eq": return .test(path, .equals(try value(operand, path, name)))
        case "$ne": return .not(.test(path, .equals(try value(operand, path, name))))
        case "$gt": return try compares(.greater)
        case "$gte": return try compares(.greaterOrEqual)
        case "$lt": return try compares(.less)
        case "$lte": return try compares(.lessOrEqual)
        case "$in": return .test(path, .isOneOf(try values(operand, path, name)))
        case "$nin": return .not(.test(path, .isOneOf(try values(operand, path, name))))
        case "$exists":
            guard case .bool(let flag) = operand else {
                throw wrongOperand(name, path, "true or false")
            }
            return flag ? .test(path, .exists) : .not(.test(path, .exists))
        case "$not":
            guard case .object(let object) = operand, !OperandLiteral.isLiteral(object),
                try isOperatorObject(object, path.text)
            else { throw wrongOperand(name, path, "an object of operators") }
            return .not(try operators(object, path, depth: depth + 1))
        default:
            throw unusable(name, place: "at \"\(path.text)\"")
        }
    }

    private static func values(
        _ operand: Value, _ path: FieldPath, _ name: String
    ) throws -> [Value] {
        guard case .array(let elements) = operand else {
            throw wrongOperand(name, path, "an array of values")
        }
        return try elements.map { try value($0, path, name) }
    }

    private static func value(
        _ operand: Value, _ path: FieldPath, _ name: String
    ) throws -> Value {
        do {
            return try OperandLiteral.resolve(operand)
        } catch {
            throw OfflineError(
                .invalidQuery, "the operand of \(name) at \"\(path.text)\": \(error.message)")
        }
    }

    /// A dotted path of a filter, a sort or a selection. Throws `.invalidQuery`.
    static func fieldPath(_ text: String) throws -> FieldPath {
        do {
            return try FieldPath(text)
        } catch {
            throw OfflineError(.invalidQuery, "\"\(text)\" is no path: \(error.message)")
        }
    }

    private static func wrongOperand(
        _ name: String, _ path: FieldPath, _ wanted: String
    ) -> OfflineError {
        OfflineError(.invalidQuery, "\(name) at \"\(path.text)\" takes \(wanted)")
    }

    private static func unusable(_ name: String, place: String) -> OfflineError {
        if laterOperators.contains(name) {
            return OfflineError(.invalidQuery, "the operator \(name) \(place) is not in this build")
        }
        let known: Set = [
            "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$not",
        ]
        if known.contains(name) || combiningOperators.contains(name) {
            return OfflineError(.invalidQuery, "the operator \(name) can't stand \(place)")
        }
        return OfflineError(.invalidQuery, "unknown operator \(name) \(place)")
    }
}
