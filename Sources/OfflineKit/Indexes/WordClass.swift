// What a scalar does to a word. The table is our own and pinned (WordTable.swift names its version).

/// A scalar's part in a text.
enum WordClass: UInt32 {
    /// It ends a word: blanks, punctuation, symbols.
    case separator = 0
    /// Letters and numbers: they make words.
    case letter = 1
    /// Marks that combine with what is before them: they go on with a word, and begin none.
    case mark = 2
    /// A letter of a script that writes no spaces between words: a word by itself.
    case single = 3
    /// Invisible: it is in no word and ends none.
    case ignored = 4

    /// The class of a scalar.
    init(_ scalar: UInt32) {
        let starts = WordTable.starts
        let sought = scalar << 3 | 7
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= sought { low = middle + 1 } else { high = middle }
        }
        guard low > 0, scalar <= WordTable.ends[low - 1] else {
            self = .separator
            return
        }
        self = WordClass(rawValue: starts[low - 1] & 7) ?? .separator
    }
}
