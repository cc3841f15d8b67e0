// Where bytes are: file and offset in one word.

/// A file's number: its own for life, never reused within a store. 0 is no file.
package struct FileNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: UInt32
    package init(_ value: UInt32) { self.value = value }
    package static func < (a: FileNumber, b: FileNumber) -> Bool { a.value < b.value }
    package var description: String { String(value) }
}

/// A place in a file, as a word: file number in bits 32 to 63, offset / 8 in bits 1 to 31, a tag in bit 0. What the tag
/// says depends on who holds the word: in a child reference it tells a location (1) from an address in memory (0); in a
/// primary leaf it marks a location that is still relative to the transaction that made it (1).
package struct Location: Hashable, Sendable, CustomStringConvertible {
    package let word: UInt64

    package init(word: UInt64) { self.word = word }

    /// `offset` is a multiple of 8 and below `offsetLimit`.
    package init(file: FileNumber, offset: UInt64, tag: Bool) {
        assert(
            offset % 8 == 0 && offset < Location.offsetLimit,
            "a location is 8-byte aligned and in range")
        word = UInt64(file.value) << 32 | (offset >> 3) << 1 | (tag ? 1 : 0)
    }

    /// No file is larger than this (16 GiB).
    package static let offsetLimit: UInt64 = 1 << 34

    package var file: FileNumber { FileNumber(UInt32(truncatingIfNeeded: word >> 32)) }
    package var offset: UInt64 { ((word >> 1) & 0x7FFF_FFFF) << 3 }
    package var tag: Bool { word & 1 != 0 }
    package var description: String { "\(file):\(offset)" }
}
