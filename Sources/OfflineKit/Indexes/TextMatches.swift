// The records that a search finds: those that have any of its words, in key order or the best
// first.
//
// The entries of each word are in key order; walking all of them in step gives each record once,
// with all of its words. Nothing but the index is read, and of the records only the current one is
// held, or the best so many.
internal import OfflineBytes

/// A search in one full-text index, in one view.
struct TextMatches {
    /// More distinct words are no search but a document.
    static let wordsMax = 256

    private let view: ReadView
    private let collection: CollectionState
    private let index: IndexState
    /// The words that any record has: their entries, and how many those are.
    private let words: [(entries: KeyRange, count: Int)]
    private let score: TextScore

    /// The distinct words of a search. Throws `.invalidQuery` where they are too many: what is
    /// wrong with a query is found without data.
    static func words(of search: String) throws(OfflineError) -> [[UInt8]] {
        let words = TextTokenizer.distinctWords(in: search)
        guard words.count <= wordsMax else {
            throw OfflineError(
                .invalidQuery,
                "$text has \(words.count) different words; \(wordsMax) are allowed")
        }
        return words
    }

    /// A search for these distinct words, ascending as `words(of:)` gives them.
    init(
        _ view: ReadView, _ collection: CollectionState, _ index: IndexState, _ search: [[UInt8]]
    ) throws {
        self.view = view
        self.collection = collection
        self.index = index
        words = try search.map { word in
            let entries = TextIndex.entries(of: word)
            return (entries, try view.count(collection, index, in: entries))
        }.filter { $0.count > 0 }
        // Nor may a session learn from the order how frequent words are in what it can't see.
        if let reading = try view.reading(collection),
            !reading.reachesAll || index.paths.contains(where: reading.mayHide)
        {
            score = TextScore(wordCount: words.count)
            return
        }
        score = TextScore(
            frequencies: words.map(\.count), recordCount: try view.count(collection),
            entryCount: try view.count(collection, index, in: .all))
    }

    /// At least as many as there are matches; exact where the search has one word.
    var countMax: Int { words.reduce(0) { $0 + $1.count } }

    /// How many records match.
    func count() throws -> Int {
        if words.count < 2 { return countMax }
        var count = 0
        try forEach { _, _ in
            count += 1
            return true
        }
        return count
    }

    /// Calls `body` with the key of each record that matches and its score, in key order, until it
    /// returns false.
    func forEach(_ body: (_ key: [UInt8], _ score: Double) throws -> Bool) throws {
        var walk = try TextWalk(words.map { try view.entries(collection, index, in: $0.entries) })
        var key: [UInt8] = []
        var cancellation = CancellationCheck()
        while walk.copyKey(into: &key) {
            try cancellation.step()
            var sum = 0.0
            // In the order of the words, so that equal records have equal sums.
            while let entry = try walk.take(of: key) {
                sum += score.score(
                    word: entry.word, count: entry.count, lengthClass: entry.lengthClass)
            }
            guard try body(key, sum) else { return }
        }
    }

    /// The keys of the records that match best, the best first, those of equal score in key order:
    /// so many of them, or all.
    func best(_ limit: Int?) throws -> KeyList {
        var buffer = SortBuffer(capacity: limit)
        try forEach { key, score in
            var bytes: [UInt8] = []
            TextMatches.appendRank(of: score, to: &bytes)
            let keyStart = bytes.count
            bytes.append(contentsOf: key)
            buffer.add(bytes, keyStart: keyStart)
            return true
        }
        return buffer.sortedKeys(droppingFirst: 0)
    }

    /// Appends bytes that are the less in memcmp order the higher the score.
    static func appendRank(of score: Double, to bytes: inout [UInt8]) {
        // Scores are above 0, so their bits ascend as they do.
        bytes.appendBig(~score.bitPattern)
    }
}

/// Walks the entries of several words in step.
private struct TextWalk {
    struct Entry {
        let word: Int
        let count: UInt8
        let lengthClass: UInt8
    }

    private struct Word {
        let cursor: StorageCursor
        /// The current entry.
        var entry: [UInt8] = []
        /// Where the record's key is in it.
        var key = 0..<0
    }
    private var words: [Word]
    /// The words that have a current entry, the one with the least key last; of equal keys, the
    /// first word.
    private var order: [Int] = []

    init(_ cursors: [StorageCursor]) throws {
        words = cursors.map { Word(cursor: $0) }
        for word in words.indices { try advance(word) }
    }

    /// The least current key; false where there is none.
    func copyKey(into key: inout [UInt8]) -> Bool {
        guard let word = order.last else { return false }
        key.removeAll(keepingCapacity: true)
        key.append(contentsOf: self.key(of: word))
        return true
    }

    /// The next word's entry of the record with this key, which is the least; nil where no further
    /// word has one.
    mutating func take(of key: [UInt8]) throws -> Entry? {
        guard let word = order.last, self.key(of: word) == key[...] else { return nil }
        let end = words[word].key.upperBound
        let entry = Entry(
            word: word, count: words[word].entry[end], lengthClass: words[word].entry[end + 1])
        order.removeLast()
        try advance(word)
        return entry
    }

    private func key(of word: Int) -> ArraySlice<UInt8> { words[word].entry[words[word].key] }

    /// Reads the word's next entry, and puts the word in its place.
    private mutating func advance(_ word: Int) throws {
        guard try words[word].cursor.next() else { return }
        words[word].cursor.copyKey(into: &words[word].entry)
        let entry = words[word].entry
        let end = entry.count - TextIndex.suffixLength
        guard let start = KeyDecoder.length(entry, at: 0), start < end else {
            throw OfflineError(
                .corrupted, "a full-text index's entry of \(entry.count) bytes is malformed")
        }
        words[word].key = start..<end
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(word, order[middle]) { low = middle + 1 } else { high = middle }
        }
        order.insert(word, at: low)
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        let order = unsafe words[a].entry.withUnsafeBytes { left in
            unsafe words[b].entry.withUnsafeBytes { right in
                unsafe ByteOrder.compare(
                    UnsafeRawBufferPointer(rebasing: left[words[a].key]),
                    UnsafeRawBufferPointer(rebasing: right[words[b].key]))
            }
        }
        return order < 0 || order == 0 && a < b
    }
}
