// Reads a pattern's text. Recursive descent; nesting is bounded, so no pattern overflows the stack, and every scalar is read
// once. Pattern.swift says what the syntax is, PatternParser+Classes.swift what stands for a set of scalars.
//
// Where PCRE and JavaScript differ, it is PCRE's way or a mistake, never a guess: what has another meaning in either, and isn't
// supported here, is refused by name.
import OfflineDocuments

/// Reads one pattern.
struct PatternParser {
    /// Groups inside each other, at most.
    static let depthMax = 100
    /// The greatest number in `{m,n}`.
    static let repetitionMax = 1000

    let scalars: [Unicode.Scalar]
    let syntax: PatternSyntax
    var position = 0
    var flags: PatternFlags
    private var depth = 0

    init(_ text: String, _ flags: PatternFlags, _ syntax: PatternSyntax = .common) {
        scalars = Array(text.unicodeScalars)
        self.syntax = syntax
        self.flags = flags
    }

    /// The whole pattern. Throws `.invalidQuery`.
    mutating func parse() throws(OfflineError) -> PatternNode {
        let node = try choice()
        if !isAtEnd { throw mistake("there is a \")\" without its \"(\"") }
        return node
    }

    // MARK: Scalars

    var isAtEnd: Bool { position >= scalars.count }
    var current: Unicode.Scalar? { isAtEnd ? nil : scalars[position] }

    func isNext(_ text: String) -> Bool {
        scalars[min(position, scalars.count)...].starts(with: text.unicodeScalars)
    }

    /// Steps over `text` where it comes next.
    mutating func skip(_ text: String) -> Bool {
        guard isNext(text) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    func mistake(_ message: String) -> OfflineError {
        OfflineError(
            .invalidQuery, "the pattern is wrong at character \(position + 1): \(message)")
    }

    // MARK: Grammar

    /// `one|another`, up to a `)` or the end. Options that are switched inside hold to its end.
    private mutating func choice() throws(OfflineError) -> PatternNode {
        depth += 1
        let outerFlags = flags
        defer {
            depth -= 1
            flags = outerFlags
        }
        guard depth <= PatternParser.depthMax else {
            throw mistake("groups nest deeper than \(PatternParser.depthMax) levels")
        }
        var alternatives = [try sequence()]
        while skip("|") { alternatives.append(try sequence()) }
        return alternatives.count == 1 ? alternatives[0] : .choice(alternatives)
    }

    private mutating func sequence() throws(OfflineError) -> PatternNode {
        var parts: [PatternNode] = []
        while true {
            skipIgnoredSpace()
            guard let scalar = current, scalar != "|", scalar != ")" else { break }
            let part = try atom()
            skipIgnoredSpace()
            parts.append(try repetition(of: part))
        }
        return .joined(parts)
    }

    /// Space and comments, with the option x.
    private mutating func skipIgnoredSpace() {
        guard flags.ignoresSpace else { return }
        var isComment = false
        while let scalar = current {
            if isComment {
                isComment = scalar != "\n"
            } else if scalar == "#" {
                isComment = true
            } else if !ScalarSet.space.contains(scalar.value) {
                return
            }
            position += 1
        }
    }

    /// Anything that can be repeated; nil for a switch of options.
    private mutating func atom() throws(OfflineError) -> PatternNode? {
        guard let scalar = current else { return nil }
        switch scalar {
        case "(": return try group()
        case "[": return .set(try bracketedClass())
        case "\\": return try escape()
        case "*", "+", "?": throw mistake("there is nothing to repeat before \"\(scalar)\"")
        default: break
        }
        position += 1
        switch scalar {
        case ".":
            if flags.dotMatchesNewline { return .set(ScalarClass(named: .all)) }
            return .set(
                ScalarClass(named: syntax == .common ? .allButNewline : .allButLineEnds))
        case "^": return .assertion(flags.hasLines ? .lineStart : .textStart)
        case "$":
            let textEnd: PatternAssertion =
                syntax == .common ? .textEndOrFinalNewline : .textEnd
            return .assertion(flags.hasLines ? .lineEnd : textEnd)
        default: return .scalar(scalar.value, ignoresCase: flags.ignoresCase)
        }
    }

    // MARK: Repetition

    /// The part as often as what follows it says.
    private mutating func repetition(of part: PatternNode?) throws(OfflineError) -> PatternNode {
        guard let (least, most) = try quantifier() else { return part ?? .empty }
        guard let part else { throw mistake("a switch of options can't be repeated") }
        // As few as possible or as many: that is the same to whether it matches.
        _ = skip("?")
        if isNext("+") {
            throw mistake("possessive repetition isn't supported, nor is repeating a repetition")
        }
        if try quantifier() != nil {
            throw mistake("a repetition can't be repeated, but in a group of its own")
        }
        return .repeating(part, from: least, to: most)
    }

    private mutating func quantifier() throws(OfflineError) -> (least: Int, most: Int?)? {
        if skip("*") { return (0, nil) }
        if skip("+") { return (1, nil) }
        if skip("?") { return (0, 1) }
        let start = position
        guard skip("{"), let least = number() else {
            position = start
            return nil
        }
        let most = skip(",") ? number() : least
        guard skip("}") else {
            // A brace that begins no repetition stands for itself.
            position = start
            return nil
        }
        guard max(least, most ?? 0) <= PatternParser.repetitionMax else {
            throw mistake("more than \(PatternParser.repetitionMax) repetitions can't be asked for")
        }
        if let most, most < least { throw mistake("a repetition's least is above its greatest") }
        return (least, most)
    }

    private mutating func number() -> Int? {
        let start = position
        var number = 0
        while let digit = current, ScalarSet.digits.contains(digit.value) {
            number = min(number * 10 + Int(digit.value - 48), PatternParser.repetitionMax + 1)
            position += 1
        }
        return position == start ? nil : number
    }

    // MARK: Groups

    private mutating func group() throws(OfflineError) -> PatternNode? {
        position += 1
        let outerFlags = flags
        if skip("?"), try !groupKind() { return nil }
        let node = try choice()
        flags = outerFlags
        guard skip(")") else { throw mistake("a \")\" is missing") }
        return node
    }

    /// Reads what follows `(?`; false where it was a switch of options up to the end of the group around it.
    private mutating func groupKind() throws(OfflineError) -> Bool {
        if ["=", "!", "<=", "<!"].contains(where: isNext) {
            throw mistake(
                "lookaround isn't supported, as it can't be matched in time linear in the text")
        }
        if [">", "|", "(", "R", "&", "#"].contains(where: isNext) {
            throw mistake("this kind of group isn't supported")
        }
        if skip(":") { return true }
        guard syntax == .common && skip("P<") || skip("<") else {
            if syntax == .common { return try optionSwitch() }
            throw mistake("\"(?\" begins no group that is known")
        }
        let start = position
        while let scalar = current, ScalarSet.wordScalars.contains(scalar.value) { position += 1 }
        guard position > start, skip(">") else { throw mistake("this is no name of a group") }
        return true
    }

    /// `i`, `i-s` and the like, and what ends them: a `:`, behind which the group's content is, or a `)`.
    private mutating func optionSwitch() throws(OfflineError) -> Bool {
        var isOn = true
        let start = position
        while let scalar = current, scalar != ")", scalar != ":" {
            if scalar == "-", isOn {
                isOn = false
            } else if !flags.set(scalar, to: isOn) {
                throw mistake("\"(?\" begins no group that is known, and \(scalar) is no option")
            }
            position += 1
        }
        guard position > start else { throw mistake("\"(?\" begins no group that is known") }
        if skip(":") { return true }
        guard skip(")") else { throw mistake("a \")\" is missing") }
        return false
    }
}
