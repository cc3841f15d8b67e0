// An entry of an index, taken apart by the index's kind (FORMAT.md, "Index entries").
internal import OfflineDocuments
internal import OfflineKit

/// What an entry of an index says.
enum IndexEntryView {
    /// The values, and the record that has them.
    case values([Value], KeyView)
    /// The same, its values cut.
    case cut([UInt8], KeyView)
    /// The record has an array at the path.
    case marker(path: String, KeyView)
    /// A word, the record that has it, how often, and the class of the record's length.
    case word(String, KeyView, count: UInt8, lengthClass: UInt8)
    /// A change in the order of changes: its class, its number, and whose it is.
    case change(kind: UInt8, number: UInt64, KeyView)
    /// A record in the order of eviction, and the number or numbers that it is ordered by.
    case use([UInt64], KeyView)
    /// None of these.
    case bytes([UInt8])

    /// Of a tree of changes, from bytes that may be anything.
    init(change entry: [UInt8]) {
        guard let kind = entry.first, let (number, key) = try? ChangeTrees.parts(of: entry) else {
            self = .bytes(entry)
            return
        }
        self = .change(kind: kind, number: number, KeyView(Array(key)))
    }

    /// Of a tree in the order of eviction, from bytes that may be anything.
    init(use entry: [UInt8], _ order: AccessOrder) {
        guard entry.count > order.prefixLength else {
            self = .bytes(entry)
            return
        }
        let numbers = stride(from: 0, to: order.prefixLength, by: 8).map { start in
            entry[start..<start + 8].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        }
        self = .use(numbers, KeyView(Array(entry[order.prefixLength...])))
    }

    /// From bytes that may be anything; nil: nothing is known of the index.
    init(_ entry: [UInt8], of index: CollectionSummary.Index?) {
        self = index.flatMap { Self.view(entry, $0) } ?? .bytes(entry)
    }

    private static let markerLength = 2
    private static let wordSuffixLength = 2

    private static func view(_ entry: [UInt8], _ index: CollectionSummary.Index) -> IndexEntryView?
    {
        if entry.first == 0, !index.isFullText {
            guard entry.count > markerLength, Int(entry[1]) < index.keyPaths.count else {
                return nil
            }
            let key = KeyView(Array(entry[markerLength...]))
            return .marker(path: index.keyPaths[Int(entry[1])], key)
        }
        guard let parts = KeyDecoder.indexEntryParts(entry, valueCount: index.valueCount) else {
            return nil
        }
        let suffix = index.isFullText ? wordSuffixLength : 0
        guard parts.keyLength < entry.count - suffix else { return nil }
        let key = KeyView(Array(entry[parts.keyLength..<entry.count - suffix]))
        if parts.isCut { return .cut(Array(entry[..<(parts.keyLength - 1)]), key) }
        var values: [Value] = []
        var offset = 0
        while offset < parts.keyLength {
            if let token = KeyDecoder.sealedToken(entry, at: &offset) {
                values.append(["$sealed": .string(Figures.hex(token))])
                continue
            }
            guard let value = try? KeyDecoder.value(entry, at: &offset) else { return nil }
            values.append(value)
        }
        guard index.isFullText else { return .values(values, key) }
        guard let word = values.first?.stringValue else { return nil }
        return .word(
            word, key, count: entry[entry.count - 2], lengthClass: entry[entry.count - 1])
    }

    // MARK: - Showing

    /// The members of a JSON object.
    var fields: [(String, Value)] {
        switch self {
        case .values(let values, let key): [("values", .array(values)), ("key", key.json)]
        case .cut(let bytes, let key): [("cut", .string(Figures.hex(bytes))), ("key", key.json)]
        case .marker(let path, let key): [("array", .string(path)), ("key", key.json)]
        case .word(let word, let key, let count, let lengthClass):
            [
                ("word", .string(word)), ("key", key.json), ("count", .int(Int64(count))),
                ("lengthClass", .int(Int64(lengthClass))),
            ]
        case .change(let kind, let number, let key):
            [
                ("class", .int(Int64(kind))), ("number", .int(Int64(clamping: number))),
                ("key", key.json),
            ]
        case .use(let numbers, let key):
            [
                ("order", .array(numbers.map { .int(Int64(clamping: $0)) })), ("key", key.json),
            ]
        case .bytes(let bytes): [("bytes", .string(Figures.hex(bytes)))]
        }
    }

    /// For a person: `"Aruba", "AW"`.
    var text: String {
        switch self {
        case .values(let values, let key):
            return (values.map { $0.extendedJSON() } + [key.text]).joined(separator: ", ")
        case .cut(let bytes, let key):
            return "\(key.text), cut: 0x" + Figures.hex(bytes)
        case .marker(let path, let key): return "array at \(path), \(key.text)"
        case .word(let word, let key, let count, let lengthClass):
            let times = count == 255 ? "255 times or more" : Figures.counted(count, "time")
            return Value.string(word).extendedJSON()
                + ", \(key.text), \(times), length class \(lengthClass)"
        case .change(let kind, let number, let key):
            return "class \(kind), change \(number), \(key.text)"
        case .use(let numbers, let key):
            return (numbers.map(String.init) + [key.text]).joined(separator: ", ")
        case .bytes(let bytes): return "0x" + Figures.hex(bytes)
        }
    }
}
