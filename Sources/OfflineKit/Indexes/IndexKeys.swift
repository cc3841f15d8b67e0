// A record's entries in the index trees. They are a pure function of the record and the index's
// definition, so they are never logged: recovery, bulk builds, verify and every write derive them
// here.
//
// An index tree holds keys only:
//
//     entry         values (Keys/KeyLayout.swift), then the record's key
//     array marker  00, ordinal of the path (1 byte), then the record's key
//     word          a word as a string, then the record's key, then two bytes (TextIndex)
//
// What the values are is the index's kind:
//
// - plain: the value of each path, one after another. A missing field has the value null, so every
//   record has exactly one entry and an index can serve any sort. An array is one value, as a
//   whole. A path that steps through an array (a name, or a position that the array doesn't have,
//   where an array stands) leads to no one value; the entry then has null there.
// - case-insensitive, on one path: the value with its strings folded (Keys/CaseFolding), then the
//   value. So entries whose strings differ in case only are neighbours, in the order of their
//   bytes, and sorting from the index needs no records.
// - multi-entry, on one path: a value for each distinct element or single value that the path leads
//   to, as conditions look at them; null where something is missing, none for `[]`. So a test of
//   one value holds of some of them exactly if an entry is in the test's range. (Only the elements
//   of an array count here, not the array: whoever asks for arrays asks the markers.) In a
//   case-insensitive one elements are distinct if they fold to different values; of those that fold
//   to the same, the least is the entry's value.
// - partial: the same, of the records for which the index's condition holds; all others have
//   nothing in the tree.
//
// Rules for all of them but words:
//
// - A record has a marker for each path at which there is an array: the value is one, or the path
//   steps through one. 00 is below the first byte of every value, so markers come first: their
//   exact count per path is the count of a range, and while it is zero what the entries say about
//   the path is all there is to know.
// - The values take 512 bytes at most; longer ones are cut there and a byte 00 follows (KeyLayout,
//   "Cut keys"). The record's key is never cut. So an entry takes at most 513 + 1,024 bytes.
// - A unique index constrains the entries in which no value is null: of two such entries, of
//   different records, the values differ; of a case-insensitive one, the folded values.
// - One record's entries are distinct.
internal import OfflineBytes

/// Derives the index entries of one collection's records, with the paths bound to a dictionary.
struct IndexKeys: Sendable {
    /// The first byte of a marker.
    static let markerByte: UInt8 = 0x00
    /// An index has no more paths; so that ordinals fit their byte, and a set of them a word.
    static let pathCountMax = 32

    private let indexes: [BoundIndex]

    init(_ collection: CollectionState, _ names: NameDictionary) {
        indexes = collection.indexes.map { BoundIndex($0, in: names) }
    }

    /// Appends the record's entries, ascending by tree, then by key. The names may be newer than
    /// the record.
    @unsafe
    func append(_ record: RecordView, key: RawSpan, to keys: inout DerivedKeys) {
        var scratch = PredicateScratch()
        for index in indexes {
            if let condition = index.condition,
                unsafe !condition.matches(record, &scratch)
            {
                continue
            }
            switch index.form {
            case .values(let paths):
                unsafe index.appendValues(paths, record, key, &keys)
            case .elements(let path):
                unsafe index.appendElements(path, record, key, &keys)
            case .words(let paths):
                unsafe TextIndex.append(index.number, paths, record, key, &keys)
            }
        }
    }
}

/// What is needed of an index to derive its entries.
struct BoundIndex: Sendable {
    enum Form: Sendable {
        /// One entry, of the value of each path.
        case values([BoundPath])
        /// An entry for each element.
        case elements(CompiledPath)
        /// An entry for each word.
        case words([CompiledPath])
    }
    let number: UInt32
    let form: Form
    /// Folded values come before the values.
    let isFolded: Bool
    /// Nil where all records have entries.
    let condition: Predicate?

    init(_ index: IndexState, in names: NameDictionary) {
        number = index.number
        isFolded = index.isFolded
        condition = index.condition.map { Predicate($0, in: names) }
        if index.isFullText {
            form = .words(index.paths.map { $0.compiled(in: names) })
        } else if index.isMultiEntry {
            form = .elements(index.paths[0].compiled(in: names))
        } else {
            form = .values(index.paths.map { BoundPath($0, in: names) })
        }
    }

    /// Appends one record's entry, behind its markers.
    @unsafe
    fileprivate func appendValues(
        _ paths: [BoundPath], _ record: RecordView, _ key: RawSpan, _ keys: inout DerivedKeys
    ) {
        let arrays = unsafe appendEntry(paths, record, key, &keys)
        if arrays == 0 { return }
        // Markers are before the entry: they are appended first, the entry once more.
        keys.removeLast()
        for ordinal in 0..<paths.count where arrays & 1 << UInt32(ordinal) != 0 {
            appendMarker(ofPath: UInt8(ordinal), key, &keys)
        }
        _ = unsafe appendEntry(paths, record, key, &keys)
    }

    /// Appends the entry; the set of the paths' ordinals at which there is an array, a bit each.
    @unsafe
    private func appendEntry(
        _ paths: [BoundPath], _ record: RecordView, _ key: RawSpan, _ keys: inout DerivedKeys
    ) -> UInt32 {
        var arrays: UInt32 = 0
        keys.append(index: number) { bytes in
            let start = bytes.count
            for (ordinal, path) in paths.enumerated() {
                let found = unsafe path.resolve(in: record.root)
                if unsafe found.isThroughArray { arrays |= 1 << UInt32(ordinal) }
                unsafe appendValue(found.value, record.names, &bytes)
            }
            _ = KeyEncoder.cut(&bytes, from: start)
            bytes.append(key)
        }
        return arrays
    }

    /// Appends an entry for each distinct element, behind the marker.
    @unsafe
    fileprivate func appendElements(
        _ path: CompiledPath, _ record: RecordView, _ key: RawSpan, _ keys: inout DerivedKeys
    ) {
        var hasArray = false
        let first = keys.entries.count
        func append(_ value: EncodedValue?) {
            keys.append(index: number) { bytes in
                let start = bytes.count
                unsafe appendValue(value, record.names, &bytes)
                _ = KeyEncoder.cut(&bytes, from: start)
                bytes.append(key)
            }
        }
        let crossedArray = unsafe record.root.visit(path) { value, isElement in
            if let value = unsafe value, unsafe value.kind == .array {
                hasArray = true
                if !isElement {
                    for position in 0..<(unsafe value.count) {
                        unsafe append(value.element(position))
                    }
                    return true
                }
            }
            unsafe append(value)
            return true
        }
        if hasArray || crossedArray { appendMarker(ofPath: 0, key, &keys) }
        if keys.entries.count - first > 1 { keys.makeDistinct(from: first, folded: isFolded) }
    }

    private func appendMarker(
        ofPath ordinal: UInt8, _ key: RawSpan, _ keys: inout DerivedKeys
    ) {
        keys.append(index: number) { bytes in
            bytes.append(IndexKeys.markerByte)
            bytes.append(ordinal)
            bytes.append(key)
        }
    }

    /// Appends a value as entries have it; null where it is missing.
    @unsafe
    private func appendValue(
        _ value: EncodedValue?, _ names: NameDictionary, _ bytes: inout [UInt8]
    ) {
        if isFolded { unsafe Self.append(value, names, folded: true, &bytes) }
        unsafe Self.append(value, names, folded: false, &bytes)
    }

    @unsafe
    private static func append(
        _ value: EncodedValue?, _ names: NameDictionary, folded: Bool, _ bytes: inout [UInt8]
    ) {
        if let value = unsafe value {
            unsafe KeyEncoder.append(value, names, folded: folded, to: &bytes)
        } else {
            KeyEncoder.append(.null, to: &bytes)
        }
    }
}

// MARK: - Places in an index tree

extension IndexKeys {
    /// All entries, without the markers.
    static var entries: KeyRange { KeyRange(lower: [markerByte + 1], upper: nil) }

    /// The markers of one path.
    static func markers(ofPath ordinal: Int) -> KeyRange {
        let ordinal = UInt8(truncatingIfNeeded: ordinal)
        return KeyRange(lower: [markerByte, ordinal], upper: [markerByte, ordinal + 1])
    }

    /// Where the record's key begins in a marker.
    static let markerLength = 2

    /// Where the record's key begins in an entry, and whether the values before it were cut.
    /// `.corrupted` for other bytes.
    static func parts(
        of entry: [UInt8], valueCount: Int
    ) throws(OfflineError) -> IndexEntryParts {
        guard let parts = KeyDecoder.indexEntryParts(entry, valueCount: valueCount) else {
            throw OfflineError(.corrupted, "an index entry of \(entry.count) bytes is malformed")
        }
        return parts
    }
}

extension [UInt8] {
    /// Appends the bytes.
    @inline(always)
    mutating func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}
