// A condition compiled for one collection: a flat list of tests, each of which says where to go on when it holds and when it
// doesn't. So `and`, `or` and `not` cost nothing at run time, and evaluation neither recurses nor allocates per record.
//
// Invariants: a target is an index into `tests`, or one of the two results below; targets only lead to tests compiled earlier
// (the list is built from its end), so evaluation ends after at most one step a test. Names and ids are those of the
// dictionary that it was compiled with, or of an older one.
internal import Foundation
internal import OfflineBytes
import OfflineDocuments

/// A compiled filter.
struct Predicate: Sendable {
    /// Where to go on after a test: an index into the tests, or a result.
    typealias Target = Int32
    static let accepted: Target = -1
    static let rejected: Target = -2

    /// One test of the values at one path.
    struct Test: Sendable {
        let path: CompiledPath
        let code: Code
        /// The operand's place in `operands`; for `isOneOf` the first of several.
        let operand: Int
        let operandCount: Int
        let whenTrue: Target
        let whenFalse: Target
    }

    /// What is tested.
    enum Code: Sendable {
        case equals
        case less
        case lessOrEqual
        case greater
        case greaterOrEqual
        case isOneOf
        case exists
    }

    private(set) var tests: [Test] = []
    private(set) var operands: [Operand] = []
    private(set) var start: Target = Predicate.accepted

    /// Whether every record passes.
    var acceptsAll: Bool { start == Predicate.accepted }

    /// The condition, for records written with `names` or fewer.
    init(_ condition: Condition, in names: NameDictionary) {
        start = compile(condition, names, Predicate.accepted, Predicate.rejected)
    }

    /// Appends the tests of `condition`; where to begin with them.
    private mutating func compile(
        _ condition: Condition, _ names: NameDictionary, _ whenTrue: Target, _ whenFalse: Target
    ) -> Target {
        switch condition {
        case .all(let conditions):
            conditions.reversed().reduce(whenTrue) { next, condition in
                compile(condition, names, next, whenFalse)
            }
        case .any(let conditions):
            conditions.reversed().reduce(whenFalse) { next, condition in
                compile(condition, names, whenTrue, next)
            }
        case .not(let condition):
            compile(condition, names, whenFalse, whenTrue)
        case .test(let path, let test):
            append(test, path.compiled(in: names), whenTrue, whenFalse)
        }
    }

    private mutating func append(
        _ test: FieldTest, _ path: CompiledPath, _ whenTrue: Target, _ whenFalse: Target
    ) -> Target {
        let code: Code
        let first = operands.count
        switch test {
        case .exists: code = .exists
        case .equals(let value):
            code = .equals
            operands.append(Operand(value))
        case .compares(let comparison, let value):
            code =
                switch comparison {
                case .less: .less
                case .lessOrEqual: .lessOrEqual
                case .greater: .greater
                case .greaterOrEqual: .greaterOrEqual
                }
            operands.append(Operand(value))
        case .isOneOf(let values):
            code = .isOneOf
            operands += Operand.sorted(values)
        }
        tests.append(
            Test(
                path: path, code: code, operand: first, operandCount: operands.count - first,
                whenTrue: whenTrue, whenFalse: whenFalse))
        return Target(truncatingIfNeeded: tests.count - 1)
    }
}

/// A value to compare with, in the forms that comparing needs.
struct Operand: Sendable {
    let kind: ValueKind
    /// For int; the date's seconds and the double are in `double`.
    let int: Int64
    let double: Double
    /// A string's UTF-8, data's bytes; of an array or object its key.
    let bytes: [UInt8]
    let bool: Bool

    init(_ value: Value) {
        kind = value.kind
        var int: Int64 = 0
        var double = 0.0
        var bytes: [UInt8] = []
        var bool = false
        switch value {
        case .null: break
        case .bool(let value): bool = value
        case .int(let value): int = value
        case .double(let value): double = value
        case .date(let value): double = value.timeIntervalSinceReferenceDate
        case .string(let value): bytes = Array(value.utf8)
        case .data(let value): bytes = Array(value)
        case .array, .object: bytes = KeyEncoder.key(value)
        }
        (self.int, self.double, self.bytes, self.bool) = (int, double, bytes, bool)
    }

    /// The operands of a list, in the order of values.
    static func sorted(_ values: [Value]) -> [Operand] {
        values.sorted { Value.order($0, $1) < 0 }.map(Operand.init)
    }

    /// Whether it is no number that compares, though its kind is one.
    var isNaN: Bool { kind == .double && double.isNaN }
}
