// Evaluation on a record's bytes, in place. The semantics of QUERY.md, "Filters", are stated here and nowhere else:
//
// - A test holds where some value that the path leads to satisfies it; a value that is an array satisfies it as a whole or
//   by any element, but not by the elements of its elements. What was reached by position counts as one value.
// - A missing field counts as null, but for `exists`.
// - Comparisons hold within the operand's own type only; null is only ever equal, and so is NaN.
internal import OfflineBytes
import OfflineDocuments

/// Memory that evaluation reuses from record to record.
struct PredicateScratch {
    /// The key of an array or object that is being compared.
    var key: [UInt8] = []
}

extension Predicate {
    /// Whether the record matches.
    @unsafe
    func matches(_ record: RecordView, _ scratch: inout PredicateScratch) -> Bool {
        var target = start
        while target >= 0 {
            let test = tests[Int(target)]
            let holds = unsafe holds(test, record, &scratch)
            target = holds ? test.whenTrue : test.whenFalse
        }
        return target == Predicate.accepted
    }

    /// Whether some value at the test's path satisfies it.
    @unsafe
    private func holds(
        _ test: Test, _ record: RecordView, _ scratch: inout PredicateScratch
    ) -> Bool {
        var holds = false
        unsafe record.root.visit(test.path) { value, isElement in
            guard let value = unsafe value else {
                holds = nullSatisfies(test)
                return !holds
            }
            holds = unsafe satisfies(value, test, record.names, &scratch)
            if unsafe holds || isElement || value.kind != .array { return !holds }
            for index in 0..<(unsafe value.count) {
                let element = unsafe value.element(index)
                holds = unsafe satisfies(element, test, record.names, &scratch)
                if holds { return false }
            }
            return true
        }
        return holds
    }

    /// Whether a missing field satisfies the test.
    private func nullSatisfies(_ test: Test) -> Bool {
        switch test.code {
        case .exists, .less, .greater: return false
        case .isOneOf, .equals, .lessOrEqual, .greaterOrEqual:
            // Null is the least of all, so it is the first operand.
            return test.operandCount > 0 && operands[test.operand].kind == .null
        }
    }

    /// Whether this one value satisfies the test.
    @unsafe
    private func satisfies(
        _ value: EncodedValue, _ test: Test, _ names: NameDictionary,
        _ scratch: inout PredicateScratch
    ) -> Bool {
        switch test.code {
        case .exists: return true
        case .isOneOf:
            return unsafe isOneOf(value, test, names, &scratch)
        case .equals:
            return unsafe operands[test.operand].order(value, names, &scratch) == 0
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            let operand = operands[test.operand]
            guard unsafe operand.kind.rank == value.kind.rank else { return false }
            let order = unsafe operand.order(value, names, &scratch)
            let mayEqual = test.code == .lessOrEqual || test.code == .greaterOrEqual
            if order == 0 { return mayEqual }
            if unsafe operand.isNaN || (value.kind == .double && value.double.isNaN) {
                return false
            }
            return (order > 0) == (test.code == .greater || test.code == .greaterOrEqual)
        }
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
            let order = unsafe operands[middle].order(value, names, &scratch)
            if order == 0 { return true }
            if order > 0 { low = middle + 1 } else { high = middle }
        }
        return false
    }
}

extension Operand {
    /// Negative, zero or positive as `value` is before, equal to or after the operand.
    @unsafe
    func order(
        _ value: EncodedValue, _ names: NameDictionary, _ scratch: inout PredicateScratch
    ) -> Int {
        let valueKind = unsafe value.kind
        guard valueKind.rank == kind.rank else { return valueKind.rank - kind.rank }
        switch kind {
        case .null: return 0
        case .bool: return unsafe (value.bool ? 1 : 0) - (bool ? 1 : 0)
        case .date: return unsafe Number.order(value.dateSeconds, double)
        case .int:
            return valueKind == .int
                ? unsafe Number.order(value.int, int) : unsafe -Number.order(int, value.double)
        case .double:
            return valueKind == .int
                ? unsafe Number.order(value.int, double)
                : unsafe Number.order(value.double, double)
        case .string, .data:
            return unsafe bytes.withUnsafeBytes { unsafe ByteOrder.compare(value.bytes, $0) }
        case .array, .object:
            scratch.key.removeAll(keepingCapacity: true)
            unsafe KeyEncoder.append(value, names, to: &scratch.key)
            return ByteOrder.compare(scratch.key, bytes)
        }
    }
}
