// The names of a collection's fields, numbered as they come, with a hash table over their bytes. Encoding a record looks
// up every field's name here, so a look-up reads the string's bytes in place, hashes them eight at a time, and compares
// bytes with bytes.
//
// Invariants: an id is a name's position; names are distinct by their UTF-8 bytes; `slots` is a power of two, at least
// twice the names, and holds 0 (free) or the hash's upper 16 bits above id + 1. Names come from callers, so a look-up of
// chosen, colliding names may probe all of them: 4,096 at most.

/// A growing list of distinct names, each found by id and by its bytes. A value: copies share storage until one grows.
package struct NameTable: Sendable {
    /// At most so many names can have ids: 0xFFFF stands for a name written inline in the record.
    private static let idCountMax = 0xFFFF

    /// The names; an id is an index.
    package private(set) var names: [String] = []
    /// All names' bytes, one after another, and where each ends.
    private var text: [UInt8] = []
    private var ends: [Int32] = []
    private var slots: [UInt32]

    /// A table without names.
    package init() { slots = [UInt32](repeating: 0, count: 16) }

    /// `names` should be distinct by their bytes: one that came before keeps its position but isn't found.
    package init(_ names: [String]) {
        var slotCount = 16
        while slotCount < names.count * 2 { slotCount *= 2 }
        slots = [UInt32](repeating: 0, count: slotCount)
        self.names.reserveCapacity(names.count)
        for name in names { append(name) }
    }

    package var count: Int { names.count }

    /// The id of exactly these bytes; nil where they are no name of the table.
    @inline(__always)
    package func id(of name: UnsafeRawBufferPointer) -> UInt16? {
        let hash = unsafe NameTable.hash(name)
        let mark = hash >> 16
        return unsafe slots.withUnsafeBufferPointer { slots -> UInt16? in
            let mask = slots.count &- 1
            var index = Int(hash) & mask
            while true {
                let slot = unsafe slots[index]
                if slot == 0 { return nil }
                if slot >> 16 == mark {
                    let id = Int(slot & 0xFFFF) &- 1
                    if unsafe isName(id, name) { return UInt16(truncatingIfNeeded: id) }
                }
                index = (index &+ 1) & mask
            }
        }
    }

    /// The id of exactly this name. Fields of one record mostly have ids that follow each other, so the id after that of
    /// the field before is tried first.
    package func id(of name: String, after previous: UInt16? = nil) -> UInt16? {
        unsafe NameTable.withBytes(of: name) { name -> UInt16? in
            if let previous {
                let next = Int(previous) &+ 1
                if next < min(names.count, NameTable.idCountMax), unsafe isName(next, name) {
                    return UInt16(truncatingIfNeeded: next)
                }
            }
            return unsafe id(of: name)
        }
    }

    /// Calls `body` with a string's UTF-8; in place for every string that Swift itself made.
    @inline(__always)
    private static func withBytes<Result>(
        of name: String, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let result = unsafe name.utf8.withContiguousStorageIfAvailable { bytes in
            unsafe body(UnsafeRawBufferPointer(bytes))
        }
        if let result { return result }
        return unsafe Array(name.utf8).withUnsafeBytes { unsafe body($0) }
    }

    /// Appends a name that isn't in the table and returns its id; nil where ids have run out.
    @discardableResult
    package mutating func append(_ name: String) -> UInt16? {
        let id = names.count
        names.append(name)
        text.append(contentsOf: name.utf8)
        ends.append(Int32(truncatingIfNeeded: text.count))
        guard id < NameTable.idCountMax else { return nil }
        if (id + 1) * 2 > slots.count { rehash() } else { enter(id) }
        return UInt16(id)
    }

    /// Whether `other` begins with exactly these names, so that ids of this table mean the same there.
    package func isPrefix(of other: NameTable) -> Bool {
        guard count <= other.count else { return false }
        let length = Int(ends.last ?? 0)
        return ends.elementsEqual(other.ends.prefix(count))
            && text.elementsEqual(other.text.prefix(length))
    }

    @inline(__always)
    private func isName(_ id: Int, _ name: UnsafeRawBufferPointer) -> Bool {
        let start = id == 0 ? 0 : Int(ends[id &- 1])
        let count = Int(ends[id]) &- start
        guard count == name.count else { return false }
        guard count > 0, let name = name.baseAddress else { return true }
        return unsafe text.withUnsafeBytes { text in
            unsafe NameTable.isEqual(text.baseAddress.unsafelyUnwrapped + start, name, count)
        }
    }

    /// Whether two names of `count` bytes are the same: for so few bytes, words are faster than a call of memcmp.
    @inline(__always)
    private static func isEqual(
        _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int
    ) -> Bool {
        var offset = 0
        while offset &+ 8 <= count {
            let left = unsafe a.little(offset, as: UInt64.self)
            if unsafe left != b.little(offset, as: UInt64.self) { return false }
            offset &+= 8
        }
        while offset < count {
            let left = unsafe a.little(offset, as: UInt8.self)
            if unsafe left != b.little(offset, as: UInt8.self) { return false }
            offset &+= 1
        }
        return true
    }

    private mutating func enter(_ id: Int) {
        let hash = unsafe NameTable.withBytes(of: names[id]) { unsafe NameTable.hash($0) }
        let mask = slots.count - 1
        var index = Int(hash) & mask
        while slots[index] != 0 { index = (index + 1) & mask }
        slots[index] = (hash >> 16) << 16 | UInt32(id + 1)
    }

    private mutating func rehash() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for id in 0..<min(names.count, NameTable.idCountMax) { enter(id) }
    }

    /// Mixes up to the whole name, eight bytes at a time, by 64 x 64 -> 128-bit multiplication.
    @inline(__always)
    private static func hash(_ name: UnsafeRawBufferPointer) -> UInt32 {
        guard let bytes = name.baseAddress, name.count > 0 else { return 0 }
        let count = name.count
        var mixed = UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
        if count >= 8 {
            var offset = 0
            while offset &+ 8 < count {
                let word = unsafe bytes.little(offset, as: UInt64.self)
                mixed = mix(mixed ^ word)
                offset &+= 8
            }
            let last = unsafe bytes.little(count &- 8, as: UInt64.self)
            mixed = mix(mixed ^ last)
        } else if count >= 4 {
            let low = unsafe UInt64(bytes.little(0, as: UInt32.self))
            let high = unsafe UInt64(bytes.little(count &- 4, as: UInt32.self))
            mixed = mix(mixed ^ (low | high << 32))
        } else {
            let first = unsafe UInt64(bytes.little(0, as: UInt8.self))
            let middle = unsafe UInt64(bytes.little(count / 2, as: UInt8.self))
            let last = unsafe UInt64(bytes.little(count &- 1, as: UInt8.self))
            mixed = mix(mixed ^ (first | middle << 8 | last << 16))
        }
        return UInt32(truncatingIfNeeded: mixed)
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return product.high ^ product.low
    }
}
