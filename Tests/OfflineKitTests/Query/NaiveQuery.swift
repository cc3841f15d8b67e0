// A query by its definition, over plain values: no index, no key, no encoded byte, none of the store's parsing. It takes its
// time, and is what every real execution is compared with.
import Foundation
import OfflineKit

enum NaiveQuery {
    /// What a query selects from all records of a collection.
    static func run(
        _ documents: [Document], keyPaths: [String], filter: Document, sort: [Sort] = [],
        limit: Int? = nil, offset: Int = 0, select: [String]? = nil,
        collation: Collation = .binary
    ) -> [Document] {
        let matching = documents.filter { matches($0, filter, collation) }
        let sorted = matching.sorted { isBefore($0, $1, sort, keyPaths, collation) }
        let rest = sorted.dropFirst(offset)
        let page = limit.map { Array(rest.prefix($0)) } ?? Array(rest)
        guard let select else { return page }
        return page.map { NaiveSelection.project($0, paths: select + keyPaths) }
    }

    // MARK: Paths

    /// A value that a path leads to; nil where the field is missing.
    struct Found {
        var value: Value?
        /// Reached by position: one value, not its elements.
        var isOne = false
    }

    static func find(_ path: String, in document: Document) -> [Found] {
        step(.object(document), path.split(separator: ".").map(String.init)[...])
    }

    private static func step(_ value: Value, _ path: ArraySlice<String>) -> [Found] {
        guard let name = path.first else { return [Found(value: value)] }
        let rest = path.dropFirst()
        switch value {
        case .object(let object):
            guard let next = object[name] else { return [Found(value: nil)] }
            return step(next, rest)
        case .array(let elements):
            if let position = Int(name), elements.indices.contains(position) {
                if rest.isEmpty { return [Found(value: elements[position], isOne: true)] }
                return step(elements[position], rest)
            }
            return elements.flatMap { element -> [Found] in
                guard case .object = element else { return [] }
                return step(element, path)
            }
        default:
            return [Found(value: nil)]
        }
    }

    // MARK: Filters

    /// Where case is ignored, it is folded texts that are asked, and only `$regex` has to know.
    static func matches(
        _ document: Document, _ filter: Document, _ collation: Collation = .binary
    ) -> Bool {
        guard collation == .caseInsensitive else { return NaiveFilter().matches(document, filter) }
        return NaiveFilter(isFolded: true).matches(
            NaiveFolding.fold(document), NaiveFolding.foldOperands(filter))
    }

    // MARK: Sort

    private static func isBefore(
        _ a: Document, _ b: Document, _ sort: [Sort], _ keyPaths: [String],
        _ collation: Collation
    ) -> Bool {
        for term in sort {
            let left = sortValue(a, term, collation)
            let right = sortValue(b, term, collation)
            let result = compareSortValues(left, right, collation)
            if result != 0 { return term.direction == .ascending ? result < 0 : result > 0 }
        }
        let left = keyPaths.map { a[$0] ?? .null }
        let right = keyPaths.map { b[$0] ?? .null }
        return NaiveOrder.compare(.array(left), .array(right)) < 0
    }

    /// nil: an empty array, which is below null.
    private static func sortValue(
        _ document: Document, _ term: Sort, _ collation: Collation
    ) -> Value? {
        let found = find(term.field, in: document)
        if found.isEmpty { return .null }
        let all = found.flatMap { one -> [Value?] in
            guard !one.isOne, case .array(let elements)? = one.value else {
                return [one.value ?? .null]
            }
            return elements.isEmpty ? [nil] : elements
        }
        let sorted = all.sorted { compareSortValues($0, $1, collation) < 0 }
        return (term.direction == .ascending ? sorted.first : sorted.last) ?? .null
    }

    private static func compareSortValues(
        _ a: Value?, _ b: Value?, _ collation: Collation
    ) -> Int {
        switch (a, b) {
        case (nil, nil): return 0
        case (nil, _): return -1
        case (_, nil): return 1
        case (let a?, let b?):
            if collation == .caseInsensitive {
                let folded = NaiveOrder.compare(NaiveFolding.fold(a), NaiveFolding.fold(b))
                if folded != 0 { return folded }
            }
            return NaiveOrder.compare(a, b)
        }
    }
}

/// `select` by its definition.
enum NaiveSelection {
    static func project(_ document: Document, paths: [String]) -> Document {
        project(document, paths.map { $0.split(separator: ".").map(String.init)[...] })
    }

    private static func project(_ object: Document, _ paths: [ArraySlice<String>]) -> Document {
        let fields = object.compactMap { name, value -> (String, Value)? in
            let below = paths.filter { $0.first == name }.map { $0.dropFirst() }
            guard !below.isEmpty, let kept = project(value, below) else { return nil }
            return (name, kept)
        }
        return Document(fields: fields)
    }

    /// nil: nothing of it is kept.
    private static func project(_ value: Value, _ paths: [ArraySlice<String>]) -> Value? {
        if paths.contains(where: \.isEmpty) { return value }
        switch value {
        case .object(let object):
            return .object(project(object, paths))
        case .array(let elements):
            return .array(
                elements.enumerated().compactMap { index, element in
                    let here = paths.filter { Int($0.first ?? "") == index }.map { $0.dropFirst() }
                    let through = paths.filter { path in
                        guard let position = Int(path.first ?? "") else { return true }
                        return !elements.indices.contains(position)
                    }
                    if here.contains(where: \.isEmpty) { return element }
                    var kept = here.isEmpty ? nil : project(element, here)
                    if case .object(let object) = element, !through.isEmpty {
                        let both = project(object, through + here)
                        kept = .object(both)
                    }
                    return kept
                })
        default:
            return nil
        }
    }
}
