// The order of values as the query language states it, written over plain values and nothing else, so that the store's own
// three implementations (values, encoded bytes, keys) have something to be held against.
import Foundation
import OfflineKit

enum NaiveOrder {
    /// null < numbers < string < object < array < data < bool < date
    static func rank(_ value: Value) -> Int {
        switch value {
        case .null: 0
        case .int, .double: 1
        case .string: 2
        case .object: 3
        case .array: 4
        case .data: 5
        case .bool: 6
        case .date: 7
        }
    }

    /// Negative, zero or positive as `a` is before, equal to or after `b`.
    static func compare(_ a: Value, _ b: Value) -> Int {
        switch (a, b) {
        case (.int, .int), (.int, .double), (.double, .int), (.double, .double):
            return compareNumbers(a, b)
        case (.string(let x), .string(let y)):
            return lexicographic(Array(x.utf8), Array(y.utf8)) { Int($0) - Int($1) }
        case (.data(let x), .data(let y)):
            return lexicographic(Array(x), Array(y)) { Int($0) - Int($1) }
        case (.array(let x), .array(let y)):
            return lexicographic(x, y, compare)
        case (.object(let x), .object(let y)):
            return lexicographic(sortedFields(x), sortedFields(y)) { left, right in
                let names = compare(.string(left.0), .string(right.0))
                return names != 0 ? names : compare(left.1, right.1)
            }
        case (.bool(let x), .bool(let y)): return (x ? 1 : 0) - (y ? 1 : 0)
        case (.date(let x), .date(let y)): return x < y ? -1 : (x == y ? 0 : 1)
        default: return rank(a) - rank(b)
        }
    }

    static func isNaN(_ value: Value) -> Bool {
        if case .double(let double) = value { return double.isNaN }
        return false
    }

    private static func sortedFields(_ document: Document) -> [(String, Value)] {
        document.map { ($0.name, $0.value) }
            .sorted { compare(.string($0.0), .string($1.0)) < 0 }
    }

    private static func lexicographic<T>(
        _ a: [T], _ b: [T], _ compare: (T, T) -> Int
    ) -> Int {
        for (x, y) in zip(a, b) {
            let result = compare(x, y)
            if result != 0 { return result }
        }
        return a.count - b.count
    }

    /// By mathematical value: a double's whole part is compared as an integer of 128 bits, then its fraction.
    private static func compareNumbers(_ a: Value, _ b: Value) -> Int {
        if isNaN(a) || isNaN(b) { return (isNaN(a) ? 0 : 1) - (isNaN(b) ? 0 : 1) }
        let (wholeA, fractionA) = parts(a)
        let (wholeB, fractionB) = parts(b)
        if wholeA != wholeB { return wholeA < wholeB ? -1 : 1 }
        return fractionA < fractionB ? -1 : (fractionA == fractionB ? 0 : 1)
    }

    private static func parts(_ value: Value) -> (Int128, Double) {
        switch value {
        case .int(let int): return (Int128(int), 0)
        case .double(let double):
            // Beyond 2^100 there is no integer to compare with: only the double's own order matters.
            guard abs(double) < 0x1p100 else {
                return (double < 0 ? -(1 << 101) : 1 << 101, double)
            }
            let whole = double.rounded(.down)
            return (Int128(whole), double - whole)
        default: return (0, 0)
        }
    }
}
