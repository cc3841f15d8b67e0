// The one total order of values, which sort, ranges, indexes, min/max and distinct share, and == and hash follow:
//
//   null < numbers < string < object < array < data < bool (false < true) < date
//
//   numbers  mathematical value, exact across int and double; NaN below all others and equal to itself; -0.0 == 0.0
//   string   UTF-8 bytes; a string before one that it begins
//   object   (name, value) by (name, value) as if the fields were sorted by name, then by count
//   array    element by element, then by count
//   data     bytes; then by count
//   date     the instant's double, as numbers are compared: NaN below all others, -0.0 == 0.0
//
// `EncodedValue.order` is the same order on encoded bytes, and the key encoding the same under memcmp; tests hold the
// three against each other.
internal import Foundation
internal import OfflineBytes

extension Value: Hashable {
    /// Negative, zero or positive as `a` is before, equal to or after `b`.
    package static func order(_ a: Value, _ b: Value) -> Int {
        switch (a, b) {
        case (.int(let a), .int(let b)): Number.order(a, b)
        case (.double(let a), .double(let b)): Number.order(a, b)
        case (.int(let a), .double(let b)): Number.order(a, b)
        case (.double(let a), .int(let b)): -Number.order(b, a)
        case (.string(let a), .string(let b)): String.orderByUTF8(a, b)
        case (.object(let a), .object(let b)): Document.order(a, b)
        case (.array(let a), .array(let b)): order(a, b)
        case (.data(let a), .data(let b)): order(a, b)
        case (.bool(let a), .bool(let b)): (a ? 1 : 0) - (b ? 1 : 0)
        case (.date(let a), .date(let b)):
            Number.order(a.timeIntervalSinceReferenceDate, b.timeIntervalSinceReferenceDate)
        default: a.kind.rank - b.kind.rank
        }
    }

    private static func order(_ a: [Value], _ b: [Value]) -> Int {
        for index in 0..<min(a.count, b.count) {
            let result = order(a[index], b[index])
            if result != 0 { return result }
        }
        return a.count - b.count
    }

    private static func order(_ a: Data, _ b: Data) -> Int {
        unsafe a.withUnsafeBytes { left in
            unsafe b.withUnsafeBytes { unsafe ByteOrder.compare(left, $0) }
        }
    }

    /// Equality in the store's total order: 1 equals 1.0, NaN equals NaN, objects are equal whatever their fields' order.
    public static func == (a: Value, b: Value) -> Bool {
        switch (a, b) {
        case (.object(let a), .object(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.string(let a), .string(let b)): a.hasSameUTF8(as: b)
        default: order(a, b) == 0
        }
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(kind.rank)
        switch self {
        case .null: break
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .double(let value):
            if let integer = Number.integer(value) {
                hasher.combine(integer)
            } else {
                hasher.combine(Number.hashBits(value))
            }
        // Canonically equivalent strings share a hash; only byte-equal ones are equal.
        case .string(let value): hasher.combine(value)
        case .data(let value): hasher.combine(value)
        case .date(let value):
            let seconds = value.timeIntervalSinceReferenceDate
            hasher.combine(seconds == 0 ? 0 : Number.hashBits(seconds))
        case .array(let value): hasher.combine(value)
        case .object(let value): hasher.combine(value)
        }
    }
}
