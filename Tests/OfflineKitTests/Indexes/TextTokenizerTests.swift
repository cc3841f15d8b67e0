import Foundation
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct TextTokenizerTests {
    private static func words(_ bytes: [UInt8]) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var memory: [UInt8] = [1, 2, 3]
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe TextTokenizer.forEachWord(in: bytes, using: &memory) { words.append($0) }
        }
        return words
    }

    private static func words(_ text: String) -> [String] {
        words(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    static let examples: [(text: String, words: [String])] = [
        ("", []), (" .,;-\n\t", []), ("Hello, World!", ["hello", "world"]),
        ("a-b_c/d", ["a", "b", "c", "d"]),
        ("dog's l'homme don’t", ["dog", "s", "l", "homme", "don", "t"]),
        ("3.14 2024-02-29 x86", ["3", "14", "2024", "02", "29", "x86"]), ("²½Ⅷ ٣", ["²½ⅷ", "٣"]),
        ("STRASSE Straße", ["strasse", "strasse"]), ("ΣΊΣΥΦΟΣ", ["σίσυφοσ"]),
        ("İstanbul", ["i\u{307}stanbul"]),
        ("caf\u{E9} cafe\u{301}", ["caf\u{E9}", "cafe\u{301}"]), ("\u{301}a", ["a"]),
        ("\u{301} \u{FE0F}", []),
        ("co\u{AD}operate", ["cooperate"]), ("می\u{200C}خواهم", ["میخواهم"]),
        ("a\u{200B}b", ["a", "b"]),
        ("क्षत्रिय हिन्दी", ["क्षत्रिय", "हिन्दी"]), ("שָׁלוֹם", ["שָׁלוֹם"]), ("한국어 조선말", ["한국어", "조선말"]),
        ("東京tower", ["東", "京", "tower"]), ("ラーメンを", ["ラ", "ー", "メ", "ン", "を"]),
        ("か\u{3099}く", ["か\u{3099}", "く"]),
        ("葛\u{E0100}城", ["葛", "城"]), ("ที่นี่", ["ที่", "นี่"]), ("ខ្មែរ", ["ខ្", "មែ", "រ"]),
        ("二〇二四a", ["二", "〇", "二", "四", "a"]),
        ("👩‍👩‍👧 ❤️ ok", ["ok"]), ("𐐀𐐁 𝐀", ["𐐨𐐩", "𝐀"]), ("ﬁne", ["fine"]), ("x\0y", ["x", "y"]),
    ]

    @Test(arguments: examples)
    func `texts and their words`(text: String, words: [String]) {
        #expect(Self.words(text).map { Array($0.utf8) } == words.map { Array($0.utf8) }, "\(text)")
    }

    @Test func `a long word ends with a whole scalar, at 128 bytes`() {
        let ascii = String(repeating: "a", count: 200)
        #expect(Self.words(ascii + " b") == [String(repeating: "a", count: 128), "b"])
        // 127 bytes, then one of two bytes: it doesn't fit, and nothing behind it is taken instead.
        let text = String(repeating: "a", count: 127) + "é" + "b"
        #expect(Self.words(text) == [String(repeating: "a", count: 127)])
        let exact = String(repeating: "a", count: 126) + "é"
        #expect(Self.words(exact + "b") == [exact])
        #expect(
            Self.words(String(repeating: "ẞ", count: 100)) == [String(repeating: "ss", count: 64)])
    }

    @Test func `bytes that are no UTF-8 separate words`() {
        let bytes: [UInt8] = [
            0x61, 0xFF, 0x62, 0xC3, 0x63, 0xE2, 0x82, 0x64, 0xED, 0xA0, 0x80, 0x65,
        ]
        #expect(Self.words(bytes) == [[0x61], [0x62], [0x63], [0x64], [0x65]])
    }

    @Test func `distinct words are each once, ascending by bytes`() {
        let words = TextTokenizer.distinctWords(in: "b A é a B é z")
        #expect(words == ["a", "b", "z", "é"].map { Array($0.utf8) })
        #expect(TextTokenizer.distinctWords(in: "…") == [])
    }

    @Test func `classes agree with Swift's tables for all that both know`() {
        for value in UInt32(0)..<0x11_0000 {
            guard let scalar = Unicode.Scalar(value), let age = scalar.properties.age,
                (age.major, age.minor) <= (15, 0)
            else { continue }
            let expected = NaiveText.category(scalar)
            let found: Character =
                switch WordClass(value) {
                case .separator: "S"
                case .letter, .single: "L"
                case .mark: "M"
                case .ignored: "I"
                }
            if found != expected {
                Issue.record("U+\(String(value, radix: 16)) is \(found), not \(expected)")
            }
            if scalar.properties.isIdeographic, expected == "L" {
                #expect(WordClass(value) == .single)
            }
        }
    }

    @Test func `the table is pinned`() {
        var classes: [UInt8] = []
        for value in UInt32(0)..<0x11_0000 { classes.append(UInt8(WordClass(value).rawValue)) }
        #expect(CRC32C.checksum(classes) == 0x5D32_5D9C)
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `random texts have the words that Swift's tables give`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "a", "B", "ß", "é", "e\u{301}", "\u{301}", " ", "'", "-", "7", "東", "か", "ก", "ี",
            "\u{AD}", "\u{200B}",
            "\u{200D}", "ﬃ", "Σ", "\0", "😀", "한", String(repeating: "w", count: 70),
        ]
        for step in 0..<3_000 {
            let text = (0..<random.below(12)).map { _ in pieces[random.below(pieces.count)] }
                .joined()
            let expected = NaiveText.words(text).map { Array($0.utf8) }
            #expect(Self.words(Array(text.utf8)) == expected, "seed \(seed), step \(step): \(text)")
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `random bytes give bounded words, and each is its own`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for step in 0..<2_000 {
            let bytes = (0..<random.below(300)).map { _ in
                random.chance(1, in: 3)
                    ? UInt8(random.below(256)) : UInt8(ascii: "a") + UInt8(random.below(26))
            }
            for word in Self.words(bytes) {
                #expect(1...TextTokenizer.wordBytesMax ~= word.count, "seed \(seed), step \(step)")
                #expect(Self.words(word) == [word], "seed \(seed), step \(step): \(bytes)")
            }
        }
    }
}
