// Whether a filter implies a partial index's condition, so that every record that matches it is in the index.
//
// Sound, not complete: each conjunct of the index's condition must be one of the filter's, or follow from a single one of
// them about the same path. What holds of some value at the path by the one then holds of the same value by the other,
// so arrays need no special care.
import OfflineDocuments

extension Condition {
    /// The conditions all of which must hold; together they are this one.
    var conjuncts: [Condition] {
        guard case .all(let conditions) = self else { return [self] }
        return conditions.flatMap(\.conjuncts)
    }

    /// Whether this holds of every record of which all the conditions do. `collation` is how those compare strings; this
    /// compares their bytes.
    func isImplied(by conditions: [Condition], _ collation: Collation) -> Bool {
        conjuncts.allSatisfy { wanted in
            conditions.contains { $0.implies(wanted, collation) }
        }
    }

    private func implies(_ other: Condition, _ collation: Collation) -> Bool {
        if collation == .binary || !mentionsText {
            if self == other { return true }
            if case .test(let path, let test) = self,
                case .test(let otherPath, let otherTest) = other,
                path == otherPath, test.implies(otherTest)
            {
                return true
            }
        }
        switch (self, other) {
        case (_, .any(let alternatives)):
            return alternatives.contains { alternative in
                alternative.conjuncts.allSatisfy { implies($0, collation) }
            }
        case (.any(let alternatives), _):
            return !alternatives.isEmpty
                && alternatives.allSatisfy { alternative in
                    alternative.conjuncts.contains { $0.implies(other, collation) }
                }
        default: return false
        }
    }

    /// Whether strings are compared anywhere in it.
    private var mentionsText: Bool {
        switch self {
        case .all(let conditions), .any(let conditions): conditions.contains(where: \.mentionsText)
        case .not(let condition), .exact(let condition): condition.mentionsText
        case .test(_, let test): test.mentionsText
        }
    }
}

extension FieldTest {
    /// Whether a value that satisfies this satisfies the other too.
    fileprivate func implies(_ other: FieldTest) -> Bool {
        if case .exists = other { return impliesExistence }
        var (bounds, otherBounds) = (KeyBounds(), KeyBounds())
        guard bounds.intersect(self) != .none, otherBounds.intersect(other) == .decides else {
            return false
        }
        return bounds.isWithin(otherBounds)
    }

    /// A missing field, which counts as null, doesn't satisfy it.
    private var impliesExistence: Bool {
        switch self {
        case .equals(let value): !value.isNull
        case .isOneOf(let values): !values.contains(where: \.isNull)
        case .compares(let comparison, let value): !value.isNull || !comparison.includesEqual
        case .between(let low, let high): !low.isNull || !high.isNull
        case .exists, .hasType, .startsWith, .endsWith, .contains, .matches, .modulo, .size,
            .hasElement, .includes, .elementMatches, .elementSatisfies:
            true
        }
    }

    fileprivate var mentionsText: Bool {
        func isText(_ value: Value) -> Bool {
            switch value {
            case .string, .array, .object: true
            default: false
            }
        }
        return switch self {
        case .equals(let value), .compares(_, let value), .hasElement(let value): isText(value)
        case .isOneOf(let values): values.contains(where: isText)
        case .between(let low, let high): isText(low) || isText(high)
        case .exists, .hasType, .modulo, .size: false
        case .startsWith, .endsWith, .contains, .includes, .matches, .elementMatches,
            .elementSatisfies:
            true
        }
    }
}
