// The entries of a full-text index: for each record, one for each distinct word of the strings at
// the index's paths (TextTokenizer says what a word is; strings that are elements of arrays count
// too, strings inside of objects that no path names don't).
//
//     entry   the word as a string (Keys/KeyLayout.swift), then the record's key, then
//             how often the record has the word, at most 255 (1 byte), and
//             the record's length class (1 byte)
//
// So the records that have a word are a range, in key order, and how many they are is its count. A
// record without words has no entry, and there are no markers. An entry takes at most 130 + 1,024 +
// 2 bytes.
//
// The length class stands for the number of the record's distinct words, so that ranking needs no
// record: it is the number itself up to 15, then 16 and on, eight classes for each doubling. The
// sum over all records is the number of entries in the tree.
internal import OfflineBytes

/// Makes and reads the entries.
enum TextIndex {
    /// Bytes of an entry behind the record's key.
    static let suffixLength = 2
    /// A word that is there more often counts as being there so often.
    static let countMax = 255

    /// Appends one record's entries, ascending.
    @unsafe
    static func append(
        _ number: UInt32, _ paths: [CompiledPath], _ record: RecordView, _ key: RawSpan,
        _ keys: inout DerivedKeys
    ) {
        // Each occurrence of a word, as a string.
        var words = DerivedKeys()
        var memory: [UInt8] = []
        func append(_ value: EncodedValue) {
            guard unsafe value.kind == .string else { return }
            unsafe TextTokenizer.forEachWord(in: value.bytes, using: &memory) { word in
                words.append(index: 0) { appendWord(word, to: &$0) }
            }
        }
        for path in paths {
            unsafe record.root.visit(path) { value, isElement in
                guard let value = unsafe value else { return true }
                if !isElement, unsafe value.kind == .array {
                    for index in 0..<(unsafe value.count) { unsafe append(value.element(index)) }
                } else {
                    unsafe append(value)
                }
                return true
            }
        }
        words.sort()
        let length = lengthClass(words.distinctCount)
        words.forEachDistinct { word, count in
            keys.append(index: number) { bytes in
                bytes.append(contentsOf: word)
                bytes.append(key)
                bytes.append(UInt8(clamping: count))
                bytes.append(length)
            }
        }
    }

    /// Appends what all entries of a word begin with.
    static func appendWord(_ word: [UInt8], to bytes: inout [UInt8]) {
        unsafe word.withUnsafeBytes { unsafe KeyEncoder.append(utf8: $0, to: &bytes) }
    }

    /// The entries of a word.
    static func entries(of word: [UInt8]) -> KeyRange {
        var prefix: [UInt8] = []
        appendWord(word, to: &prefix)
        return KeyRange(lower: prefix, upper: ByteOrder.successor(ofPrefix: prefix))
    }

    // MARK: Length classes

    /// The class of records with so many distinct words.
    static func lengthClass(_ count: Int) -> UInt8 {
        guard count >= 16 else { return UInt8(clamping: count) }
        let doublings = Int.bitWidth - 1 - count.leadingZeroBitCount
        let eighth = count >> (doublings - 3) & 7
        return UInt8(clamping: 16 + (doublings - 4) * 8 + eighth)
    }

    /// The least number of words of a class.
    static func length(ofClass lengthClass: UInt8) -> Int {
        guard lengthClass >= 16 else { return Int(lengthClass) }
        let (doublings, eighth) = (Int(lengthClass) - 16).quotientAndRemainder(dividingBy: 8)
        return (8 + eighth) << (doublings + 1)
    }
}

extension DerivedKeys {
    /// How many different keys there are. The list is sorted, and of one tree.
    fileprivate var distinctCount: Int {
        var count = 0
        forEachDistinct { _, _ in count += 1 }
        return count
    }

    /// Calls `body` with each different key, and how often it is there. The list is sorted, and of
    /// one tree.
    fileprivate func forEachDistinct(_ body: (_ key: ArraySlice<UInt8>, _ count: Int) -> Void) {
        var position = 0
        while position < entries.count {
            let first = key(entries[position])
            var end = position + 1
            while end < entries.count, key(entries[end]) == first { end += 1 }
            body(first, end - position)
            position = end
        }
    }
}
