// Asks an encoded value what a schema's rules say of it, in place.
//
// - A rule about a kind of value holds of all other kinds, as JSON Schema says: `minimum` of every string.
// - Values are equal as the store's order has them: 1 and 1.0, objects whatever the order of their fields, never false and 0.
// - What a schema says of one value is kept once an evaluation has taken many steps, where it may be asked again: so schemas that
//   refer to each other in many ways take time in proportion to the schema and the record, and not to the number of ways.
// - A sealed value that couldn't be opened was valid when it was written, so what the record's schema asks of it in any case still
//   holds. Where that isn't so (`not`, `anyOf`, `if` and so on), or where it is new, nobody can tell without the key.
//
// Recursion is bounded by `Limits.depthMax`, time by `Limits.stepsMax`, what is kept by `Limits.memoryMax`.
internal import OfflineBytes
import OfflineDocuments

/// One evaluation of a program on one value. For one thread, once.
struct SchemaEvaluation {
    struct Limits: Sendable {
        var stepsMax = 1 << 26
        /// After so many steps results are kept.
        var stepsBeforeKeeping = 1 << 12
        var memoryMax = 1 << 18
        /// A level takes 700 bytes of stack at most in a release build: so a thread of half a megabyte has room for all.
        var depthMax = 400
    }

    /// Where in the schema the evaluation is.
    struct Context: OptionSet {
        let rawValue: UInt64
        /// If the value isn't accepted here, that is why the record isn't.
        static let reports = Context(rawValue: 1)
        /// Every record of the collection must be accepted here, whatever else is in it.
        static let plain = Context(rawValue: 2)
    }

    /// Why an evaluation ended without an answer.
    enum Stop: Error {
        case sealed
        case tooManySteps
        case tooDeep
    }

    let program: SchemaProgram
    let bound: BoundSchema
    let names: NameDictionary
    private let limits: Limits
    /// Values may be sealed; nil: they can't. False: sealed values may be none that the schema allows.
    private let trustsSealed: Bool?
    var mayBeSealed: Bool { trustsSealed != nil }
    var patterns: PatternScratch
    /// What was wrong first.
    private(set) var failure: SchemaFailure?
    private(set) var steps = 0
    private var depth = 0
    private var kept: [UInt64: Bool] = [:]

    init(
        _ program: SchemaProgram, _ bound: BoundSchema, _ names: NameDictionary,
        patterns: PatternScratch = PatternScratch(), trustsSealed: Bool? = nil,
        limits: Limits = Limits()
    ) {
        self.program = program
        self.bound = bound
        self.names = names
        self.patterns = patterns
        self.trustsSealed = trustsSealed
        self.limits = limits
    }

    /// Whether the schema accepts the value; if it doesn't, `failure` says why.
    @unsafe
    mutating func accepts(_ value: EncodedValue) throws(Stop) -> Bool {
        let start = unsafe address(value)
        return try unsafe accepts(value, SchemaProgram.root, [.reports, .plain], start)
    }

    /// The same for one node. `start`: the whole value's address.
    @unsafe
    mutating func accepts(
        _ value: EncodedValue, _ node: Int, _ context: Context, _ start: UInt
    ) throws(Stop) -> Bool {
        let rules = program.nodes[node].rules
        if rules.isEmpty { return true }
        if let trustsSealed, unsafe value.kind == .sealed {
            if trustsSealed, context.contains(.plain) { return true }
            throw .sealed
        }
        try take(steps: rules.count)
        guard depth < limits.depthMax else { throw .tooDeep }
        depth += 1
        defer { depth -= 1 }
        var key: UInt64?
        if program.nodes[node].isShared, steps > limits.stepsBeforeKeeping {
            let place = unsafe UInt64(address(value) &- start)
            let known = UInt64(node) << 32 | place << 2 | context.rawValue
            if let result = kept[known] { return result }
            key = known
        }
        var result = true
        for index in rules {
            result = try unsafe holds(index, value, context, start)
            if result { continue }
            unsafe note(.none, rule: index, value, context)
            failure?.complete(node: node)
            break
        }
        if let key {
            if kept.count >= limits.memoryMax { kept.removeAll(keepingCapacity: true) }
            kept[key] = result
        }
        return result
    }

    @unsafe
    private func address(_ value: EncodedValue) -> UInt {
        unsafe UInt(bitPattern: value.bytes.baseAddress)
    }

    mutating func take(steps count: Int) throws(Stop) {
        steps += count
        if steps > limits.stepsMax { throw .tooManySteps }
    }

    /// Notes what is wrong, if that is why the record isn't accepted and nothing was wrong before.
    @unsafe
    mutating func note(
        _ detail: SchemaFailure.Detail, rule: Int, _ value: EncodedValue, _ context: Context
    ) {
        guard context.contains(.reports), failure == nil else { return }
        failure = SchemaFailure(
            rule: rule, kind: unsafe value.kind, detail: detail, isPlain: context.contains(.plain))
    }

    /// The failure that was noted is in this field or element of what it was noted in.
    mutating func noteStep(_ step: SchemaFailure.Step, _ context: Context) {
        if context.contains(.reports) { failure?.path.append(step) }
    }

    /// Whether one rule holds.
    @unsafe
    private mutating func holds(
        _ rule: Int, _ value: EncodedValue, _ context: Context, _ start: UInt
    ) throws(Stop) -> Bool {
        switch program.rules[rule].test {
        case .fields(let range, let others):
            guard unsafe value.kind == .object else { return true }
            guard
                let matched = try unsafe acceptsFields(range, of: value, context, start)
            else { return false }
            guard let others, unsafe matched < value.count else { return true }
            return try unsafe acceptsOthers(others, of: value, context, start)
        case .firstElements(let range):
            guard unsafe value.kind == .array else { return true }
            for index in 0..<(unsafe min(value.count, range.count)) {
                let node = program.lists[range.lowerBound + index]
                if try unsafe !accepts(value.element(index), node, context, start) {
                    noteStep(.position(index), context)
                    return false
                }
            }
            return true
        case .elements(let node, let first):
            guard unsafe value.kind == .array, unsafe value.count > first else { return true }
            for index in first..<(unsafe value.count) {
                if try unsafe !accepts(value.element(index), node, context, start) {
                    noteStep(.position(index), context)
                    return false
                }
            }
            return true
        case .reference(let list):
            return try unsafe accepts(value, program.lists[list], context, start)
        case .all(let range):
            for list in range
            where try unsafe !accepts(value, program.lists[list], context, start) {
                return false
            }
            return true
        case .any(let range):
            for list in range where try unsafe accepts(value, program.lists[list], [], start) {
                return true
            }
            return false
        case .one(let range):
            return try unsafe isAcceptedOnce(range, value, rule, context, start)
        case .not(let node):
            return try unsafe !accepts(value, node, [], start)
        case .condition(let condition, let then, let otherwise):
            let branch = try unsafe accepts(value, condition, [], start) ? then : otherwise
            guard let branch else { return true }
            return try unsafe accepts(value, branch, context.subtracting(.plain), start)
        default: return try unsafe holdsByItself(rule, value, context)
        }
    }

    @unsafe
    private mutating func isAcceptedOnce(
        _ range: Range<Int>, _ value: EncodedValue, _ rule: Int, _ context: Context, _ start: UInt
    ) throws(Stop) -> Bool {
        var first: Int?
        for list in range where try unsafe accepts(value, program.lists[list], [], start) {
            if let first {
                let both = SchemaFailure.Detail.both(
                    first - range.lowerBound, list - range.lowerBound)
                unsafe note(both, rule: rule, value, context)
                return false
            }
            first = list
        }
        return first != nil
    }

    // MARK: Fields

    /// Asks the fields that the schema names; how many of these there are, nil where one isn't accepted.
    @unsafe
    private mutating func acceptsFields(
        _ range: Range<Int>, of value: EncodedValue, _ context: Context, _ start: UInt
    ) throws(Stop) -> Int? {
        var matched = 0
        try take(steps: range.count)
        for index in range {
            let property = program.properties[index]
            guard let field = unsafe value.field(bound.names[property.name]) else { continue }
            matched += 1
            if try unsafe !accepts(field, property.node, context, start) {
                noteStep(.field(program.names[property.name]), context)
                return nil
            }
        }
        return matched
    }

    /// Asks the fields that it doesn't name.
    @unsafe
    private mutating func acceptsOthers(
        _ others: (node: Int, names: Int), of value: EncodedValue, _ context: Context,
        _ start: UInt
    ) throws(Stop) -> Bool {
        let named = bound.sets[others.names]
        var isAccepted = true
        var stop: Stop?
        try unsafe take(steps: value.count)
        unsafe value.forEachField { field in
            if unsafe named.contains(field) { return true }
            do throws(Stop) {
                isAccepted = try unsafe accepts(field.value, others.node, context, start)
            } catch {
                stop = error
                return false
            }
            if !isAccepted { unsafe noteStep(.field(field.name(names)), context) }
            return isAccepted
        }
        if let stop { throw stop }
        return isAccepted
    }
}
