// Random values that look for trouble: numbers where int and double part, text with the bytes that encodings escape,
// values that differ late, values of equal content in another form.
import Foundation

@testable import OfflineDocuments

extension SeededGenerator {
    /// A value with at most `depth` levels of arrays and objects.
    mutating func value(depth: Int = 3) -> Value {
        switch below(depth > 0 ? 10 : 7) {
        case 0: .null
        case 1: .bool(below(2) == 0)
        case 2: .int(int())
        case 3: .double(double())
        case 4: .string(string())
        case 5: .data(Data(bytes()))
        case 6: .date(Date(timeIntervalSinceReferenceDate: double()))
        case 7, 8: .array((0..<below(4)).map { _ in value(depth: depth - 1) })
        default: .object(document(depth: depth - 1))
        }
    }

    /// Up to three fields, their values at most `depth` levels deep.
    mutating func document(depth: Int = 3) -> Document {
        Document(fields: (0..<below(4)).map { _ in (string(), value(depth: depth)) })
    }

    /// An integer, often near a power of two or an end of the range.
    mutating func int() -> Int64 {
        switch below(4) {
        case 0: Int64(below(7)) - 3
        case 1: Int64(truncatingIfNeeded: next())
        default: (Int64(1) << Int64(50 + below(14))) &+ Int64(below(5)) &* pick([-1, 1, 1 << 9])
        }
    }

    /// A double: special ones, ones that equal an int, ones beside those, or any bits.
    mutating func double() -> Double {
        let special: [Double] = [
            .nan, -.nan, .signalingNaN, .infinity, -.infinity, 0.0, -0.0, .leastNonzeroMagnitude,
            -.leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 0x1p53,
            0x1p63,
            -0x1p63, 0.1, 1.5,
        ]
        return switch below(5) {
        case 0: pick(special)
        case 1: Double(int())
        case 2: pick([Double(int()).nextUp, Double(int()).nextDown])
        case 3: pick(special).nextUp
        default: Double(bitPattern: next())
        }
    }

    /// Text of few characters, so that texts often begin each other.
    mutating func string() -> String {
        let pieces = [
            "\0", "\u{1}", "\u{2}", "a", "b", "A", "z", "\u{7F}", "\u{80}", "é", "e\u{301}", "ÿ",
            "߿",
            "ࠀ", "\u{FFFF}", "\u{10000}", "\u{10FFFF}", "\"", "\\", "/", "\n",
        ]
        return (0..<below(5)).map { _ in pick(pieces) }.joined()
    }

    /// Up to five bytes, often those that are escaped.
    mutating func bytes() -> [UInt8] {
        (0..<below(6)).map { _ in pick([0, 1, 2, 0xFE, 0xFF, UInt8(truncatingIfNeeded: next())]) }
    }

    /// A value that is `value` but for something small, or `value` itself in another form.
    mutating func neighbour(of value: Value) -> Value {
        switch value {
        case .int(let int):
            pick([
                .double(Double(int)), .int(int &+ 1), .int(int &- 1), .double(Double(int).nextUp),
            ])
        case .double(let double):
            pick([
                .double(double.nextUp), .double(-double),
                Int64(exactly: double).map(Value.int) ?? .double(double.nextDown),
            ])
        case .string(let string):
            pick([
                .string(string + pick(["\0", "a", "\u{1}"])), .string(String(string.dropLast())),
                .data(Data(string.utf8)),
            ])
        case .data(let data): pick([.data(data + [pick([0, 1, 0xFF])]), .data(data.dropLast())])
        case .date(let date): .date(date + pick([1, -1, 1e-9]))
        case .array(let elements): .array(neighbour(of: elements))
        case .object(let document):
            .object(Document(fields: neighbour(of: document.map { ($0.name, $0.value) })))
        case .null, .bool: self.value(depth: 1)
        }
    }

    private mutating func neighbour(of elements: [Value]) -> [Value] {
        var result = elements
        switch below(3) {
        case 0: result.append(value(depth: 0))
        case 1: _ = result.popLast()
        default:
            guard !result.isEmpty else { return [.null] }
            let index = below(result.count)
            result[index] = neighbour(of: result[index])
        }
        return result
    }

    private mutating func neighbour(of fields: [(String, Value)]) -> [(String, Value)] {
        var result = fields
        switch below(4) {
        case 0: result.append((string(), value(depth: 0)))
        case 1: _ = result.popLast()
        case 2: result.shuffle(using: &self)
        default:
            guard !result.isEmpty else { return [("", .null)] }
            let index = below(result.count)
            result[index].1 = neighbour(of: result[index].1)
        }
        return result
    }
}

extension Value {
    /// Whether both are equal and of the same kinds throughout, fields in the same order and doubles of the same bits.
    ///
    /// `==` is the store's order, under which 1 equals 1.0; this tells them apart.
    func isIdentical(to other: Value) -> Bool {
        switch (self, other) {
        case (.double(let a), .double(let b)): a.bitPattern == b.bitPattern || a.isNaN && b.isNaN
        case (.date(let a), .date(let b)):
            Value.double(a.timeIntervalSinceReferenceDate)
                .isIdentical(to: .double(b.timeIntervalSinceReferenceDate))
        case (.array(let a), .array(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.isIdentical(to: $1) }
        case (.object(let a), .object(let b)):
            a.count == b.count
                && zip(a, b).allSatisfy {
                    $0.name.utf8.elementsEqual($1.name.utf8) && $0.value.isIdentical(to: $1.value)
                }
        default: kind == other.kind && self == other
        }
    }
}
