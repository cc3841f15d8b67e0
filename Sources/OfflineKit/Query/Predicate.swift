// A condition compiled for one collection: a flat list of tests, each of which says where to go on when it holds and when it
// doesn't. So `and`, `or` and `not` cost nothing at run time, and evaluation allocates nothing per record. It recurses into
// the elements of arrays only, for `$elemMatch`, as deep as the filter does.
//
// Invariants: a target is an index into `tests`, or one of the two results below; targets only lead to tests compiled earlier
// (the list is built from its end), so evaluation ends after at most one step a test. Names and ids are those of the
// dictionary that it was compiled with, or of an older one. Under a collation that ignores case all texts in `operands`
// are folded.
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
        /// Nil: of the value itself, which is an element of an array.
        let path: CompiledPath?
        let code: Code
        /// The operand's place in `operands`; of several, the first. For a pattern or a predicate its place in their list.
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
        case between
        case isOneOf
        case exists
        case hasType(ValueTypes)
        case startsWith
        case endsWith
        case contains
        case matches
        case modulo(divisor: Int64, remainder: Int64)
        case size(Int)
        case hasElement
        case includes
        case elementMatches
        case elementSatisfies
        /// A predicate of its own collation is asked.
        case exact
    }

    let collation: Collation
    private(set) var tests: [Test] = []
    private(set) var operands: [Operand] = []
    private(set) var programs: [PatternProgram] = []
    /// What elements of arrays are asked, and what is asked with another collation.
    private(set) var elementPredicates: [Predicate] = []
    private(set) var start: Target = Predicate.accepted

    /// Whether every record passes.
    var acceptsAll: Bool { start == Predicate.accepted }

    /// The condition, for records written with `names` or fewer.
    init(_ condition: Condition, in names: NameDictionary, collation: Collation = .binary) {
        self.collation = collation
        start = compile(condition, names, Predicate.accepted, Predicate.rejected)
    }

    /// The condition of one value.
    private init(_ condition: ValueCondition, in names: NameDictionary, collation: Collation) {
        self.collation = collation
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
            append(test, path.compiled(in: names), names, whenTrue, whenFalse)
        case .exact(let condition):
            appendExact(condition, names, whenTrue, whenFalse)
        }
    }

    private mutating func appendExact(
        _ condition: Condition, _ names: NameDictionary, _ whenTrue: Target, _ whenFalse: Target
    ) -> Target {
        elementPredicates.append(Predicate(condition, in: names))
        tests.append(
            Test(
                path: nil, code: .exact, operand: elementPredicates.count - 1, operandCount: 0,
                whenTrue: whenTrue, whenFalse: whenFalse))
        return Target(truncatingIfNeeded: tests.count - 1)
    }

    private mutating func compile(
        _ condition: ValueCondition, _ names: NameDictionary, _ whenTrue: Target,
        _ whenFalse: Target
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
        case .test(let test):
            append(test, nil, names, whenTrue, whenFalse)
        }
    }

    private mutating func append(
        _ test: FieldTest, _ path: CompiledPath?, _ names: NameDictionary, _ whenTrue: Target,
        _ whenFalse: Target
    ) -> Target {
        let first = firstOperand(of: test)
        let code = code(of: test, names)
        tests.append(
            Test(
                path: path, code: code, operand: first, operandCount: operands.count - first,
                whenTrue: whenTrue, whenFalse: whenFalse))
        return Target(truncatingIfNeeded: tests.count - 1)
    }

    /// Where the operands of a test are put.
    private func firstOperand(of test: FieldTest) -> Int {
        switch test {
        case .matches: programs.count
        case .elementMatches, .elementSatisfies: elementPredicates.count
        default: operands.count
        }
    }

    /// The test's code; its operands are appended.
    private mutating func code(of test: FieldTest, _ names: NameDictionary) -> Code {
        func operand(_ value: Value) -> Operand { Operand(value, collation) }
        switch test {
        case .exists: return .exists
        case .hasType(let types): return .hasType(types)
        case .size(let size): return .size(size)
        case .modulo(let divisor, let remainder):
            return .modulo(divisor: divisor, remainder: remainder)
        case .equals(let value):
            operands.append(operand(value))
            return .equals
        case .compares(let comparison, let value):
            operands.append(operand(value))
            return switch comparison {
            case .less: .less
            case .lessOrEqual: .lessOrEqual
            case .greater: .greater
            case .greaterOrEqual: .greaterOrEqual
            }
        case .between(let low, let high):
            operands += [operand(low), operand(high)]
            return .between
        case .isOneOf(let values):
            operands += Operand.sorted(values, collation)
            return .isOneOf
        case .startsWith(let text):
            operands.append(operand(.string(text.text)))
            return .startsWith
        case .endsWith(let text):
            operands.append(operand(.string(text.text)))
            return .endsWith
        case .contains(let text):
            operands.append(operand(.string(text.text)))
            return .contains
        case .hasElement(let value):
            operands.append(operand(value))
            return .hasElement
        case .includes(let text):
            operands.append(operand(.string(text.text)))
            return .includes
        case .matches(let pattern):
            programs.append(pattern.program(folded: collation == .caseInsensitive))
            return .matches
        case .elementMatches(let condition):
            elementPredicates.append(Predicate(condition, in: names, collation: collation))
            return .elementMatches
        case .elementSatisfies(let condition):
            elementPredicates.append(Predicate(condition, in: names, collation: collation))
            return .elementSatisfies
        }
    }
}
