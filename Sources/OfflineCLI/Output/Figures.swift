// Numbers and bytes as text for a person.

/// Formatting of figures.
enum Figures {
    /// `12,345`
    static func grouped(_ number: some BinaryInteger) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return number < 0 ? "-" + text : text
    }

    /// `1 record`, `12,345 records`
    static func counted(
        _ number: some BinaryInteger, _ noun: String, plural: String? = nil
    ) -> String {
        "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
    }

    /// `0a1b2c`
    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// Eight digits of a checksum.
    static func hex(_ word: UInt32) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Rows of sixteen bytes: offset, hex, printable characters.
    static func hexRows(_ bytes: [UInt8], at offset: UInt64) -> [String] {
        stride(from: 0, to: bytes.count, by: 16).map { start in
            let row = bytes[start..<min(start + 16, bytes.count)]
            let hex = row.map { Self.hex(CollectionOfOne($0)) }.joined(separator: " ")
            let text = String(
                String.UnicodeScalarView(
                    row.map { (0x20..<0x7F).contains($0) ? Unicode.Scalar($0) : "." }))
            let padding = String(repeating: " ", count: 47 - hex.count)
            return "\(offset + UInt64(start))  \(hex)\(padding)  |\(text)|"
        }
    }
}
