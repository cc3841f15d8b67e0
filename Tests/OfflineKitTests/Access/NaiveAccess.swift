// Policies by their definition, over plain documents: what a principal may see of each, and what may be asked of it. Nothing of the
// store's own reading of policies is in it.
import Foundation

@testable import OfflineKit

/// A policy for one principal; nil: open to all.
struct NaiveAccess {
    let rules: [AccessPolicy.Rule]?

    init(_ policy: AccessPolicy?, _ principal: Principal) {
        rules = policy?.rules.filter { $0.role == "*" || principal.roles.contains($0.role) }
            .map { rule in
                AccessPolicy.Rule(
                    role: rule.role, operations: rule.operations,
                    where: Filter(Self.replaced(rule.filter.document, principal.id)),
                    hiddenFields: rule.hiddenFields)
            }
    }

    private static func replaced(_ document: Document, _ id: String) -> Document {
        Document(fields: document.map { ($0.name, replaced($0.value, id)) })
    }

    private static func replaced(_ value: Value, _ id: String) -> Value {
        switch value {
        case "$principal": .string(id)
        case .object(let object): .object(replaced(object, id))
        case .array(let elements): .array(elements.map { replaced($0, id) })
        default: value
        }
    }

    // MARK: Records

    /// The rules that grant the operation on a record; nil: it is open.
    private func granting(
        _ operation: AccessPolicy.Operation, _ document: Document
    ) -> [AccessPolicy.Rule]? {
        rules?.filter {
            $0.operations.contains(operation)
                && NaiveQuery.matches(document, $0.filter.document)
        }
    }

    /// Whether any rule grants the operation at all.
    func grants(_ operation: AccessPolicy.Operation) -> Bool {
        rules?.contains { $0.operations.contains(operation) } ?? true
    }

    func reaches(_ operation: AccessPolicy.Operation, _ document: Document) -> Bool {
        granting(operation, document)?.isEmpty != true
    }

    /// The paths that all granting rules hide.
    func hidden(_ operation: AccessPolicy.Operation, _ document: Document) -> [String] {
        guard let granting = granting(operation, document), let first = granting.first else {
            return []
        }
        let all = Set(granting.flatMap(\.hiddenFields))
        _ = first
        return all.filter { path in
            granting.allSatisfy { rule in
                rule.hiddenFields.contains { path == $0 || path.hasPrefix($0 + ".") }
            }
        }.sorted()
    }

    /// What is seen of a record; nil: nothing.
    func seen(_ document: Document) -> Document? {
        guard reaches(.read, document) else { return nil }
        return Self.without(hidden(.read, document), document)
    }

    static func without(_ paths: [String], _ document: Document) -> Document {
        paths.reduce(document) {
            without($1.split(separator: ".").map(String.init)[...], $0)
        }
    }

    private static func without(_ path: ArraySlice<String>, _ document: Document) -> Document {
        Document(
            fields: document.compactMap { name, value -> (String, Value)? in
                guard name == path.first else { return (name, value) }
                return path.count == 1 ? nil : (name, without(path.dropFirst(), value))
            })
    }

    private static func without(_ path: ArraySlice<String>, _ value: Value) -> Value {
        switch value {
        case .object(let object): .object(without(path, object))
        case .array(let elements):
            .array(elements.map { without(path, $0) })
        default: value
        }
    }

    // MARK: Queries

    private static func touches(_ rule: AccessPolicy.Rule, _ path: String) -> Bool {
        let names =
            path.split(separator: ".").filter { Int($0) == nil }.joined(separator: ".") + "."
        return rule.hiddenFields.contains {
            names.hasPrefix($0 + ".") || ($0 + ".").hasPrefix(names)
        }
    }

    /// Whether a query may name these paths; where it may it is of the records that some rule shows at each of them.
    func allows(naming paths: [String], selecting: [String] = []) -> Bool {
        guard let rules else { return true }
        let reading = rules.filter { $0.operations.contains(.read) }
        if reading.isEmpty { return false }
        let isShown = paths.allSatisfy { path in reading.contains { !Self.touches($0, path) } }
        return isShown
            && selecting.allSatisfy { path in
                let names =
                    path.split(separator: ".").filter { Int($0) == nil }
                    .joined(separator: ".") + "."
                return reading.contains { rule in
                    !rule.hiddenFields.contains { names.hasPrefix($0 + ".") }
                }
            }
    }

    /// The records that such a query is of, as they are seen.
    func queried(_ documents: [Document], naming paths: [String]) -> [Document] {
        documents.compactMap { document in
            if let granting = granting(.read, document) {
                let shows = paths.allSatisfy { path in
                    granting.contains { !Self.touches($0, path) }
                }
                if !shows { return nil }
            }
            return seen(document)
        }
    }

    /// The paths that a filter asks.
    static func paths(of filter: Document) -> [String] {
        filter.flatMap { name, operand -> [String] in
            if ["$and", "$or", "$nor"].contains(name) {
                return (operand.arrayValue ?? []).flatMap { paths(of: $0.objectValue ?? [:]) }
            }
            return paths(of: operand, at: name)
        }
    }

    private static func paths(of operand: Value, at path: String) -> [String] {
        guard case .object(let operators) = operand,
            operators.fieldNames.contains(where: { $0.hasPrefix("$") })
        else { return [path] }
        return operators.flatMap { name, operand -> [String] in
            switch name {
            case "$not": return paths(of: operand, at: path)
            case "$elemMatch":
                let inner = operand.objectValue ?? [:]
                let combining = ["$and", "$or", "$nor"]
                if inner.fieldNames.contains(where: { $0.hasPrefix("$") && !combining.contains($0) }
                ) {
                    return paths(of: operand, at: path)
                }
                let below = paths(of: inner).map { path + "." + $0 }
                return below.isEmpty ? [path] : below
            case "$all":
                return (operand.arrayValue ?? []).flatMap { one -> [String] in
                    one["$elemMatch"] == nil ? [path] : paths(of: one, at: path)
                }
            default: return [path]
            }
        }
    }
}
