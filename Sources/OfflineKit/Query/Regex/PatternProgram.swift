// A pattern compiled to a nondeterministic automaton (Thompson's construction): instructions that either take one scalar,
// or lead on without one.
//
// Invariants: targets are indices of instructions; instruction 0 accepts. A program has `instructionsMax` instructions at
// most, three times that if it is for folded texts, in which a scalar may be three.
import OfflineDocuments

/// The instructions of a pattern, which never change.
final class PatternProgram: Sendable {
    /// An index of an instruction.
    typealias Target = Int32

    enum Instruction: Sendable {
        case accept
        /// Takes this scalar.
        case scalar(UInt32, Target)
        /// Takes a scalar of a set.
        case set(Int, Target)
        /// Goes on where the place is right.
        case assertion(PatternAssertion, Target)
        /// Goes on at both.
        case split(Target, Target)
    }

    /// Patterns that need more are refused.
    static let instructionsMax = 4096

    let instructions: [Instruction]
    let sets: [ScalarSet]
    let start: Target
    /// A match begins at the start of the text only.
    let isAnchored: Bool
    /// UTF-8 without which there is no match.
    let required: [UInt8]
    let symbols: PatternSymbols

    /// The program for texts as they are. Throws `.invalidQuery` where it would be too long.
    init(_ node: PatternNode) throws(OfflineError) {
        var compiler = PatternCompiler(isFolded: false)
        start = try compiler.compile(node, 0)
        (instructions, sets) = (compiler.instructions, compiler.sets)
        isAnchored = node.items.first?.isTextStart ?? false
        required = Array(node.requiredText.utf8)
        symbols = PatternSymbols(instructions, sets)
    }

    /// The program for folded texts, of a node that was compiled before.
    init(folding node: PatternNode) {
        var compiler = PatternCompiler(isFolded: true)
        // A folded scalar is three at most, so there is room for every node that had room unfolded.
        start = (try? compiler.compile(node, 0)) ?? 0
        (instructions, sets) = (compiler.instructions, compiler.sets)
        isAnchored = node.items.first?.isTextStart ?? false
        required = CaseFolding.fold(node.requiredText)
        symbols = PatternSymbols(instructions, sets)
    }
}

/// Compiles a tree, from its end to its start.
struct PatternCompiler {
    typealias Target = PatternProgram.Target
    typealias Instruction = PatternProgram.Instruction

    /// The texts are folded, and so is what they are compared with.
    let isFolded: Bool
    private(set) var instructions: [Instruction] = [.accept]
    private(set) var sets: [ScalarSet] = []
    private var setIndexes: [ScalarClass: Int] = [:]

    init(isFolded: Bool) { self.isFolded = isFolded }

    private var instructionsMax: Int {
        isFolded ? 3 * PatternProgram.instructionsMax : PatternProgram.instructionsMax
    }

    /// Appends the instructions that match `node` and go on at `next`; where they begin.
    mutating func compile(
        _ node: PatternNode, _ next: Target
    ) throws(OfflineError) -> Target {
        switch node {
        case .empty: return next
        case .scalar(let scalar, let ignoresCase):
            return try compile(scalar, ignoresCase: ignoresCase, next)
        case .set(let scalars): return try append(scalars, next)
        case .assertion(let assertion):
            return try append(.assertion(assertion, next))
        case .sequence(let parts):
            var start = next
            for part in parts.reversed() { start = try compile(part, start) }
            return start
        case .choice(let parts):
            guard let last = parts.last else { return next }
            var start = try compile(last, next)
            for part in parts.dropLast().reversed() {
                start = try append(.split(try compile(part, next), start))
            }
            return start
        case .repeated(let part, let least, let most):
            return try compile(part, from: least, to: most, next)
        }
    }

    private mutating func compile(
        _ scalar: UInt32, ignoresCase: Bool, _ next: Target
    ) throws(OfflineError) -> Target {
        if isFolded {
            var start = next
            for folded in CaseVariants.folding(of: scalar).reversed() {
                start = try append(.scalar(folded, start))
            }
            return start
        }
        guard ignoresCase else { return try append(.scalar(scalar, next)) }
        let listed = ScalarSet([scalar...scalar])
        return try append(ScalarClass(listed: listed, named: ScalarSet(), ignoresCase: true), next)
    }

    private mutating func compile(
        _ part: PatternNode, from least: Int, to most: Int?, _ next: Target
    ) throws(OfflineError) -> Target {
        var start = next
        var needed = least
        if let most {
            for _ in least..<most {
                start = try append(.split(try compile(part, start), next))
            }
        } else {
            let loop = try append(.split(next, next))
            let body = try compile(part, loop)
            instructions[Int(loop)] = .split(body, next)
            // The first of the needed ones may be the loop's own.
            start = needed > 0 ? body : loop
            needed -= 1
        }
        for _ in 0..<max(needed, 0) { start = try compile(part, start) }
        return start
    }

    private mutating func append(
        _ scalars: ScalarClass, _ next: Target
    ) throws(OfflineError) -> Target {
        if let index = setIndexes[scalars] { return try append(.set(index, next)) }
        sets.append(scalars.set(ignoringCase: isFolded || scalars.ignoresCase))
        setIndexes[scalars] = sets.count - 1
        return try append(.set(sets.count - 1, next))
    }

    private mutating func append(_ instruction: Instruction) throws(OfflineError) -> Target {
        guard instructions.count < instructionsMax else {
            throw OfflineError(
                .invalidQuery,
                "the pattern is too large: with its repetitions written out it has over"
                    + " \(PatternProgram.instructionsMax) parts")
        }
        instructions.append(instruction)
        return Target(truncatingIfNeeded: instructions.count - 1)
    }
}
