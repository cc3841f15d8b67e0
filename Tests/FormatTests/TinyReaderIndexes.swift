// The tiny reader, part 7: FORMAT.md's "Index entries".

/// Makes the entries of records.
enum TinyIndexes {
    /// The entries of a record in an index, and its markers.
    static func entries(
        _ fields: [TinyField], key recordKey: [UInt8], _ index: TinyDefinition.Index
    ) -> Set<[UInt8]> {
        if let filter = index.filter, !TinyFilter.matches(fields, filter) { return [] }
        if index.isFullText { return TinyWords.entries(fields, key: recordKey, index) }
        var entries: Set<[UInt8]> = []
        func insert(_ values: [UInt8]) {
            entries.insert((values.count > 512 ? values[..<512] + [0] : values) + recordKey)
        }
        for (ordinal, path) in index.paths.enumerated() where follow(path, fields).isThroughArray {
            entries.insert([0, UInt8(ordinal)] + recordKey)
        }
        guard index.isMultiEntry else {
            insert(index.paths.flatMap { values(follow($0, fields).value, index) })
            return entries
        }
        // Of those that are told apart by their folded keys alone, the least.
        var least: [[UInt8]: [UInt8]] = [:]
        for element in elements(index.paths[0][...], .object(fields)) {
            let compared = index.isCaseInsensitive ? folded(element) : element
            let key = TinyKeys.key(compared)
            let values = values(element, index)
            if let known = least[key], known.lexicographicallyPrecedes(values) { continue }
            least[key] = values
        }
        for values in least.values { insert(values) }
        return entries
    }

    private static func values(_ value: TinyValue, _ index: TinyDefinition.Index) -> [UInt8] {
        (index.isCaseInsensitive ? TinyKeys.key(folded(value)) : []) + TinyKeys.key(value)
    }

    /// "The value of a path".
    private static func follow(
        _ path: [String], _ fields: [TinyField]
    ) -> (value: TinyValue, isThroughArray: Bool) {
        var value = TinyValue.object(fields)
        for name in path {
            switch value {
            case .object(let fields): value = field(name, fields) ?? .null
            case .array(let elements):
                guard let position = position(name), position < elements.count else {
                    return (.null, true)
                }
                value = elements[position]
            default: return (.null, false)
            }
        }
        if case .array = value { return (value, true) }
        if case .sealed(let payload) = value { return (value, payload[0] & 0x20 != 0) }
        return (value, false)
    }

    /// "The elements of a path".
    static func elements(_ path: ArraySlice<String>, _ value: TinyValue) -> [TinyValue] {
        guard let name = path.first else {
            if case .array(let elements) = value { return elements }
            return [value]
        }
        let rest = path.dropFirst()
        switch value {
        case .object(let fields):
            guard let next = field(name, fields) else { return [.null] }
            return elements(rest, next)
        case .array(let all):
            if let position = position(name), position < all.count {
                return rest.isEmpty ? [all[position]] : elements(rest, all[position])
            }
            return all.flatMap { element -> [TinyValue] in
                if case .object = element { elements(path, element) } else { [] }
            }
        default: return [.null]
        }
    }

    private static func field(_ name: String, _ fields: [TinyField]) -> TinyValue? {
        fields.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    private static func position(_ name: String) -> Int? {
        guard name.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            name == "0" || name.utf8.first != 0x30
        else { return nil }
        return Int(name)
    }

    // MARK: - Folding

    private static func folded(_ value: TinyValue) -> TinyValue {
        switch value {
        case .string(let text): .string(folded(text))
        case .array(let elements): .array(elements.map(folded))
        case .object(let fields):
            .object(fields.map { TinyField(name: $0.name, value: folded($0.value)) })
        default: value
        }
    }

    /// CaseFolding.txt, as far as the texts of these tests go: there a scalar folds as Swift makes it lower case, but for "ß".
    static func folded(_ text: String) -> String {
        text.unicodeScalars.map { $0 == "ß" ? "ss" : $0.properties.lowercaseMapping }.joined()
    }

    // MARK: - Reading

    /// The record's key in an entry or marker; nil where it is no such thing.
    static func recordKey(of entry: [UInt8], _ index: TinyDefinition.Index) -> [UInt8]? {
        if entry.first == 0 { return entry.count > 2 ? Array(entry[2...]) : nil }
        var offset = 0
        let count = index.isCaseInsensitive ? 2 : index.isFullText ? 1 : index.paths.count
        for _ in 0..<count {
            guard let end = TinyKeys.end(of: entry.prefix(512), from: offset) else {
                return entry.count > 513 && entry[512] == 0 ? Array(entry[513...]) : nil
            }
            offset = end
        }
        return Array(entry[offset...].dropLast(index.isFullText ? 2 : 0))
    }
}

/// Filters, as far as the definitions of these tests go: members are ANDed; each is a string, `$gte` with a string, or `$exists`.
private enum TinyFilter {
    static func matches(_ fields: [TinyField], _ filter: TinyJSON) -> Bool {
        guard case .object(let members) = filter else { return false }
        return members.allSatisfy { path, operand in
            let path = path.split(separator: ".").map(String.init)
            let found = TinyIndexes.elements(path[...], .object(fields))
            return found.contains { element in
                guard case .string(let text) = element else { return false }
                let bytes = Array(text.utf8)
                switch (operand, operand["$gte"]) {
                case (.string(let wanted), _): return bytes == Array(wanted.utf8)
                case (_, .string(let least)?):
                    return !bytes.lexicographicallyPrecedes(Array(least.utf8))
                default: return false
                }
            }
        }
    }
}

/// "Words", by Swift's own Unicode tables, which agree with version 15.0 on the texts of these tests.
private enum TinyWords {
    static func entries(
        _ fields: [TinyField], key recordKey: [UInt8], _ index: TinyDefinition.Index
    ) -> Set<[UInt8]> {
        var counts: [[UInt8]: Int] = [:]
        for path in index.paths {
            for case .string(let text) in TinyIndexes.elements(path[...], .object(fields)) {
                for word in words(text) { counts[word, default: 0] += 1 }
            }
        }
        let number = counts.count
        var lengthClass = number
        if number > 15 {
            let doublings = Int.bitWidth - 1 - number.leadingZeroBitCount
            lengthClass = 16 + 8 * (doublings - 4) + (number >> (doublings - 3)) % 8
        }
        return Set(
            counts.map { word, count in
                let text = TinyKeys.key(.string(String(decoding: word, as: UTF8.self)))
                return text + recordKey + [UInt8(min(count, 255)), UInt8(lengthClass)]
            })
    }

    private static func words(_ text: String) -> [[UInt8]] {
        var words: [[Unicode.Scalar]] = [[]]
        var isSingle = false
        for scalar in text.unicodeScalars {
            let properties = scalar.properties
            if properties.isDefaultIgnorableCodePoint { continue }
            switch properties.generalCategory {
            case .nonspacingMark, .spacingMark, .enclosingMark:
                if words.last?.isEmpty == false { words[words.count - 1].append(scalar) }
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter,
                .otherLetter, .decimalNumber, .letterNumber, .otherNumber:
                if isSingle || properties.isIdeographic { words.append([]) }
                words[words.count - 1].append(scalar)
                isSingle = properties.isIdeographic
            default:
                words.append([])
                isSingle = false
            }
        }
        return words.filter { !$0.isEmpty }.map { word in
            var bytes: [UInt8] = []
            for scalar in word {
                let folded = Array(TinyIndexes.folded(String(scalar)).utf8)
                if bytes.count + folded.count > 128 { break }
                bytes += folded
            }
            return bytes
        }
    }
}
