// From text to words: how full-text indexes and searches see it. Entries depend on it, so it may
// never change with the Swift version, the system or the language; its tables are our own and
// pinned (WordTable, CaseFoldingTable).
//
// - A word is a run of letters, numbers and marks, folded (Keys/CaseFolding). Everything else
//   separates words, apostrophes and hyphens too: "dog's" is "dog" and "s", so that "dog" finds it,
//   as "homme" finds "l'homme"; who searches "don't" finds both of its words in one record first.
// - Scripts that write no spaces between words (Han, kana, Thai, Lao, Khmer, Myanmar and their
//   like) have one word a letter, with the marks on it.
// - A mark begins no word; invisible scalars (joiners, soft hyphens, selectors) are in no word and
//   end none, but for the zero-width space, which is there to separate words.
// - Nothing is normalized or stemmed: words are equal where their folded bytes are.
// - Of a long word the first 128 bytes count, less what would be a part of a scalar.
// - Bytes that are no UTF-8 separate words.
internal import OfflineBytes

/// Takes texts apart.
enum TextTokenizer {
    /// A word has no more bytes.
    static let wordBytesMax = 128

    /// Calls `body` with each word's UTF-8, in the order of the text. The bytes are valid until it
    /// returns. `word` is memory to use.
    @unsafe
    static func forEachWord(
        in utf8: UnsafeRawBufferPointer, using word: inout [UInt8],
        _ body: (_ word: [UInt8]) -> Void
    ) {
        word.removeAll(keepingCapacity: true)
        var isFull = false
        var isSingle = false
        func end(_ word: inout [UInt8]) {
            if !word.isEmpty { body(word) }
            word.removeAll(keepingCapacity: true)
            isFull = false
            isSingle = false
        }
        func extend(_ word: inout [UInt8], by range: Range<Int>) {
            if isFull { return }
            let length = word.count
            unsafe CaseFolding.append(UnsafeRawBufferPointer(rebasing: utf8[range]), to: &word)
            guard word.count > wordBytesMax else { return }
            word.removeSubrange(length...)
            isFull = true
        }
        var offset = 0
        while offset < utf8.count {
            let start = offset
            let scalar = unsafe UTF8Scalars.next(utf8, at: &offset)
            switch scalar.map(WordClass.init) ?? .separator {
            case .separator: end(&word)
            case .letter:
                if isSingle { end(&word) }
                extend(&word, by: start..<offset)
            case .single:
                end(&word)
                extend(&word, by: start..<offset)
                isSingle = true
            case .mark:
                if !word.isEmpty { extend(&word, by: start..<offset) }
            case .ignored: break
            }
        }
        end(&word)
    }

    /// The distinct words of a text, ascending by their bytes.
    static func distinctWords(in text: String) -> [[UInt8]] {
        var words: Set<[UInt8]> = []
        var memory: [UInt8] = []
        unsafe text.withUTF8Bytes { utf8 in
            unsafe forEachWord(in: utf8, using: &memory) { words.insert($0) }
        }
        return words.sorted { ByteOrder.compare($0, $1) < 0 }
    }
}
