// The tiny reader, part 10: FORMAT.md's "Access".

/// When a record was made, written and used.
struct TinyAccess: Equatable {
    var isPending: Bool
    var created: UInt64
    var written: UInt64
    var used: UInt64
    var count: UInt64

    init(_ bytes: [UInt8]) throws {
        var cursor = try TinyCursor(bytes)
        let flags = try cursor.u8()
        guard flags <= 1 else { throw TinyDamage("an access entry has unknown flags") }
        isPending = flags == 1
        created = try cursor.varint()
        written = try cursor.varint()
        used = try cursor.varint()
        count = try cursor.varint()
        guard cursor.isAtEnd else { throw TinyDamage("an access entry is too long") }
    }

    /// Its key in the tree with this number; nil where it has none.
    func order(_ key: [UInt8], inTree tree: UInt32?) -> [UInt8]? {
        if isPending { return nil }
        let numbers: [UInt64]
        switch tree {
        case 1: numbers = [used]
        case 2: numbers = [count, used]
        case 3: numbers = [created]
        case 4: numbers = [written]
        default: return nil
        }
        let bytes = numbers.flatMap { number in
            (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        return bytes + key
    }
}
