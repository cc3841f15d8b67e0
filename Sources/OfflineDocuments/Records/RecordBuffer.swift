// The bytes of a record while they are written. Children are written before their container knows how long they are, so
// each container is begun narrow, its header reserved and patched as its values end, and widened in place once they take
// more than a narrow container holds.
internal import OfflineBytes

/// A growing buffer that is kept from record to record.
@safe
final class RecordBuffer {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0
    /// Whether no byte stays in memory that was written here and is forgotten.
    private let isSecret: Bool

    init(isSecret: Bool = false) {
        self.isSecret = isSecret
        capacity = 1024
        unsafe memory = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit {
        wipeSecret()
        unsafe memory.deallocate()
    }

    private func wipeSecret() {
        if isSecret { unsafe UnsafeMutableRawBufferPointer(start: memory, count: count).wipe() }
    }

    /// What was written.
    var contents: [UInt8] {
        unsafe [UInt8](UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// Calls `body` with what was written.
    func withContents<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// Moves bytes of the contents down to `start`; they are then the last ones, and what was behind them is overwritten.
    func keep(_ bytes: UnsafeRawBufferPointer, at start: Int) {
        let end = start + bytes.count
        guard let from = bytes.baseAddress else { return }
        precondition(
            unsafe start >= 0 && from >= UnsafeRawPointer(memory + start) && end <= count,
            "bytes of the contents are kept")
        unsafe (memory + start).copyMemory(from: from, byteCount: bytes.count)
        unsafe UnsafeMutableRawBufferPointer(start: memory + end, count: count - end).wipe()
        count = end
    }

    /// Forgets what was written, and gives back what an unusually large record took.
    func removeAll() {
        wipeSecret()
        count = 0
        if capacity > 1 << 20 {
            unsafe memory.deallocate()
            capacity = 1024
            unsafe memory = .allocate(byteCount: capacity, alignment: 8)
        }
    }

    /// Forgets what was written after the first `count` bytes.
    func truncate(to count: Int) { self.count = min(count, self.count) }

    /// Sets an end in a narrow header that was written before.
    func setNarrowEnd(_ end: Int, at offset: Int) {
        precondition(offset >= 0 && offset + 2 <= count, "an end lies in what was written")
        unsafe memory.storeLittle(UInt16(truncatingIfNeeded: end), at: offset)
    }

    /// Makes `length` more bytes part of the contents and returns where they begin; they hold anything. The pointer is
    /// valid until the buffer grows again.
    @inline(__always)
    @unsafe
    func grow(_ length: Int) -> UnsafeMutableRawPointer {
        let start = count
        if capacity &- start < length { reallocate(start + length) }
        count = start &+ length
        return unsafe memory + start
    }

    @inline(never)
    private func reallocate(_ needed: Int) {
        let capacity = max(needed, self.capacity * 2)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        unsafe grown.copyMemory(from: memory, byteCount: count)
        wipeSecret()
        unsafe memory.deallocate()
        unsafe memory = grown
        self.capacity = capacity
    }

    @inline(__always)
    func append(_ byte: UInt8) {
        unsafe grow(1).storeLittle(byte, at: 0)
    }

    /// Appends a tag and an integer.
    @inline(__always)
    func append<T: FixedWidthInteger & BitwiseCopyable>(_ tag: UInt8, _ payload: T) {
        let start = unsafe grow(1 &+ MemoryLayout<T>.size)
        unsafe start.storeLittle(tag, at: 0)
        unsafe start.storeLittle(payload, at: 1)
    }

    /// Appends a tag and bytes.
    @inline(__always)
    func append(_ tag: UInt8, _ payload: UnsafeRawBufferPointer) {
        let start = unsafe grow(1 &+ payload.count)
        unsafe start.storeLittle(tag, at: 0)
        if let bytes = payload.baseAddress {
            unsafe (start + 1).copyMemory(from: bytes, byteCount: payload.count)
        }
    }

    /// Appends bytes as they are.
    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        unsafe grow(bytes.count).copyMemory(from: start, byteCount: bytes.count)
    }

    /// Appends a field's inline name.
    func appendInlineName(_ name: UnsafeRawBufferPointer) {
        var rest = name.count
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
        unsafe append(name)
    }
}

/// A container whose values are being written.
struct OpenContainer {
    /// Where its tag is in the buffer.
    let start: Int
    let count: Int
    let isObject: Bool
    let isOrdered: Bool
    private(set) var isWide: Bool
    /// Where its first value is in the buffer.
    fileprivate var valuesStart: Int
    /// How many values have ended.
    fileprivate var ended = 0

    fileprivate var idsStart: Int { start &+ 1 &+ RecordLayout.width(isWide: isWide) }
    fileprivate var endsStart: Int { idsStart &+ (isObject ? count &* 2 : 0) }
    fileprivate var orderStart: Int { endsStart &+ count &* RecordLayout.width(isWide: isWide) }
    fileprivate var orderWidth: Int { RecordLayout.orderWidth(count: count, isWide: isWide) }

    fileprivate init(start: Int, count: Int, isObject: Bool, isOrdered: Bool, isWide: Bool) {
        self.start = start
        self.count = count
        self.isObject = isObject
        self.isOrdered = isOrdered
        self.isWide = isWide
        valuesStart =
            start
            &+ RecordLayout.headerLength(
                isObject: isObject, isWide: isWide, isOrdered: isOrdered, count: count)
    }

    fileprivate var widened: OpenContainer {
        var result = OpenContainer(
            start: start, count: count, isObject: isObject, isOrdered: isOrdered, isWide: true)
        result.ended = ended
        return result
    }

    fileprivate var tag: UInt8 {
        (isObject ? ValueTag.object : ValueTag.array) | (isWide ? ValueTag.wide : 0)
            | (isOrdered ? ValueTag.ordered : 0)
    }
}

extension RecordBuffer {
    /// Begins a container of `count` values: writes what of its header is known and makes room for the rest. More values
    /// than a narrow container's bytes make it wide at once.
    @inline(__always)
    func open(count: Int, isObject: Bool, isOrdered: Bool = false) -> OpenContainer {
        let container = OpenContainer(
            start: self.count, count: count, isObject: isObject, isOrdered: isOrdered,
            isWide: count > RecordLayout.narrowBytesMax)
        let header = unsafe grow(container.valuesStart &- container.start)
        unsafe header.storeLittle(container.tag, at: 0)
        if container.isWide {
            unsafe header.storeLittle(UInt32(truncatingIfNeeded: count), at: 1)
        } else {
            unsafe header.storeLittle(UInt16(truncatingIfNeeded: count), at: 1)
        }
        return container
    }

    /// Sets the id of field `index` of the table.
    @inline(__always)
    func setID(_ id: UInt16, at index: Int, in container: OpenContainer) {
        unsafe memory.storeLittle(id, at: container.idsStart &+ index &* 2)
    }

    /// Says that the field at place `index` of the table is `position`th in kept order.
    func setOrder(_ index: Int, position: Int, in container: OpenContainer) {
        switch container.orderWidth {
        case 1:
            unsafe memory.storeLittle(
                UInt8(truncatingIfNeeded: index), at: container.orderStart &+ position)
        case 2:
            unsafe memory.storeLittle(
                UInt16(truncatingIfNeeded: index), at: container.orderStart &+ position &* 2)
        default:
            unsafe memory.storeLittle(
                UInt32(truncatingIfNeeded: index), at: container.orderStart &+ position &* 4)
        }
    }

    /// Ends the container's next value where the contents end.
    @inline(__always)
    func endValue(in container: inout OpenContainer) {
        let end = count &- container.valuesStart
        if !container.isWide, end > RecordLayout.narrowBytesMax { widen(&container) }
        if container.isWide {
            unsafe memory.storeLittle(
                UInt32(truncatingIfNeeded: end), at: container.endsStart &+ container.ended &* 4)
        } else {
            unsafe memory.storeLittle(
                UInt16(truncatingIfNeeded: end), at: container.endsStart &+ container.ended &* 2)
        }
        container.ended &+= 1
    }

    /// Moves the values up and spreads the header. Everything moves towards higher offsets, so the last part goes first.
    @inline(never)
    private func widen(_ narrow: inout OpenContainer) {
        let wide = narrow.widened
        let valuesLength = count - narrow.valuesStart
        _ = unsafe grow(wide.valuesStart - narrow.valuesStart)
        unsafe (memory + wide.valuesStart).copyMemory(
            from: memory + narrow.valuesStart, byteCount: valuesLength)
        if narrow.isOrdered {
            for position in (0..<narrow.count).reversed() {
                let at = narrow.orderStart + position * narrow.orderWidth
                let index =
                    narrow.orderWidth == 1
                    ? unsafe Int(memory.little(at, as: UInt8.self))
                    : unsafe Int(memory.little(at, as: UInt16.self))
                setOrder(index, position: position, in: wide)
            }
        }
        for index in (0..<narrow.ended).reversed() {
            let end = unsafe memory.little(narrow.endsStart + index * 2, as: UInt16.self)
            unsafe memory.storeLittle(UInt32(end), at: wide.endsStart + index * 4)
        }
        if narrow.isObject {
            unsafe (memory + wide.idsStart).copyMemory(
                from: memory + narrow.idsStart, byteCount: narrow.count * 2)
        }
        unsafe memory.storeLittle(UInt32(narrow.count), at: wide.start + 1)
        unsafe memory.storeLittle(wide.tag, at: wide.start)
        narrow = wide
    }
}
