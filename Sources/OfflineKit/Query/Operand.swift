// An operand of a filter in the forms that comparing it with encoded values needs, and the comparison: the one order of values
// (Value+Order.swift), under a collation that ignores case with every string folded, also inside arrays and objects.
internal import Foundation
internal import OfflineBytes
import OfflineDocuments

/// A value to compare with.
struct Operand: Sendable {
    let kind: ValueKind
    /// For int; the date's seconds and the double are in `double`.
    let int: Int64
    let double: Double
    /// A string's UTF-8, folded where the collation says so; data's bytes; of an array or object its key, as it would be
    /// folded.
    let bytes: [UInt8]
    let bool: Bool

    init(_ value: Value, _ collation: Collation) {
        kind = value.kind
        var int: Int64 = 0
        var double = 0.0
        var bytes: [UInt8] = []
        var bool = false
        switch value {
        case .null: break
        case .bool(let value): bool = value
        case .int(let value): int = value
        case .double(let value): double = value
        case .date(let value): double = value.timeIntervalSinceReferenceDate
        case .string(let value):
            bytes = collation == .binary ? Array(value.utf8) : CaseFolding.fold(value)
        case .data(let value): bytes = Array(value)
        case .array, .object: bytes = collation.key(value)
        }
        (self.int, self.double, self.bytes, self.bool) = (int, double, bytes, bool)
    }

    /// The operands of a list, in the order of values.
    static func sorted(_ values: [Value], _ collation: Collation) -> [Operand] {
        values.map { (key: collation.key($0), value: $0) }
            .sorted { ByteOrder.compare($0.key, $1.key) < 0 }
            .map { Operand($0.value, collation) }
    }

    /// Whether it is no number that compares, though its kind is one.
    var isNaN: Bool { kind == .double && double.isNaN }
}

extension Operand {
    /// Negative, zero or positive as `value` is before, equal to or after the operand.
    @unsafe
    func order(
        _ value: EncodedValue, _ names: NameDictionary, _ collation: Collation,
        _ scratch: inout PredicateScratch
    ) -> Int {
        let valueKind = unsafe value.kind
        guard valueKind.rank == kind.rank else { return valueKind.rank - kind.rank }
        switch kind {
        case .null: return 0
        case .bool: return unsafe (value.bool ? 1 : 0) - (bool ? 1 : 0)
        case .date: return unsafe Number.order(value.dateSeconds, double)
        case .int:
            return valueKind == .int
                ? unsafe Number.order(value.int, int) : unsafe -Number.order(int, value.double)
        case .double:
            return valueKind == .int
                ? unsafe Number.order(value.int, double)
                : unsafe Number.order(value.double, double)
        case .string:
            return unsafe scratch.withText(of: value, collation) { text, _ in
                unsafe bytes.withBytes { unsafe ByteOrder.compare(text, $0) }
            }
        case .data:
            return unsafe bytes.withBytes { unsafe ByteOrder.compare(value.bytes, $0) }
        // What an operand never is, or only by a rank of its own.
        case .array, .object, .sealed:
            scratch.key.removeAll(keepingCapacity: true)
            unsafe KeyEncoder.append(
                value, names, folded: collation == .caseInsensitive, to: &scratch.key)
            return ByteOrder.compare(scratch.key, bytes)
        }
    }
}

extension Collation {
    /// The key of a value, equal for all that are equal under the collation.
    func key(_ value: Value) -> [UInt8] {
        switch self {
        case .binary: KeyEncoder.key(value)
        case .caseInsensitive: KeyEncoder.foldedKey(value)
        }
    }
}
