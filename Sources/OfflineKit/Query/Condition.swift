// A checked filter, as FilterParser makes it and everything else reads it: what must hold of a record, in tests of the values
// at paths.
//
// Conditions are compared (does a filter imply a partial index's?), so texts in them are equal by their bytes only, and
// equal conditions mean the same whatever they were written as.
import OfflineDocuments

/// A checked filter: what must hold of a record.
indirect enum Condition: Sendable, Hashable {
    /// Each of these; true of none.
    case all([Condition])
    /// At least one of these; false of none.
    case any([Condition])
    /// The negation.
    case not(Condition)
    /// The test holds of some value at the path.
    case test(FieldPath, FieldTest)
    /// The same with strings compared by their bytes, in a query that may compare them otherwise.
    case exact(Condition)

    static var always: Condition { .all([]) }
}

/// A test of the values at one path. What counts as such a value is said in Predicate+Evaluate.
enum FieldTest: Sendable, Hashable {
    /// Equal in the order of values; null equals missing.
    case equals(Value)
    /// Equal to one of these.
    case isOneOf([Value])
    /// Within the operand's own type.
    case compares(Comparison, Value)
    /// One value that is at or above the first and at or below the second, of the type of both.
    case between(Value, Value)
    /// There is a value, null included.
    case exists
    /// Of one of these types; a missing field is of none.
    case hasType(ValueTypes)
    /// A string that begins so.
    case startsWith(ExactString)
    /// A string that ends so.
    case endsWith(ExactString)
    /// A string with this in it.
    case contains(ExactString)
    /// A string that the pattern matches somewhere.
    case matches(Pattern)
    /// A number that, cut to an integer, leaves this remainder; the divisor isn't 0.
    case modulo(divisor: Int64, remainder: Int64)
    /// An array of so many elements.
    case size(Int)
    /// An array with an equal element.
    case hasElement(Value)
    /// A string with this in it, or an array with an equal element.
    case includes(ExactString)
    /// An array with an object in it that matches.
    case elementMatches(Condition)
    /// An array with one element of which all this holds.
    case elementSatisfies(ValueCondition)
}

/// What must hold of one value.
indirect enum ValueCondition: Sendable, Hashable {
    case all([ValueCondition])
    case any([ValueCondition])
    case not(ValueCondition)
    case test(FieldTest)

    /// The same of what is at a path, where a value of its own may satisfy each test.
    func at(_ path: FieldPath) -> Condition {
        switch self {
        case .all(let conditions): .all(conditions.map { $0.at(path) })
        case .any(let conditions): .any(conditions.map { $0.at(path) })
        case .not(let condition): .not(condition.at(path))
        case .test(let test): .test(path, test)
        }
    }
}

/// How a value relates to an operand.
enum Comparison: Sendable, Hashable {
    case less
    case lessOrEqual
    case greater
    case greaterOrEqual

    /// Whether equal values are related so.
    var includesEqual: Bool { self == .lessOrEqual || self == .greaterOrEqual }
    /// Whether greater values are related so.
    var includesGreater: Bool { self == .greater || self == .greaterOrEqual }
}

/// A set of types of values, by the names that `$type` has for them.
struct ValueTypes: OptionSet, Sendable, Hashable {
    let rawValue: UInt16

    /// The type of this name; nil where there is none.
    init?(named name: String) {
        switch name {
        case "null": self.init([.null])
        case "bool": self.init([.bool])
        case "int": self.init([.int])
        case "double": self.init([.double])
        case "number": self.init([.int, .double])
        case "string": self.init([.string])
        case "data": self.init([.data])
        case "date": self.init([.date])
        case "array": self.init([.array])
        case "object": self.init([.object])
        default: return nil
        }
    }

    init(rawValue: UInt16) { self.rawValue = rawValue }

    private init(_ kinds: [ValueKind]) {
        self.init(rawValue: kinds.reduce(0) { $0 | 1 << UInt16($1.rawValue) })
    }

    /// Whether values of this kind are of one of the types.
    func contains(_ kind: ValueKind) -> Bool { rawValue & 1 << UInt16(kind.rawValue) != 0 }
}

/// What `$text` asks for.
struct TextSearch: Sendable, Hashable {
    /// The words, as the caller wrote them.
    let search: String
}

/// A filter of a query: its condition, and what it searches for beside.
struct ParsedFilter: Sendable {
    let condition: Condition
    /// Nil: nothing is searched for.
    let text: TextSearch?
}
