// The rules that need no other schema.
internal import OfflineBytes
import OfflineDocuments

extension SchemaEvaluation {
    /// Whether a rule about the value alone holds.
    @unsafe
    mutating func holdsByItself(
        _ rule: Int, _ value: EncodedValue, _ context: Context
    ) throws(Stop) -> Bool {
        let kind = unsafe value.kind
        switch program.rules[rule].test {
        case .never: return false
        case .types(let types): return unsafe !types.isDisjoint(with: SchemaTypes(of: value))
        case .equals(let operand): return try unsafe order(of: operand, to: value) == 0
        case .isOneOf(let operands): return try unsafe isOneOf(operands, value)
        case .least(let bound):
            guard kind == .int || kind == .double else { return true }
            guard let order = unsafe bound.order(of: value) else { return false }
            return bound.isExclusive ? order > 0 : order >= 0
        case .greatest(let bound):
            guard kind == .int || kind == .double else { return true }
            guard let order = unsafe bound.order(of: value) else { return false }
            return bound.isExclusive ? order < 0 : order <= 0
        case .multiple(let divisor):
            guard kind == .int || kind == .double else { return true }
            return unsafe program.divisors[divisor].divides(value)
        case .lengthMin(let count):
            return unsafe kind != .string || value.hasScalars(atLeast: count)
        case .lengthMax(let count):
            return unsafe kind != .string || count == .max || !value.hasScalars(atLeast: count + 1)
        case .matches(let pattern):
            guard kind == .string else { return true }
            return unsafe patterns.matches(value.bytes, program.patternPrograms[pattern])
        case .elementsMin(let count): return unsafe kind != .array || value.count >= count
        case .elementsMax(let count): return unsafe kind != .array || value.count <= count
        case .fieldsMin(let count): return unsafe kind != .object || value.count >= count
        case .fieldsMax(let count): return unsafe kind != .object || value.count <= count
        case .uniqueElements:
            guard kind == .array else { return true }
            return try unsafe hasUniqueElements(value, rule, context)
        case .has(let range):
            guard kind == .object else { return true }
            try take(steps: range.count)
            for list in range {
                let name = program.lists[list]
                if unsafe value.field(bound.names[name]) == nil {
                    unsafe note(.missing, rule: rule, value, context)
                    noteStep(.field(program.names[name]), context)
                    return false
                }
            }
            return true
        default: return true
        }
    }

    // MARK: Equality

    /// How a value is to an operand.
    @unsafe
    private func order(of operand: Int, to value: EncodedValue) throws(Stop) -> Int {
        let operand = program.operands[operand]
        try unsafe checkOpened(value)
        return unsafe EncodedValue.order(value, names, operand.encoded, operand.names)
    }

    @unsafe
    private mutating func isOneOf(
        _ operands: Range<Int>, _ value: EncodedValue
    ) throws(Stop) -> Bool {
        try unsafe checkOpened(value)
        var low = operands.lowerBound
        var high = operands.upperBound
        while low < high {
            let middle = (low + high) / 2
            let operand = program.operands[middle]
            let order = unsafe EncodedValue.order(value, names, operand.encoded, operand.names)
            if order == 0 { return true }
            if order > 0 { low = middle + 1 } else { high = middle }
        }
        return false
    }

    /// Up to so many elements are compared pair by pair, without memory.
    private static let pairedCountMax = 8

    /// Whether no two elements are equal, in time O(n log n).
    @unsafe
    private mutating func hasUniqueElements(
        _ array: EncodedValue, _ rule: Int, _ context: Context
    ) throws(Stop) -> Bool {
        let count = unsafe array.count
        try unsafe checkOpened(array)
        try take(steps: count)
        guard let (first, second) = unsafe equalElements(of: array, count) else { return true }
        unsafe note(.both(first, second), rule: rule, array, context)
        return false
    }

    /// Two elements that are equal; nil where none are.
    private func equalElements(of array: EncodedValue, _ count: Int) -> (Int, Int)? {
        func order(_ first: Int, _ second: Int) -> Int {
            unsafe EncodedValue.order(array.element(first), names, array.element(second), names)
        }
        if count <= SchemaEvaluation.pairedCountMax {
            for second in 0..<count {
                for first in 0..<second where order(first, second) == 0 { return (first, second) }
            }
            return nil
        }
        let sorted = (0..<count).sorted { first, second in
            let order = order(first, second)
            return order == 0 ? first < second : order < 0
        }
        for (first, second) in zip(sorted, sorted.dropFirst()) where order(first, second) == 0 {
            return (first, second)
        }
        return nil
    }

    /// Throws where there is something in the value that would have to be opened to be compared.
    @unsafe
    private func checkOpened(_ value: EncodedValue) throws(Stop) {
        guard mayBeSealed, unsafe value.hasSealed else { return }
        throw .sealed
    }
}

extension EncodedValue {
    /// Whether a string has so many Unicode scalars.
    fileprivate func hasScalars(atLeast count: Int) -> Bool {
        let text = unsafe bytes
        // A scalar takes one to four bytes.
        if text.count < count { return false }
        if text.count / 4 >= count { return true }
        var found = 0
        for index in 0..<text.count where unsafe text[index] & 0xC0 != 0x80 { found += 1 }
        return found >= count
    }
}

extension SchemaTypes {
    /// All types that a value is of. A sealed value is of none.
    @unsafe
    init(of value: EncodedValue) {
        self =
            switch unsafe value.kind {
            case .null: .null
            case .bool: .boolean
            case .int: [.integer, .number]
            case .double:
                unsafe value.double.isFinite && value.double.rounded() == value.double
                    ? [.integer, .number] : .number
            case .string: .string
            case .data: .data
            case .date: .date
            case .array: .array
            case .object: .object
            case .sealed: []
            }
    }
}
