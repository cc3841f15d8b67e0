// Case folding by a short list of the scalars that the tests use, and ASCII: nothing of the store's table.
import OfflineKit

enum NaiveFolding {
    /// What differs from lower-casing ASCII, among the scalars that tests use.
    private static let special: [UInt32: [UInt32]] = [
        0xC9: [0xE9],  // É
        0xDF: [0x73, 0x73], 0x1E9E: [0x73, 0x73],  // ß, ẞ
        0x130: [0x69, 0x307],  // İ
        0x3A3: [0x3C3], 0x3C2: [0x3C3],  // Σ, ς
        0x212A: [0x6B],  // Kelvin
        0x17F: [0x73],  // long s
        0xFB06: [0x73, 0x74], 0xFB05: [0x73, 0x74],  // ligatures of st
        0x10400: [0x10428],  // a letter beyond 16 bits
    ]

    static func fold(_ scalar: UInt32) -> [UInt32] {
        if 65...90 ~= scalar { return [scalar + 32] }
        return special[scalar] ?? [scalar]
    }

    static func fold(_ text: String) -> String {
        var folded = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.flatMap({ fold($0.value) }) {
            if let scalar = Unicode.Scalar(scalar) { folded.append(scalar) }
        }
        return String(folded)
    }

    /// All scalars that tests use and that may differ in case from another.
    static let variants: [UInt32] =
        Array(65...90) + Array(97...122) + Array(special.keys) + [0xE9, 0x3C3, 0x10428]

    /// A value with every string in it folded; names of fields stay.
    static func fold(_ value: Value) -> Value {
        switch value {
        case .string(let text): .string(fold(text))
        case .array(let elements): .array(elements.map(fold))
        case .object(let object): .object(fold(object))
        default: value
        }
    }

    static func fold(_ document: Document) -> Document {
        Document(fields: document.map { ($0.name, fold($0.value)) })
    }

    /// A filter with every string folded that records' strings are compared with.
    static func foldOperands(_ filter: Document) -> Document {
        Document(
            fields: filter.map { name, operand in
                (name, foldOperand(name, operand))
            })
    }

    private static func foldOperand(_ name: String, _ operand: Value) -> Value {
        if ["$regex", "$options", "$type"].contains(name) { return operand }
        switch operand {
        case .object(let object): return .object(foldOperands(object))
        case .array(let elements): return .array(elements.map { foldOperand("", $0) })
        default: return fold(operand)
        }
    }
}
