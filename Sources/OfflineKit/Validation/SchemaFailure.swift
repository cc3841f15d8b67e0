// What a record breaks its schema with, and how that is told: the field's path, the rule, and what would be allowed. No value of the
// record is ever quoted. Of what is in a sensitive field not even names or positions are told, nor what its schema allows: a message
// ends in logs.
import OfflineDocuments

/// A rule that doesn't hold of a value.
struct SchemaFailure: Sendable {
    enum Step: Sendable {
        case field(String)
        case position(Int)
    }

    enum Detail: Sendable {
        case none
        /// The value at the path isn't there.
        case missing
        /// Two elements that are equal, or two schemas that are both fulfilled.
        case both(Int, Int)
    }

    let rule: Int
    /// The node that the rule is of.
    private(set) var node: Int?
    /// What the value is.
    let kind: ValueKind
    let detail: Detail
    /// It follows from the value alone that no record may have it there.
    let isPlain: Bool
    /// Where the value is in the record, the innermost step first.
    var path: [Step] = []

    init(rule: Int, kind: ValueKind, detail: Detail, isPlain: Bool) {
        self.rule = rule
        self.kind = kind
        self.detail = detail
        self.isPlain = isPlain
    }

    /// The rule is this node's, if that isn't known yet.
    mutating func complete(node: Int) {
        self.node = self.node ?? node
    }

    /// The names of the path, without positions.
    var names: [String] {
        path.reversed().compactMap { step in
            if case .field(let name) = step { name } else { nil }
        }
    }

    // MARK: Telling

    /// What is wrong in words. `sensitive`: the paths of which nothing may be told.
    func message(_ program: SchemaProgram, sensitive: [FieldPath]) -> String {
        let names = names
        let rule = program.rules[rule]
        let overlapping = sensitive.filter { path in
            zip(path.components, names).allSatisfy { $0.name.hasSameUTF8(as: $1) }
        }
        if let field = overlapping.first(where: { $0.components.count <= names.count }) {
            return
                "\"\(Self.cut(field.text))\" breaks the rule \"\(rule.keyword.rawValue)\" of the schema"
        }
        let place = path.isEmpty ? "the record" : "\"\(Self.cut(place))\""
        let problem = text(of: rule, program, quotes: overlapping.isEmpty)
        return "\(place) \(problem) (the schema's #\(Self.cut(pointer(program))))"
    }

    /// Where the rule is in the schema.
    func pointer(_ program: SchemaProgram) -> String {
        let rule = program.rules[rule]
        let schema = program.pointers[node ?? SchemaProgram.root]
        // The whole of a schema that is `false` is the rule.
        if case .never = rule.test { return schema }
        return SchemaPointer.appending(rule.keyword.rawValue, to: schema)
    }

    /// The path, dotted; empty for the record itself.
    var place: String {
        path.reversed().map { step in
            switch step {
            case .field(let name): name
            case .position(let position): "\(position)"
            }
        }.joined(separator: ".")
    }

    private func text(
        of rule: SchemaProgram.Rule, _ program: SchemaProgram, quotes: Bool
    ) -> String {
        switch rule.test {
        case .never:
            return rule.keyword == .additionalProperties
                ? "is no field that the schema has" : "is not allowed"
        case .types(let types): return "must be of type \(types.text), and is of type \(kind.text)"
        case .equals(let operand):
            return quotes
                ? "must be \(Self.json(program, operand))" : "isn't what the schema says"
        case .isOneOf(let operands):
            guard quotes else { return "is none of the values that the schema lists" }
            let listed = operands.prefix(10).map { Self.json(program, $0) }
            let rest = operands.count > 10 ? ", … (\(operands.count) in all)" : ""
            return "must be one of \(listed.joined(separator: ", "))\(rest)"
        case .least(let bound):
            return "must be \(bound.isExclusive ? "above" : "at least") \(bound.value.json())"
        case .greatest(let bound):
            return "must be \(bound.isExclusive ? "below" : "at most") \(bound.value.json())"
        case .multiple(let divisor):
            return "must be a multiple of \(program.divisors[divisor].value.json())"
        case .lengthMin(let count): return "must have \(count) characters at least"
        case .lengthMax(let count): return "must have \(count) characters at most"
        case .matches(let pattern):
            return "must match the pattern \(Self.cut(program.patterns[pattern].text))"
        case .elementsMin(let count): return "must have \(count) elements at least"
        case .elementsMax(let count): return "must have \(count) elements at most"
        case .fieldsMin(let count): return "must have \(count) fields at least"
        case .fieldsMax(let count): return "must have \(count) fields at most"
        case .has: return "is required"
        case .uniqueElements:
            // Which are equal would tell of what is sealed in them.
            guard quotes, case .both(let first, let second) = detail else {
                return "has equal elements"
            }
            return "has equal elements, at \(first) and \(second)"
        case .any: return "fulfils none of the schemas of anyOf"
        case .one:
            guard case .both(let first, let second) = detail else {
                return "fulfils none of the schemas of oneOf"
            }
            return "fulfils more than one of the schemas of oneOf, \(first) and \(second)"
        case .not: return "fulfils the schema that it must not"
        case .fields, .firstElements, .elements, .reference, .all, .condition:
            return "breaks the schema"
        }
    }

    private static func json(_ program: SchemaProgram, _ operand: Int) -> String {
        let operand = program.operands[operand]
        return cut(unsafe operand.encoded.value(operand.names).json())
    }

    /// A text for a message.
    private static func cut(_ text: String) -> String {
        text.utf8.count <= 200 ? text : String(text.prefix(200)) + "…"
    }
}

extension ValueKind {
    /// What `type` calls it.
    fileprivate var text: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .int: "integer"
        case .double: "number"
        case .string: "string"
        case .data: "data"
        case .date: "date"
        case .array: "array"
        case .object: "object"
        case .sealed: "none that is known"
        }
    }
}
