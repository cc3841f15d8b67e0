// A pattern as a tree, as PatternParser reads it and PatternProgram is compiled from it.
//
// Only whether a text matches is ever asked, never where or how; so there are no captures, and greedy and lazy are the same.
// Every node but `empty` compiles to at least one instruction, which bounds what repetition can expand to.

/// A part of a pattern.
indirect enum PatternNode: Sendable, Hashable {
    /// Matches nothing, everywhere.
    case empty
    /// One scalar.
    case scalar(UInt32, ignoresCase: Bool)
    /// Any scalar of a class.
    case set(ScalarClass)
    /// A place.
    case assertion(PatternAssertion)
    /// One after the other; none of them is a sequence or empty.
    case sequence([PatternNode])
    /// Any of these.
    case choice([PatternNode])
    /// So many times, one after the other; nil: any number.
    case repeated(PatternNode, from: Int, to: Int?)

    /// The parts one after the other.
    static func joined(_ parts: [PatternNode]) -> PatternNode {
        let items = parts.flatMap(\.items)
        return items.isEmpty ? .empty : items.count == 1 ? items[0] : .sequence(items)
    }

    /// The node so many times.
    static func repeating(_ node: PatternNode, from: Int, to: Int?) -> PatternNode {
        if node == .empty || to == 0 { return .empty }
        return from == 1 && to == 1 ? node : .repeated(node, from: from, to: to)
    }

    /// What it is a sequence of.
    var items: [PatternNode] {
        switch self {
        case .empty: []
        case .sequence(let items): items
        default: [self]
        }
    }

    /// Whether it is the start of the text.
    var isTextStart: Bool { self == .assertion(.textStart) }

    /// The scalar that it matches, exactly; nil where it isn't one.
    var exactScalar: Unicode.Scalar? {
        guard case .scalar(let scalar, ignoresCase: false) = self else { return nil }
        return Unicode.Scalar(scalar)
    }

    /// Whether nothing is enough for it.
    fileprivate var isOptional: Bool {
        if case .repeated(_, from: 0, _) = self { true } else { false }
    }
}

/// A place between two scalars, or at an end of the text.
enum PatternAssertion: Sendable, Hashable {
    case textStart
    case textEnd
    /// The end, or before a newline that ends the text.
    case textEndOrFinalNewline
    case lineStart
    case lineEnd
    case wordBoundary
    case noWordBoundary
}

extension PatternNode {
    /// The same for a search anywhere in a text, without what it may begin or end with but needn't: `^a.*` is `^a`.
    var trimmed: PatternNode {
        var items = items[...]
        while let last = items.last, last.isOptional { items.removeLast() }
        while let first = items.first, first.isOptional { items.removeFirst() }
        return PatternNode.joined(Array(items))
    }

    /// The longest text without which nothing matches.
    var requiredText: String {
        var longest = String.UnicodeScalarView()
        var run = String.UnicodeScalarView()
        for item in items {
            if let scalar = item.exactScalar {
                run.append(scalar)
                if run.count > longest.count { longest = run }
            } else {
                run = String.UnicodeScalarView()
            }
        }
        return String(longest)
    }
}
