// A JSON Schema compiled to flat tables: nodes, each a range of rules, which lead to nodes again. What a rule refers to lies in tables
// beside them, by number, so that asking one copies a few words and counts no references.
//
// Invariants: all numbers are valid; no node leads back to itself without a step into the value (SchemaLinker), so evaluation, which
// steps into a value at most as often as that is deep, ends.
internal import OfflineBytes
import OfflineDocuments

/// The rules of a schema, which never change.
final class SchemaProgram: Sendable {
    /// One schema of those that make up the whole, `true` and `false` among them.
    struct Node: Sendable {
        var rules: Range<Int>
        /// It can be asked of one value more than once, so what it said is worth keeping.
        var isShared = false
    }

    /// What one keyword asks.
    struct Rule: Sendable {
        let keyword: SchemaKeyword
        let test: Test
    }

    enum Test: Sendable {
        /// Nothing is allowed.
        case never
        case types(SchemaTypes)
        /// An operand's number.
        case equals(Int)
        /// Sorted operands.
        case isOneOf(Range<Int>)
        case least(SchemaBound)
        case greatest(SchemaBound)
        case multiple(Int)
        case lengthMin(Int)
        case lengthMax(Int)
        /// A pattern's number.
        case matches(Int)
        case elementsMin(Int)
        case elementsMax(Int)
        case fieldsMin(Int)
        case fieldsMax(Int)
        case uniqueElements
        /// Numbers of names, in `lists`.
        case has(Range<Int>)
        /// Places in `properties`; the node of all other fields, and the set of names that they don't have.
        case fields(Range<Int>, others: (node: Int, names: Int)?)
        /// Nodes in `lists`.
        case firstElements(Range<Int>)
        case elements(Int, from: Int)
        /// A place in `lists`, so that it can be filled when all nodes are known.
        case reference(Int)
        case all(Range<Int>)
        case any(Range<Int>)
        case one(Range<Int>)
        case not(Int)
        case condition(Int, then: Int?, otherwise: Int?)
    }

    struct Property: Sendable {
        /// A number of a name.
        let name: Int
        let node: Int
    }

    let nodes: [Node]
    let rules: [Rule]
    /// Numbers of nodes and of names, as rules need several.
    let lists: [Int]
    let properties: [Property]
    let operands: [EncodedOperand]
    let divisors: [SchemaDivisor]
    let patterns: [Pattern]
    let patternPrograms: [PatternProgram]
    /// All names that rules ask for, each once.
    let names: [String]
    /// Sets of these.
    let nameSets: [[Int]]
    /// Where each node is in the schema.
    let pointers: [String]

    /// The schema. Throws `.invalidOptions`, with the place in it, for what is no schema, or has anything in it that isn't known.
    convenience init(_ schema: Document) throws(OfflineError) {
        try self.init(compiling: .object(schema))
    }

    /// The same for a schema that may be `true` or `false`.
    init(compiling schema: Value) throws(OfflineError) {
        var compiler = SchemaCompiler()
        try compiler.compile(schema)
        nodes = try SchemaLinker.linked(&compiler)
        rules = compiler.rules
        lists = compiler.lists
        properties = compiler.properties
        operands = compiler.operands
        divisors = compiler.divisors
        patterns = compiler.patterns
        patternPrograms = patterns.map { $0.program(folded: false) }
        names = compiler.names
        nameSets = compiler.nameSets
        pointers = compiler.pointers
    }

    /// The number of the whole schema's node.
    static let root = 0
}

/// A number that others are compared with. Copied with each rule, so it has no memory of its own.
struct SchemaBound: Sendable {
    private let integer: Int64
    /// NaN: it is the integer.
    private let double: Double
    let isExclusive: Bool

    /// Nil for what is no finite number.
    init?(_ value: Value, isExclusive: Bool) {
        switch value {
        case .int(let number): (integer, double) = (number, .nan)
        case .double(let number) where number.isFinite: (integer, double) = (0, number)
        default: return nil
        }
        self.isExclusive = isExclusive
    }

    var value: Value { double.isNaN ? .int(integer) : .double(double) }

    /// Negative, zero or positive as a number is below, equal to or above; nil for NaN, which is neither.
    @unsafe
    func order(of number: EncodedValue) -> Int? {
        if unsafe number.kind == .int {
            let number = unsafe number.int
            return double.isNaN
                ? Number.order(number, integer) : Number.order(number, double)
        }
        let number = unsafe number.double
        if number.isNaN { return nil }
        return double.isNaN ? -Number.order(integer, number) : Number.order(number, double)
    }
}

/// What numbers are to be multiples of.
struct SchemaDivisor: Sendable {
    let value: Value
    private let integer: Int64?
    private let decimal: SchemaDecimal

    /// Nil for what is no number above 0.
    init?(_ value: Value) {
        switch value {
        case .int(let number) where number > 0:
            (integer, decimal) = (number, SchemaDecimal(number))
        case .double(let number) where number > 0:
            guard let exact = SchemaDecimal(number), exact.digits > 0 else { return nil }
            (integer, decimal) = (Number.integer(number), exact)
        default: return nil
        }
        self.value = value
    }

    @unsafe
    func divides(_ number: EncodedValue) -> Bool {
        if unsafe number.kind == .int {
            let number = unsafe number.int
            if let integer { return number.magnitude % integer.magnitude == 0 }
            return SchemaDecimal(number).isMultiple(of: decimal)
        }
        return unsafe SchemaDecimal(number.double)?.isMultiple(of: decimal) ?? false
    }
}

/// A program's names as the records of one collection know them.
final class BoundSchema: Sendable {
    let names: [FieldName]
    let sets: [FieldNameSet]

    init(_ program: SchemaProgram, in dictionary: NameDictionary) {
        names = program.names.map { FieldName($0, in: dictionary) }
        sets = program.nameSets.map { set in
            FieldNameSet(set.map { program.names[$0] }, in: dictionary)
        }
    }
}
