// A record's bytes: the one layout on disk and in memory, read in place. All integers are little-endian, nothing is
// aligned. FORMAT.md, "Records", is written from this map.
//
//   record      format (1 byte, 0x01) · object, up to the record's end
//   value       tag (1 byte) · payload; a value's length is given by what contains it
//
//   tag         payload
//   0x00        null: nothing
//   0x01        false: nothing
//   0x02        true: nothing
//   0x03        int: 1, 2, 4 or 8 bytes, two's complement, the fewest that hold it
//   0x04        double: 8 bytes, IEEE 754, every bit kept
//   0x05        date: 8 bytes, seconds since 2001-01-01 00:00:00 UTC as a double, every bit kept
//   0x06        string: UTF-8
//   0x07        data: bytes
//   0x08        a sealed value: what SealedValue.swift says
//   0x10        array:  count (w) · ends (count x w) · values
//   0x20        object: count (w) · ids (count x 2) · ends (count x w) · order (only with 0x02) · fields
//   others      invalid
//
//   Bits in an array's or object's tag:
//   0x01 wide   w is 4; else 2. Wide exactly where the values take more than 65,535 bytes.
//   0x02 order  objects only: the fields' kept order differs from that of the table
//
//   end         where a value or field ends, counted from where the first begins. Each begins where the one before ends,
//               and the last ends with its container: no gaps, no overlaps, so nothing is reached twice.
//   id          a name's position in the collection's dictionary, or 0xFFFF: the name is inline
//   field       the value; with an inline name: length of the name (varint) · its UTF-8 · the value
//   table order first the fields with ids, ascending; then those with inline names, ascending by bytes. No name twice.
//   order       for each field in kept order its place in the table, each 1 byte where count <= 256, else w
//
// Invariants: a value's encoding follows from the value and its names' ids, so equal bytes under one dictionary are equal
// values; a record's length is at most `RecordLimits.byteCountMax`, its depth at most `RecordLimits.depthMax`. A name may
// have got an id after a record was written with it inline, so who looks for it looks for both.
internal import OfflineBytes

/// Constants of the layout.
enum RecordLayout {
    /// A record's first byte.
    static let format: UInt8 = 0x01
    /// The id that says that a field's name is inline.
    static let inlineName: UInt16 = 0xFFFF
    /// The most bytes that a narrow container's values take.
    static let narrowBytesMax = 0xFFFF

    /// The width of the count and of each end.
    @inline(__always)
    static func width(isWide: Bool) -> Int { isWide ? 4 : 2 }

    /// The width of each entry of the kept order.
    @inline(__always)
    static func orderWidth(count: Int, isWide: Bool) -> Int {
        count <= 256 ? 1 : width(isWide: isWide)
    }

    /// A container's bytes before its first value.
    @inline(__always)
    static func headerLength(isObject: Bool, isWide: Bool, isOrdered: Bool, count: Int) -> Int {
        let width = width(isWide: isWide)
        var length = 1 &+ width &+ count &* width
        if isObject { length &+= count &* 2 }
        if isOrdered { length &+= count &* orderWidth(count: count, isWide: isWide) }
        return length
    }
}

/// The first byte of a value.
enum ValueTag {
    static let null: UInt8 = 0x00
    static let `false`: UInt8 = 0x01
    static let `true`: UInt8 = 0x02
    static let int: UInt8 = 0x03
    static let double: UInt8 = 0x04
    static let date: UInt8 = 0x05
    static let string: UInt8 = 0x06
    static let data: UInt8 = 0x07
    static let sealed: UInt8 = 0x08
    static let array: UInt8 = 0x10
    static let object: UInt8 = 0x20
    /// In an array's or object's tag.
    static let wide: UInt8 = 0x01
    /// In an object's tag.
    static let ordered: UInt8 = 0x02

    @inline(__always)
    static func isArray(_ tag: UInt8) -> Bool { tag & ~wide == array }

    @inline(__always)
    static func isObject(_ tag: UInt8) -> Bool { tag & ~(wide | ordered) == object }

    /// The kind that a valid tag stands for.
    static func kind(_ tag: UInt8) -> ValueKind {
        switch tag {
        case null: .null
        case `false`, `true`: .bool
        case int: .int
        case double: .double
        case date: .date
        case string: .string
        case data: .data
        case sealed: .sealed
        default: isArray(tag) ? .array : .object
        }
    }
}

/// Where the parts of an encoded array or object are. It doesn't own the bytes, and trusts them: they are validated.
@unsafe
struct ContainerLayout {
    let start: UnsafeRawPointer
    let isWide: Bool
    let isOrdered: Bool
    let count: Int
    /// Offset of the ids (objects only), from the start.
    let idsOffset: Int
    /// Offset of the ends, from the start.
    let endsOffset: Int
    /// Offset of the kept order where there is one, from the start.
    let orderOffset: Int
    /// Offset of the first value or field, from the start.
    let valuesOffset: Int

    /// The layout of the array or object that begins at `start`.
    @inline(__always)
    init(_ start: UnsafeRawPointer) {
        let tag = unsafe start.little(0, as: UInt8.self)
        let isObject = ValueTag.isObject(tag)
        unsafe self.start = unsafe start
        unsafe isWide = tag & ValueTag.wide != 0
        unsafe isOrdered = isObject && tag & ValueTag.ordered != 0
        if unsafe isWide {
            unsafe count = Int(start.little(1, as: UInt32.self))
            unsafe idsOffset = 5
        } else {
            unsafe count = Int(start.little(1, as: UInt16.self))
            unsafe idsOffset = 3
        }
        unsafe endsOffset = idsOffset &+ (isObject ? count &* 2 : 0)
        unsafe orderOffset = endsOffset &+ count &* RecordLayout.width(isWide: isWide)
        unsafe valuesOffset =
            isOrdered
            ? orderOffset &+ count &* RecordLayout.orderWidth(count: count, isWide: isWide)
            : orderOffset
    }

    /// Where value or field `index` ends, from the first value.
    @inline(__always)
    func end(_ index: Int) -> Int {
        unsafe isWide
            ? Int(start.little(endsOffset &+ index &* 4, as: UInt32.self))
            : Int(start.little(endsOffset &+ index &* 2, as: UInt16.self))
    }

    /// Where value or field `index` begins, from the container's start, and its length.
    @inline(__always)
    func extent(_ index: Int) -> (offset: Int, length: Int) {
        let begin = index == 0 ? 0 : unsafe end(index &- 1)
        return unsafe (valuesOffset &+ begin, end(index) &- begin)
    }

    /// The id of field `index`.
    @inline(__always)
    func id(_ index: Int) -> UInt16 {
        unsafe start.little(idsOffset &+ index &* 2, as: UInt16.self)
    }

    /// The place in the table of the field that is `position`th in kept order.
    @inline(__always)
    func tableIndex(position: Int) -> Int {
        guard unsafe isOrdered else { return position }
        switch unsafe RecordLayout.orderWidth(count: count, isWide: isWide) {
        case 1: return unsafe Int(start.little(orderOffset &+ position, as: UInt8.self))
        case 2: return unsafe Int(start.little(orderOffset &+ position &* 2, as: UInt16.self))
        default: return unsafe Int(start.little(orderOffset &+ position &* 4, as: UInt32.self))
        }
    }
}
