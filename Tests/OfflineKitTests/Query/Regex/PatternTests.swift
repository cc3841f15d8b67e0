// Regular expressions: what matches what, what is refused, and that no pattern and no text takes more than its time.
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

extension Pattern {
    /// Room for a table of states: the usual, as little as there may be, none.
    enum Table: CaseIterable {
        case usual
        case small
        case none
    }

    /// What runs it, with so much room.
    func matcher(folded: Bool = false, _ table: Table = .usual) -> PatternMatcher {
        let program = program(folded: folded)
        let entriesMax =
            switch table {
            case .usual: PatternMatcher.entriesMax
            case .small: PatternMatcher.statesMin * program.symbols.count
            case .none: 0
            }
        return PatternMatcher(program, entriesMax: entriesMax)
    }

    /// Whether it matches somewhere in the text; also how many instructions that took.
    func run(
        _ text: String, folded: Bool = false, _ table: Table = .usual
    ) -> (matches: Bool, work: Int) {
        var matcher = matcher(folded: folded, table)
        let matches = matcher.matches(folded ? CaseFolding.fold(text) : Array(text.utf8))
        return (matches, matcher.work)
    }
}

extension PatternMatcher {
    mutating func matches(_ text: [UInt8]) -> Bool {
        unsafe text.withUnsafeBytes { unsafe matches($0) }
    }
}

struct PatternTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var pattern: String
        var options = ""
        var matching: [String] = []
        var others: [String] = []
        var testDescription: String { "/\(pattern)/\(options)" }
    }

    static let examples: [Example] = [
        Example(pattern: "", matching: ["", "a"]),
        Example(pattern: "b", matching: ["b", "abc"], others: ["", "a", "B"]),
        Example(pattern: "^a", matching: ["a", "ab"], others: ["ba", "", "\na"]),
        Example(pattern: "a$", matching: ["a", "ba", "ba\n"], others: ["ab", "a\n\n", "a\nb"]),
        Example(pattern: "a\\z", matching: ["a", "ba"], others: ["a\n"]),
        Example(pattern: "a\\Z", matching: ["a", "a\n"], others: ["a\nb"]),
        Example(pattern: "\\Aa", options: "m", matching: ["a"], others: ["b\na"]),
        Example(pattern: "^a$", options: "m", matching: ["b\na\nc", "a"], others: ["ba\nac"]),
        Example(pattern: "^$", matching: ["", "\n"], others: ["a", "\n\n"]),
        Example(pattern: "a.c", matching: ["abc", "aéc", "a😀c"], others: ["ac", "a\nc"]),
        Example(pattern: "a.c", options: "s", matching: ["a\nc"]),
        Example(
            pattern: "[a-c]x", matching: ["ax", "cx"], others: ["dx", "-x", "Ax"]),
        Example(pattern: "[^a-c]x", matching: ["dx", "\nx", "éx"], others: ["ax", "x"]),
        Example(pattern: "[]a]", matching: ["]", "a"], others: ["b"]),
        Example(pattern: "[^]a]", matching: ["b"], others: ["]", "a", ""]),
        Example(pattern: "^[-a]+$", matching: ["-", "a-"], others: ["b"]),
        Example(pattern: "^[a-]+$", matching: ["-", "a-"], others: ["b"]),
        Example(pattern: "^[\\w-]+$", matching: ["a-b_9"], others: ["a b", "é"]),
        Example(pattern: "[[]", matching: ["["], others: ["a"]),
        Example(pattern: "[\\b]", matching: ["\u{8}"], others: ["a b"]),
        Example(pattern: "^\\d\\D\\s\\S$", matching: ["1a b"], others: ["١a b", "1ab "]),
        Example(pattern: "^[^\\D]$", matching: ["1"], others: ["a"]),
        Example(pattern: "\\bcat\\b", matching: ["a cat.", "cat"], others: ["concat", "cats"]),
        Example(pattern: "\\Bcat", matching: ["concat"], others: ["a cat"]),
        Example(pattern: "^\\p{L}+$", matching: ["aéΣ"], others: ["a1"]),
        Example(pattern: "^\\p{Lu}\\pN$", matching: ["A1", "É1"], others: ["a1", "AA"]),
        Example(pattern: "^[\\p{Lu}\\d]+$", matching: ["A1É"], others: ["a"]),
        Example(pattern: "^[^\\p{Lu}\\d]+$", matching: ["aé "], others: ["É", "1"]),
        Example(pattern: "^\\P{L}$", matching: ["1"], others: ["a"]),
        Example(pattern: "^\\p{Lu}$", options: "i", matching: ["a", "A"], others: ["1"]),
        Example(pattern: "ab|cd", matching: ["xab", "cdx"], others: ["ac", "bd"]),
        Example(pattern: "^(ab|c)d", matching: ["abd", "cd"], others: ["ad", "xcd"]),
        Example(pattern: "a|", matching: ["", "b"]),
        Example(pattern: "^(?:a|b)*$", matching: ["", "abba"], others: ["abc"]),
        Example(pattern: "^(?<year>\\d{4})-(?P<m>\\d\\d)$", matching: ["2024-05"]),
        Example(pattern: "^a{2}$", matching: ["aa"], others: ["a", "aaa"]),
        Example(pattern: "^a{2,}$", matching: ["aa", "aaaa"], others: ["a"]),
        Example(pattern: "^a{1,2}$", matching: ["a", "aa"], others: ["", "aaa"]),
        Example(pattern: "^a{0}b$", matching: ["b"], others: ["ab"]),
        Example(pattern: "^a{,2}{$", matching: ["a{,2}{"], others: ["aa{"]),
        Example(pattern: "^a{x$", matching: ["a{x"], others: ["a"]),
        Example(pattern: "^a+?b*?c??$", matching: ["a", "aabbc"], others: ["b"]),
        Example(pattern: "^(a*)*$", matching: ["", "aaa"], others: ["b"]),
        Example(pattern: "^(a?){3}$", matching: ["", "aaa"], others: ["aaaa"]),
        Example(pattern: "^(a|b{2,3})+$", matching: ["abba", "bbbbb"], others: ["ab", ""]),
        Example(pattern: "\\.\\*\\$\\/\\-", matching: [".*$/-"], others: ["aa$/-"]),
        Example(pattern: "\\t\\n\\r\\f\\v\\0", matching: ["\t\n\r\u{C}\u{B}\u{0}"]),
        Example(pattern: "^\\x41\\u00e9\\u{1F600}\\x{df}$", matching: ["Aé😀ß"]),
        Example(pattern: "é", matching: ["é"], others: ["e\u{301}", "É"]),
        Example(pattern: "É", options: "i", matching: ["é", "É"], others: ["e"]),
        Example(pattern: "straße", options: "i", matching: ["STRAẞE"], others: ["STRASSE"]),
        Example(pattern: "^[a-z]+$", options: "i", matching: ["aZ", "\u{212A}"], others: ["1"]),
        Example(pattern: "^[^a]$", options: "i", matching: ["b", "B"], others: ["a", "A"]),
        Example(pattern: "σ", options: "i", matching: ["ς", "Σ"]),
        Example(pattern: "^\\W$", options: "i", matching: ["\u{212A}", "é"], others: ["k", "K"]),
        Example(pattern: "^(?i)ab$", matching: ["aB", "AB"]),
        Example(pattern: "^a(?i)b(?-i)c$", matching: ["aBc", "abc"], others: ["ABc", "abC"]),
        Example(pattern: "^a(?i:b)c$", matching: ["aBc"], others: ["aBC"]),
        Example(pattern: "^(a(?i)b)c$", matching: ["aBc"], others: ["aBC"]),
        Example(pattern: "^(?s-i:a.)$", options: "i", matching: ["a\n"], others: ["A\n"]),
        Example(pattern: "a(?i)b|c", matching: ["aB", "C"], others: ["AB"]),
        Example(
            pattern: "^ a # first\n b [ #] \\# $", options: "x", matching: ["ab #", "ab##"],
            others: ["a b #", "ab#"]),
        Example(pattern: "^a +$", options: "x", matching: ["aaa"], others: ["a  "]),
        Example(pattern: ".*a.*", matching: ["bab"], others: ["b"]),
        Example(pattern: "^a.*", matching: ["a", "a\nb"], others: ["ba"]),
        Example(pattern: "(?:^a|b$)", matching: ["ax", "xb"], others: ["xa", "bx"]),
    ]

    @Test(arguments: examples)
    func `a pattern matches what it says`(_ example: Example) throws {
        let pattern = try Pattern(example.pattern, options: example.options)
        for (texts, expected) in [(example.matching, true), (example.others, false)] {
            for text in texts {
                #expect(pattern.run(text).matches == expected, "\(text.debugDescription)")
                let record: Document = ["a": .string(text)]
                let filter: Document = [
                    "a": ["$regex": .string(example.pattern), "$options": .string(example.options)]
                ]
                #expect(try PredicateTests.matches(filter, record) == expected)
            }
        }
    }

    static let mistakes: [(pattern: String, names: [String])] = [
        ("(", ["\")\" is missing"]), (")", ["without its"]), ("a(b", ["\")\" is missing"]),
        ("[", ["\"]\" is missing"]), ("[]", ["\"]\" is missing"]), ("[a", ["\"]\" is missing"]),
        ("[z-a]", ["above its last"]), ("[a-\\d]", ["end a range"]), ("[\\d-z]", ["begin a range"]),
        ("[[:alpha:]]", ["[:alpha:]"]), ("*a", ["nothing to repeat"]),
        ("a|+", ["nothing to repeat"]),
        ("a**", ["repeated"]), ("a++", ["possessive"]), ("a{2}{3}", ["repeated"]),
        ("(?i)*", ["repeated"]), ("a{3,2}", ["above its greatest"]), ("a{1001}", ["1000"]),
        ("a{99999999999999999999}", ["1000"]), ("\\", ["backslash"]), ("[\\", ["backslash"]),
        ("(a)\\1", ["backreferences", "linear"]), ("\\k<a>", ["backreferences"]),
        ("(?=a)", ["lookaround", "linear"]), ("(?!a)", ["lookaround"]), ("(?<=a)", ["lookaround"]),
        ("(?<!a)", ["lookaround"]), ("(?>a)", ["isn't supported"]), ("(?#a)", ["isn't supported"]),
        ("(?z)", ["z is no option"]), ("(?", ["no group"]), ("(?i", ["\")\" is missing"]),
        ("(?<>a)", ["name"]), ("(?<a", ["name"]), ("\\y", ["\\y"]), ("\\x4", ["digits"]),
        ("\\u{110000}", ["digits"]), ("\\u{}", ["digits"]), ("\\ud800", ["digits"]),
        ("\\p{Latin}", ["\\p{L}"]), ("\\p", ["\\p{L}"]), ("\\p{L", ["\\p{L}"]), ("\\01", ["octal"]),
        ("(a{1000}){1000}", ["too large"]), ("((((a{9}){9}){9}){9}){9}", ["too large"]),
        ("((((((a?){99}){99}){99}){99}){99}){99}", ["too large"]),
        (String(repeating: "(", count: 101), ["deeper"]),
        (String(repeating: "(", count: 8_000), ["deeper"]),
        (String(repeating: "a", count: 8_193), ["8193 bytes"]),
        (String(repeating: "a", count: 5_000), ["too large"]),
    ]

    @Test func `a pattern that can't be compiled says why`() throws {
        for (text, names) in Self.mistakes {
            let error = try #require(throws: OfflineError.self, "\(text.prefix(20))") {
                try Pattern(text)
            }
            #expect(error.code == .invalidQuery)
            for name in names {
                #expect(error.message.contains(name), "\(text.prefix(20)): \(error.message)")
            }
        }
    }

    @Test func `what is empty can be repeated as often as one likes`() throws {
        let nothing = try Pattern("(((((){999}){999}){999}){999}){999}a?")
        #expect(nothing.run("").matches)
        let groups = String(repeating: "(?:", count: 99) + "a" + String(repeating: ")", count: 99)
        #expect(try Pattern(groups).run("xa").matches)
    }

    // MARK: Time

    /// Patterns that take other matchers exponential or quadratic time.
    static let hostile = [
        "(a+)+$", "^(a+)+$", "(a*)*b", "(a|a)*b", "(a|aa)+$", "^(([a-z])+.)+[A-Z]", "(x+x+)+y",
        "(.*)*c", ".*.*.*=.*", "(?:a?){50}a{50}", "\\b(a|aa)*\\b[b]",
    ]

    @Test(arguments: hostile)
    func `no pattern takes more steps than text times program`(_ text: String) throws {
        let pattern = try Pattern(text)
        let size = pattern.program(folded: false).instructions.count
        for length in [10, 20_000] {
            for end in ["", "!", "\n", "é"] {
                let input = String(repeating: "a", count: length) + end
                for table in Pattern.Table.allCases {
                    let work = pattern.run(input, table).work
                    // An instruction may be looked at, and be put into order to know the state.
                    #expect(work <= 2 * (input.unicodeScalars.count + 1) * size)
                }
            }
        }
    }

    @Test func `a hostile pattern on a megabyte comes to an end`() throws {
        let text = String(repeating: "a", count: 1 << 20)
        for table in Pattern.Table.allCases {
            #expect(try Pattern("(a+)+$").run(text, table).matches)
            let (matches, work) = try Pattern("^(a+)+[^a]").run(text, table)
            #expect(!matches && work < 16 << 20)
        }
    }

    @Test func `a pattern of more states than there is room for is matched all the same`() throws {
        // It has to remember the last twelve scalars: thousands of states.
        let pattern = try Pattern("(a|b)*a(a|b){12}c")
        var random = QueryRandom(seed: 1)
        let text = String(decoding: (0..<5_000).map { _ in random.pick([97, 98]) }, as: UTF8.self)
        for table in Pattern.Table.allCases {
            for (end, expected) in [
                ("abbbbbbbbbbbbc", true), ("bbbbbbbbbbbbbc", false),
                ("c", text.dropLast(12).last == "a"),
            ] {
                #expect(pattern.run(text + end, table).matches == expected)
            }
        }
    }

    @Test func `states of many instructions don't take more room than there is`() throws {
        let pattern = try Pattern("a[ab]{1000}[ab]{1000}[ab]{1000}c")
        var random = QueryRandom(seed: 1)
        let text: [UInt8] = (0..<3_000).map { _ in random.pick([97, 98]) } + [99]
        var matcher = pattern.matcher()
        let matches = matcher.matches(text)
        #expect(!matches)
        #expect(matcher.entries <= PatternMatcher.entriesMax)
        // What it took to put states into order counts as work.
        #expect(matcher.work > 1 << 21)
    }

    @Test func `what was found out about a text serves the next`() throws {
        let program = try Pattern("\\d{3}-[a-z]+").program(folded: false)
        var matcher = PatternMatcher(program)
        func matches(_ text: String) -> Bool {
            matcher.matches(Array(text.utf8))
        }
        #expect(matches("12 123-x") && !matches("12-x") && matches("a-123-x"))
        let work = matcher.work
        #expect(matches("99 456-y") && !matches("98-z") && matcher.work == work)
    }

    @Test func `a literal that is needed is sought first`() throws {
        let text = String(repeating: "a", count: 10_000)
        let (matches, work) = try Pattern("(a+)+needle").run(text)
        #expect(!matches && work == 0)
        #expect(try Pattern("a*(b|c)needle\\d").run("aacneedle7").matches)
        #expect(try Pattern("^b+a").run(text).work < 10)
    }

    // MARK: Simplification

    @Test func `a pattern that is a mere text is a simpler test`() throws {
        let simple: [(String, String, FieldTest)] = [
            ("abc", "", .contains(ExactString("abc"))), ("", "", .contains(ExactString(""))),
            ("^abc", "", .startsWith(ExactString("abc"))),
            ("^abc.*", "", .startsWith(ExactString("abc"))),
            ("\\Aa(b)c", "m", .startsWith(ExactString("abc"))),
            (".*abc.*?", "s", .contains(ExactString("abc"))),
            ("^a\\.b", "", .startsWith(ExactString("a.b"))),
            ("abc\\z", "", .endsWith(ExactString("abc"))),
            (" a b ", "x", .contains(ExactString("ab"))),
        ]
        for (text, options, test) in simple {
            #expect(try Pattern(text, options: options).simplestTest == test, "\(text)")
        }
        for (text, options) in [
            ("^abc", "i"), ("^abc", "m"), ("^a|b", ""), ("abc$", ""), ("^ab?", "m"), ("^abc$", ""),
            ("a.c", ""), ("(?i)abc", ""),
        ] {
            let pattern = try Pattern(text, options: options)
            #expect(pattern.simplestTest == .matches(pattern), "\(text)")
        }
    }

    @Test func `the prefix of a pattern is what every match begins with`() throws {
        let prefixes = [
            ("^ab", "", "ab"), ("^ab+", "", "a"), ("^ab*c", "", "a"), ("^ab(c|d)", "", "ab"),
            ("^(ab)c.*d", "", "abc"), ("^ab$", "", "ab"), ("^a(?i)b", "", "a"), ("^[a]b", "", ""),
            ("^ab", "i", ""), ("^ab", "m", ""), ("^a|b", "", ""), ("(^a|^b)", "", ""),
            ("ab", "", ""),
            ("(?:^a){2}", "", ""), ("a^b", "", ""), ("^^ab", "", ""),
        ]
        for (text, options, prefix) in prefixes {
            #expect(try Pattern(text, options: options).prefix == prefix, "\(text)")
        }
    }

    @Test func `patterns are equal by their bytes and options`() throws {
        #expect(try Pattern("a.", options: "im") == Pattern("a.", options: "mi"))
        #expect(try Pattern("é.") != Pattern("e\u{301}."))
        #expect(try Pattern("a.") != Pattern("a.", options: "i"))
    }
}
