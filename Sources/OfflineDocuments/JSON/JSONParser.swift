// JSON text to values, by RFC 8259 and nothing beyond it: no comments, trailing commas, NaN, single quotes or byte order mark.
//
// The text may be any bytes. Invariants: nesting is bounded by `depthMax`, so recursion is; memory is in proportion to the text;
// every byte is looked at a bounded number of times. What is read out of a span is bounds-checked.
internal import Foundation

/// A parser of one JSON text. It reads the bytes in place and must not outlive them.
package struct JSONParser: ~Escapable {
    /// Arrays and objects inside each other, at most: a record's own limit.
    package static let depthMax = RecordLimits.depthMax

    private let bytes: Span<UInt8>
    private let depthMax: Int
    private var offset = 0

    @_lifetime(copy bytes)
    private init(_ bytes: Span<UInt8>, depthMax: Int) {
        self.bytes = bytes
        self.depthMax = depthMax
    }

    /// The value of a whole text. Anything that is no JSON is `.invalidJSON` with the byte offset.
    package static func value(
        _ text: Span<UInt8>, depthMax: Int = depthMax
    ) throws(OfflineError) -> Value {
        var parser = JSONParser(text, depthMax: depthMax)
        try parser.checkEncoding()
        let value = try parser.value(depth: 0)
        parser.skipWhitespace()
        if parser.offset < text.count {
            throw parser.failure("something after the end of the text")
        }
        return value
    }

    /// From here on every string between two ASCII bytes is UTF-8.
    private func checkEncoding() throws(OfflineError) {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            throw failure("a byte order mark", at: 0)
        }
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes)
        } catch {
            throw failure("bytes that aren't UTF-8", at: error.byteOffsets.lowerBound)
        }
    }

    // MARK: Bytes

    private func failure(_ what: String, at place: Int? = nil) -> OfflineError {
        let place = place ?? offset
        var line = 1
        var column = 1
        for index in 0..<place {
            if bytes[index] == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if bytes[index] & 0xC0 != 0x80 {
                column += 1
            }
        }
        return OfflineError(
            .invalidJSON, "\(what) at byte \(place) (line \(line), column \(column))")
    }

    /// The next byte, which isn't consumed; 0, which no JSON text contains, at the end.
    private var peek: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    private mutating func consume(_ byte: UInt8) -> Bool {
        guard offset < bytes.count, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    private mutating func skipWhitespace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                offset += 1
            default: return
            }
        }
    }

    // MARK: Values

    /// The next value, inside of `depth` arrays and objects.
    private mutating func value(depth: Int) throws(OfflineError) -> Value {
        skipWhitespace()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure(offset < bytes.count ? "no value" : "the text ends before a value")
        }
    }

    private mutating func word(_ word: StaticString, _ value: Value) throws(OfflineError) -> Value {
        let start = offset
        for byte in word.description.utf8 where !consume(byte) {
            throw failure("no value", at: start)
        }
        return value
    }

    private func check(depth: Int) throws(OfflineError) {
        if depth > depthMax { throw failure("nesting deeper than \(depthMax) levels") }
    }

    private mutating func array(depth: Int) throws(OfflineError) -> Value {
        try check(depth: depth)
        offset += 1
        var elements: [Value] = []
        skipWhitespace()
        if consume(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth))
            skipWhitespace()
            if consume(UInt8(ascii: "]")) { return .array(elements) }
            if !consume(UInt8(ascii: ",")) { throw failure("neither a comma nor the array's end") }
        }
    }

    private mutating func object(depth: Int) throws(OfflineError) -> Value {
        try check(depth: depth)
        offset += 1
        var fields: [(String, Value)] = []
        skipWhitespace()
        if consume(UInt8(ascii: "}")) { return .object(Document()) }
        repeat {
            skipWhitespace()
            guard peek == UInt8(ascii: "\"") else { throw failure("no field name in quotes") }
            let name = try string()
            skipWhitespace()
            if !consume(UInt8(ascii: ":")) { throw failure("no colon after a field name") }
            fields.append((name, try value(depth: depth)))
            skipWhitespace()
        } while consume(UInt8(ascii: ","))
        if !consume(UInt8(ascii: "}")) { throw failure("neither a comma nor the object's end") }
        return .object(Document(fields: fields))
    }

    private mutating func number() throws(OfflineError) -> Value {
        let start = offset
        var number = JSONNumber(isNegative: consume(UInt8(ascii: "-")))
        if !consume(UInt8(ascii: "0")) {
            try digits("no digit") { number.appendDigit($0) }
        } else if case UInt8(ascii: "0")...UInt8(ascii: "9") = peek {
            throw failure("a number with a zero in front", at: start)
        }
        var isInteger = true
        if consume(UInt8(ascii: ".")) {
            isInteger = false
            try digits("no digit after the point") { _ in }
        }
        if peek | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            offset += 1
            if !consume(UInt8(ascii: "+")) { _ = consume(UInt8(ascii: "-")) }
            try digits("no digit in the exponent") { _ in }
        }
        if isInteger, let integer = number.integer { return .int(integer) }
        return .double(JSONNumber.double(text(from: start, to: offset)))
    }

    /// One or more digits.
    private mutating func digits(
        _ otherwise: String, _ body: (UInt8) -> Void
    ) throws(OfflineError) {
        let start = offset
        while case UInt8(ascii: "0")...UInt8(ascii: "9") = peek {
            body(bytes[offset] - UInt8(ascii: "0"))
            offset += 1
        }
        if offset == start { throw failure(otherwise) }
    }

    // MARK: Strings

    private func text(from start: Int, to end: Int) -> String {
        // Whole characters: the text is UTF-8, and both ends lie beside ASCII bytes.
        String(copying: unsafe UTF8Span(unchecked: bytes.extracting(start..<end)))
    }

    private mutating func string() throws(OfflineError) -> String {
        offset += 1
        let start = offset
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                offset += 1
                return text(from: start, to: offset - 1)
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw failure("a control character in a string")
            default: offset += 1
            }
        }
        throw failure("a string without end", at: start - 1)
    }

    /// A string that begins at `start` and has its first escape at `offset`.
    private mutating func escapedString(from start: Int) throws(OfflineError) -> String {
        var result: [UInt8] = []
        for index in start..<offset { result.append(bytes[index]) }
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return String(decoding: result, as: UTF8.self)
            case UInt8(ascii: "\\"): result.append(contentsOf: String(try escape()).utf8)
            case 0..<0x20: throw failure("a control character in a string")
            default:
                result.append(byte)
                offset += 1
            }
        }
        throw failure("a string without end", at: start - 1)
    }

    /// The character of the escape that begins at `offset`.
    private mutating func escape() throws(OfflineError) -> Unicode.Scalar {
        let start = offset
        offset += 1
        let kind = peek
        if offset < bytes.count { offset += 1 }
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(kind)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw failure("an unknown escape", at: start)
        }
        guard let first = codeUnit() else { throw failure("no four digits after \\u", at: start) }
        if let scalar = Unicode.Scalar(first) { return scalar }
        // Half of a pair: the other half has to follow.
        guard first < 0xDC00, consume(UInt8(ascii: "\\")), consume(UInt8(ascii: "u")),
            let second = codeUnit(), 0xDC00..<0xE000 ~= second,
            let scalar = Unicode.Scalar(
                0x10000 + UInt32(first - 0xD800) << 10 + UInt32(second - 0xDC00))
        else { throw failure("half of a surrogate pair", at: start) }
        return scalar
    }

    /// Four hexadecimal digits; nil where there are others.
    private mutating func codeUnit() -> UInt16? {
        guard bytes.count - offset >= 4 else { return nil }
        var result: UInt16 = 0
        for _ in 0..<4 {
            let byte = bytes[offset]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            result = result << 4 | UInt16(digit)
            offset += 1
        }
        return result
    }
}
