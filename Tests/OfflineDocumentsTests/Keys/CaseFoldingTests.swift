import Foundation
import OfflineBytes
import Testing

@testable import OfflineDocuments

@Suite struct CaseFoldingTests {
    private func folded(_ text: String) -> String {
        String(decoding: CaseFolding.fold(text), as: UTF8.self)
    }

    private func folded(bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        unsafe bytes.withUnsafeBytes { unsafe CaseFolding.append($0, to: &result) }
        return result
    }

    /// Whether this scalar was there in the version of our table: Swift's own may be newer.
    private func isKnown(_ scalar: Unicode.Scalar) -> Bool {
        guard let age = scalar.properties.age else { return false }
        return (age.major, age.minor) <= (15, 0)
    }

    @Test(
        arguments: [
            ("", ""), ("abc xyz 09 @[`{", "abc xyz 09 @[`{"), ("ABC XYZ", "abc xyz"),
            ("\0\u{1}\u{7F}", "\0\u{1}\u{7F}"),
            // Latin
            ("Straße", "strasse"), ("STRASSE", "strasse"), ("GROẞ", "gross"), ("ÀÉÎÕÜÞ", "àéîõüþ"),
            ("×÷", "×÷"), ("ĀĂĄ", "āăą"), ("ŸŹŻŽ", "ÿźżž"), ("ſ", "s"), ("K", "k"), ("Å", "å"),
            ("µ", "μ"), ("ŉ", "ʼn"), ("ǰ", "j\u{30C}"), ("Ǆ ǅ ǆ", "ǆ ǆ ǆ"), ("Ǳ ǲ ǳ", "ǳ ǳ ǳ"),
            ("ẞ ẖ ẗ ẘ ẙ ẚ ẛ", "ss h\u{331} t\u{308} w\u{30A} y\u{30A} aʾ ṡ"),
            ("Ɓ Ɔ Ɖ Ɲ Ʋ", "ɓ ɔ ɖ ɲ ʋ"), ("Ỿ", "ỿ"),
            // Turkish letters fold without regard to the language.
            ("İ", "i\u{307}"), ("I", "i"), ("ı", "ı"),
            ("ISTANBUL İstanbul", "istanbul i\u{307}stanbul"),
            // Ligatures
            ("ﬀ ﬁ ﬂ ﬃ ﬄ ﬅ ﬆ", "ff fi fl ffi ffl st st"), ("ﬓ ﬔ ﬕ ﬖ ﬗ", "մն մե մի վն մխ"),
            ("և", "եւ"), ("Œ Æ Ĳ", "œ æ ĳ"),
            // Greek
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ"), ("Σίσυφος", "σίσυφοσ"), ("ς", "σ"),
            ("ϐ ϑ ϕ ϖ ϰ ϱ ϵ", "β θ φ π κ ρ ε"),
            ("\u{345}", "ι"), ("\u{390}", "\u{3B9}\u{308}\u{301}"),
            ("\u{3B0}", "\u{3C5}\u{308}\u{301}"),
            ("ᾳ ᾼ", "αι αι"), ("ᾈ", "ἀι"), ("ῷ", "\u{3C9}\u{342}ι"), ("Ω", "ω"), ("ϴ Ϲ", "θ ϲ"),
            ("\u{1FBE}", "ι"), ("\u{1F80}\u{1F88}", "\u{1F00}ι\u{1F00}ι"),
            // Cyrillic, Armenian, Georgian, Glagolitic, Coptic
            ("ПРИВЕТ Ё", "привет ё"), ("Ҁ Ҋ Ӏ", "ҁ ҋ ӏ"), ("ᲀ ᲁ ᲈ", "в д ꙋ"), ("ԱՖ", "աֆ"),
            ("ႠჅ", "ⴀⴥ"), ("ᲐᲿ", "აჿ"), ("აჰ", "აჰ"), ("ⰀⰮ", "ⰰⱞ"), ("ⲀⲂ", "ⲁⲃ"),
            // Cherokee folds to its capitals, which were there first.
            ("Ꭰ", "Ꭰ"), ("ꭰ", "Ꭰ"), ("Ᏽ", "Ᏽ"), ("ᏸ", "Ᏸ"), ("ꮿ", "Ꮿ"),
            // Beyond the first plane
            ("𐐀𐐧", "𐐨𐑏"), ("𐒰𐓓", "𐓘𐓻"), ("𐲀", "𐳀"), ("𑢠", "𑣀"), ("𖹀", "𖹠"), ("𞤀𞤡", "𞤢𞥃"),
            ("𐕰", "𐖗"),
            // Other forms
            ("ＡＺ", "ａｚ"), ("Ⅷ", "ⅷ"), ("Ⓐ", "ⓐ"), ("Ꙁ Ꜣ Ꞵ Ꞔ", "ꙁ ꜣ ꞵ ꞔ"), ("Ɥ", "ɥ"), ("Ꟶ", "ꟶ"),
            // Nothing to fold
            ("日本語 かな カナ 한글", "日本語 かな カナ 한글"), ("עברית العربية हिन्दी", "עברית العربية हिन्दी"),
            ("😀👩‍👩‍👧", "😀👩‍👩‍👧"), ("ﬡ ﬠ", "ﬡ ﬠ"),
        ])
    func `known texts`(_ text: String, _ expected: String) {
        #expect(Array(folded(text).unicodeScalars) == Array(expected.unicodeScalars), "\(text)")
        #expect(folded(expected).utf8.elementsEqual(expected.utf8), "\(expected) folds to itself")
    }

    @Test func `ascii folds as its letters do`() {
        for byte in UInt8(0)..<128 {
            let isCapital = UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
            #expect(folded(bytes: [byte]) == [isCapital ? byte + 32 : byte], "\(byte)")
        }
    }

    @Test func `the table is Unicode 15.0, to the last scalar`() {
        var pinned: [UInt8] = []
        var count = 0
        for value in UInt32(0)..<0x11_0000 where !(0xD800...0xDFFF ~= value) {
            var bytes: [UInt8] = []
            UTF8Scalars.append(value, to: &bytes)
            let result = folded(bytes: bytes)
            if result == bytes { continue }
            count += 1
            pinned += bytes + result
        }
        // Rows with status C or F, and the checksum of these rows' UTF-8, as taken from CaseFolding.txt.
        #expect(count == 1530)
        #expect(CRC32C.checksum(pinned) == 0xF05D_E8D3)
    }

    @Test func `Swift's tables agree on what folds, and on what differs in case only`() {
        for value in UInt32(0x80)..<0x1_F000 {
            guard let scalar = Unicode.Scalar(value), isKnown(scalar) else { continue }
            let text = String(scalar)
            let result = folded(text)
            if scalar.properties.changesWhenCaseFolded {
                #expect(!result.utf8.elementsEqual(text.utf8), "U+\(String(value, radix: 16))")
            } else {
                // What only takes the scalar apart is no change of case. Swift compares by canonical equivalence.
                #expect(result == text, "U+\(String(value, radix: 16))")
            }
            if scalar.properties.changesWhenLowercased {
                let lower = folded(scalar.properties.lowercaseMapping)
                #expect(result.utf8.elementsEqual(lower.utf8), "U+\(String(value, radix: 16))")
            }
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `random bytes never trap, fold once, and piece by piece`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces: [[UInt8]] = [
            [0xC3, 0x9F], [0xE1, 0xBA, 0x9E], [0xF0, 0x90, 0x90, 0x80], [0xEF, 0xAC, 0x83], [0x41],
            [0xC3], [0xE1, 0xBA], [0xF0, 0x90, 0x90], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0x9F],
            [0xF4, 0x90, 0x80, 0x80], [0xFF],
        ]
        for step in 0..<2_000 {
            var bytes: [UInt8] = []
            for _ in 0..<random.below(8) {
                bytes += random.chance(1, in: 2) ? random.pick(pieces) : random.bytes()
            }
            let place: Comment = "seed \(seed), step \(step): \(bytes)"
            let once = folded(bytes: bytes)
            #expect(folded(bytes: once) == once, place)
            #expect(once.count <= 3 * bytes.count, place)
            let text = String(decoding: bytes, as: UTF8.self)
            let parts = text.unicodeScalars.flatMap { CaseFolding.fold(String($0)) }
            #expect(CaseFolding.fold(text) == parts, place)
        }
    }
}

@Suite struct FoldedKeyTests {
    @Test(
        arguments: [
            ("Straße", "STRASSE"), (["A", ["b": "C"]], ["a", ["b": "c"]]),
            (["n": ["X\0Y"]], ["n": ["x\0y"]]),
            (1, 1.0), (.null, .null), (["a": true], ["a": true]),
        ] as [(Value, Value)])
    func `what differs in case only has one folded key`(_ a: Value, _ b: Value) {
        #expect(KeyEncoder.foldedKey(a) == KeyEncoder.foldedKey(b))
    }

    @Test func `names of fields and data are not folded`() {
        #expect(KeyEncoder.foldedKey(["A": 1]) == KeyEncoder.key(["A": 1]))
        let data = Value.data(.init("ABC".utf8))
        #expect(KeyEncoder.foldedKey(data) == KeyEncoder.key(data))
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `a folded key is the key of the folded value, from records too`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for step in 0..<1_000 {
            let value = random.value()
            let operand = try EncodedOperand(value)
            let key = KeyEncoder.foldedKey(value)
            #expect(key == KeyEncoder.key(value.folded), "seed \(seed), step \(step): \(value)")
            var encoded: [UInt8] = []
            unsafe KeyEncoder.append(operand.encoded, operand.names, folded: true, to: &encoded)
            #expect(encoded == key, "seed \(seed), step \(step): \(value)")
        }
    }
}

extension Value {
    /// The value with its strings folded one by one.
    fileprivate var folded: Value {
        switch self {
        case .string(let text): .string(String(decoding: CaseFolding.fold(text), as: UTF8.self))
        case .array(let elements): .array(elements.map(\.folded))
        case .object(let document):
            .object(Document(fields: document.map { ($0.name, $0.value.folded) }))
        default: self
        }
    }
}
