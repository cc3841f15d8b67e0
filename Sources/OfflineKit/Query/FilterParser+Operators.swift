// The operators at a path, one by one, and their operands.
import OfflineDocuments

extension FilterParser {
    /// Operators that test the values at a path.
    static let valueOperators: Set<String> = [
        "$eq", "$ne", "$in", "$nin", "$gt", "$gte", "$lt", "$lte", "$between", "$not", "$exists",
        "$type", "$regex", "$options", "$startsWith", "$endsWith", "$contains", "$all",
        "$elemMatch", "$size", "$mod",
    ]

    /// What an object of operators says: all of them.
    static func operators(
        _ object: Document, _ path: FieldPath, depth: Int
    ) throws -> ValueCondition {
        guard depth <= depthMax else {
            throw OfflineError(
                .invalidQuery,
                "the operators at \"\(path.text)\" nest deeper than \(depthMax) levels")
        }
        var conditions: [ValueCondition] = []
        for (name, operand) in object {
            // It belongs to its `$regex`.
            if name == "$options", object["$regex"] != nil { continue }
            let one =
                name == "$regex"
                ? .test(try regex(operand, options: object["$options"], path))
                : try condition(name, operand, path, depth: depth)
            conditions.append(one)
        }
        return conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    private static func condition(
        _ name: String, _ operand: Value, _ path: FieldPath, depth: Int
    ) throws -> ValueCondition {
        switch name {
        case "$ne": return .not(.test(.equals(try value(operand, path, name))))
        case "$nin": return .not(.test(.isOneOf(try values(operand, path, name))))
        case "$exists":
            guard case .bool(let flag) = operand else {
                throw wrongOperand(name, path, "true or false")
            }
            return flag ? .test(.exists) : .not(.test(.exists))
        case "$not":
            guard let object = try operatorObject(operand, path) else {
                throw wrongOperand(name, path, "an object of operators")
            }
            return .not(try operators(object, path, depth: depth + 1))
        case "$contains":
            let value = try value(operand, path, name)
            guard case .string(let text) = value else { return .test(.hasElement(value)) }
            return .test(.includes(ExactString(text)))
        case "$all": return try all(operand, path, depth: depth)
        case "$elemMatch": return .test(try elementMatch(operand, path, depth: depth))
        case "$options":
            throw OfflineError(
                .invalidQuery, "$options at \"\(path.text)\" stands beside a $regex only")
        default:
            guard let test = try test(name, operand, path) else {
                throw unusable(name, place: "at \"\(path.text)\"")
            }
            return .test(test)
        }
    }

    /// What an operator that is one test says; nil for another operator.
    private static func test(
        _ name: String, _ operand: Value, _ path: FieldPath
    ) throws -> FieldTest? {
        switch name {
        case "$eq": .equals(try value(operand, path, name))
        case "$gt": .compares(.greater, try value(operand, path, name))
        case "$gte": .compares(.greaterOrEqual, try value(operand, path, name))
        case "$lt": .compares(.less, try value(operand, path, name))
        case "$lte": .compares(.lessOrEqual, try value(operand, path, name))
        case "$in": .isOneOf(try values(operand, path, name))
        case "$between": try between(operand, path)
        case "$type": .hasType(try types(operand, path))
        case "$startsWith": .startsWith(ExactString(try text(operand, path, name)))
        case "$endsWith": .endsWith(ExactString(try text(operand, path, name)))
        case "$size": .size(try size(operand, path))
        case "$mod": try modulo(operand, path)
        default: nil
        }
    }

    // MARK: Operands

    static func value(_ operand: Value, _ path: FieldPath, _ name: String) throws -> Value {
        do {
            return try OperandLiteral.resolve(operand)
        } catch {
            throw OfflineError(
                .invalidQuery, "the operand of \(name) at \"\(path.text)\": \(error.message)")
        }
    }

    private static func values(
        _ operand: Value, _ path: FieldPath, _ name: String
    ) throws -> [Value] {
        guard case .array(let elements) = operand else {
            throw wrongOperand(name, path, "an array of values")
        }
        return try elements.map { try element($0, path, name) }
    }

    /// A value of a list, which has values only.
    private static func element(
        _ element: Value, _ path: FieldPath, _ name: String
    ) throws -> Value {
        if case .object(let object) = element, !OperandLiteral.isLiteral(object),
            let first = object.fieldNames.first, isOperator(first)
        {
            throw wrongOperand(
                name, path, "an array of values, and \(first) in it is an operator")
        }
        return try value(element, path, name)
    }

    private static func text(
        _ operand: Value, _ path: FieldPath, _ name: String
    ) throws -> String {
        guard case .string(let text) = operand else { throw wrongOperand(name, path, "a string") }
        return text
    }

    private static func between(_ operand: Value, _ path: FieldPath) throws -> FieldTest {
        guard case .array(let ends) = operand, ends.count == 2 else {
            throw wrongOperand(
                "$between", path, "an array of two values, the least and the greatest")
        }
        return .between(
            try value(ends[0], path, "$between"), try value(ends[1], path, "$between"))
    }

    private static func types(_ operand: Value, _ path: FieldPath) throws -> ValueTypes {
        let names = if case .array(let names) = operand { names } else { [operand] }
        guard !names.isEmpty else {
            throw wrongOperand("$type", path, "the name of a type, or a non-empty array of these")
        }
        return try names.reduce(into: []) { types, name in
            guard case .string(let name) = name, let type = ValueTypes(named: name) else {
                throw wrongOperand(
                    "$type", path,
                    "the names null, bool, int, double, number, string, data, date, array and"
                        + " object; \(name.json()) is none")
            }
            types.formUnion(type)
        }
    }

    private static func size(_ operand: Value, _ path: FieldPath) throws -> Int {
        guard let size = integer(operand), size >= 0 else {
            throw wrongOperand("$size", path, "a whole number that isn't negative")
        }
        return size
    }

    /// The integer that a number is; nil where it is none.
    private static func integer(_ operand: Value) -> Int? {
        switch operand {
        case .int, .double: operand.intValue
        default: nil
        }
    }

    private static func modulo(_ operand: Value, _ path: FieldPath) throws -> FieldTest {
        guard case .array(let numbers) = operand, numbers.count == 2,
            let divisor = truncated(numbers[0]), let remainder = truncated(numbers[1])
        else {
            throw wrongOperand(
                "$mod", path, "an array of two numbers, the divisor and the remainder")
        }
        guard divisor != 0 else {
            throw OfflineError(.invalidQuery, "the divisor of $mod at \"\(path.text)\" is 0")
        }
        return .modulo(divisor: divisor, remainder: remainder)
    }

    /// A number cut toward zero; nil where it is none, or doesn't fit.
    private static func truncated(_ operand: Value) -> Int64? {
        switch operand {
        case .int(let int): int
        case .double(let double): Int64(exactly: double.rounded(.towardZero))
        default: nil
        }
    }

    private static func regex(
        _ operand: Value, options: Value?, _ path: FieldPath
    ) throws -> FieldTest {
        let text = try text(operand, path, "$regex")
        let options = try options.map { try self.text($0, path, "$options") } ?? ""
        do {
            return try Pattern(text, options: options).simplestTest
        } catch {
            throw OfflineError(.invalidQuery, "$regex at \"\(path.text)\": \(error.message)")
        }
    }

    // MARK: Arrays

    /// Each of the values is there; an element of the list may be a `$elemMatch` too.
    private static func all(
        _ operand: Value, _ path: FieldPath, depth: Int
    ) throws -> ValueCondition {
        guard case .array(let elements) = operand else {
            throw wrongOperand("$all", path, "an array of values")
        }
        let conditions = try elements.map { element -> ValueCondition in
            if case .object(let object) = element, object.count == 1,
                let inner = object["$elemMatch"]
            {
                return .test(try elementMatch(inner, path, depth: depth))
            }
            return .test(.equals(try self.element(element, path, "$all")))
        }
        if conditions.isEmpty { return .any([]) }
        return conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    /// `$elemMatch` with operators for one element, or with a filter for elements that are objects.
    private static func elementMatch(
        _ operand: Value, _ path: FieldPath, depth: Int
    ) throws -> FieldTest {
        guard case .object(let object) = operand, !OperandLiteral.isLiteral(object) else {
            throw wrongOperand("$elemMatch", path, "a filter, or an object of operators")
        }
        let isFilter = object.fieldNames.allSatisfy { !isOperator($0) || isFilterOperator($0) }
        guard !isFilter, let object = try operatorObject(operand, path) else {
            do {
                return .elementMatches(try parse(object, depth: depth + 1))
            } catch let error as OfflineError {
                throw OfflineError(
                    error.code, "in $elemMatch at \"\(path.text)\": \(error.message)")
            }
        }
        return .elementSatisfies(try operators(object, path, depth: depth + 1))
    }
}
