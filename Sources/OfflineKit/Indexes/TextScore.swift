// How well a record matches a search: BM25. A word counts the more the fewer records have it, and
// in a record the more often it is there, less and less so; long records count less.
//
// Exact: the number of records, of those with each word, and the records' mean length come from
// the counted trees. Rounded: a record's own length, by its class (TextIndex).
internal import Foundation

/// Scores records for one search.
struct TextScore {
    /// How much a word's repetition counts.
    private static let saturation = 1.2
    /// How much a record's length counts, from 0 to 1.
    private static let lengthWeight = 0.75

    /// The weight of each word of the search.
    private let weights: [Double]
    /// Distinct words a record, in the mean.
    private let meanLength: Double

    /// - Parameters:
    ///   - frequencies: For each word of the search, how many records have it.
    ///   - recordCount: How many records there are.
    ///   - entryCount: How many entries the index has.
    init(frequencies: [Int], recordCount: Int, entryCount: Int) {
        weights = frequencies.map { frequency in
            let with = Double(frequency)
            let without = Double(max(recordCount - frequency, 0))
            return log(1 + (without + 0.5) / (with + 0.5))
        }
        meanLength = max(Double(entryCount) / Double(max(recordCount, 1)), 1)
    }

    /// For who doesn't see all records, and must not tell by the order of those seen how many others have a word: all words
    /// count the same, and a record's length against a length that is none's.
    init(wordCount: Int) {
        weights = Array(repeating: 1, count: wordCount)
        meanLength = 16
    }

    /// What one word adds to a record's score: always above 0.
    func score(word: Int, count: UInt8, lengthClass: UInt8) -> Double {
        let length = Double(TextIndex.length(ofClass: lengthClass)) / meanLength
        let share = 1 - TextScore.lengthWeight + TextScore.lengthWeight * length
        let count = Double(count)
        let saturation = TextScore.saturation
        return weights[word] * count * (saturation + 1) / (count + saturation * share)
    }
}
