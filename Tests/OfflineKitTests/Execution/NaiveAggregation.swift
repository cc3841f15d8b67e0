// Distinct values and aggregations by their definition, over plain values.
import Foundation

@testable import OfflineKit

enum NaiveAggregation {
    static func distinct(_ documents: [Document], _ path: String) -> [Value] {
        let all = documents.flatMap { document in
            NaiveQuery.find(path, in: document).flatMap { found -> [Value] in
                guard let value = found.value else { return [] }
                guard !found.isOne, let elements = value.arrayValue else { return [value] }
                return elements
            }
        }
        return unique(all)
    }

    private static func unique(_ values: [Value]) -> [Value] {
        var result: [Value] = []
        for value in values.sorted(by: { NaiveOrder.compare($0, $1) < 0 }) {
            if let last = result.last, NaiveOrder.compare(last, value) == 0 { continue }
            result.append(value)
        }
        return result
    }

    /// The one value at a path, by names in objects and positions in arrays.
    private static func value(_ path: String, in document: Document) -> Value? {
        var value: Value? = .object(document)
        for name in path.split(separator: ".").map(String.init) {
            switch value {
            case .object(let object)?: value = object[name]
            case .array(let elements)?:
                value = Int(name).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
            default: value = nil
            }
        }
        return value
    }

    /// `documents` in key order.
    static func run(_ documents: [Document], _ aggregation: Aggregation) -> [Document] {
        func group(_ document: Document) -> Value {
            .array(aggregation.groupBy.map { value($0, in: document) ?? .null })
        }
        let groups = aggregation.groupBy.isEmpty ? [[]] : unique(documents.map(group))
        return groups.map { values in
            let members = documents.filter { NaiveOrder.compare(group($0), values) == 0 }
            var result = Document()
            for (path, value) in zip(aggregation.groupBy, values.arrayValue ?? []) {
                result.set(value, at: path)
            }
            for (name, measure) in aggregation.measures {
                result[name] = figure(measure, members)
            }
            return result
        }
    }

    private static func figure(_ measure: Aggregation.Measure, _ members: [Document]) -> Value {
        func values(_ path: String) -> [Value] {
            members.compactMap { value(path, in: $0) }.filter { !$0.isNull }
                .sorted { NaiveOrder.compare($0, $1) < 0 }
        }
        switch measure {
        case .count: return .int(Int64(members.count))
        case .minimum(let path): return values(path).first ?? .null
        case .maximum(let path): return values(path).last ?? .null
        case .sum(let path): return sum(path, members).sum
        case .average(let path):
            let (sum, count) = sum(path, members)
            return count == 0 ? .null : .double((sum.doubleValue ?? 0) / Double(count))
        }
    }

    private static func sum(_ path: String, _ members: [Document]) -> (sum: Value, count: Int) {
        var integers = Int128(0)
        var doubles: [Double] = []
        var count = 0
        for member in members {
            switch value(path, in: member) {
            case .int(let int)?: integers += Int128(int)
            case .double(let double)?: doubles.append(double)
            default: continue
            }
            count += 1
        }
        if doubles.isEmpty, let sum = Int64(exactly: integers) { return (.int(sum), count) }
        return (.double(Double(integers) + doubles.reduce(0, +)), count)
    }
}

extension Value {
    /// Equal, or as good as equal: sums of floating-point numbers depend on how they are rounded.
    func isNear(_ other: Value) -> Bool {
        if self == other { return true }
        guard case .double(let a) = self, case .double(let b) = other else { return false }
        return abs(a - b) <= 1e-12 * max(abs(a), abs(b))
    }
}
