internal import Testing

@testable internal import OfflineCLI

@Suite struct LineReaderTests {
    /// All lines, read in chunks of `size` bytes.
    private func lines(
        _ text: String, chunk size: Int, max: Int = 1_000
    ) throws -> [LineReader.Line] {
        var rest = Array(text.utf8)
        var reader = LineReader(lineBytesMax: max) {
            defer { rest.removeFirst(min(size, rest.count)) }
            return Array(rest.prefix(size))
        }
        var lines: [LineReader.Line] = []
        while let line = try reader.next() {
            lines.append(line)
            #expect(reader.number == lines.count)
        }
        #expect(reader.bytesRead == text.utf8.count)
        return lines
    }

    private func text(_ text: String) -> LineReader.Line { .text(Array(text.utf8)) }

    @Test(arguments: [1, 2, 3, 7, 100])
    func `lines are the same whatever the chunks are`(size: Int) throws {
        #expect(try lines("", chunk: size) == [])
        #expect(try lines("a", chunk: size) == [text("a")])
        #expect(try lines("a\n", chunk: size) == [text("a")])
        #expect(try lines("\n", chunk: size) == [text("")])
        #expect(try lines("ab\n\ncde\r\nf", chunk: size) == ["ab", "", "cde\r", "f"].map(text))
    }

    @Test(arguments: [1, 3, 100])
    func `a mark at the beginning is no part of the first line`(size: Int) throws {
        #expect(try lines("\u{FEFF}a\n\u{FEFF}b", chunk: size) == [text("a"), text("\u{FEFF}b")])
    }

    @Test(arguments: [1, 4, 100])
    func `a line that is too long is passed over`(size: Int) throws {
        let found = try lines("abcdef\nabcde\nabcdefghijkl", chunk: size, max: 5)
        #expect(found == [.tooLong, text("abcde"), .tooLong])
    }
}
