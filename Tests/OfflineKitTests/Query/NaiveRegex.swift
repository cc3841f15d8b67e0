// Regular expressions by their definition: a pattern is a tree, which leads from each place in a text to a set of places behind
// it. Nothing of it is the store's.

/// A pattern as a tree, to be matched, and to be written out.
indirect enum NaiveRegex: Sendable {
    case scalar(UInt32)
    /// Any of these scalars or named classes, or, inverted, any other.
    case set([NaiveClassItem], isInverted: Bool)
    case dot
    /// `^`, `$`, `\A`, `\z`, `\b`, `\B`
    case place(String)
    case sequence([NaiveRegex])
    case choice([NaiveRegex])
    case repeated(NaiveRegex, least: Int, most: Int?, text: String)
}

enum NaiveClassItem: Sendable {
    case range(UInt32, UInt32)
    /// `\d`, `\w`, `\s` and their opposites.
    case named(String)
}

/// How to match.
struct NaiveRegexOptions {
    var ignoresCase = false
    var hasLines = false
    var dotMatchesNewline = false
    /// The text is folded already, and literals are to be.
    var isFolded = false

    init(_ letters: String = "", isFolded: Bool = false) {
        ignoresCase = letters.contains("i")
        hasLines = letters.contains("m")
        dotMatchesNewline = letters.contains("s")
        self.isFolded = isFolded
    }
}

// MARK: - Matching

extension NaiveRegex {
    /// Whether it matches anywhere.
    func matches(_ text: String, _ options: NaiveRegexOptions) -> Bool {
        let text = options.isFolded ? NaiveFolding.fold(text) : text
        let scalars = text.unicodeScalars.map(\.value)
        return !ends(scalars, Set(0...scalars.count), options).isEmpty
    }

    /// The places behind what matches from one of `starts` on.
    private func ends(
        _ text: [UInt32], _ starts: Set<Int>, _ options: NaiveRegexOptions
    ) -> Set<Int> {
        switch self {
        case .scalar(let scalar):
            if options.isFolded {
                let folded = NaiveFolding.fold(scalar)
                return Set(
                    starts.filter { text[$0...].starts(with: folded) }
                        .map { $0 + folded.count })
            }
            return behind(text, starts) { found in
                found == scalar
                    || options.ignoresCase
                        && NaiveFolding.fold(found) == NaiveFolding.fold(scalar)
            }
        case .dot: return behind(text, starts) { $0 != 10 || options.dotMatchesNewline }
        case .set(let items, let isInverted):
            return behind(text, starts) { found in
                items.contains { $0.contains(found, options) } != isInverted
            }
        case .place(let name):
            return starts.filter { NaiveRegex.isPlace(name, text, $0, options) }
        case .sequence(let parts):
            return parts.reduce(starts) { $1.ends(text, $0, options) }
        case .choice(let parts):
            return parts.reduce(into: []) { $0.formUnion($1.ends(text, starts, options)) }
        case .repeated(let part, let least, let most, _):
            var places = (0..<least).reduce(starts) { places, _ in
                part.ends(text, places, options)
            }
            var all = places
            var count = least
            while !places.isEmpty, most.map({ count < $0 }) ?? true {
                // Only places that weren't there before lead any further.
                places = part.ends(text, places, options).subtracting(all)
                all.formUnion(places)
                count += 1
            }
            return all
        }
    }

    /// The places behind those with the right scalar.
    private func behind(
        _ text: [UInt32], _ starts: Set<Int>, _ isRight: (UInt32) -> Bool
    ) -> Set<Int> {
        Set(starts.filter { $0 < text.count && isRight(text[$0]) }.map { $0 + 1 })
    }

    private static func isPlace(
        _ name: String, _ text: [UInt32], _ position: Int, _ options: NaiveRegexOptions
    ) -> Bool {
        func isWord(_ index: Int) -> Bool {
            text.indices.contains(index)
                && NaiveClassItem.named("\\w").contains(text[index], NaiveRegexOptions())
        }
        let isAtEnd = position == text.count
        switch name {
        case "^": return position == 0 || options.hasLines && text[position - 1] == 10
        case "$" where options.hasLines: return isAtEnd || text[position] == 10
        case "$": return isAtEnd || position == text.count - 1 && text[position] == 10
        case "\\A": return position == 0
        case "\\z": return isAtEnd
        case "\\b": return isWord(position - 1) != isWord(position)
        default: return isWord(position - 1) == isWord(position)
        }
    }
}

extension NaiveClassItem {
    func contains(_ scalar: UInt32, _ options: NaiveRegexOptions) -> Bool {
        switch self {
        case .range(let low, let high):
            if low...high ~= scalar { return true }
            guard options.ignoresCase || options.isFolded else { return false }
            return NaiveFolding.variants.contains { variant in
                low...high ~= variant
                    && NaiveFolding.fold(variant) == NaiveFolding.fold(scalar)
            }
        case .named(let name):
            let digits: ClosedRange<UInt32> = 48...57
            let isIn =
                switch name.lowercased() {
                case "\\d": digits ~= scalar
                case "\\s": 9...13 ~= scalar || scalar == 32
                default:
                    digits ~= scalar || 65...90 ~= scalar || 97...122 ~= scalar || scalar == 95
                }
            return isIn != (name != name.lowercased())
        }
    }
}

// MARK: - Writing

extension NaiveRegex {
    /// The pattern as one writes it.
    var text: String {
        switch self {
        case .scalar(let scalar): NaiveRegex.escaped(scalar)
        case .dot: "."
        case .place(let name): name
        case .set(let items, let isInverted):
            "[" + (isInverted ? "^" : "") + items.map(\.text).joined() + "]"
        case .sequence(let parts):
            parts.map { part in
                if case .choice = part { "(" + part.text + ")" } else { part.text }
            }.joined()
        case .choice(let parts): parts.map(\.text).joined(separator: "|")
        case .repeated(let part, _, _, let text): "(?:" + part.text + ")" + text
        }
    }

    fileprivate static func escaped(_ scalar: UInt32) -> String {
        guard let scalar = Unicode.Scalar(scalar) else { return "" }
        if scalar == "\n" { return "\\n" }
        let isPlain = !scalar.isASCII || Character(scalar).isLetter || Character(scalar).isNumber
        return isPlain ? String(scalar) : "\\" + String(scalar)
    }
}

extension NaiveClassItem {
    fileprivate var text: String {
        switch self {
        case .named(let name): name
        case .range(let low, let high):
            low == high
                ? NaiveRegex.escaped(low)
                : NaiveRegex.escaped(low) + "-" + NaiveRegex.escaped(high)
        }
    }
}

// MARK: - Generating

/// Random patterns and texts over a few scalars.
struct NaiveRegexGenerator {
    static let alphabet: [UInt32] = [
        97, 98, 65, 32, 10, 49, 95, 45, 0xE9, 0xC9, 0xDF, 0x73, 0x3C2, 0x3A3, 0x6B, 0x212A,
        0x1F600, 0xFB06, 0x74,
    ]

    static func text(_ random: inout QueryRandom) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<random.below(8) {
            if let scalar = Unicode.Scalar(scalar(&random)) { text.append(scalar) }
        }
        return String(text)
    }

    static func pattern(_ random: inout QueryRandom, depth: Int = 0) -> NaiveRegex {
        switch random.below(depth > 3 ? 6 : 12) {
        case 0, 1, 2: return .scalar(scalar(&random))
        case 3: return .dot
        case 4: return .place(random.pick(["^", "$", "\\A", "\\z", "\\b", "\\B"]))
        case 5:
            let items = (0...random.below(3)).map { _ in classItem(&random) }
            return .set(items, isInverted: random.chance(40))
        case 6, 7, 8:
            return .sequence((0..<random.below(4)).map { _ in pattern(&random, depth: depth + 1) })
        case 9:
            return .choice((0...random.below(3)).map { _ in pattern(&random, depth: depth + 1) })
        default:
            let part = pattern(&random, depth: depth + 1)
            let repetitions: [(Int, Int?, String)] = [
                (0, nil, "*"), (1, nil, "+"), (0, 1, "?"), (2, 2, "{2}"), (1, nil, "{1,}"),
                (0, 2, "{0,2}"), (1, 3, "{1,3}?"), (0, nil, "*?"), (0, 0, "{0}"),
            ]
            let (least, most, text) = random.pick(repetitions)
            return .repeated(part, least: least, most: most, text: text)
        }
    }

    private static func scalar(_ random: inout QueryRandom) -> UInt32 {
        random.chance(50) ? random.pick([97, 98]) : random.pick(alphabet)
    }

    private static func classItem(_ random: inout QueryRandom) -> NaiveClassItem {
        switch random.below(5) {
        case 0: return .named(random.pick(["\\d", "\\D", "\\w", "\\W", "\\s", "\\S"]))
        case 1, 2:
            let (a, b) = (scalar(&random), scalar(&random))
            return .range(min(a, b), max(a, b))
        default:
            let one = scalar(&random)
            return .range(one, one)
        }
    }
}

// MARK: - Patterns that filters use

extension NaiveRegex {
    /// The tree of a pattern; nil where it isn't one of `known`, as nothing here reads patterns.
    static func pattern(of text: String) -> NaiveRegex? { byText[text] }

    /// Patterns that begin with a literal, and some of any shape.
    static let known: [NaiveRegex] = {
        func literal(_ text: String) -> [NaiveRegex] {
            text.unicodeScalars.map { .scalar($0.value) }
        }
        func whole(_ parts: [NaiveRegex]) -> NaiveRegex { .sequence([.place("^")] + parts) }
        let any = NaiveRegex.repeated(.dot, least: 0, most: nil, text: "*")
        var known: [NaiveRegex] = [
            .sequence([]), .sequence(literal("a")), .sequence(literal("ss")), whole([]),
            whole(literal("a")), whole(literal("A")), whole(literal("ab")),
            whole(literal("\u{DF}")),
            whole(literal("a") + [any]), whole(literal("a") + [.place("$")]),
            whole(literal("x") + [any] + literal("b")), whole([.place("$")]),
            whole(literal("\u{E9}") + [.dot]), .sequence(literal("b") + [.place("$")]),
            .sequence(literal("b") + [.place("\\z")]), whole(literal("q")), .sequence(literal("q")),
            whole(literal("q") + [any]), whole(literal("qa") + [.place("$")]),
            whole(literal("q") + [.set([.range(97, 99)], isInverted: false)]),
            .choice([whole(literal("q")), whole(literal("r"))]),
        ]
        var random = QueryRandom(seed: 7)
        for _ in 0..<150 {
            let pattern = NaiveRegexGenerator.pattern(&random)
            known += random.chance(40) ? [whole(literal("a") + [pattern])] : [pattern]
        }
        return known
    }()

    private static let byText = Dictionary(known.map { ($0.text, $0) }) { first, _ in first }
}
