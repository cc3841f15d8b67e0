// A place in the log.

/// A log file and a byte offset in it. Ordered as the log is: files by number, then offset.
package struct LogPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var file: FileNumber
    package var offset: UInt64

    package init(file: FileNumber, offset: UInt64) {
        self.file = file
        self.offset = offset
    }

    /// From a location word, whose tag is 0.
    package init(word: UInt64) {
        let location = Location(word: word)
        self.init(file: location.file, offset: location.offset)
    }

    package var word: UInt64 { Location(file: file, offset: offset, tag: false).word }

    package static func < (a: LogPosition, b: LogPosition) -> Bool {
        a.file == b.file ? a.offset < b.offset : a.file < b.file
    }

    package var description: String { "\(file):\(offset)" }
}
