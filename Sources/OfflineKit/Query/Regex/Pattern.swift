// The operand of `$regex`: a regular expression that matches in time linear in the text, whatever it says.
//
// Syntax: what PCRE and JavaScript have in common. Literals and their escapes; `.`; classes with ranges, `\d \w \s \D \W \S`
// (ASCII) and `\p{Lu}`; groups, `(?:…)`, `(?<name>…)`, `(?i)` and `(?i:…)`; `|`; `* + ? {m} {m,} {m,n}`, also lazy; `^ $ \A \z
// \Z \b \B`. Options: i ignores case, m lets `^ $` match at lines, s lets `.` match newlines, x ignores space and comments
// in the pattern. `$` also matches before a newline that ends the text, as in PCRE. What is JavaScript's alone, and differs, is
// read where JSON Schema asks for it (PatternSyntax).
//
// No backreferences and no lookaround: what they describe can't be matched in linear time, and a filter must never be able
// to stop a store.
//
// It works on Unicode scalars; nothing is normalized. Two scalars differ in case only if their full case foldings are the same.
// Under a collation that ignores case, text and literals are folded first; a class then is one of folded scalars.
import OfflineDocuments

/// A regular expression, checked.
struct Pattern: Sendable {
    /// Patterns are no longer, in bytes.
    static let lengthMax = 8192

    let text: String
    /// The options, each once, in the order of the alphabet.
    let options: String
    /// The pattern without what a search can do without.
    private let node: PatternNode
    private let program: PatternProgram

    /// Throws `.invalidQuery`, without the place, for what can't be compiled.
    init(
        _ text: String, options: String = "", syntax: PatternSyntax = .common
    ) throws(OfflineError) {
        guard text.utf8.count <= Pattern.lengthMax else {
            throw OfflineError(
                .invalidQuery,
                "the pattern is \(text.utf8.count) bytes long; \(Pattern.lengthMax) is the most")
        }
        let flags = try PatternFlags(options)
        self.text = text
        self.options = flags.text
        var parser = PatternParser(text, flags, syntax)
        node = try parser.parse().trimmed
        program = try PatternProgram(node)
    }

    /// The instructions that match it; `folded` for folded texts.
    func program(folded: Bool) -> PatternProgram {
        folded ? PatternProgram(folding: node) : program
    }

    /// What every text that matches begins with; empty where that can be anything.
    var prefix: String {
        let items = node.items
        guard let first = items.first, first.isTextStart else { return "" }
        var scalars = String.UnicodeScalarView()
        for item in items.dropFirst() {
            guard let scalar = item.exactScalar else { break }
            scalars.append(scalar)
        }
        return String(scalars)
    }

    /// A test that says the same as this pattern, and is simple where it is a mere text.
    var simplestTest: FieldTest {
        var items = node.items[...]
        let isAtStart = items.first?.isTextStart ?? false
        if isAtStart { items.removeFirst() }
        let isAtEnd = !isAtStart && items.last == .assertion(.textEnd)
        if isAtEnd { items.removeLast() }
        let scalars = items.compactMap(\.exactScalar)
        guard scalars.count == items.count else { return .matches(self) }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        let literal = ExactString(String(view))
        return isAtStart ? .startsWith(literal) : isAtEnd ? .endsWith(literal) : .contains(literal)
    }
}

extension Pattern: Hashable {
    static func == (a: Pattern, b: Pattern) -> Bool {
        a.text.hasSameUTF8(as: b.text) && a.options.hasSameUTF8(as: b.options)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(text)
        hasher.combine(options)
    }
}

/// Whose way a pattern is read where PCRE and JavaScript differ.
enum PatternSyntax: Sendable {
    /// PCRE's, or what both have.
    case common
    /// JavaScript's with the flag u, which is what JSON Schema means by a pattern: `$` is the end of the text alone, `.` no end of a
    /// line, `\s` space of all of Unicode, `[]` nothing; and no switches of options, `\A`, `\z` or `\Z`.
    case javaScript
}

/// What is switched on by `$options`, or by `(?i)` inside a pattern.
struct PatternFlags: Sendable {
    var ignoresCase = false
    var hasLines = false
    var dotMatchesNewline = false
    var ignoresSpace = false

    /// Throws `.invalidQuery` for a letter that is no option.
    init(_ options: String) throws(OfflineError) {
        for letter in options.unicodeScalars where !set(letter, to: true) {
            throw OfflineError(
                .invalidQuery, "$options takes the letters i, m, s and x; \"\(letter)\" is none")
        }
    }

    /// Switches one; false for a letter that is none.
    mutating func set(_ letter: Unicode.Scalar, to isOn: Bool) -> Bool {
        switch letter {
        case "i": ignoresCase = isOn
        case "m": hasLines = isOn
        case "s": dotMatchesNewline = isOn
        case "x": ignoresSpace = isOn
        default: return false
        }
        return true
    }

    var text: String {
        (ignoresCase ? "i" : "") + (hasLines ? "m" : "") + (dotMatchesNewline ? "s" : "")
            + (ignoresSpace ? "x" : "")
    }
}
