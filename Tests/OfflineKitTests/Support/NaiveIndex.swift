// The entries of a record in an index, written from FORMAT.md over plain values: no encoded record, no scratch memory, none
// of the store's walks. Only the bytes of a single key, which have their own tests, are the store's.
import Foundation
import OfflineDocuments

@testable import OfflineKit

enum NaiveIndex {
    /// The entries and markers, ascending.
    static func entries(_ record: Document, key: [UInt8], _ index: IndexSchema) -> [[UInt8]] {
        if let filter = index.filter, !NaiveQuery.matches(record, filter.document) { return [] }
        let entries =
            if index.kind == .fullText {
                words(record, key, index)
            } else if index.isMultiEntry {
                elements(record, key, index)
            } else {
                values(record, key, index)
            }
        return Set(entries).sorted { $0.lexicographicallyPrecedes($1) }
    }

    private static func cut(_ bytes: [UInt8]) -> [UInt8] {
        bytes.count > 512 ? bytes[..<512] + [0] : bytes
    }

    private static func values(
        _ record: Document, _ key: [UInt8], _ index: IndexSchema
    ) -> [[UInt8]] {
        var markers: [[UInt8]] = []
        var joined: [UInt8] = []
        for (ordinal, path) in index.keyPaths.enumerated() {
            let (value, hasArray) = follow(path.split(separator: ".").map(String.init), record)
            if hasArray { markers.append([0, UInt8(ordinal)] + key) }
            joined += encoded(value, index)
        }
        return markers + [cut(joined) + key]
    }

    private static func follow(_ path: [String], _ record: Document) -> (Value, hasArray: Bool) {
        var value = Value.object(record)
        for name in path {
            switch value {
            case .object(let object): value = object[name] ?? .null
            case .array(let elements):
                guard let position = Int(name), elements.indices.contains(position) else {
                    return (.null, true)
                }
                value = elements[position]
            default: return (.null, false)
            }
        }
        return (value, value.arrayValue != nil)
    }

    private static func elements(
        _ record: Document, _ key: [UInt8], _ index: IndexSchema
    ) -> [[UInt8]] {
        let found = NaiveQuery.find(index.keyPaths[0], in: record)
        var values: [Value] = []
        var hasArray = crossesArray(record, index.keyPaths[0])
        for one in found {
            if one.value?.arrayValue != nil { hasArray = true }
            if !one.isOne, let elements = one.value?.arrayValue {
                values += elements
            } else {
                values.append(one.value ?? .null)
            }
        }
        var entries = values.map { cut(encoded($0, index)) + key }
        if index.collation == .caseInsensitive {
            // Of those that fold to the same, the least; where they are cut before that shows, all are the same anyway.
            entries = Dictionary(grouping: values) { KeyEncoder.key(folded($0)) }.values.compactMap
            {
                $0.map { cut(encoded($0, index)) + key }.min { $0.lexicographicallyPrecedes($1) }
            }
        }
        return (hasArray ? [[0, 0] + key] : []) + entries
    }

    /// Whether a name steps into the elements of an array, that is: whether the path without its last step, or any shorter,
    /// leads to an array in which the next step is no position.
    private static func crossesArray(_ record: Document, _ path: String) -> Bool {
        func crosses(_ value: Value, _ path: ArraySlice<String>) -> Bool {
            guard let name = path.first else { return false }
            switch value {
            case .object(let object):
                return object[name].map { crosses($0, path.dropFirst()) } ?? false
            case .array(let elements):
                guard let position = Int(name), elements.indices.contains(position) else {
                    return true
                }
                return crosses(elements[position], path.dropFirst())
            default: return false
            }
        }
        return crosses(.object(record), path.split(separator: ".").map(String.init)[...])
    }

    private static func encoded(_ value: Value, _ index: IndexSchema) -> [UInt8] {
        index.collation == .caseInsensitive
            ? KeyEncoder.key(folded(value)) + KeyEncoder.key(value) : KeyEncoder.key(value)
    }

    static func folded(_ value: Value) -> Value {
        switch value {
        case .string(let text): .string(String(decoding: CaseFolding.fold(text), as: UTF8.self))
        case .array(let elements): .array(elements.map(folded))
        case .object(let object):
            .object(Document(fields: object.map { ($0.name, folded($0.value)) }))
        default: value
        }
    }

    // MARK: Words

    /// How often each word is in a record.
    static func wordCounts(_ record: Document, _ paths: [String]) -> [ExactString: Int] {
        var counts: [ExactString: Int] = [:]
        for path in paths {
            for found in NaiveQuery.find(path, in: record) {
                var texts = [found.value]
                if !found.isOne, let elements = found.value?.arrayValue { texts = elements }
                for case .string(let text)? in texts {
                    for word in NaiveText.words(text) { counts[ExactString(word), default: 0] += 1 }
                }
            }
        }
        return counts
    }

    /// The class that stands for so many words, found by trying all.
    static func lengthClass(_ count: Int) -> UInt8 {
        var bounds = Array(0..<16)
        for doubling in 0..<30 { bounds += (8..<16).map { $0 << (doubling + 1) } }
        return UInt8(bounds.lastIndex { $0 <= count } ?? 0)
    }

    private static func words(
        _ record: Document, _ key: [UInt8], _ index: IndexSchema
    ) -> [[UInt8]] {
        let counts = wordCounts(record, index.keyPaths)
        return counts.map { word, count in
            KeyEncoder.key(.string(word.text)) + key + [
                UInt8(min(count, 255)), lengthClass(counts.count),
            ]
        }
    }
}

/// Words by Swift's own Unicode tables, which know the scalars that tests use as ours do.
enum NaiveText {
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isSingle = false
        func end() {
            if !word.isEmpty { words.append(word) }
            word = ""
            isSingle = false
        }
        for scalar in text.unicodeScalars {
            switch category(scalar) {
            case "L":
                if isSingle || isAlone(scalar) { end() }
                word.unicodeScalars.append(scalar)
                isSingle = isAlone(scalar)
            case "M": if !word.isEmpty { word.unicodeScalars.append(scalar) }
            case "I": break
            default: end()
            }
        }
        end()
        return words.map { word in
            var bytes: [UInt8] = []
            for scalar in word.unicodeScalars {
                let folded = CaseFolding.fold(String(scalar))
                if bytes.count + folded.count > 128 { break }
                bytes += folded
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// L: letters and numbers; M: marks; I: invisible; S: what separates.
    static func category(_ scalar: Unicode.Scalar) -> Character {
        let properties = scalar.properties
        if properties.isDefaultIgnorableCodePoint { return scalar == "\u{200B}" ? "S" : "I" }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .decimalNumber, .letterNumber, .otherNumber:
            return "L"
        case .nonspacingMark, .spacingMark, .enclosingMark: return "M"
        default: return "S"
        }
    }

    /// Scripts without spaces: only as far as tests use them.
    private static func isAlone(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0E01...0x0E30, 0x0E32...0x0E33, 0x0E40...0x0E46, 0x3005, 0x3041...0x3096,
            0x30A1...0x30FC, 0x3400...0x4DBF, 0x4E00...0x9FFF:
            true
        default: false
        }
    }
}
