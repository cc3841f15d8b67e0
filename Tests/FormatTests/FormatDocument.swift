// The examples of FORMAT.md, read out of the document itself, so that it can't say one thing and
// the code do another.
//
// An example is a fenced block whose info string begins with `hex`; its rows are
//
//     0040  4F 46 52 4D  'text'  00 x 12  | what the bytes are
//
// an offset, bytes (in hexadecimal, as ASCII in quotes, or one byte many times), a bar and an
// explanation. In a block that begins with `bytes` the rows have no offset, and each stands alone.
import Foundation
import Testing

/// One fenced block of examples.
struct FormatExample: CustomTestStringConvertible, Sendable {
    struct Row: Sendable {
        /// The line in FORMAT.md.
        var line: Int
        var offset: Int?
        var bytes: [UInt8]
        var text: String
    }
    /// The words of the info string behind the first.
    var words: [String]
    var rows: [Row] = []

    /// All rows' bytes, one after another.
    var bytes: [UInt8] { rows.flatMap(\.bytes) }
    var start: Int { rows.first?.offset ?? 0 }
    var testDescription: String { words.joined(separator: " ") + " in line \(rows[0].line)" }
}

/// What is wrong with the document.
struct FormatDocumentError: Error, CustomStringConvertible {
    var line: Int
    var reason: String
    var description: String { "FORMAT.md, line \(line): \(reason)" }
}

/// FORMAT.md.
enum FormatDocument {
    static let path = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "FORMAT.md")

    /// The blocks of one kind: all whose info string begins with `kind`, then `name`.
    static func examples(_ kind: String, _ name: String) throws -> [FormatExample] {
        let text = try String(contentsOf: path, encoding: .utf8)
        var examples: [FormatExample] = []
        var current: FormatExample?
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            guard line.hasPrefix("```") else {
                let hasOffset = kind == "hex"
                current?.rows.append(try row(line, number: index + 1, hasOffset: hasOffset))
                continue
            }
            if let example = current {
                examples.append(example)
                current = nil
            } else {
                let words = line.dropFirst(3).split(separator: " ").map(String.init)
                if words.starts(with: [kind, name]) {
                    current = FormatExample(words: Array(words.dropFirst()))
                }
            }
        }
        for example in examples { try checkOffsets(example) }
        return examples
    }

    /// Rows with offsets follow each other without a gap.
    private static func checkOffsets(_ example: FormatExample) throws {
        guard !example.rows.isEmpty else {
            throw FormatDocumentError(line: 0, reason: "\(example.words) has no rows")
        }
        for (row, next) in zip(example.rows, example.rows.dropFirst()) {
            guard let offset = row.offset, let following = next.offset else { continue }
            if following != offset + row.bytes.count {
                let right = String(offset + row.bytes.count, radix: 16)
                throw FormatDocumentError(
                    line: next.line, reason: "the offset should be \(right)")
            }
        }
    }

    private static func row(
        _ line: Substring, number: Int, hasOffset: Bool
    ) throws -> FormatExample.Row {
        guard let bar = line.range(of: " | ") else {
            throw FormatDocumentError(line: number, reason: "a row without a bar")
        }
        var rest = line[..<bar.lowerBound]
        let text = String(line[bar.upperBound...])
        var offset: Int?
        if hasOffset {
            let word = rest.prefix { $0 != " " }
            rest = rest.dropFirst(word.count)
            offset = Int(word, radix: 16)
            if offset == nil { throw FormatDocumentError(line: number, reason: "no offset") }
        }
        let bytes = try bytes(rest, number: number)
        return FormatExample.Row(line: number, offset: offset, bytes: bytes, text: text)
    }

    private static func bytes(_ text: Substring, number: Int) throws -> [UInt8] {
        var rest = text.drop { $0 == " " }
        var bytes: [UInt8] = []
        while !rest.isEmpty {
            if rest.hasPrefix("'") {
                let quoted = rest.dropFirst().prefix { $0 != "'" }
                bytes += Array(quoted.utf8)
                rest = rest.dropFirst(quoted.count + 2)
            } else if rest.hasPrefix("x ") {
                let count = rest.dropFirst(2).prefix { $0 != " " }
                guard let times = Int(count), let last = bytes.last else {
                    throw FormatDocumentError(line: number, reason: "how many times?")
                }
                bytes += [UInt8](repeating: last, count: times - 1)
                rest = rest.dropFirst(2 + count.count)
            } else {
                let word = rest.prefix { $0 != " " }
                guard word.count == 2, let byte = UInt8(word, radix: 16) else {
                    throw FormatDocumentError(line: number, reason: "\"\(word)\" is no byte")
                }
                bytes.append(byte)
                rest = rest.dropFirst(2)
            }
            rest = rest.drop { $0 == " " }
        }
        return bytes
    }

    /// Bytes as a row would have them, for failure messages.
    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "0" + digits : digits
        }.joined(separator: " ")
    }
}
