// Evaluation on a record's bytes, in place. The semantics of QUERY.md, "Filters", are stated here and nowhere else:
//
// - A test holds where some value that the path leads to satisfies it; a value that is an array satisfies it as a whole or
//   by any element, but not by the elements of its elements. What was reached by position counts as one value.
// - Tests that are about arrays (`size`, `hasElement`, `includes`, `elementMatches`, `elementSatisfies`) ask the array itself, never
//   its elements in its place. An element that is asked is one value, like one reached by position.
// - A missing field counts as null, but for `exists` and `hasType`.
// - Comparisons hold within the operand's own type only; null is only ever equal, and so is NaN.
// - Under a collation that ignores case, strings are folded before anything is asked of them.
internal import OfflineBytes
import OfflineDocuments

extension Predicate {
    /// Whether the record matches.
    @unsafe
    func matches(_ record: RecordView, _ scratch: inout PredicateScratch) -> Bool {
        unsafe accepts(record.root, record.names, &scratch)
    }

    /// Whether the value, a record's object or an element of an array, satisfies the condition.
    @unsafe
    private func accepts(
        _ value: EncodedValue, _ names: NameDictionary, _ scratch: inout PredicateScratch
    ) -> Bool {
        var target = start
        while target >= 0 {
            let test = tests[Int(target)]
            let holds = unsafe holds(test, value, names, &scratch)
            target = holds ? test.whenTrue : test.whenFalse
        }
        return target == Predicate.accepted
    }

    /// Whether some value at the test's path satisfies it.
    @unsafe
    private func holds(
        _ test: Test, _ root: EncodedValue, _ names: NameDictionary,
        _ scratch: inout PredicateScratch
    ) -> Bool {
        guard let path = test.path else { return unsafe satisfies(root, test, names, &scratch) }
        var holds = false
        unsafe root.visit(path) { value, isElement in
            guard let value = unsafe value else {
                holds = nullSatisfies(test)
                return !holds
            }
            holds = unsafe satisfies(value, test, names, &scratch)
            if unsafe holds || isElement || value.kind != .array || test.code.isAboutArrays {
                return !holds
            }
            for index in 0..<(unsafe value.count) {
                holds = unsafe satisfies(value.element(index), test, names, &scratch)
                if holds { return false }
            }
            return true
        }
        return holds
    }

    /// Whether a missing field satisfies the test.
    private func nullSatisfies(_ test: Test) -> Bool {
        func isNull(_ operand: Int) -> Bool {
            operand < test.operandCount && operands[test.operand + operand].kind == .null
        }
        return switch test.code {
        // Null is the least of all, so it is the first of several.
        case .isOneOf, .equals, .lessOrEqual, .greaterOrEqual: isNull(0)
        case .between: isNull(0) && isNull(1)
        default: false
        }
    }

    /// Whether this one value satisfies the test.
    @unsafe
    private func satisfies(
        _ value: EncodedValue, _ test: Test, _ names: NameDictionary,
        _ scratch: inout PredicateScratch
    ) -> Bool {
        let first = test.operand
        switch test.code {
        case .exists: return true
        case .hasType(let types): return unsafe types.contains(value.kind)
        case .equals:
            return unsafe operands[first].order(value, names, collation, &scratch) == 0
        case .isOneOf: return unsafe isOneOf(value, test, names, &scratch)
        case .less: return unsafe compares(value, .less, first, names, &scratch)
        case .lessOrEqual: return unsafe compares(value, .lessOrEqual, first, names, &scratch)
        case .greater: return unsafe compares(value, .greater, first, names, &scratch)
        case .greaterOrEqual:
            return unsafe compares(value, .greaterOrEqual, first, names, &scratch)
        case .between:
            return unsafe compares(value, .greaterOrEqual, first, names, &scratch)
                && compares(value, .lessOrEqual, first + 1, names, &scratch)
        case .startsWith, .endsWith, .contains, .matches:
            return unsafe satisfiesAsText(value, test, &scratch)
        case .modulo(let divisor, let remainder):
            return unsafe value.remainder(dividedBy: divisor) == remainder
        case .size(let size): return unsafe value.kind == .array && value.count == size
        case .includes where unsafe value.kind != .array:
            return unsafe satisfiesAsText(value, test, &scratch)
        case .exact: return unsafe elementPredicates[first].accepts(value, names, &scratch)
        case .hasElement, .includes, .elementMatches, .elementSatisfies:
            return unsafe satisfiesByElement(value, test, names, &scratch)
        }
    }

    /// Whether the value is of the operand's type, and so related to it.
    @unsafe
    private func compares(
        _ value: EncodedValue, _ comparison: Comparison, _ operand: Int, _ names: NameDictionary,
        _ scratch: inout PredicateScratch
    ) -> Bool {
        let operand = operands[operand]
        guard unsafe operand.kind.rank == value.kind.rank else { return false }
        let order = unsafe operand.order(value, names, collation, &scratch)
        if order == 0 { return comparison.includesEqual }
        if unsafe operand.isNaN || (value.kind == .double && value.double.isNaN) { return false }
        return (order > 0) == comparison.includesGreater
    }

    /// Whether the value is among the sorted operands.
    @unsafe
    private func isOneOf(
        _ value: EncodedValue, _ test: Test, _ names: NameDictionary,
        _ scratch: inout PredicateScratch
    ) -> Bool {
        var low = test.operand
        var high = low + test.operandCount
        while low < high {
            let middle = low + (high - low) / 2
            let order = unsafe operands[middle].order(value, names, collation, &scratch)
            if order == 0 { return true }
            if order > 0 { low = middle + 1 } else { high = middle }
        }
        return false
    }

    /// Whether the value is a string with what the test wants of one.
    @unsafe
    private func satisfiesAsText(
        _ value: EncodedValue, _ test: Test, _ scratch: inout PredicateScratch
    ) -> Bool {
        guard unsafe value.kind == .string else { return false }
        return unsafe scratch.withText(of: value, collation) { text, patternScratch in
            if case .matches = test.code {
                return unsafe patternScratch.matches(text, programs[test.operand])
            }
            return unsafe operands[test.operand].bytes.withBytes { part in
                switch test.code {
                case .startsWith: unsafe ByteSearch.hasPrefix(text, part)
                case .endsWith: unsafe ByteSearch.hasSuffix(text, part)
                default: unsafe ByteSearch.contains(text, part)
                }
            }
        }
    }

    /// Whether the value is an array with an element as the test wants it.
    @unsafe
    private func satisfiesByElement(
        _ value: EncodedValue, _ test: Test, _ names: NameDictionary,
        _ scratch: inout PredicateScratch
    ) -> Bool {
        guard unsafe value.kind == .array else { return false }
        for index in 0..<(unsafe value.count) {
            let element = unsafe value.element(index)
            let isFound: Bool
            switch test.code {
            case .hasElement, .includes:
                isFound =
                    unsafe operands[test.operand].order(element, names, collation, &scratch) == 0
            case .elementMatches where unsafe element.kind != .object: isFound = false
            default:
                isFound = unsafe elementPredicates[test.operand].accepts(element, names, &scratch)
            }
            if isFound { return true }
        }
        return false
    }
}

extension Predicate.Code {
    /// Whether it asks an array itself, never its elements in its place.
    fileprivate var isAboutArrays: Bool {
        switch self {
        case .size, .hasElement, .includes, .elementMatches, .elementSatisfies: true
        default: false
        }
    }
}

/// Memory that evaluation reuses from record to record.
struct PredicateScratch {
    /// The key of an array or object that is being compared.
    var key: [UInt8] = []
    /// A folded string.
    private var text: [UInt8] = []
    private(set) var pattern: PatternScratch

    /// `isCancellable`: a long match is given up when the task is cancelled; then `checkCancellation` throws.
    init(isCancellable: Bool = false) {
        pattern = PatternScratch(isCancellable: isCancellable)
    }

    /// To be called after an evaluation that may have been given up. Throws `CancellationError`.
    @inline(__always)
    func checkCancellation() throws {
        if pattern.isStopped { throw CancellationError() }
    }

    /// Calls `body` with a string's UTF-8, folded where the collation says so.
    @unsafe
    mutating func withText<Result>(
        of string: EncodedValue, _ collation: Collation,
        _ body: (UnsafeRawBufferPointer, inout PatternScratch) -> Result
    ) -> Result {
        if collation == .binary { return unsafe body(string.bytes, &pattern) }
        text.removeAll(keepingCapacity: true)
        unsafe CaseFolding.append(string.bytes, to: &text)
        return unsafe text.withUnsafeBytes { unsafe body($0, &pattern) }
    }
}

extension EncodedValue {
    /// What a number, cut to an integer, leaves divided by `divisor`, which isn't 0; nil for what is no finite number.
    fileprivate func remainder(dividedBy divisor: Int64) -> Int64? {
        switch unsafe kind {
        case .int: return unsafe divisor == -1 ? 0 : int % divisor
        case .double:
            let value = unsafe double
            guard value.isFinite else { return nil }
            if let integer = Int64(exactly: value.rounded(.towardZero)) {
                return divisor == -1 ? 0 : integer % divisor
            }
            // An integer of 53 bits, doubled so many times.
            var remainder = (value.significandBitPattern | 1 << 52) % divisor.magnitude
            for _ in 0..<(Int(value.exponent) - 52) {
                remainder = remainder * 2 % divisor.magnitude
            }
            return value < 0 ? -Int64(remainder) : Int64(remainder)
        default: return nil
        }
    }
}
