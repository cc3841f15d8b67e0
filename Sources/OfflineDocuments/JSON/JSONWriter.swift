// Values to JSON text: compact, or pretty with two blanks a level. Fields keep their order.
//
// Plain text has dates as ISO 8601 in UTC, data as base64, and null for NaN and infinities; extended text loses nothing: see
// ExtendedJSON.swift.
internal import Foundation

/// A writer of JSON text into bytes, which are always UTF-8.
package struct JSONWriter {
    private let isPretty: Bool
    private let isExtended: Bool
    private var text: [UInt8] = []

    private init(isPretty: Bool, isExtended: Bool) {
        self.isPretty = isPretty
        self.isExtended = isExtended
    }

    /// The text of `value`, without a line end behind it.
    package static func text(
        _ value: Value, isPretty: Bool = false, isExtended: Bool = false
    ) -> [UInt8] {
        var writer = JSONWriter(isPretty: isPretty, isExtended: isExtended)
        writer.write(value, level: 0)
        return writer.text
    }

    private mutating func write(_ value: Value, level: Int) {
        switch value {
        case .null: write("null")
        case .bool(let value): write(value ? "true" : "false")
        case .int(let value): write(value.description)
        case .double(let value):
            if isExtended, !value.isFinite {
                write(tag: ExtendedJSON.doubleName, ExtendedJSON.text(nonFinite: value))
            } else {
                JSONNumber.append(value, to: &text)
            }
        case .string(let value): write(quoted: value)
        case .data(let value):
            let base64 = value.base64EncodedString()
            if isExtended {
                write(tag: ExtendedJSON.dataName, base64)
            } else {
                write(quoted: base64)
            }
        case .date(let value):
            if isExtended {
                write(tag: ExtendedJSON.dateName, ExtendedJSON.text(value))
            } else if let date = ISO8601.text(value) {
                write(quoted: date)
            } else {
                write("null")
            }
        case .array(let elements):
            write(list: elements, "[", "]", level: level) { writer, element in
                writer.write(element, level: level + 1)
            }
        case .object(let document): write(document, level: level)
        }
    }

    private mutating func write(_ document: Document, level: Int) {
        if let sealed = document.sealed { return write(tag: "$sealed", sealed.text) }
        let isEscaped = isExtended && ExtendedJSON.isTagged(document)
        if isEscaped { write("{\"\(ExtendedJSON.objectName)\":" + (isPretty ? " " : "")) }
        write(list: document, "{", "}", level: level) { writer, field in
            writer.write(quoted: field.name)
            writer.write(writer.isPretty ? ": " : ":")
            writer.write(field.value, level: level + 1)
        }
        if isEscaped { write("}") }
    }

    private mutating func write<Items: Sequence>(
        list: Items, _ begin: String, _ end: String, level: Int,
        _ body: (inout JSONWriter, Items.Element) -> Void
    ) {
        write(begin)
        var isEmpty = true
        for item in list {
            if !isEmpty { write(",") }
            isEmpty = false
            breakLine(level + 1)
            body(&self, item)
        }
        if !isEmpty { breakLine(level) }
        write(end)
    }

    private mutating func breakLine(_ level: Int) {
        guard isPretty else { return }
        text.append(UInt8(ascii: "\n"))
        text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * level))
    }

    /// `{"$name":"operand"}`, in one line.
    private mutating func write(tag name: String, _ operand: String) {
        write("{\"\(name)\":" + (isPretty ? " " : ""))
        write(quoted: operand)
        write("}")
    }

    private mutating func write(_ piece: String) { text.append(contentsOf: piece.utf8) }

    private mutating func write(quoted string: String) {
        text.append(UInt8(ascii: "\""))
        unsafe string.withUTF8Bytes { bytes in
            var start = 0
            for index in 0..<bytes.count {
                let byte = unsafe bytes[index]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
                    continue
                }
                unsafe text.append(contentsOf: bytes[start..<index])
                write(Self.escape(byte))
                start = index + 1
            }
            unsafe text.append(contentsOf: bytes[start...])
        }
        text.append(UInt8(ascii: "\""))
    }

    /// What stands for a byte that a quoted string may not have.
    private static func escape(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\""): "\\\""
        case UInt8(ascii: "\\"): "\\\\"
        case 0x08: "\\b"
        case 0x09: "\\t"
        case 0x0A: "\\n"
        case 0x0C: "\\f"
        case 0x0D: "\\r"
        default: "\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
        }
    }
}
