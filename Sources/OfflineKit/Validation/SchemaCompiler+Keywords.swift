// What each keyword takes, and the test that it becomes.
internal import OfflineBytes
import OfflineDocuments

extension SchemaCompiler {
    typealias Test = SchemaProgram.Test

    /// The test of one keyword of `schema`; nil where it asks nothing by itself.
    mutating func test(
        _ keyword: SchemaKeyword, _ value: Value, _ schema: Document, _ place: Place
    ) throws(OfflineError) -> Test? {
        switch keyword {
        case .type: return .types(try types(value, place))
        case .constant:
            operands.append(try operand(value, place))
            return .equals(operands.count - 1)
        case .enumeration: return .isOneOf(try enumeration(value, place))
        case .minimum: return .least(try bound(value, isExclusive: false, place))
        case .exclusiveMinimum: return .least(try bound(value, isExclusive: true, place))
        case .maximum: return .greatest(try bound(value, isExclusive: false, place))
        case .exclusiveMaximum: return .greatest(try bound(value, isExclusive: true, place))
        case .multipleOf:
            guard let divisor = SchemaDivisor(value) else {
                throw problem("must be a number above 0", place)
            }
            divisors.append(divisor)
            return .multiple(divisors.count - 1)
        case .pattern:
            patterns.append(try pattern(value, place))
            return .matches(patterns.count - 1)
        case .minLength: return .lengthMin(try count(value, place))
        case .maxLength: return .lengthMax(try count(value, place))
        case .minItems: return .elementsMin(try count(value, place))
        case .maxItems: return .elementsMax(try count(value, place))
        case .minProperties: return .fieldsMin(try count(value, place))
        case .maxProperties: return .fieldsMax(try count(value, place))
        case .uniqueItems:
            guard let isUnique = value.boolValue else {
                throw problem("must be true or false", place)
            }
            return isUnique ? .uniqueElements : nil
        case .required: return .has(try required(value, place))
        default: return try applicator(keyword, value, schema, place)
        }
    }

    /// The test of a keyword that has schemas in it, or leads to one.
    private mutating func applicator(
        _ keyword: SchemaKeyword, _ value: Value, _ schema: Document, _ place: Place
    ) throws(OfflineError) -> Test? {
        switch keyword {
        case .properties:
            let range = try properties(value, place)
            guard let additional = schema[SchemaKeyword.additionalProperties.rawValue] else {
                return .fields(range, others: nil)
            }
            return .fields(range, others: try others(additional, range, place))
        case .additionalProperties:
            // With `properties` it was read there.
            guard schema[SchemaKeyword.properties.rawValue] == nil else { return nil }
            return .fields(0..<0, others: try others(value, 0..<0, place))
        case .prefixItems: return .firstElements(try schemas(value, place))
        case .items:
            let first = schema[SchemaKeyword.prefixItems.rawValue]?.arrayValue?.count ?? 0
            return .elements(try node(value, place), from: first)
        case .reference: return .reference(try reference(value, place))
        case .allOf: return .all(try schemas(value, place))
        case .anyOf: return .any(try schemas(value, place))
        case .oneOf: return .one(try schemas(value, place))
        case .not: return .not(try node(value, place))
        case .if:
            let condition = try node(value, place)
            return .condition(
                condition, then: try sibling(.then, schema, place),
                otherwise: try sibling(.else, schema, place))
        case .then, .else:
            // With `if` it was read there; without, it says nothing, but is a schema.
            if schema[SchemaKeyword.if.rawValue] == nil { _ = try node(value, place) }
            return nil
        case .definitions:
            guard let definitions = value.objectValue else {
                throw problem("must be an object", place)
            }
            for (name, value) in definitions { _ = try node(value, place.appending(name)) }
            return nil
        default: return nil
        }
    }

    // MARK: Values

    private func types(_ value: Value, _ place: Place) throws(OfflineError) -> SchemaTypes {
        let known = SchemaTypes.names.map(\.name).joined(separator: ", ")
        let names = value.stringValue.map { [$0] } ?? value.arrayValue?.map(\.stringValue) ?? []
        guard !names.isEmpty else {
            throw problem("must be a type or a list of types; types are \(known)", place)
        }
        var types: SchemaTypes = []
        for name in names {
            guard let name, let type = SchemaTypes(named: name) else {
                throw problem("names a type that isn't known; types are \(known)", place)
            }
            guard types.insert(type).inserted else { throw problem("names a type twice", place) }
        }
        return types
    }

    private func operand(_ value: Value, _ place: Place) throws(OfflineError) -> EncodedOperand {
        do throws(OfflineError) {
            return try EncodedOperand(value)
        } catch {
            throw problem(error.message, place)
        }
    }

    private mutating func enumeration(
        _ value: Value, _ place: Place
    ) throws(OfflineError) -> Range<Int> {
        guard let values = value.arrayValue else { throw problem("must be an array", place) }
        let start = operands.count
        for value in values.sorted(by: { Value.order($0, $1) < 0 }) {
            operands.append(try operand(value, place))
        }
        return start..<operands.count
    }

    private func bound(
        _ value: Value, isExclusive: Bool, _ place: Place
    ) throws(OfflineError) -> SchemaBound {
        guard let bound = SchemaBound(value, isExclusive: isExclusive) else {
            throw problem("must be a number", place)
        }
        return bound
    }

    private func count(_ value: Value, _ place: Place) throws(OfflineError) -> Int {
        if let count = value.intValue, count >= 0 { return count }
        // No value has so many parts.
        if case .double(let count) = value, count > 0, count.isFinite, count.rounded() == count {
            return .max
        }
        throw problem("must be an integer that isn't negative", place)
    }

    private func pattern(_ value: Value, _ place: Place) throws(OfflineError) -> Pattern {
        guard let text = value.stringValue else { throw problem("must be a string", place) }
        guard patterns.count < SchemaCompiler.patternsMax else {
            throw problem("over \(SchemaCompiler.patternsMax) patterns in one schema", place)
        }
        do throws(OfflineError) {
            return try Pattern(text, syntax: .javaScript)
        } catch {
            throw problem(error.message, place)
        }
    }

    private mutating func required(
        _ value: Value, _ place: Place
    ) throws(OfflineError) -> Range<Int> {
        guard let values = value.arrayValue else {
            throw problem("must be an array of names", place)
        }
        let start = lists.count
        var seen: Set<Int> = []
        for value in values {
            guard let name = value.stringValue else {
                throw problem("must be an array of names", place)
            }
            let number = number(of: name)
            guard seen.insert(number).inserted else {
                throw problem("has \"\(name)\" twice", place)
            }
            lists.append(number)
        }
        return start..<lists.count
    }

    // MARK: Schemas

    private mutating func properties(
        _ value: Value, _ place: Place
    ) throws(OfflineError) -> Range<Int> {
        guard let fields = value.objectValue else { throw problem("must be an object", place) }
        var own: [SchemaProgram.Property] = []
        for (name, value) in fields {
            let node = try node(value, place.appending(name))
            own.append(SchemaProgram.Property(name: number(of: name), node: node))
        }
        properties += own
        return properties.count - own.count..<properties.count
    }

    /// What fields that have none of these names must be; nil where they may be anything.
    private mutating func others(
        _ value: Value, _ named: Range<Int>, _ place: Place
    ) throws(OfflineError) -> (node: Int, names: Int)? {
        var place = place
        place.keyword = .additionalProperties
        place.pointer = SchemaPointer.parent(of: place.pointer)
        let node = try node(value, place.appending(SchemaKeyword.additionalProperties.rawValue))
        nameSets.append(properties[named].map(\.name))
        return (node, nameSets.count - 1)
    }

    private mutating func sibling(
        _ keyword: SchemaKeyword, _ schema: Document, _ place: Place
    ) throws(OfflineError) -> Int? {
        guard let value = schema[keyword.rawValue] else { return nil }
        var place = place
        place.keyword = keyword
        place.pointer = SchemaPointer.parent(of: place.pointer)
        return try node(value, place.appending(keyword.rawValue))
    }

    private mutating func schemas(
        _ value: Value, _ place: Place
    ) throws(OfflineError) -> Range<Int> {
        guard let values = value.arrayValue, !values.isEmpty else {
            throw problem("must be an array of schemas, with one at least", place)
        }
        var own: [Int] = []
        for (index, value) in values.enumerated() {
            own.append(try node(value, place.appending("\(index)")))
        }
        lists += own
        return lists.count - own.count..<lists.count
    }

    /// Notes a reference; the place in `lists` where its node will be.
    private mutating func reference(_ value: Value, _ place: Place) throws(OfflineError) -> Int {
        guard let text = value.stringValue else { throw problem("must be a string", place) }
        lists.append(SchemaProgram.root)
        references.append(
            Reference(
                text: text, base: place.base, list: lists.count - 1, pointer: place.pointer))
        return lists.count - 1
    }
}
