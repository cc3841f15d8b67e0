// Proves that bytes are a record as RecordLayout.swift draws it, before anything reads them in place.
//
// Steps for each container: its header is inside it; its ends ascend and the last meets its own end, so values neither
// overlap nor leave gaps, and all bytes are visited once; ids ascend and are in the dictionary; inline names ascend;
// the kept order is a permutation; then each value in turn. Every number is checked before it is used. The recursion is
// bounded by `RecordLimits.depthMax`; only a kept order of more than 64 fields allocates, an eighth of a byte a field.
internal import OfflineBytes

/// Checks whole records.
package enum RecordValidator {
    /// Throws `.corrupted`, with the offset, unless `bytes` are a well-formed record whose ids are all below `nameCount`. `depth`: how
    /// deep its object lies in what it is a part of.
    package static func validate(
        _ bytes: UnsafeRawBufferPointer, nameCount: Int, depth: Int = 1
    ) throws(OfflineError) {
        do throws(RecordFault) {
            guard bytes.count <= RecordLimits.byteCountMax else {
                throw RecordFault("the record is over 16 MiB", at: 0)
            }
            guard let start = bytes.baseAddress, bytes.count > 1 else {
                throw RecordFault("the record is truncated", at: 0)
            }
            guard unsafe bytes[0] == RecordLayout.format else {
                throw RecordFault("the record's format is unknown", at: 0)
            }
            guard unsafe ValueTag.isObject(bytes[1]) else {
                throw RecordFault("the record is no object", at: 1)
            }
            let validation = unsafe RecordValidation(bytes: start, nameCount: nameCount)
            try unsafe validation.value(at: 1, length: bytes.count - 1, depth: depth)
        } catch {
            throw OfflineError(.corrupted, "\(error.reason) (byte \(error.offset) of the record)")
        }
    }
}

/// What is wrong with a record's bytes, and where.
private struct RecordFault: Error {
    let reason: StaticString
    let offset: Int

    init(_ reason: StaticString, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

/// One walk over a record.
@unsafe
private struct RecordValidation {
    let bytes: UnsafeRawPointer
    let nameCount: Int

    /// Checks the value that takes exactly `length` bytes at `offset`; both are inside the record.
    func value(at offset: Int, length: Int, depth: Int) throws(RecordFault) {
        guard length > 0 else { throw RecordFault("a value is empty", at: offset) }
        let payload = length - 1
        switch unsafe bytes.little(offset, as: UInt8.self) {
        case ValueTag.null, ValueTag.false, ValueTag.true:
            guard payload == 0 else { throw RecordFault("a value is too long", at: offset) }
        case ValueTag.int:
            try unsafe int(at: offset, payload: payload)
        case ValueTag.double, ValueTag.date:
            guard payload == 8 else { throw RecordFault("a number is not 8 bytes", at: offset) }
        case ValueTag.string:
            try unsafe text(at: offset + 1, length: payload)
        case ValueTag.data:
            break
        case ValueTag.sealed:
            let bytes = unsafe UnsafeRawBufferPointer(
                start: bytes + offset + 1, count: payload)
            guard unsafe SealedValue.isPayload(bytes) else {
                throw RecordFault("a sealed value is malformed", at: offset)
            }
        case ValueTag.array, ValueTag.array | ValueTag.wide:
            try unsafe array(at: offset, length: length, depth: depth)
        case ValueTag.object...(ValueTag.object | ValueTag.wide | ValueTag.ordered):
            try unsafe object(at: offset, length: length, depth: depth)
        default:
            throw RecordFault("a value's tag is unknown", at: offset)
        }
    }

    private func int(at offset: Int, payload: Int) throws(RecordFault) {
        let isShortest: Bool
        switch payload {
        case 1: isShortest = true
        case 2:
            let value = unsafe bytes.little(offset + 1, as: Int16.self)
            isShortest = Int8(exactly: value) == nil
        case 4:
            let value = unsafe bytes.little(offset + 1, as: Int32.self)
            isShortest = Int16(exactly: value) == nil
        case 8:
            let value = unsafe bytes.little(offset + 1, as: Int64.self)
            isShortest = Int32(exactly: value) == nil
        default: isShortest = false
        }
        guard isShortest else { throw RecordFault("an int's length is wrong", at: offset) }
    }

    /// Checks that text is UTF-8: ASCII eight bytes at a time, anything else by the standard library.
    private func text(at offset: Int, length: Int) throws(RecordFault) {
        var ascii = 0
        while ascii + 8 <= length {
            let word = unsafe bytes.little(offset + ascii, as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 { break }
            ascii += 8
        }
        while ascii < length, unsafe bytes.little(offset + ascii, as: UInt8.self) < 0x80 {
            ascii += 1
        }
        if ascii == length { return }
        // An ASCII byte ends whatever was before it, so what follows stands alone.
        let rest = unsafe UnsafeRawBufferPointer(
            start: bytes + offset + ascii, count: length - ascii)
        do {
            _ = try unsafe UTF8Span(validating: Span(_unsafeBytes: rest))
        } catch {
            throw RecordFault("text is not UTF-8", at: offset + ascii)
        }
    }

    private func array(at offset: Int, length: Int, depth: Int) throws(RecordFault) {
        let layout = try unsafe container(at: offset, length: length, depth: depth)
        for index in 0..<(unsafe layout.count) {
            let extent = unsafe layout.extent(index)
            try unsafe value(at: offset + extent.offset, length: extent.length, depth: depth + 1)
        }
    }

    private func object(at offset: Int, length: Int, depth: Int) throws(RecordFault) {
        let layout = try unsafe container(at: offset, length: length, depth: depth)
        var previousID = -1
        var previousName = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        for index in 0..<(unsafe layout.count) {
            let id = unsafe Int(layout.id(index))
            let extent = unsafe layout.extent(index)
            var at = offset + extent.offset
            let end = at + extent.length
            if id == RecordLayout.inlineName {
                let name = try unsafe inlineName(at: &at, end: end)
                if previousID == id, unsafe ByteOrder.compare(previousName, name) >= 0 {
                    throw RecordFault("inline names don't ascend", at: at)
                }
                unsafe previousName = name
            } else if unsafe id <= previousID || id >= nameCount {
                throw RecordFault("a field's id is out of order or unknown", at: at)
            }
            previousID = id
            try unsafe value(at: at, length: end - at, depth: depth + 1)
        }
        if unsafe layout.isOrdered { try unsafe order(layout, at: offset) }
    }

    /// Checks a container's header and ends; then every extent of the layout is inside the container.
    private func container(
        at offset: Int, length: Int, depth: Int
    ) throws(RecordFault) -> ContainerLayout {
        guard depth <= RecordLimits.depthMax else {
            throw RecordFault("objects and arrays are nested too deeply", at: offset)
        }
        let tag = unsafe bytes.little(offset, as: UInt8.self)
        guard length >= 1 + RecordLayout.width(isWide: tag & ValueTag.wide != 0) else {
            throw RecordFault("an object or array is truncated", at: offset)
        }
        // The count is below 2^32, so the offsets derived from it are far from overflow.
        let layout = unsafe ContainerLayout(bytes + offset)
        guard unsafe layout.valuesOffset <= length else {
            throw RecordFault("an object or array is truncated", at: offset)
        }
        let valuesLength = unsafe length - layout.valuesOffset
        guard unsafe layout.isWide == (valuesLength > RecordLayout.narrowBytesMax) else {
            throw RecordFault("an object or array has the wrong width", at: offset)
        }
        var previous = 0
        for index in 0..<(unsafe layout.count) {
            let end = unsafe layout.end(index)
            guard end > previous else {
                throw RecordFault("the ends of values don't ascend", at: offset)
            }
            previous = end
        }
        guard previous == valuesLength else {
            throw RecordFault("the last value doesn't end its container", at: offset)
        }
        return unsafe layout
    }

    /// Reads a field's inline name and leaves `at` behind it.
    private func inlineName(
        at: inout Int, end: Int
    ) throws(RecordFault) -> UnsafeRawBufferPointer {
        let start = at
        var length = 0
        var shift = 0
        while true {
            guard at < end, shift < 28 else { throw RecordFault("a name is truncated", at: start) }
            let next = unsafe Int(bytes.little(at, as: UInt8.self))
            at += 1
            length |= (next & 0x7F) << shift
            shift += 7
            if next >= 0x80 { continue }
            guard next != 0 || shift == 7 else {
                throw RecordFault("a name's length is not in its shortest form", at: start)
            }
            break
        }
        guard length < end - at else { throw RecordFault("a name is truncated", at: start) }
        try unsafe text(at: at, length: length)
        let name = unsafe UnsafeRawBufferPointer(start: bytes + at, count: length)
        at += length
        return unsafe name
    }

    /// Checks that the kept order is a permutation, and not that of the table, which is never written.
    private func order(_ layout: ContainerLayout, at offset: Int) throws(RecordFault) {
        var isTableOrder = true
        var seen = unsafe BitSet(count: layout.count)
        for position in 0..<(unsafe layout.count) {
            let index = unsafe layout.tableIndex(position: position)
            guard unsafe index < layout.count, seen.insert(index) else {
                throw RecordFault("the fields' order is no permutation", at: offset)
            }
            if index != position { isTableOrder = false }
        }
        if isTableOrder { throw RecordFault("the fields' order is superfluous", at: offset) }
    }
}

/// A set of small integers; up to 64 of them take no allocation.
private struct BitSet {
    private var first: UInt64 = 0
    private var rest: [UInt64]

    init(count: Int) {
        rest = count <= 64 ? [] : [UInt64](repeating: 0, count: (count - 1) / 64)
    }

    /// Adds a member below the count; false where it was in already.
    mutating func insert(_ member: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(member & 63)
        if member < 64 {
            defer { first |= bit }
            return first & bit == 0
        }
        let word = member / 64 - 1
        defer { rest[word] |= bit }
        return rest[word] & bit == 0
    }
}
