// The tiny reader, part 6: FORMAT.md's "Keys".

/// Makes the keys of values.
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
        case .sealed(let payload):
            return payload[0] & 0x10 == 0 ? [0x10] : [0x90] + payload[29..<45] + payload[1..<5]
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

    /// Where the value's key ends that begins at `start`; nil where it isn't whole.
    static func end(of bytes: ArraySlice<UInt8>, from start: Int) -> Int? {
        guard start < bytes.count else { return nil }
        var end = start + 1
        switch bytes[start] {
        case 0x10, 0x70, 0x71: break
        case 0x80: end += 8
        case 0x90: end += 20
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
