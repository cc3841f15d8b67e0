// Random schemas and values that meet each other often: few names, few numbers, few texts.
import Foundation
import OfflineDocuments

@testable import OfflineKit

struct SchemaGenerator {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    private static let names = ["a", "b", "c", "$ref", "é"]
    private static let texts = ["", "a", "ab", "ba", "é", "😀", "a😀b"]
    private static let numbers: [Value] = [
        0, 1, -1, 2, 3, 1.0, 0.5, -0.5, 2.5, 0.25, 100,
    ]

    private mutating func pick<Element>(_ list: [Element]) -> Element {
        list[random.below(list.count)]
    }

    mutating func value(depth: Int = 4) -> Value {
        switch random.below(depth > 0 ? 12 : 7) {
        case 0: return .null
        case 1: return .bool(random.chance(1, in: 2))
        case 2, 3: return pick(Self.numbers)
        case 4, 5: return .string(pick(Self.texts))
        case 6:
            return random.chance(1, in: 2)
                ? .data(Data([1])) : .date(Date(timeIntervalSinceReferenceDate: 1))
        case 7, 8:
            // Enough for both ways of looking for equal elements.
            let count = random.below(random.chance(1, in: 10) ? 14 : 4)
            return .array((0..<count).map { _ in value(depth: depth - 1) })
        default: return .object(fields(depth: depth))
        }
    }

    private mutating func fields(depth: Int) -> Document {
        var fields = Document()
        for _ in 0..<random.below(4) { fields[pick(Self.names)] = value(depth: depth - 1) }
        return fields
    }

    /// A schema with definitions that may refer to each other, where there is a step into the value between.
    mutating func schema() -> Value {
        var definitions = Document()
        for name in ["p", "q"] { definitions[name] = schema(depth: 3, refers: false) }
        guard case .object(var schema) = schema(depth: 4, refers: true) else { return true }
        schema["$defs"] = .object(definitions)
        return .object(schema)
    }

    /// `refers`: it isn't in the place of a definition, so a reference in it is no loop.
    private mutating func schema(depth: Int, refers: Bool) -> Value {
        if depth <= 0 || random.chance(1, in: 10) { return .bool(!random.chance(1, in: 6)) }
        var schema = Document()
        for _ in 0..<(1 + random.below(3)) { add(to: &schema, depth, refers) }
        return .object(schema)
    }

    private mutating func add(to schema: inout Document, _ depth: Int, _ refers: Bool) {
        func inner(_ generator: inout Self) -> Value {
            generator.schema(depth: depth - 1, refers: true)
        }
        func same(_ generator: inout Self) -> Value {
            generator.schema(depth: depth - 1, refers: refers)
        }
        switch random.below(28) {
        case 0: schema["type"] = .string(pick(SchemaTypes.names.map(\.name)))
        case 1:
            schema["type"] = .array(
                Set([pick(SchemaTypes.names.map(\.name)), "number"]).map { .string($0) })
        case 2: schema["const"] = value(depth: 2)
        case 3: schema["enum"] = .array((0..<random.below(6)).map { _ in value(depth: 2) })
        case 4: schema[pick(["minimum", "exclusiveMinimum"])] = pick(Self.numbers)
        case 5: schema[pick(["maximum", "exclusiveMaximum"])] = pick(Self.numbers)
        case 6: schema["multipleOf"] = pick([1, 2, 0.5, 0.25, 3, 2.5])
        case 7: schema[pick(["minLength", "minItems"])] = .int(Int64(random.below(3)))
        case 8: schema[pick(["maxLength", "maxItems"])] = .int(Int64(random.below(4)))
        case 9: schema[pick(["minProperties", "maxProperties"])] = .int(Int64(random.below(4)))
        case 10: schema["pattern"] = .string(pick(["a", "^a", "b", "é", "^😀"]))
        case 11: schema["uniqueItems"] = .bool(random.chance(3, in: 4))
        case 12:
            schema["required"] = .array(
                Set((0..<random.below(3)).map { _ in pick(Self.names) }).map { .string($0) })
        case 13, 14:
            var fields = Document()
            for _ in 0..<random.below(4) { fields[pick(Self.names)] = inner(&self) }
            schema["properties"] = .object(fields)
        case 15: schema["additionalProperties"] = inner(&self)
        case 16: schema["items"] = inner(&self)
        case 17:
            schema["prefixItems"] = .array((0...random.below(3)).map { _ in inner(&self) })
        case 18:
            schema[pick(["allOf", "anyOf", "oneOf"])] = .array(
                (0...random.below(3)).map { _ in same(&self) })
        case 19: schema["not"] = same(&self)
        case 20:
            for keyword in ["if", "then", "else"] where random.chance(2, in: 3) {
                schema[keyword] = same(&self)
            }
        default:
            if refers { schema["$ref"] = .string(pick(["#/$defs/p", "#/$defs/q"])) }
        }
    }
}
