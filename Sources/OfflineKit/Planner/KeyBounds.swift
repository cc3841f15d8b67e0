// What a filter says about the one value at a path, as ranges of encoded keys.
//
// It holds for a value that the path reaches without an array: then every test of the path is a test of this value, and
// all of them hold at once, so their ranges may be intersected. Records with an array on the path are another matter
// (TreeMatch). A missing field counts as null. No encoding begins another one, so the keys of a value are those
// from its encoding up to the encoding's successor.
//
// Of a sensitive field an index has tokens (Encryption/CollectionSealing): one for each data key that may have sealed a value.
// Equal values have equal ones, and their order says nothing; so equality bounds them, and no other test does.
internal import OfflineBytes
import OfflineDocuments

/// The keys that the value at one path may have.
struct KeyBounds {
    /// The encodings that are left, ascending; nil: any between `lower` and `upper`.
    private(set) var points: [[UInt8]]?
    /// The least key.
    private(set) var lower: [UInt8] = []
    /// The first key beyond; nil: none is.
    private(set) var upper: [UInt8]?
    private let encoding: Encoding

    /// How the values at a path are encoded in a tree's keys.
    enum Encoding {
        case whole
        /// Folded; the tests ignore case.
        case folded
        /// As tokens, and null as it is. Nil: the store is locked.
        case tokens(FieldTokens?)
    }

    /// Any key.
    init(_ encoding: Encoding = .whole) {
        self.encoding = encoding
    }

    private var isFolded: Bool {
        if case .folded = encoding { return true }
        return false
    }

    /// Nothing can match.
    var isEmpty: Bool {
        if let points { return points.isEmpty }
        guard let upper else { return false }
        return ByteOrder.compare(lower, upper) >= 0
    }

    /// What a test says about the keys that a value may have.
    enum Use {
        /// Nothing.
        case none
        /// That some can't match; what the others do is for the test to say.
        case narrows
        /// Which ones match: all in the bounds do.
        case decides
    }

    /// Leaves only what the test allows too.
    mutating func intersect(_ test: FieldTest) -> Use {
        if case .tokens(let tokens) = encoding { return intersect(test, tokens) }
        switch test {
        case .equals(let value): keep([key(of: value)])
        case .isOneOf(let values): keep(KeyBounds.distinct(values.map(key)))
        case .compares(let comparison, let operand): intersect(comparison, operand)
        case .between(let low, let high):
            intersect(.greaterOrEqual, low)
            intersect(.lessOrEqual, high)
        case .startsWith(let prefix): keepTexts(beginningWith: prefix.text)
        case .matches(let pattern):
            let prefix = pattern.prefix
            guard !prefix.isEmpty else { return .none }
            keepTexts(beginningWith: prefix)
            return .narrows
        case .exists, .hasType, .endsWith, .contains, .modulo, .size, .hasElement, .includes,
            .elementMatches, .elementSatisfies:
            return .none
        }
        return .decides
    }

    private mutating func intersect(_ test: FieldTest, _ tokens: FieldTokens?) -> Use {
        guard let tokens else { return .none }
        switch test {
        case .equals(let value): keep(KeyBounds.distinct(tokens.keys(of: value)))
        case .isOneOf(let values): keep(KeyBounds.distinct(values.flatMap(tokens.keys)))
        default: return .none
        }
        return .decides
    }

    private func key(of value: Value) -> [UInt8] {
        var key: [UInt8] = []
        KeyEncoder.append(value, folded: isFolded, to: &key)
        return key
    }

    private mutating func keepTexts(beginningWith prefix: String) {
        var key: [UInt8] = []
        KeyEncoder.appendPrefix(prefix, folded: isFolded, to: &key)
        keep(from: key, to: ByteOrder.successor(ofPrefix: key))
    }

    private mutating func intersect(_ comparison: Comparison, _ operand: Value) {
        let key = key(of: operand)
        if operand.isNull || operand.isNaN {
            keep(comparison.includesEqual ? [key] : [])
            return
        }
        let type = KeyLayout.typeRange(of: operand)
        // No range of numbers includes NaN, which is the least of them.
        let least: [UInt8]? =
            switch operand {
            case .int, .double: ByteOrder.successor(ofPrefix: KeyEncoder.key(.double(.nan)))
            default: [type.first]
            }
        let after = ByteOrder.successor(ofPrefix: key)
        switch comparison {
        case .less: keep(from: least, to: key)
        case .lessOrEqual: keep(from: least, to: after)
        case .greater: keep(from: after, to: [type.end])
        case .greaterOrEqual: keep(from: key, to: [type.end])
        }
    }

    private mutating func keep(_ keys: [[UInt8]]) {
        var left = keys.filter(isWithin)
        if let points {
            let old = Set(points)
            left = left.filter(old.contains)
        }
        points = left
    }

    private mutating func keep(from newLower: [UInt8]?, to newUpper: [UInt8]?) {
        if let newLower, ByteOrder.compare(newLower, lower) > 0 { lower = newLower }
        if let newUpper, upper.map({ ByteOrder.compare(newUpper, $0) < 0 }) ?? true {
            upper = newUpper
        }
        points = points?.filter(isWithin)
    }

    private func isWithin(_ key: [UInt8]) -> Bool {
        ByteOrder.compare(lower, key) <= 0
            && (upper.map { ByteOrder.compare(key, $0) < 0 } ?? true)
    }

    /// Ascending and each once.
    static func distinct(_ keys: [[UInt8]]) -> [[UInt8]] {
        var result: [[UInt8]] = []
        for key in keys.sorted(by: { ByteOrder.compare($0, $1) < 0 }) where key != result.last {
            result.append(key)
        }
        return result
    }
}

extension Value {
    /// A number, and no number.
    var isNaN: Bool {
        if case .double(let double) = self { return double.isNaN }
        return false
    }
}

// MARK: - Elements

extension KeyBounds {
    /// Leaves only the keys of elements at `indexed` of which one must be there for the test of `path` to hold. An element
    /// in an array counts for itself here, and so does a single value; an array doesn't.
    mutating func intersect(
        _ test: FieldTest, at path: FieldPath, ofElementsAt indexed: FieldPath
    ) -> Use {
        switch test {
        case .elementMatches(let condition):
            // Of an object in the array at `path`. A number would be a position in that array for the index; and of an array
            // in the object the index has only the elements.
            for case .test(let inner, let test) in condition.conjuncts
            where indexed.isPath(path, then: inner) && inner.components[0].position == nil
                && !test.hasArrayOperand
            {
                if intersect(test, at: indexed, ofElementsAt: indexed) != .none { return .narrows }
            }
            return .none
        case _ where path != indexed: return .none
        // Of an array that is reached by its position the index has the array, not the elements.
        case .hasElement where indexed.endsInPosition,
            .elementSatisfies where indexed.endsInPosition:
            return .none
        case .hasElement(let value): return intersect(.equals(value)) == .none ? .none : .narrows
        case .elementSatisfies(let condition):
            // One element satisfies them all.
            let uses = condition.conjuncts.map { condition -> Use in
                guard case .test(let test) = condition else { return .none }
                return intersect(test)
            }
            return uses.contains { $0 != .none } ? .narrows : .none
        default: return intersect(test)
        }
    }

    /// All keys in these bounds are in the others.
    func isWithin(_ other: KeyBounds) -> Bool {
        if isEmpty { return true }
        if let points { return points.allSatisfy { other.allows($0) } }
        guard other.points == nil, ByteOrder.compare(other.lower, lower) <= 0 else { return false }
        guard let end = other.upper else { return true }
        return upper.map { ByteOrder.compare($0, end) <= 0 } ?? false
    }

    private func allows(_ key: [UInt8]) -> Bool { points?.contains(key) ?? isWithin(key) }
}

extension ValueCondition {
    /// The conditions all of which must hold; together they are this one.
    fileprivate var conjuncts: [ValueCondition] {
        guard case .all(let conditions) = self else { return [self] }
        return conditions.flatMap(\.conjuncts)
    }
}

extension FieldPath {
    /// Whether it is the one path, and the other behind it.
    fileprivate func isPath(_ first: FieldPath, then second: FieldPath) -> Bool {
        text.utf8.elementsEqual("\(first.text).\(second.text)".utf8)
    }

    /// Whether it may lead to an element of an array by the element's position.
    fileprivate var endsInPosition: Bool { components.last?.position != nil }
}
