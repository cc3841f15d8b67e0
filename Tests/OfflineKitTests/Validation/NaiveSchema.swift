// JSON Schema as its text says it, on values that are decoded: slow and plain, for SchemaFuzzTests to hold the store's against. It
// follows references by looking them up at every step, knows pointers alone, and takes what it is given to be a schema.
import Foundation
import OfflineDocuments

@testable import OfflineKit

struct NaiveSchema {
    let root: Value
    /// Each further schema about one value counts; beyond this nobody waits.
    var steps = 0
    static let stepsMax = 20_000

    struct TooLong: Error {}

    init(_ root: Value) { self.root = root }

    mutating func accepts(_ value: Value) throws -> Bool { try accepts(value, root) }

    private mutating func accepts(_ value: Value, _ schema: Value) throws -> Bool {
        steps += 1
        if steps > Self.stepsMax { throw TooLong() }
        guard case .object(let rules) = schema else { return schema == true }
        for (keyword, rule) in rules where try !holds(keyword, rule, rules, value) { return false }
        return true
    }

    private mutating func holds(
        _ keyword: String, _ rule: Value, _ rules: Document, _ value: Value
    ) throws -> Bool {
        switch keyword {
        case "type":
            let names = rule.arrayValue ?? [rule]
            return names.contains { isOf($0.stringValue ?? "", value) }
        case "const": return value == rule
        case "enum": return rule.arrayValue?.contains(value) == true
        case "$ref": return try accepts(value, target(rule.stringValue ?? ""))
        case "allOf": return try count(rule, value) == rule.arrayValue?.count
        case "anyOf": return try count(rule, value) > 0
        case "oneOf": return try count(rule, value) == 1
        case "not": return try !accepts(value, rule)
        case "if":
            let branch = try accepts(value, rule) ? "then" : "else"
            return try rules[branch].map { try accepts(value, $0) } ?? true
        default: break
        }
        switch value {
        case .int, .double: return holds(keyword, rule, value.doubleValue ?? 0)
        case .string(let text): return holds(keyword, rule, text)
        case .array(let elements): return try holds(keyword, rule, rules, elements)
        case .object(let fields): return try holds(keyword, rule, rules, fields)
        default: return true
        }
    }

    private func isOf(_ name: String, _ value: Value) -> Bool {
        switch (name, value) {
        case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array),
            ("object", .object), ("date", .date), ("data", .data), ("number", .int),
            ("number", .double), ("integer", .int):
            true
        case ("integer", .double(let number)): number == number.rounded() && number.isFinite
        default: false
        }
    }

    private mutating func count(_ schemas: Value, _ value: Value) throws -> Int {
        var count = 0
        for schema in schemas.arrayValue ?? [] where try accepts(value, schema) { count += 1 }
        return count
    }

    private func target(_ reference: String) -> Value {
        reference.split(separator: "/").dropFirst().reduce(root) { place, step in
            Int(step).flatMap { place[$0] } ?? place[String(step)] ?? false
        }
    }

    // MARK: By kind

    private func holds(_ keyword: String, _ rule: Value, _ number: Double) -> Bool {
        let bound = rule.doubleValue ?? 0
        switch keyword {
        case "minimum": return number >= bound
        case "exclusiveMinimum": return number > bound
        case "maximum": return number <= bound
        case "exclusiveMaximum": return number < bound
        // The numbers that are made for it are small and have few digits.
        case "multipleOf":
            let quotient = (number * 1_000).rounded() / (bound * 1_000).rounded()
            return quotient == quotient.rounded()
        default: return true
        }
    }

    private func holds(_ keyword: String, _ rule: Value, _ text: String) -> Bool {
        switch keyword {
        case "minLength": return text.unicodeScalars.count >= rule.intValue ?? 0
        case "maxLength": return text.unicodeScalars.count <= rule.intValue ?? 0
        case "pattern":
            // The patterns that are made are `^` and a letter, or a letter.
            let pattern = rule.stringValue ?? ""
            return pattern.hasPrefix("^")
                ? text.hasPrefix(pattern.dropFirst()) : text.contains(pattern)
        default: return true
        }
    }

    private mutating func holds(
        _ keyword: String, _ rule: Value, _ rules: Document, _ elements: [Value]
    ) throws -> Bool {
        let count = rule.intValue ?? 0
        switch keyword {
        case "minItems": return elements.count >= count
        case "maxItems": return elements.count <= count
        case "uniqueItems": return rule == false || Set(elements).count == elements.count
        case "prefixItems":
            for (element, schema) in zip(elements, rule.arrayValue ?? [])
            where try !accepts(element, schema) { return false }
        case "items":
            for element in elements.dropFirst(rules["prefixItems"]?.arrayValue?.count ?? 0)
            where try !accepts(element, rule) { return false }
        default: break
        }
        return true
    }

    private mutating func holds(
        _ keyword: String, _ rule: Value, _ rules: Document, _ fields: Document
    ) throws -> Bool {
        let count = rule.intValue ?? 0
        switch keyword {
        case "minProperties": return fields.count >= count
        case "maxProperties": return fields.count <= count
        case "required":
            return rule.arrayValue?.allSatisfy { fields[$0.stringValue ?? ""] != nil } == true
        case "properties":
            for (name, value) in fields {
                if let schema = rule[name], try !accepts(value, schema) { return false }
            }
        case "additionalProperties":
            for (name, value) in fields where rules["properties"]?[name] == nil {
                if try !accepts(value, rule) { return false }
            }
        default: break
        }
        return true
    }
}
