// One operation in a commit's body, and so one record in a segment.
//
//   offset size  field
//        0    4  CRC-32C of bytes 4 to 31
//        4    4  length of the entry without padding: header, key and payload
//        8    4  collection
//       12    2  key length
//       14    1  kind: 1 put, 2 remove, 3 names, 4 clear, 5 dictionary
//       15    1  flags: bit 0 the sequence is relative to the adoption frame's; bit 1 the record is deflated; others zero
//       16    8  sequence, the operation's own
//       24    4  CRC-32C of key and payload
//       28    4  zero
//       32       key, payload, then zeros up to a multiple of 8
//
// A put's payload is the record, or what it is deflated to (DeflatedRecord). A remove has none. Names (growth of a
// collection's dictionary) have no key; their payload is, for each name, a varint length and its UTF-8 bytes. A clear, which
// has neither key nor payload, removes all records of the collection. A dictionary, which stands only in what compaction
// writes, changes nothing: its payload is what deflated records after it in the frame, of the same collection, repeat. A
// primary leaf's location is the entry's first byte.
// Both checksums are tested on the first read of a record from a file, its key on every read.
internal import OfflineBytes

/// The header of one operation.
package struct LogOperation: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        case put = 1
        case remove = 2
        case names = 3
        case clear = 4
        case dictionary = 5
    }

    /// Bytes; key and payload follow.
    package static let headerSize = 32
    package static let relativeSequenceFlag: UInt8 = 1
    package static let deflatedFlag: UInt8 = 2

    package var kind: Kind
    package var collection: UInt32
    package var keyLength: Int
    package var payloadLength: Int
    package var sequence: UInt64
    package var isSequenceRelative: Bool
    /// Of a put: its payload is no record, but a deflated one.
    package var isDeflated = false

    /// Header, key and payload, without padding.
    package var length: Int { Self.headerSize + keyLength + payloadLength }
    /// What it takes in a body.
    package var paddedLength: Int { (length + 7) & ~7 }

    /// Where the key lies, from the entry's first byte.
    package var keyRange: Range<Int> { Self.headerSize..<Self.headerSize + keyLength }
    /// Where the payload lies, from the entry's first byte.
    package var payloadRange: Range<Int> { Self.headerSize + keyLength..<length }

    /// Appends an entry to a body that begins 8-byte aligned. The sequence and the header's checksum are filled in by
    /// `seal` when the log gives the commit its place.
    package static func append(
        _ kind: Kind, collection: UInt32, key: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer, isDeflated: Bool = false, to body: inout [UInt8]
    ) {
        let start = body.count
        let length = headerSize + key.count + payload.count
        body.appendLittle(UInt32(0))
        body.appendLittle(UInt32(length))
        body.appendLittle(collection)
        body.appendLittle(UInt16(key.count))
        body.append(kind.rawValue)
        body.append(isDeflated ? deflatedFlag : 0)
        body.appendLittle(UInt64(0))
        body.appendLittle(UInt64(0))
        unsafe body.append(contentsOf: key)
        unsafe body.append(contentsOf: payload)
        let padding = -length & 7
        if padding > 0 { body.append(contentsOf: repeatElement(0, count: padding)) }
        let sum = unsafe body.withUnsafeBytes {
            unsafe CRC32C.checksum(
                UnsafeRawBufferPointer(rebasing: $0[start + headerSize..<start + length]))
        }
        body.patchLittle(sum, at: start + 24)
    }

    /// Gives each entry of a body its sequence, counting from `first`, and its header checksum.
    package static func seal(
        _ body: UnsafeMutableRawBufferPointer, firstSequence first: UInt64, isRelative: Bool
    ) {
        guard let base = body.baseAddress else { return }
        var offset = 0
        var sequence = first
        while offset < body.count {
            let entry = unsafe base + offset
            unsafe entry.storeLittle(sequence, at: 16)
            if isRelative {
                let flags = unsafe entry.little(15, as: UInt8.self)
                unsafe entry.storeLittle(flags | relativeSequenceFlag, at: 15)
            }
            let sum = unsafe CRC32C.checksum(
                UnsafeRawBufferPointer(start: entry + 4, count: headerSize - 4))
            unsafe entry.storeLittle(sum, at: 0)
            let length = Int(unsafe entry.little(4, as: UInt32.self))
            offset += (length + 7) & ~7
            sequence += 1
        }
    }

    /// Gives a copied entry, whose payload's checksum stays right, its sequence as an absolute one.
    package static func restate(_ entry: UnsafeMutableRawBufferPointer, sequence: UInt64) {
        guard entry.count >= headerSize, let base = entry.baseAddress else { return }
        unsafe base.storeLittle(sequence, at: 16)
        let flags = unsafe base.little(15, as: UInt8.self)
        unsafe base.storeLittle(flags & ~relativeSequenceFlag, at: 15)
        let sum = unsafe CRC32C.checksum(
            UnsafeRawBufferPointer(start: base + 4, count: headerSize - 4))
        unsafe base.storeLittle(sum, at: 0)
    }

    /// Reads and checks the entry that begins `bytes`. `checksSums` false leaves out the checksums, for an entry that
    /// passed them before; the bounds are always checked.
    package static func read(
        _ bytes: UnsafeRawBufferPointer, checksSums: Bool = true
    ) throws(LogOperationError) -> LogOperation {
        guard bytes.count >= headerSize, let base = bytes.baseAddress else {
            throw LogOperationError("the record's header is cut off")
        }
        if checksSums {
            let sum = unsafe CRC32C.checksum(
                UnsafeRawBufferPointer(start: base + 4, count: headerSize - 4))
            guard unsafe base.little(0, as: UInt32.self) == sum else {
                throw LogOperationError("the record header's checksum doesn't match")
            }
        }
        let length = Int(unsafe base.little(4, as: UInt32.self))
        let keyLength = Int(unsafe base.little(12, as: UInt16.self))
        guard length >= headerSize + keyLength, length <= bytes.count else {
            throw LogOperationError("the record's length of \(length) bytes is out of range")
        }
        let flags = unsafe base.little(15, as: UInt8.self)
        guard let kind = unsafe Kind(rawValue: base.little(14, as: UInt8.self)),
            flags & ~relativeSequenceFlag == 0
                || flags & ~(relativeSequenceFlag | deflatedFlag) == 0 && kind == .put
        else {
            throw LogOperationError("the record's kind or flags are unknown")
        }
        if checksSums {
            let payload = unsafe CRC32C.checksum(
                UnsafeRawBufferPointer(rebasing: bytes[headerSize..<length]))
            guard unsafe base.little(24, as: UInt32.self) == payload else {
                throw LogOperationError("the record's checksum doesn't match")
            }
        }
        return LogOperation(
            kind: kind, collection: unsafe base.little(8, as: UInt32.self), keyLength: keyLength,
            payloadLength: length - headerSize - keyLength,
            sequence: unsafe base.little(16, as: UInt64.self),
            isSequenceRelative: flags & relativeSequenceFlag != 0,
            isDeflated: flags & deflatedFlag != 0)
    }

    /// The payload of a `names` entry.
    package static func encodeNames(_ names: [String]) -> [UInt8] {
        var payload: [UInt8] = []
        for name in names { payload.appendLengthPrefixed(Array(name.utf8)) }
        return payload
    }

    /// The names in a `names` entry's payload.
    package static func decodeNames(
        _ payload: UnsafeRawBufferPointer
    ) throws(LogOperationError) -> [String] {
        var reader = unsafe ByteReader(payload)
        var names: [String] = []
        while unsafe !reader.isAtEnd {
            let bytes: [UInt8]
            do { bytes = try unsafe reader.lengthPrefixedArray() } catch {
                throw LogOperationError("the field names are damaged: \(error)")
            }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                throw LogOperationError("a field name is no UTF-8")
            }
            names.append(name)
        }
        return names
    }
}

/// What is wrong with an entry's bytes; the caller knows the place.
package struct LogOperationError: Error, Equatable {
    package var message: String
    /// Nothing is wrong with the bytes: the system had no memory for what is to be made of them.
    package private(set) var isLackOfMemory = false

    package init(_ message: String) { self.message = message }

    static var outOfMemory: LogOperationError {
        var error = LogOperationError("there is no memory to inflate a record")
        error.isLackOfMemory = true
        return error
    }
}

extension EngineError {
    /// What an entry of a log file can't be read for.
    init(_ error: LogOperationError, file: FileNumber, offset: UInt64) {
        let name = FileNames.log(file)
        self =
            error.isLackOfMemory
            ? EngineError(.outOfMemory, error.message, file: name, offset: offset)
            : .corrupted(error.message, file: name, offset: offset)
    }
}
