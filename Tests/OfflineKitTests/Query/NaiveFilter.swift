// Filters by their definition, operator by operator, over plain values.
import Foundation
import OfflineKit
import Testing

struct NaiveFilter {
    /// Texts and operands were folded, and patterns have to be.
    var isFolded = false

    typealias Found = NaiveQuery.Found

    func matches(_ document: Document, _ filter: Document) -> Bool {
        filter.allSatisfy { name, operand in
            switch name {
            case "$and": filters(operand).allSatisfy { matches(document, $0) }
            case "$or": filters(operand).contains { matches(document, $0) }
            case "$nor": !filters(operand).contains { matches(document, $0) }
            default: holds(NaiveQuery.find(name, in: document), operand)
            }
        }
    }

    private func filters(_ operand: Value) -> [Document] {
        (operand.arrayValue ?? []).compactMap(\.objectValue)
    }

    private func holds(_ found: [Found], _ operand: Value) -> Bool {
        if case .object(let operators) = operand,
            operators.fieldNames.contains(where: { $0.hasPrefix("$") })
        {
            return operators.allSatisfy { name, operand in
                name == "$regex"
                    ? matches(found, operand, options: operators["$options"]?.stringValue ?? "")
                    : holds(found, name, operand)
            }
        }
        return holds(found, "$eq", operand)
    }

    private func holds(_ found: [Found], _ name: String, _ operand: Value) -> Bool {
        switch name {
        case "$eq": any(found) { equals($0, operand) }
        case "$ne": !holds(found, "$eq", operand)
        case "$in":
            (operand.arrayValue ?? []).contains { holds(found, "$eq", $0) }
        case "$nin": !holds(found, "$in", operand)
        case "$gt": any(found) { isGreater($0, operand) }
        case "$gte": any(found) { isGreater($0, operand, orEqual: true) }
        case "$lt": any(found) { isLess($0, operand) }
        case "$lte": any(found) { isLess($0, operand, orEqual: true) }
        case "$between":
            any(found) {
                isGreater($0, operand[0] ?? .null, orEqual: true)
                    && isLess($0, operand[1] ?? .null, orEqual: true)
            }
        case "$exists": found.contains { $0.value != nil } == (operand == .bool(true))
        case "$type":
            any(found) { value in
                guard let value else { return false }
                return (operand.arrayValue ?? [operand]).contains { isOfType(value, $0) }
            }
        case "$not": !holds(found, operand)
        // It belongs to `$regex`.
        case "$options": true
        case "$startsWith":
            anyText(found) { $0.starts(with: utf8(operand)) }
        case "$endsWith":
            anyText(found) { $0.reversed().starts(with: utf8(operand).reversed()) }
        case "$mod": any(found) { isRemainder($0, operand) }
        default: holdsOfArrays(found, name, operand)
        }
    }

    /// Operators that ask an array itself.
    private func holdsOfArrays(_ found: [Found], _ name: String, _ operand: Value) -> Bool {
        let arrays = found.compactMap { $0.value?.arrayValue }
        switch name {
        case "$contains":
            if arrays.contains(where: { $0.contains { equals($0, operand) } }) { return true }
            guard case .string = operand else { return false }
            return found.contains { one in
                guard case .string? = one.value else { return false }
                let (text, part) = (utf8(one.value ?? .null), utf8(operand))
                return (0...text.count).contains { text[$0...].starts(with: part) }
            }
        case "$all":
            let wanted = operand.arrayValue ?? []
            return !wanted.isEmpty
                && wanted.allSatisfy { one in
                    if let inner = one["$elemMatch"] { return holds(found, "$elemMatch", inner) }
                    return holds(found, "$eq", one)
                }
        case "$elemMatch":
            return arrays.contains { elements in
                elements.contains { isMatch($0, operand.objectValue ?? [:]) }
            }
        case "$size": return arrays.contains { .int(Int64($0.count)) == operand }
        default: return false
        }
    }

    /// Whether an element is what `$elemMatch` asks for.
    private func isMatch(_ element: Value, _ wanted: Document) -> Bool {
        let combining = ["$and", "$or", "$nor"]
        if wanted.fieldNames.contains(where: { $0.hasPrefix("$") && !combining.contains($0) }) {
            return holds([Found(value: element, isOne: true)], .object(wanted))
        }
        guard case .object(let object) = element else { return false }
        return matches(object, wanted)
    }

    /// A condition on an array holds where the array as a whole or any element satisfies it.
    private func any(_ found: [Found], _ test: (Value?) -> Bool) -> Bool {
        found.contains { one in
            if test(one.value) { return true }
            guard !one.isOne, case .array(let elements)? = one.value else { return false }
            return elements.contains { test($0) }
        }
    }

    // MARK: Single values

    private func equals(_ value: Value?, _ operand: Value) -> Bool {
        NaiveOrder.compare(value ?? .null, operand) == 0
    }

    private func isGreater(_ value: Value?, _ operand: Value, orEqual: Bool = false) -> Bool {
        compares(value, operand, orEqual) { $0 > 0 }
    }

    private func isLess(_ value: Value?, _ operand: Value, orEqual: Bool = false) -> Bool {
        compares(value, operand, orEqual) { $0 < 0 }
    }

    private func compares(
        _ value: Value?, _ operand: Value, _ orEqual: Bool, _ test: (Int) -> Bool
    ) -> Bool {
        let value = value ?? .null
        guard NaiveOrder.rank(value) == NaiveOrder.rank(operand) else { return false }
        if NaiveOrder.compare(value, operand) == 0 { return orEqual }
        if NaiveOrder.isNaN(value) || NaiveOrder.isNaN(operand) { return false }
        return test(NaiveOrder.compare(value, operand))
    }

    private func isOfType(_ value: Value, _ name: Value) -> Bool {
        switch value {
        case .null: name == "null"
        case .bool: name == "bool"
        case .int: name == "int" || name == "number"
        case .double: name == "double" || name == "number"
        case .string: name == "string"
        case .data: name == "data"
        case .date: name == "date"
        case .array: name == "array"
        case .object: name == "object"
        }
    }

    private func isRemainder(_ value: Value?, _ operand: Value) -> Bool {
        guard let value = whole(value), let divisor = whole(operand[0]),
            let remainder = whole(operand[1])
        else { return false }
        return value % divisor == remainder
    }

    /// A number cut toward zero; tests have none that doesn't fit.
    private func whole(_ value: Value?) -> Int128? {
        switch value {
        case .int(let int)?: Int128(int)
        case .double(let double)?: Int128(exactly: double.rounded(.towardZero))
        default: nil
        }
    }

    // MARK: Texts

    private func utf8(_ value: Value) -> [UInt8] { Array((value.stringValue ?? "").utf8) }

    private func anyText(_ found: [Found], _ test: ([UInt8]) -> Bool) -> Bool {
        any(found) { value in
            guard case .string(let text)? = value else { return false }
            return test(Array(text.utf8))
        }
    }

    private func matches(_ found: [Found], _ operand: Value, options: String) -> Bool {
        guard let pattern = NaiveRegex.pattern(of: operand.stringValue ?? "") else {
            Issue.record("\(operand.json()) is none of NaiveRegex.known")
            return false
        }
        let options = NaiveRegexOptions(options, isFolded: isFolded)
        return any(found) { value in
            guard case .string(let text)? = value else { return false }
            return pattern.matches(text, options)
        }
    }
}
