// Random patterns against a matcher that tries everything, and random bytes as patterns.
import OfflineDocuments
import Testing

@testable import OfflineKit

struct PatternEquivalenceTests {
    @Test func `a pattern matches as one that tries everything does`() throws {
        var matches = 0
        for seed in UInt64(1)...2_500 {
            var random = QueryRandom(seed: seed)
            let naive = NaiveRegexGenerator.pattern(&random)
            let options = random.pick(["", "", "i", "m", "s", "ims"])
            let pattern = try Pattern(naive.text, options: options)
            var matchers = Pattern.Table.allCases.map { pattern.matcher($0) }
            var folding = Pattern.Table.allCases.map { pattern.matcher(folded: true, $0) }
            for _ in 0..<6 {
                let text = NaiveRegexGenerator.text(&random)
                let place: Comment = """
                    seed \(seed): /\(naive.text)/\(options) in \(text.debugDescription)
                    """
                let expected = naive.matches(text, NaiveRegexOptions(options))
                let folded = naive.matches(text, NaiveRegexOptions(options, isFolded: true))
                for index in matchers.indices {
                    let found = matchers[index].matches(Array(text.utf8))
                    #expect(found == expected, place)
                    let foundFolded = folding[index].matches(CaseFolding.fold(text))
                    #expect(foundFolded == folded, "folded, \(place)")
                }
                try check(pattern.simplestTest, text, expected, place)
                if expected {
                    matches += 1
                    #expect(Array(text.utf8).starts(with: pattern.prefix.utf8), place)
                }
            }
        }
        #expect(matches > 3_000)
    }

    /// The simpler test says the same.
    private func check(
        _ test: FieldTest, _ text: String, _ expected: Bool, _ place: Comment
    ) throws {
        let bytes = Array(text.utf8)
        switch test {
        case .startsWith(let prefix):
            #expect(bytes.starts(with: prefix.text.utf8) == expected, place)
        case .endsWith(let suffix):
            #expect(bytes.reversed().starts(with: suffix.text.utf8.reversed()) == expected, place)
        case .contains(let part):
            let wanted = Array(part.text.utf8)
            let isThere = (0...bytes.count).contains { bytes[$0...].starts(with: wanted) }
            #expect(isThere == expected, place)
        default: break
        }
    }

    @Test func `no text crashes the parser, and what it accepts can be run`() {
        let pieces = [
            "a", "é", "(", ")", "(?:", "(?i)", "(?", "[", "]", "[^", "-", "\\", "\\d", "\\p{", "{",
            "}",
            "{2}", "{1,3}", ",", "9", "*", "+", "?", "|", "^", "$", ".", "\\u{", "\\x", "#", " ",
            "\n",
            "😀", "\u{0}", "<", ">", ":", "!", "=", "P<n>",
        ]
        var accepted = 0
        for seed in UInt64(1)...20_000 {
            var random = QueryRandom(seed: seed)
            let text = (0..<random.below(14)).map { _ in random.pick(pieces) }.joined()
            let options = random.pick(["", "i", "x", "msx"])
            guard let pattern = try? Pattern(text, options: options) else { continue }
            accepted += 1
            let input = NaiveRegexGenerator.text(&random)
            for folded in [false, true] { _ = pattern.run(input, folded: folded) }
        }
        #expect(accepted > 1_000)
    }
}
