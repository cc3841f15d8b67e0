// The layout of a file store's one file: a header of 40 bytes, then the body, which holds everything.
//
//   offset size  header
//        0    8  magic: "OFFSTAT1"
//        8    4  format version
//       12    4  flags: none known, zero
//       16    8  generation: one more with each file that was written, from 1
//       24    8  bytes of the body
//       32    4  CRC-32C of the body
//       36    4  CRC-32C of bytes 0 to 35
//
//   body (numbers are varints; text and bytes follow their length)
//     application version, next sequence, number of collections
//     a collection, ascending by number: number, definition, number of names, names
//       number of records; a record, ascending by key: key, length of the rest, sequence (8 bytes), record
//       number of indexes; an index, ascending by number: number, number of entries, their keys, ascending
//
// Integers of fixed size are little-endian. The whole file is written and read at once. Nothing that it says is believed
// before it was compared with the bytes that are there: no count allocates, no number traps.
internal import OfflineBytes
internal import OfflineEngine

/// A file store's state and where it stands in the row of states.
struct StateFile {
    static let headerSize = 40
    /// "OFFSTAT1".
    static let magic: UInt64 = 0x3154_4154_5346_464F
    static let version: UInt32 = 1
    /// No store has more commits or puts; sums with a number below it don't overflow.
    private static let numberMax: UInt64 = 1 << 62

    var state: MapState
    var generation: UInt64

    init(_ state: MapState, generation: UInt64) {
        self.state = state
        self.generation = generation
    }

    // MARK: - Writing

    func encoded() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.headerSize)
        bytes.appendVarint(state.version)
        bytes.appendVarint(state.nextSequence)
        bytes.appendVarint(UInt64(state.collections.count))
        for (id, collection) in state.collections.sorted(by: { $0.key < $1.key }) {
            Self.append(id, collection, to: &bytes)
        }
        let body = unsafe bytes.withUnsafeBytes {
            unsafe CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[Self.headerSize...]))
        }
        var header: [UInt8] = []
        header.appendLittle(Self.magic)
        header.appendLittle(Self.version)
        header.appendLittle(UInt32(0))
        header.appendLittle(generation)
        header.appendLittle(UInt64(bytes.count - Self.headerSize))
        header.appendLittle(body)
        header.appendLittle(CRC32C.checksum(header))
        bytes.replaceSubrange(0..<Self.headerSize, with: header)
        return bytes
    }

    private static func append(
        _ id: CollectionID, _ collection: MapState.Collection, to bytes: inout [UInt8]
    ) {
        bytes.appendVarint(UInt64(id.value))
        bytes.appendLengthPrefixed(collection.definition)
        bytes.appendVarint(UInt64(collection.names.count))
        for name in collection.names { bytes.appendLengthPrefixed(Array(name.utf8)) }
        bytes.appendVarint(UInt64(collection.records.count))
        collection.records.forEach { key, value in
            bytes.appendLengthPrefixed(key)
            // A value is the sequence and the record already.
            bytes.appendLengthPrefixed(value)
        }
        bytes.appendVarint(UInt64(collection.entries.count))
        for (index, entries) in collection.entries.sorted(by: { $0.key < $1.key }) {
            bytes.appendVarint(UInt64(index))
            bytes.appendVarint(UInt64(entries.count))
            entries.forEach { key, _ in bytes.appendLengthPrefixed(key) }
        }
    }

    // MARK: - Reading

    /// Judges the first bytes of a file: whether they begin a state file that this code reads.
    static func checkHeader(_ bytes: [UInt8], of name: String) throws(EngineError) {
        func wrong(_ message: String, at offset: UInt64) -> EngineError {
            .corrupted(message, file: name, offset: offset)
        }
        guard bytes.count >= headerSize else {
            throw wrong("the file is shorter than its header", at: UInt64(bytes.count))
        }
        guard little(bytes, 0) == magic else { throw wrong("this is no state file", at: 0) }
        let sum = CRC32C.checksum(Array(bytes[0..<36]))
        guard UInt32(truncatingIfNeeded: little(bytes, 32) >> 32) == sum else {
            throw wrong("the header's checksum doesn't match", at: 36)
        }
        let version = UInt32(truncatingIfNeeded: little(bytes, 8))
        guard version == Self.version else {
            throw EngineError(
                .unsupportedFormat,
                "format version \(version); this release reads version \(Self.version)", file: name)
        }
        guard little(bytes, 8) >> 32 == 0 else {
            throw EngineError(.unsupportedFormat, "an unknown flag is set", file: name, offset: 12)
        }
        let generation = little(bytes, 16)
        guard (1..<numberMax).contains(generation) else {
            throw wrong("the generation is \(generation)", at: 16)
        }
    }

    /// The bytes of a whole file.
    init(_ bytes: [UInt8], of name: String) throws(EngineError) {
        try Self.checkHeader(bytes, of: name)
        let size = Self.little(bytes, 24)
        guard size == UInt64(bytes.count - Self.headerSize) else {
            throw .corrupted(
                "the body has \(bytes.count - Self.headerSize) bytes; it should have \(size)",
                file: name, offset: 24)
        }
        generation = Self.little(bytes, 16)
        let sum = UInt32(truncatingIfNeeded: Self.little(bytes, 32))
        state = try unsafe bytes.withBytes { all throws(EngineError) in
            let body = unsafe UnsafeRawBufferPointer(rebasing: all[Self.headerSize...])
            guard unsafe CRC32C.checksum(body) == sum else {
                throw .corrupted(
                    "the body's checksum doesn't match", file: name, offset: UInt64(Self.headerSize)
                )
            }
            do throws(ByteError) {
                var reader = unsafe StateReader(body)
                return try unsafe reader.state(numberMax: Self.numberMax)
            } catch {
                throw .corrupted(
                    error.message, file: name, offset: UInt64(Self.headerSize + error.offset))
            }
        }
    }

    /// Eight bytes of a header, which is whole.
    private static func little(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Reads a body.
@unsafe
private struct StateReader {
    private var reader: ByteReader

    init(_ bytes: UnsafeRawBufferPointer) { unsafe reader = ByteReader(bytes) }

    mutating func state(numberMax: UInt64) throws(ByteError) -> MapState {
        var state = MapState()
        state.version = try unsafe reader.varint()
        let start = unsafe reader.offset
        state.nextSequence = try unsafe reader.varint()
        guard (1..<numberMax).contains(state.nextSequence) else {
            throw ByteError("the next sequence is \(state.nextSequence)", at: start)
        }
        var last: UInt32 = 0
        for _ in 0..<(try unsafe count()) {
            last = try unsafe number(above: last)
            state.collections[CollectionID(last)] = try unsafe collection(
                below: state.nextSequence)
        }
        try unsafe reader.expectEnd()
        return state
    }

    private mutating func collection(
        below nextSequence: UInt64
    ) throws(ByteError) -> MapState.Collection {
        var result = MapState.Collection(
            definition: try unsafe reader.lengthPrefixedArray(), names: [])
        for _ in 0..<(try unsafe count()) {
            let start = unsafe reader.offset
            guard
                let name = String(
                    validating: try unsafe reader.lengthPrefixedArray(), as: UTF8.self)
            else { throw ByteError("a name isn't UTF-8", at: start) }
            result.names.append(name)
        }
        result.records = try unsafe map { reader throws(ByteError) in
            let start = unsafe reader.offset
            let value = try unsafe reader.lengthPrefixedArray()
            guard value.count >= MapRecord.headerSize,
                (1..<nextSequence).contains(MapRecord.sequence(in: value))
            else { throw ByteError("a record's sequence is missing or wrong", at: start) }
            return value
        }
        var last: UInt32 = 0
        for _ in 0..<(try unsafe count()) {
            last = try unsafe number(above: last)
            result.entries[last] = try unsafe map { _ in [] }
        }
        return result
    }

    /// Entries with ascending keys, each behind its key what `value` reads.
    private mutating func map(
        _ value: (inout ByteReader) throws(ByteError) -> [UInt8]
    ) throws(ByteError) -> PersistentMap {
        var entries: [(key: [UInt8], value: [UInt8])] = []
        for _ in 0..<(try unsafe count()) {
            let start = unsafe reader.offset
            let key = try unsafe reader.lengthPrefixedArray()
            guard key.count <= Limits.keyBytesMax else {
                throw ByteError("a key has \(key.count) bytes", at: start)
            }
            if let last = entries.last, ByteOrder.compare(last.key, key) >= 0 {
                throw ByteError("keys don't ascend", at: start)
            }
            entries.append((key, try unsafe value(&reader)))
        }
        return PersistentMap(ascending: entries)
    }

    /// How many things follow; each takes a byte at least.
    private mutating func count() throws(ByteError) -> Int {
        try unsafe reader.count(atMost: reader.remaining)
    }

    /// A collection's or index's number; they ascend from 1.
    private mutating func number(above last: UInt32) throws(ByteError) -> UInt32 {
        let start = unsafe reader.offset
        let value = try unsafe reader.varint()
        guard let number = UInt32(exactly: value), number > last else {
            throw ByteError("number \(value) comes after \(last)", at: start)
        }
        return number
    }
}
