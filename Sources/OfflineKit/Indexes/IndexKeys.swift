// A record's entries in the index trees. They are a pure function of the record and the index's
// definition, so they are never logged: recovery, bulk builds, verify and every write derive them
// here.
//
// An index tree holds keys only:
//
//     entry         value, of each of the index's paths one after another (Keys/KeyLayout.swift),
//     then the record's key array marker  00, ordinal of the path (1 byte), then the record's key
//
// - A missing field has the value null, so every record has exactly one entry and an index can
//   serve any sort.
// - An array is one value, as a whole. A path that steps through an array (a name, or a position
//   that the array doesn't have, where an array stands) leads to no one value; the entry then has
//   null there.
// - Each path at which that is so (the value is an array, or the path steps through one) adds a
//   marker. 00 is below the first byte of every value, so markers come first: their exact count per
//   path is the count of a range, and while it is zero what the entries say about the path is all
//   there is to know.
// - The values take 512 bytes at most; longer ones are cut there and a byte 00 follows (KeyLayout,
//   "Cut keys"). The record's key is never cut. So an entry takes at most 513 + 1,024 bytes.
// - A unique index constrains the records in which no value is null: of two such records the values
//   differ.
internal import OfflineBytes

/// Derives the index entries of one collection's records, with the paths bound to a dictionary.
struct IndexKeys: Sendable {
    /// The first byte of a marker.
    static let markerByte: UInt8 = 0x00
    /// An index has no more paths; so that ordinals fit their byte, and a set of them a word.
    static let pathCountMax = 32

    private struct Index: Sendable {
        let number: UInt32
        let paths: [BoundPath]
    }
    private let indexes: [Index]

    init(_ collection: CollectionState, _ names: NameDictionary) {
        indexes = collection.indexes.map { index in
            Index(number: index.number, paths: index.paths.map { BoundPath($0, in: names) })
        }
    }

    /// Appends the record's entries, ascending by tree, then by key. The names may be newer than
    /// the record.
    @unsafe
    func append(_ record: RecordView, key: RawSpan, to keys: inout DerivedKeys) {
        for index in indexes {
            let arrays = unsafe Self.appendEntry(index, record, key, &keys)
            if arrays == 0 { continue }
            // Markers are before the entry: they are appended first, the entry once more.
            keys.removeLast()
            for ordinal in 0..<index.paths.count where arrays & 1 << UInt32(ordinal) != 0 {
                keys.append(index: index.number) { bytes in
                    bytes.append(Self.markerByte)
                    bytes.append(UInt8(ordinal))
                    bytes.append(key)
                }
            }
            _ = unsafe Self.appendEntry(index, record, key, &keys)
        }
    }

    /// Appends the entry; the set of the paths' ordinals at which there is an array, a bit each.
    @unsafe
    private static func appendEntry(
        _ index: Index, _ record: RecordView, _ key: RawSpan, _ keys: inout DerivedKeys
    ) -> UInt32 {
        var arrays: UInt32 = 0
        keys.append(index: index.number) { bytes in
            let start = bytes.count
            for (ordinal, path) in index.paths.enumerated() {
                let found = unsafe path.resolve(in: record.root)
                if unsafe found.isThroughArray { arrays |= 1 << UInt32(ordinal) }
                if let value = unsafe found.value {
                    unsafe KeyEncoder.append(value, record.names, to: &bytes)
                } else {
                    KeyEncoder.append(.null, to: &bytes)
                }
            }
            _ = KeyEncoder.cut(&bytes, from: start)
            bytes.append(key)
        }
        return arrays
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
        of entry: [UInt8], pathCount: Int
    ) throws(OfflineError) -> IndexEntryParts {
        guard let parts = KeyDecoder.indexEntryParts(entry, valueCount: pathCount) else {
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
