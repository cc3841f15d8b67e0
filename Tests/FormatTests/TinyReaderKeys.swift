// The tiny reader, part 6: FORMAT.md's "Keys" and "Index entries".

/// Makes the keys of values, and the index entries of records.
enum TinyKeys {
    static func key(_ value: TinyValue) -> [UInt8] {
        switch value {
        case .null: return [0x10]
        case .bool(let bool): return [bool ? 0x71 : 0x70]
        case .int(let int): return number(int)
        case .double(let bits):
            let double = Double(bitPattern: bits)
            return [0x20] + ordered(double) + (isLarge(double) ? [0, 0] : [])
        case .date(let bits): return [0x80] + ordered(Double(bitPattern: bits))
        case .string(let text): return [0x30] + escaped(Array(text.utf8)) + [0]
        case .data(let bytes): return [0x60] + escaped(bytes) + [0]
        case .array(let elements): return [0x50] + elements.flatMap(key) + [0]
        case .object(let fields):
            let sorted = fields.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            return [0x40] + sorted.flatMap { key(.string($0.name)) + key($0.value) } + [0]
        }
    }

    private static func isLarge(_ double: Double) -> Bool { double.magnitude >= 0x1p53 }

    /// The greatest double that isn't above the int is found by going down from the nearest one.
    private static func number(_ int: Int64) -> [UInt8] {
        var double = Double(int)
        // 2^63 itself is no Int64: it is above every one.
        if double >= 0x1p63 || Int64(double) > int { double = double.nextDown }
        let distance = int - Int64(double)
        let rest = isLarge(double) ? [UInt8(distance >> 8), UInt8(distance & 0xFF)] : []
        return [0x20] + ordered(double) + rest
    }

    private static func ordered(_ double: Double) -> [UInt8] {
        var bits = double == 0 ? 0 : double.bitPattern
        bits = bits >> 63 == 1 ? ~bits : bits | 1 << 63
        if double.isNaN { bits = 0 }
        return (0..<8).map { UInt8(bits >> UInt64(56 - 8 * $0) & 0xFF) }
    }

    private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { $0 < 2 ? [1, $0 + 1] : [$0] }
    }

    // MARK: - Index entries

    /// The entry of a record in an index, and its markers.
    static func entries(
        _ fields: [TinyField], key recordKey: [UInt8], _ index: TinyDefinition.Index
    ) -> [[UInt8]] {
        var entries: [[UInt8]] = []
        var values: [UInt8] = []
        for (ordinal, path) in index.paths.enumerated() {
            let (value, isThroughArray) = follow(path, in: .object(fields))
            values += key(value)
            if isThroughArray { entries.append([0, UInt8(ordinal)] + recordKey) }
        }
        if values.count > 512 { values = values[..<512] + [0] }
        return entries + [values + recordKey]
    }

    private static func follow(
        _ path: [String], in root: TinyValue
    ) -> (value: TinyValue, isThroughArray: Bool) {
        var value = root
        for name in path {
            switch value {
            case .object(let fields):
                let field = fields.first { $0.name.utf8.elementsEqual(name.utf8) }
                value = field?.value ?? .null
            case .array(let elements):
                guard let position = position(name), position < elements.count else {
                    return (.null, true)
                }
                value = elements[position]
            default: return (.null, false)
            }
        }
        if case .array = value { return (value, true) }
        return (value, false)
    }

    private static func position(_ name: String) -> Int? {
        guard name.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            name == "0" || name.utf8.first != 0x30
        else { return nil }
        return Int(name)
    }

    /// The record's key in an entry or marker; nil where it is no such thing.
    static func recordKey(of entry: [UInt8], pathCount: Int) -> [UInt8]? {
        if entry.first == 0 { return entry.count > 2 ? Array(entry[2...]) : nil }
        var offset = 0
        for _ in 0..<pathCount {
            guard let end = end(of: entry.prefix(512), from: offset) else {
                return entry.count > 513 && entry[512] == 0 ? Array(entry[513...]) : nil
            }
            offset = end
        }
        return Array(entry[offset...])
    }

    /// Where the value's key ends that begins at `start`; nil where it isn't whole.
    private static func end(of bytes: ArraySlice<UInt8>, from start: Int) -> Int? {
        guard start < bytes.count else { return nil }
        var end = start + 1
        switch bytes[start] {
        case 0x10, 0x70, 0x71: break
        case 0x80: end += 8
        case 0x20:
            guard start + 9 <= bytes.count else { return nil }
            let bits = bytes[start + 1..<start + 9].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let double = Double(bitPattern: bits >> 63 == 1 ? bits & ~(1 << 63) : ~bits)
            end += bits != 0 && isLarge(double) ? 10 : 8
        case 0x30, 0x60:
            guard let zero = bytes[end...].firstIndex(of: 0) else { return nil }
            end = zero + 1
        case 0x40, 0x50:
            while end < bytes.count, bytes[end] != 0 {
                guard let next = self.end(of: bytes, from: end) else { return nil }
                end = next
            }
            end += 1
        default: return nil
        }
        return end <= bytes.count ? end : nil
    }
}
